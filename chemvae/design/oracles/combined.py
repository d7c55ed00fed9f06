"""Several oracles side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.score import Score


class JointOracle(Oracle):
    """Oracles that look at the same molecules. Each has its own time limit, workers and memory; see :class:`CombinedOracle`."""

    keeps_limit = True
    shares_work = False

    def __init__(self, oracles: Sequence[Oracle]):
        self.oracles = list(oracles)

    @property
    def n_ready(self) -> int:  # type: ignore[override]  # what its parts have: nobody sets it
        """Scores that every part has there."""
        return min(oracle.n_ready for oracle in self.oracles)

    @property
    def runs_here(self) -> bool:
        """Whether a part does."""
        return self.timeout_s is None and any(oracle.runs_here for oracle in self.oracles)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Score with each oracle: [N, P]."""
        return np.array([score.values for score in self.run(smiles)], dtype=float).reshape(len(smiles), len(self.names))

    def identity(self) -> str:
        """What tells apart the parts, and how they are joined."""
        return f"{self.describe()} [{'; '.join(oracle.identity() for oracle in self.oracles)}]"

    def close(self) -> None:
        """End every worker, and save what is remembered."""
        for oracle in self.oracles:
            oracle.close()
        super().close()


class CombinedOracle(JointOracle):
    """Several oracles side by side; their names stand in a row. A molecule that one of them fails on has failed.

    Examples
    --------
    >>> from chemvae.design.oracles.simple import FunctionOracle, PropertyOracle
    >>> both = CombinedOracle([PropertyOracle("rings"), FunctionOracle(len, "length")])
    >>> both.names, both(["CCO"])
    (('rings', 'length'), array([[0., 3.]]))
    """

    def __init__(self, oracles: Sequence[Oracle]):
        super().__init__(oracles)
        self.names = tuple(name for oracle in self.oracles for name in oracle.names)
        self.label = " + ".join(oracle.describe() for oracle in self.oracles)

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score with each oracle in turn and join values, reasons and times."""
        for parts in zip(*(oracle.iter_scores(smiles) for oracle in self.oracles), strict=True):
            values = tuple(value for part in parts for value in part.values)
            yield Score(values, "; ".join(p.reason for p in parts if p.reason), sum(p.seconds for p in parts))
