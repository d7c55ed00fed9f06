"""Where a campaign stands: what a callback is told, kept up to date call by call."""

from __future__ import annotations

import heapq
import time
from collections import deque
from dataclasses import dataclass

N_TOP = 10
WINDOW = 20  # tellings: the time that is left follows from the pace over these
NAN = float("nan")


@dataclass(frozen=True)
class Progress:
    """What a callback is told after each round, and within a round about once a second."""

    calls: int
    """Distinct molecules scored so far."""
    budget: int
    """Calls allowed."""
    best: float
    """Score of the best molecule; NaN while there is none."""
    best_smiles: str
    """Its canonical SMILES."""
    mean_top10: float
    """Mean score of the ten molecules with the highest utility; NaN while there is none."""
    valid: float
    """Share of the decoded points that were valid at the first attempt."""
    elapsed_s: float
    """Since the campaign began."""
    remaining_s: float
    """Estimate from the pace of late, at most what a time limit leaves; NaN at first."""
    failed: int = 0
    """Molecules among the calls that could not be scored."""


class BestSoFar:
    """The best molecules so far and the pace, without looking at all calls again.

    Parameters
    ----------
    budget : int
    time_limit_s : float, optional

    Examples
    --------
    >>> best = BestSoFar(budget=4)
    >>> for smiles, score in (("C", -2.0), ("CC", -1.0), ("N", NAN)):
    ...     best.add(smiles, score, utility=score)
    >>> now = best.snapshot(3, valid=1.0)
    >>> now.best_smiles, now.mean_top10, now.failed
    ('CC', -1.5, 1)
    """

    def __init__(self, budget: int, time_limit_s: float | None = None):
        self.budget, self.time_limit_s = budget, time_limit_s
        self.started = time.perf_counter()
        self.best, self.best_utility, self.best_smiles, self.n_failed = NAN, float("-inf"), "", 0
        self._top: list[tuple[float, float]] = []  # the lowest utility first
        self._pace: deque[tuple[float, int]] = deque([(0.0, 0)], maxlen=WINDOW)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the campaign began."""
        return time.perf_counter() - self.started

    @property
    def is_over(self) -> bool:
        """Whether the time limit is reached."""
        return self.time_limit_s is not None and self.elapsed_s > self.time_limit_s

    def add(self, smiles: str, score: float, utility: float) -> None:
        """Take one call; both are NaN for one that failed, and the utility alone for one that does not count."""
        if utility != utility:
            self.n_failed += score != score
            return
        if utility > self.best_utility:
            self.best, self.best_utility, self.best_smiles = score, utility, smiles
        heapq.heappush(self._top, (utility, score))
        if len(self._top) > N_TOP:
            heapq.heappop(self._top)

    def snapshot(self, calls: int, valid: float) -> Progress:
        """Say where the campaign stands after so many calls."""
        elapsed_s = self.elapsed_s
        since_s, before = self._pace[0]
        self._pace.append((elapsed_s, calls))
        paid = calls - before
        remaining_s = (elapsed_s - since_s) / paid * (self.budget - calls) if paid > 0 else NAN
        if self.time_limit_s is not None:
            remaining_s = min(max(self.time_limit_s - elapsed_s, 0.0), remaining_s)  # NaN second: the limit is taken
        return Progress(
            calls=calls,
            budget=self.budget,
            best=self.best,
            best_smiles=self.best_smiles,
            mean_top10=sum(score for _, score in self._top) / len(self._top) if self._top else NAN,
            valid=valid,
            elapsed_s=elapsed_s,
            remaining_s=remaining_s,
            failed=self.n_failed,
        )
