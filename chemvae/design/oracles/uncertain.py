"""Oracles that predict, and so may be wrong: as goals they are scored by the end of their interval that the goal likes less.

A search is a machine for finding where a predictor is wrong in the wanted direction. The mean is what it exploits; the cautious
end of the interval falls with every molecule that is unlike those learned from. That is not enough where a trend of the labels
leads out of their range: there the labels' own end is all that is credited, and what is predicted beyond it counts as doubt.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.design.goals import Goal
from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.combined import CombinedOracle
from chemvae.qsar.model import COVERAGE, HALF_WIDTH

if TYPE_CHECKING:
    import pandas as pd

Merit = Callable[[Any], Any]
"""How much values [N] are wanted, in any unit: the larger the better."""


class UncertainOracle(Oracle):
    """Values with standard deviations.

    By itself it scores by the mean. With a number ``kappa`` it scores by the mean less kappa standard deviations. As a goal
    (:func:`cautious`) without such a number it scores by that end of the 90 % interval that the goal likes less: the lower one
    of what is to be large, the upper one of what is to be small, the one farther from a target. A mean that lies beyond the
    labels (:meth:`label_ranges`) where the goal likes it is first brought back to their range (:func:`credited`).

    Attributes
    ----------
    kappa : float or None
    merits : tuple of callable, one per name, or None
        What the values are wanted for, where they are a goal.
    """

    is_foreign = False
    shares_work = False  # a batch is one computation
    kappa: float | None = None
    merits: tuple[Merit, ...] | None = None

    @abstractmethod
    def estimate(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each value of canonical molecules: [N, P] each, in the data's unit."""

    def warnings(self, smiles: Sequence[str]) -> list[list[str]]:
        """What is to be said against the prediction of each value [P] of each molecule [N]; "" where there is nothing."""
        return [[""] * len(self.names) for _ in smiles]

    def facts(self) -> list[dict[str, Any]]:
        """What each value was learned from, in JSON types; nothing where that is not known."""
        return []

    def label_ranges(self) -> list[tuple[float, float]]:
        """Least and largest label behind each value [P]; without bounds where they are not known."""
        return [(-np.inf, np.inf)] * len(self.names)

    def known_molecules(self) -> list[str]:
        """The molecules it has learned from, where it has them."""
        return []

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Predict: [N, P]; NaN for what cannot be seen."""
        mean, std = self.estimate(list(smiles))
        if self.kappa is not None:
            return mean - self.kappa * std if self.kappa else mean
        return mean if self.merits is None else self._cautious(mean, std)

    def _cautious(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The ends [N, P] that are wanted less, of intervals around what the labels vouch for."""
        columns = []
        for i, (merit, labels) in enumerate(zip(self.merits or (), self.label_ranges(), strict=True)):
            centre, spread = credited(mean[:, i], std[:, i], merit, labels)
            low, high = centre - HALF_WIDTH * spread, centre + HALF_WIDTH * spread
            columns.append(np.where(merit(low) <= merit(high), low, high))
        return np.column_stack(columns)

    def toward(self, merits: Sequence[Merit]) -> UncertainOracle:
        """This oracle as one whose values are wanted, a merit per name; itself where that changes nothing."""
        if self.kappa is not None or self.merits is not None:
            return self
        twin = copy.copy(self)
        for name in self.of_this_process:
            twin.__dict__.pop(name, None)  # what is known are means
        twin.merits, twin._n_read = tuple(merits), 0
        twin.label = f"{self.label}, cautious end of the {COVERAGE:.0%} interval".replace("%", " %")
        if np.isfinite(self.label_ranges()).any():
            twin.label += ", nothing credited beyond the labels"
        return twin

    def intervals(self, smiles: Sequence[str]) -> pd.DataFrame:
        """What stands behind the scores of N molecules: ``P_learned``, ``P_learned_low``, ``_high`` (90 %) and ``_warning``."""
        import pandas as pd

        mean, std = self.estimate(list(smiles))
        said = self.warnings(list(smiles))
        columns: dict[str, Any] = {}
        for i, name in enumerate(self.names):
            ends = {"": 0.0, "_low": -HALF_WIDTH, "_high": HALF_WIDTH}
            columns |= {f"{name}_learned{end}": mean[:, i] + k * std[:, i] for end, k in ends.items()}
            columns[f"{name}_learned_warning"] = [row[i] for row in said]
        return pd.DataFrame(columns)


def credited(mean: np.ndarray, std: np.ndarray, merit: Merit, labels: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """What labels vouch for of predictions: a centre within their range, and how far the value may lie from it.

    A mean mu beyond the range, where it is wanted more than the range's end c, is credited as c with the root mean square
    distance of the predicted value from c, sqrt(std^2 + (mu - c)^2); all others stay. So nothing beyond the labels is worth
    more than their end, and of two molecules beyond it the one that is surer and less far out is worth more.

    Parameters
    ----------
    mean, std : ndarray [N]
        Of the predicted value, in its unit.
    merit : callable
    labels : (low, high)
        In the value's unit; infinite where there is no bound.

    Returns
    -------
    (ndarray [N], ndarray [N])
        Centre and spread.

    Examples
    --------
    >>> credited(np.array([3.0, 5.0, 8.0]), np.array([1.0, 3.0, 3.0]), lambda value: value, (0.0, 4.0))
    (array([3., 4., 4.]), array([1.        , 3.16227766, 5.        ]))
    """
    end = np.clip(mean, *labels)
    centre = np.where(merit(end) < merit(mean), end, mean)
    return centre, np.hypot(std, mean - centre)


def cautious(oracle: Oracle, goals: Sequence[Goal]) -> Oracle:
    """The oracle with its predictors told what their values are wanted for; names without a goal are to be large.

    Parameters
    ----------
    oracle : Oracle
        Stays as it is; what predicts in it is replaced by twins that know nothing yet.
    goals : sequence of Goal
        Matched by name, whatever the case; one goal belongs to an oracle of one value, whatever it is called.
    """
    if isinstance(oracle, CombinedOracle):
        parts = [cautious(part, goals) for part in oracle.oracles]
        changed = any(new is not old for new, old in zip(parts, oracle.oracles, strict=True))
        return CombinedOracle(parts) if changed else oracle
    if not isinstance(oracle, UncertainOracle):
        return oracle
    by_name = {goal.name.lower(): goal for goal in goals}
    if len(goals) == len(oracle.names) == 1:
        by_name = {oracle.names[0].lower(): goals[0]}
    return oracle.toward([by_name.get(name.lower(), Goal(name)).merit for name in oracle.names])
