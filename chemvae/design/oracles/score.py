"""What an oracle says about one molecule, and the exception by which it says that there is nothing to say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

LARGEST_SCORE = 1e100
"""What lies beyond, such as the largest number there is, stands for a failure in whatever program said it."""

LONGEST_REASON = 1_000


def is_usable(value: float) -> bool:
    """Whether a number can be a score.

    Examples
    --------
    >>> is_usable(-3.5), is_usable(float("nan")), is_usable(-1.7976931348623157e308)
    (True, False, False)
    """
    return abs(value) <= LARGEST_SCORE


def plain_reason(text: str) -> str:
    """A reason in one line that can be shown and written anywhere: no control characters, no end of it too far away.

    Examples
    --------
    >>> plain_reason("no pose\\x1b[31m\\nwas found \\ud800")
    'no pose [31m was found'
    """
    if len(text) <= LONGEST_REASON and text.isprintable():
        return text
    short = text[: 2 * LONGEST_REASON]
    return " ".join("".join(one if one.isprintable() else " " for one in short).split())[:LONGEST_REASON]


@dataclass(frozen=True)
class Score:
    """What an oracle says about one molecule."""

    values: tuple[float, ...]
    """One value per name of the oracle, in its unit; NaN where there is none."""
    reason: str = ""
    """Why a value is missing; empty if none is."""
    seconds: float = 0.0
    """Wall time spent on it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", plain_reason(self.reason))

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
    chemvae.design.oracles.score.NoScore: no pose was found
    """


class Scorer(Protocol):
    """What workers need of an oracle."""

    timeout_s: float | None
    """Seconds a molecule may take."""
    chunk_size: int | None
    """Molecules handed over at a time; None leaves it to the workers."""

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Score a chunk, failures included."""

    def failure(self, reason: str, seconds: float = 0.0) -> Score:
        """The score of a molecule that has none."""

    def worker_copy(self, timeout_s: float | None = None) -> Scorer:
        """A copy for a worker."""

    def describe(self) -> str:
        """Its label."""
