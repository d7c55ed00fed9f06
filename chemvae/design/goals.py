"""What a search is for: goals on named values, turned into one utility that is maximised.

A direction becomes a sign in :meth:`Goal.merit` alone: behind :class:`Utility` everything is maximised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chemvae.deprecation.names import Renamed
from chemvae.errors import SettingsError

COLUMNS = (
    "call",
    "smiles",
    "score",
    "bound",
    "reason",
    "seconds",
    "z",
    "utility",
    "stream",
    "parent",
)  # of a history, beside the goals
DIRECTIONS = {"max": "max", "maximize": "max", "maximise": "max", "min": "min", "minimize": "min", "minimise": "min"}


@dataclass(frozen=True)
class Goal:
    """One thing to make large, small, or equal to a value.

    Examples
    --------
    >>> Goal("SAS", "min"), Goal("logP", target=2.5).describe()
    (Goal(name='SAS', direction='min', target=None, weight=1.0, low=None, high=None), 'logP = 2.5')
    """

    name: str
    """Name of a value the oracle gives, of a property (``PROPERTIES``), or of one the model predicts."""
    direction: str = "max"
    """"max" or "min"; without meaning when there is a target."""
    target: float | None = None
    """The value to come close to, in the property's unit."""
    weight: float = 1.0
    """Share among several goals, > 0; only the ratios matter."""
    low: float | None = None
    """Lower end of the range that counts, for several goals; the property's usual range by default."""
    high: float | None = None
    """Upper end of that range."""

    def __post_init__(self) -> None:
        complaints = []
        if self.direction not in DIRECTIONS:
            complaints.append(f"direction of '{self.name}' must be max or min, got '{self.direction}'")
        if not (math.isfinite(self.weight) and self.weight > 0):
            complaints.append(f"weight of '{self.name}' must be > 0, got {self.weight}")
        if self.target is not None and not math.isfinite(self.target):
            complaints.append(f"target of '{self.name}' must be a number, got {self.target}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            complaints.append(f"range of '{self.name}' must have low < high, got {self.low} and {self.high}")
        if complaints:
            raise SettingsError(complaints)
        object.__setattr__(self, "direction", DIRECTIONS[self.direction])

    def describe(self) -> str:
        """Return the goal in a few words."""
        return f"{self.name} = {self.target:g}" if self.target is not None else f"{self.direction} {self.name}"

    def merit(self, value: Any) -> Any:
        """How much a value is wanted, in its unit: itself, minus itself, or minus its distance to the target. [N] -> [N].

        Examples
        --------
        >>> Goal("SAS", "min").merit(2.5), Goal("logP", target=2.0).merit(2.5)
        (-2.5, -0.5)
        """
        if self.target is not None:
            return -abs(value - self.target)
        return value if self.direction == "max" else -value


class Utility:
    """Goals as one utility to maximise.

    One goal: the utility is the value, minus the value, or minus the distance to the target, in the value's unit.
    Several: each value v becomes a desirability in 0..1 over its goal's range [low, high]: (v - low) / (high - low) to
    maximise, (high - v) / (high - low) to minimise, 1 - |v - target| / (high - low) for a target, all cut to 0..1. The
    utility is their weighted mean.

    Parameters
    ----------
    goals : sequence of Goal, length P
    ranges : sequence of (low, high), length P

    References
    ----------
    Derringer & Suich, Simultaneous Optimization of Several Response Variables, 1980 (desirabilities; there joined by the
    geometric mean, here by the arithmetic one, which keeps a slope where one value is 0).
    https://doi.org/10.1080/00224065.1980.11980968

    Examples
    --------
    >>> utility = Utility([Goal("qed"), Goal("SAS", "min", weight=3.0)], [(0.0, 1.0), (1.0, 6.0)])
    >>> utility(np.array([[0.5, 3.5], [1.0, 1.0]]))
    array([0.5, 1. ])
    >>> Utility([Goal("SAS", "min")], [(1.0, 6.0)])(np.array([[2.5]]))
    array([-2.5])
    """

    utility = Renamed("__call__")

    def __init__(self, goals: Sequence[Goal], ranges: Sequence[tuple[float, float]]):
        self.goals, self.ranges = list(goals), [(float(low), float(high)) for low, high in ranges]
        total = sum(goal.weight for goal in self.goals)
        self.weights = [goal.weight / total for goal in self.goals]

    @property
    def names(self) -> list[str]:
        """What the goals are about, P names."""
        return [goal.name for goal in self.goals]

    @property
    def columns(self) -> list[str]:
        """Where a history holds their values: ``score`` for one goal, a column of its name for each of several.

        A name that a history has another use for gets ``_value`` behind it.
        """
        if len(self.goals) == 1:
            return ["score"]
        return [f"{name}_value" if name.lower() in COLUMNS else name for name in self.names]

    def __call__(self, values: Any) -> Any:
        """Turn values into utilities.

        Parameters
        ----------
        values : ndarray or Tensor [N, P]

        Returns
        -------
        ndarray or Tensor [N]
            NaN where any value is NaN.
        """
        return self._join(values, cut=True)

    def pessimistic(self, mean: Any, std: Any, kappa: float) -> Any:
        """Lower confidence bound of the utility of uncertain values: at the mean, less kappa standard deviations of each goal.

        Desirabilities are not cut here, so that a slope remains everywhere.

        Parameters
        ----------
        mean, std : ndarray or Tensor [N, P]
        kappa : float
            Standard deviations to subtract; negative values give the upper bound.
        """
        spread = sum(slope * std[:, i] for i, slope in enumerate(self._slopes()))
        return self._join(mean, cut=False) - kappa * spread

    def score(self, values: np.ndarray) -> np.ndarray:
        """What reports show as the score: the value itself for one goal, the utility for several. [N, P] -> [N]."""
        return values[:, 0].copy() if len(self.goals) == 1 else self(values)

    def merits(self, values: np.ndarray) -> np.ndarray:
        """Each goal apart, to be maximised, uncut and in its unit: [N, P] -> [N, P]."""
        return np.column_stack([goal.merit(values[:, i]) for i, goal in enumerate(self.goals)])

    def desirabilities(self, values: Any) -> Any:
        """Each goal apart, 0 at the worst end of its range and 1 at the best, uncut: values [N, P] -> a list of P times [N]."""
        found = []
        for i, (goal, (low, high)) in enumerate(zip(self.goals, self.ranges, strict=True)):
            best = 0.0 if goal.target is not None else high if goal.direction == "max" else -low
            found.append(1.0 + (goal.merit(values[:, i]) - best) / (high - low))
        return found

    def describe(self) -> str:
        """Return all goals in a few words."""
        if len(self.goals) == 1:
            return self.goals[0].describe()
        pairs = zip(self.goals, self.weights, strict=True)
        return "; ".join(f"{goal.describe()} (weight {weight:.2g})" for goal, weight in pairs)

    def _slopes(self) -> list[float]:
        """Change of utility per unit of each value, P numbers."""
        if len(self.goals) == 1:
            return [1.0]
        return [weight / (high - low) for weight, (low, high) in zip(self.weights, self.ranges, strict=True)]

    def _join(self, values: Any, cut: bool) -> Any:
        if len(self.goals) == 1:
            return self.goals[0].merit(values[:, 0])
        parts = self.desirabilities(values)
        return sum(weight * (part.clip(0.0, 1.0) if cut else part) for weight, part in zip(self.weights, parts, strict=True))
