"""What a laboratory says of one molecule."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


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
    id: str = field(default="", compare=False, repr=False)
    """What the user's table calls the molecule, where it says so and we have handed it out under no id of ours."""

    @property
    def failed(self) -> bool:
        """Whether any value is missing."""
        return any(math.isnan(value) for value in self.values)
