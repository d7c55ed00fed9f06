"""Where a molecule comes from: which part of a search proposed it, and what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

STREAMS = {
    "start": "a start molecule",
    "library": "a molecule of the start library, chosen like a proposal",
    "prior": "a draw from the learned prior",
    "neighbour": "a move around the code of a molecule",
    "crossover": "a cross of the codes of two molecules",
    "gradient": "an ascent of a gradient in latent space",
    "trust region": "a move within the trust region of Bayesian optimization",
    "graph crossover": "a cross of two molecular graphs",
    "graph mutation": "a cross of two molecular graphs, mutated",
    "told": "told by a laboratory without being asked for",
    "own": "an optimizer that does not say",
    "unknown": "on a record that does not say",
}
"""The streams by name, and in words."""


@dataclass(frozen=True)
class Origin:
    """Which stream proposed a molecule, and its parents.

    Examples
    --------
    >>> Origin.joined("crossover", [Origin("neighbour", ("CCO",)), Origin("library", ("CCN",)), Origin("prior")]).parents
    ('CCO', 'CCN')
    """

    stream: str = "unknown"
    """Of :data:`STREAMS`."""
    parents: tuple[str, ...] = ()
    """Canonical SMILES of the molecules it was made from, each scored before it or a start molecule: of a parent that nobody
    has paid for, that one's own parents. None for what was drawn."""

    @classmethod
    def joined(cls, stream: str, ancestors: Sequence[Origin]) -> Origin:
        """What is made from things of these origins, by a stream."""
        return cls(stream, tuple(dict.fromkeys(text for one in ancestors for text in one.parents)))

    @property
    def written(self) -> str:
        """The parents as tables have them, a space between two."""
        return " ".join(self.parents)


UNKNOWN = Origin()


class Chosen(NamedTuple):
    """A molecule that is to be scored."""

    smiles: str
    """Canonical."""
    z: np.ndarray
    """The point [D] it was decoded from."""
    origin: Origin = UNKNOWN
