"""One molecule sent to be scored, and what came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemvae.design.oracles import Score
from chemvae.design.origin import UNKNOWN, Chosen, Origin

__all__ = ["Call", "Chosen"]


@dataclass(frozen=True)
class Call:
    """One molecule sent to the oracle."""

    smiles: str
    """Canonical."""
    score: Score
    """What came back."""
    z: np.ndarray
    """The point it was decoded from [D] (the encoding, for a start molecule); NaN where there is none."""
    bounds: tuple[str, ...] = ()
    """For each value "<" or ">" where that is only a limit on whose one side the true one lies, else ""; empty if all are."""
    origin: Origin = UNKNOWN
    """What proposed it, and from what."""
