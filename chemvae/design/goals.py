"""What a search is for: goals on named values, turned into one utility that is maximised.

This is the only place where a direction becomes a sign: behind :class:`Objective` everything is maximised.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chemvae.chem.properties import PROPERTIES
from chemvae.design.builtin import BUILTIN
from chemvae.design.oracles import CombinedOracle, Oracle, make_oracle
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.registry import find

COLUMNS = ("call", "smiles", "score", "reason", "seconds", "z", "utility")  # of a history, beside the goals
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


class Objective:
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
    >>> objective = Objective([Goal("qed"), Goal("SAS", "min", weight=3.0)], [(0.0, 1.0), (1.0, 6.0)])
    >>> objective.utility(np.array([[0.5, 3.5], [1.0, 1.0]]))
    array([0.5, 1. ])
    >>> Objective([Goal("SAS", "min")], [(1.0, 6.0)]).utility(np.array([[2.5]]))
    array([-2.5])
    """

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

    def utility(self, values: Any) -> Any:
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
        return values[:, 0].copy() if len(self.goals) == 1 else self.utility(values)

    def merits(self, values: np.ndarray) -> np.ndarray:
        """Each goal apart, to be maximised, uncut and in its unit: [N, P] -> [N, P]."""
        return np.column_stack([_merit(goal, values[:, i]) for i, goal in enumerate(self.goals)])

    def desirabilities(self, values: Any) -> Any:
        """Each goal apart, 0 at the worst end of its range and 1 at the best, uncut: values [N, P] -> a list of P times [N]."""
        found = []
        for i, (goal, (low, high)) in enumerate(zip(self.goals, self.ranges, strict=True)):
            best = 0.0 if goal.target is not None else high if goal.direction == "max" else -low
            found.append(1.0 + (_merit(goal, values[:, i]) - best) / (high - low))
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
            return _merit(self.goals[0], values[:, 0])
        parts = self.desirabilities(values)
        return sum(weight * (part.clip(0.0, 1.0) if cut else part) for weight, part in zip(self.weights, parts, strict=True))


def _merit(goal: Goal, value: Any) -> Any:
    """The one place where directions become signs: [N] -> [N], to be maximised."""
    if goal.target is not None:
        return -abs(value - goal.target)
    return value if goal.direction == "max" else -value


def plan_goals(oracle: Any, goals: Sequence[Goal | str] | Goal | str | None, model: Any = None) -> tuple[Oracle, list[Goal]]:
    """Match goals and oracle: every goal gets a value, and every value a goal.

    Without an oracle, goals are built in, or computed by RDKit where it can, else predicted by the model. Without goals,
    everything the oracle gives is maximised. One goal with an oracle of one value is that value, whatever it is called. Several
    goals are matched by name; those the oracle does not give are built in, computed or predicted.

    Parameters
    ----------
    oracle : Oracle, callable, str, mapping or None
        As in :func:`make_oracle`.
    goals : Goals or names, optional
    model : MolVAE, optional

    Returns
    -------
    oracle : Oracle
        Its ``names`` are those of the goals, in order.
    goals : list of Goal

    Raises
    ------
    SettingsError
        If there is neither oracle nor goal, or a value has no goal.
    UnknownNameError
        If nothing gives a value by a goal's name.

    Examples
    --------
    >>> oracle, goals = plan_goals(len, [Goal("score", "min"), Goal("qed")])
    >>> oracle.names, [goal.direction for goal in goals]
    (('score', 'qed'), ['min', 'max'])
    """
    if oracle is None and not goals:
        raise SettingsError("there is nothing to optimise: give an oracle, or goals such as --maximize qed")
    given = None if oracle is None else make_oracle(oracle, model)
    if not goals:
        return given, [Goal(name) for name in given.names]
    wanted = _as_goals(goals)
    if given is not None and len(wanted) == len(given.names) == 1:
        return given, wanted
    columns = {} if given is None else {name.lower(): name for name in given.names}
    rest = [_provider(goal.name, model) for goal in wanted if goal.name.lower() not in columns]
    unused = [name for low, name in columns.items() if low not in {goal.name.lower() for goal in wanted}]
    if unused:
        raise SettingsError(f"the oracle gives {', '.join(unused)} and no goal says what for; add Goal('{unused[0]}')")
    parts = ([] if given is None else [given]) + rest
    joined = parts[0] if len(parts) == 1 else CombinedOracle(parts)
    return joined, _in_order(wanted, joined.names)


def _as_goals(goals: Sequence[Goal | str] | Goal | str) -> list[Goal]:
    listed = isinstance(goals, Iterable) and not isinstance(goals, (str, Mapping))
    given = list(goals) if listed else [goals]
    if not all(isinstance(one, (Goal, str)) for one in given):
        raise SettingsError(f"goals are names or Goal('name', weight=...), or a list of these; got {goals!r}")
    return [goal if isinstance(goal, Goal) else Goal(goal) for goal in given]


def _in_order(goals: Sequence[Goal], names: Sequence[str]) -> list[Goal]:
    """Sort goals as the oracle's values come."""
    by_name = {goal.name.lower(): goal for goal in goals}
    if len(by_name) != len(goals):
        raise SettingsError(f"two goals have the same name: {', '.join(goal.name for goal in goals)}")
    return [replace(by_name[name.lower()], name=name) for name in names]


def _provider(name: str, model: Any) -> Oracle:
    """An oracle for one name: built in, or computed if RDKit can, else predicted."""
    built_in = [key for key, row in BUILTIN.items() if not row.needs_argument]
    choices = {key: None for key in (*built_in, *PROPERTIES, *getattr(model, "property_names", ()))}
    return make_oracle(find(choices, name, "property or oracle value")[0], model)


def make_objective(goals: Sequence[Goal], model: Any = None) -> Objective:
    """Give every goal its range: its own, else the property's usual one, else what the model predicts over its prior.

    Raises
    ------
    SettingsError
        If several goals are to be weighed and the range of one is unknown.
    """
    ranges = [_range(goal, model, needed=len(goals) > 1) for goal in goals]
    return Objective(goals, ranges)


def _range(goal: Goal, model: Any, needed: bool) -> tuple[float, float]:
    low, high = goal.low, goal.high
    if low is None or high is None:
        usual = _usual_range(goal.name, model) if needed else (0.0, 1.0)
        if usual is None:
            raise SettingsError(
                f"the usual range of '{goal.name}' is not known, so it cannot be weighed against other goals; "
                f"say Goal('{goal.name}', low=..., high=...), on the command line --range {goal.name}=LOW..HIGH"
            )
        low, high = (usual[0] if low is None else low), (usual[1] if high is None else high)
    if not low < high:
        raise SettingsError(f"range of '{goal.name}' must have low < high, got {low} and {high}")
    return low, high


def _usual_range(name: str, model: Any) -> tuple[float, float] | None:
    try:
        row = find(PROPERTIES, name, "property")[1]
        return row.low, row.high
    except UnknownNameError:
        pass
    known = [key.lower() for key in getattr(model, "property_names", ())]
    if name.lower() not in known:
        return None
    import torch

    from chemvae.design.region import draw_prior

    z = draw_prior(model, 512, seed=0).to(model.latent_statistics.mean.device)
    with torch.no_grad():
        values = model.predict_latent(z)[0][:, known.index(name.lower())].double()
    mean, std = float(values.mean()), float(values.std())
    return mean - 3.0 * std, mean + 3.0 * std
