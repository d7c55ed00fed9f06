"""What an oracle says about one molecule, and the exception by which it says that there is nothing to say."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """What an oracle says about one molecule."""

    values: tuple[float, ...]
    """One value per name of the oracle, in its unit; NaN where there is none."""
    reason: str = ""
    """Why a value is missing; empty if none is."""
    seconds: float = 0.0
    """Wall time spent on it."""

    @property
    def failed(self) -> bool:
        """Whether any value is missing."""
        return any(math.isnan(value) for value in self.values)


class NoScore(Exception):
    """Raise it in ``evaluate`` to give the reason of a failure in your own words, without the name of an exception.

    Examples
    --------
    >>> raise NoScore("no pose was found")
    Traceback (most recent call last):
    chemvae.design.score.NoScore: no pose was found
    """
