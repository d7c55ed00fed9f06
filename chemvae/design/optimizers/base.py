"""The contract of an optimizer: ``ask(n) -> z``, ``tell(z, y)``; decoding, constraints and budget are the campaign's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.deprecation.names import Renamed, adopt_renamed
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points
from chemvae.design.origin import Origin
from chemvae.design.surrogates.predicted import PredictedUtility


@dataclass(frozen=True)
class Round:
    """What one round of answers came to."""

    n_points: int
    """Points told."""
    n_new: int
    """Distinct molecules among them that were not known before and have a utility."""
    n_failed: int
    """Points without a utility."""
    improved: bool
    """Whether the best utility rose."""


class Optimizer(ABC):
    """Proposes latent points and learns from their utilities, which are to be maximised.

    A new one writes ``ask``, and ``learn`` if it adapts. All randomness comes from ``self.generator``, so that the same seed
    and the same answers give the same proposals: an interrupted campaign is resumed by replaying it.

    Parameters
    ----------
    region : LatentRegion
    seed : int
    predicted : PredictedUtility, optional
        What the model's predictor says about points, if it knows the goals (or something related to them).

    Attributes
    ----------
    pool_factor : int
        Points wanted per molecule to be scored. The campaign decodes and checks them all, which is cheap, and lets ``select``
        choose among the molecules that passed.
    archive : Archive
        Everything told so far.
    point_origins, named_origins : sequence of Origin
        Where the last points asked for and the last molecules named come from, one each; left empty by an optimizer that does
        not say.
    descent : dict
        SMILES -> :class:`Origin` of this round's new molecules.
    start_smiles : sequence of str, length S
        The molecules of ``starts``.
    uses_latents : bool
        Whether molecules that it names must have a code; one that searches without the model does not need any.
    """

    pool_factor: int = 1
    uses_latents: bool = True

    note = Renamed("on_scores")
    review = Renamed("on_candidates")
    suggest = Renamed("propose_smiles")
    begin = Renamed("warm_start")

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        adopt_renamed(cls, Optimizer)

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None):
        self.region, self.predicted = region, predicted
        self.generator = torch.Generator().manual_seed(seed)
        self.archive = Archive(region)
        self.starts = torch.empty(0, region.latent_dim)
        self.library: list[str] = []
        self.start_smiles: Sequence[str] = ()
        self.point_origins: Sequence[Origin] = ()
        self.named_origins: Sequence[Origin] = ()
        self.descent: dict[str, Origin] = {}

    @abstractmethod
    def ask(self, n: int) -> Tensor:
        """Propose n points: [n, D]."""

    def tell(self, z: Tensor, y: Tensor, smiles: Sequence[str] | None = None) -> None:
        """Learn what became of points.

        Parameters
        ----------
        z : Tensor [N, D]
            As decoded.
        y : Tensor [N]
            Utility of the molecule each was decoded to; NaN where there was none: it did not decode, broke a constraint, or
            the oracle failed.
        smiles : sequence of str, length N, optional
            The molecules; "" where there was none.
        """
        z = torch.as_tensor(z, dtype=torch.float32).reshape(-1, self.region.latent_dim)
        y = torch.as_tensor(y, dtype=torch.float64).reshape(-1)
        best_before, n_before = self.archive.best_utility, len(self.archive)
        self.archive.add(z, y, smiles)
        improved = self.archive.best_utility > best_before
        self.learn(Round(len(z), len(self.archive) - n_before, int(y.isnan().sum()), improved))

    def on_scores(self, smiles: Sequence[str], desirabilities: np.ndarray) -> None:  # noqa: B027  (most search for the utility alone)
        """Look at each goal's desirability [N, P], uncut, of molecules that are told next; NaN where the oracle failed."""

    def learn(self, last: Round) -> None:  # noqa: B027  (optional: many have nothing to adapt)
        """Adapt to one round of answers, which the archive already holds."""

    def generations(self, n: int) -> int:
        """Times a round for about n molecules asks for points before it chooses.

        After each the optimizer may look at what came out (``on_candidates``), so that later points grow out of good molecules
        that nobody has paid for.
        """
        return 1

    def propose_smiles(self, n: int) -> list[str]:
        """Name up to n molecules to consider as they are, beside the points asked for; by default none."""
        return []

    def origins(self, n_points: int, n_named: int) -> list[Origin]:
        """Where the last points and named molecules come from, "own" where the optimizer does not say."""
        counts = zip((self.point_origins, self.named_origins), (n_points, n_named), strict=True)
        return [one for said, n in counts for one in (said if len(said) == n else [Origin("own")] * n)]

    def start_points(self, n: int) -> Points:
        """The starts by turns: n of them."""
        rows = torch.arange(n) % len(self.starts)
        known = len(self.start_smiles) == len(self.starts)
        return Points.of(self.starts[rows], [self.start_smiles[i] if known else "" for i in rows.tolist()])

    def _asked_for(self, points: Points) -> Tensor:
        """Note where points come from, and return them."""
        self.point_origins = points.origins
        return points.z

    def on_candidates(self, z: Tensor, smiles: Sequence[str]) -> None:  # noqa: B027  (optional)
        """Look at the new molecules [M] that came out of the last points [M, D] and passed all checks."""

    def select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """Choose n of the M molecules that passed all checks: indices, best first. By default the first n."""
        return list(range(min(n, len(z))))

    def warm_start(self, starts: Tensor, library: Sequence[str] = ()) -> None:
        """Take the latents [S, D] of the molecules to start from (those that could be encoded), and others to choose from."""
        self.starts, self.library = starts.float(), list(library)
