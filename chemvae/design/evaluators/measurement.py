"""What a laboratory says of one molecule."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """What was measured on one molecule."""

    smiles: str
    """Canonical."""
    values: tuple[float, ...]
    """One per name; NaN where there is none."""
    reason: str = ""
    """Why a value is missing, or what is said beside it; empty if neither."""
    bounds: tuple[str, ...] = ()
    """One per name where a value is only a limit: "<" or ">" there, "" for the others; empty if none is."""

    @property
    def failed(self) -> bool:
        """Whether any value is missing."""
        return any(math.isnan(value) for value in self.values)
