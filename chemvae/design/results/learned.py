"""What a search with learned predictors has found, beside how far these can be trusted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.design.goals import Goal, Utility
from chemvae.design.oracles.uncertain import UncertainOracle
from chemvae.qsar.model import COVERAGE

logger = logging.getLogger(__name__)

N_TOP = 10
_NEARER = (
    " Designs of their kind come from --start with the labelled molecules, or from a model trained on such: "
    "chemvae train DATA --init drug."
)


def intervals(oracles: Sequence[UncertainOracle], smiles: Sequence[str]) -> pd.DataFrame:
    """What each predictor says of N molecules, side by side (:meth:`UncertainOracle.intervals`)."""
    table = pd.DataFrame(index=range(len(smiles)))
    for one in oracles if len(smiles) else ():
        found = one.intervals(smiles)
        table = table.join(found[[name for name in found if name not in table]])
    return table


def known_molecules(oracles: Sequence[UncertainOracle]) -> list[str]:
    """The distinct molecules that predictors have learned from."""
    return list(dict.fromkeys(text for one in oracles for text in one.known_molecules()))


def judge(oracles: Sequence[UncertainOracle], utility: Utility, best: pd.DataFrame) -> list[dict[str, Any]]:
    """What was learned, what is claimed for the best molecule, and what is to be said against the ten best.

    Parameters
    ----------
    oracles : sequence of UncertainOracle
    utility : Utility
    best : DataFrame
        Molecules, the best first, with the columns of :func:`intervals`.

    Returns
    -------
    list of dict
        Per value: ``name``, ``unit``, ``n_labels``, ``label_low``, ``label_high``, ``left_out_rmse`` (on molecules whose
        scaffold was left out), ``is_cautious``; ``predicted``, ``low``, ``high`` of the best molecule; ``gain`` over the best
        label in the goal's direction (None where it is no goal); ``n_top``, and how many of these have a warning.
    """
    goals = {goal.name.lower(): goal for goal in utility.goals}
    facts = [one for oracle in oracles for one in oracle.facts()]
    if len(utility.goals) == len(facts) == 1:
        goals[facts[0]["name"].lower()] = utility.goals[0]
    return [{**one, **_claim(one, goals.get(one["name"].lower()), best)} for one in facts] if len(best) else facts


def _claim(fact: dict[str, Any], goal: Goal | None, best: pd.DataFrame) -> dict[str, Any]:
    """What is predicted for the best molecule and its gain over the best label."""
    name = f"{fact['name']}_learned"
    mean, low, high = (float(best[name + end].iloc[0]) for end in ("", "_low", "_high"))
    top = best.head(N_TOP)
    said = {"predicted": mean, "low": low, "high": high, "gain": None, "n_top": len(top)}
    said["is_start"] = bool(best.get("stream", pd.Series([""])).iloc[0] == "start")
    said["n_warnings"] = int((top[f"{name}_warning"] != "").sum())
    if goal is not None:
        said["gain"] = float(goal.merit(mean) - _best_label(fact, goal))
    return said


def _best_label(fact: dict[str, Any], goal: Goal) -> float:
    """Merit of the best label; a target within the labels' range counts as reached."""
    low, high = fact["label_low"], fact["label_high"]
    within = goal.target is not None and low <= goal.target <= high
    return 0.0 if within else float(np.max([goal.merit(low), goal.merit(high)]))


def sentences(learned: Sequence[dict[str, Any]]) -> list[str]:
    """The facts of :func:`judge` in words, a paragraph for each value.

    Examples
    --------
    >>> fact = {"name": "logD", "unit": "1", "n_labels": 600, "label_low": -1.0, "label_high": 4.5, "left_out_rmse": 0.7}
    >>> claim = {"predicted": 4.8, "low": 3.6, "high": 6.0, "gain": 0.3, "n_top": 10, "n_warnings": 2, "is_cautious": True}
    >>> print(sentences([fact | claim])[0])
    logD was learned from 600 labels (-1 to 4.5); molecules whose scaffold was left out are missed by 0.7 (root mean square). \
The best design is predicted 4.8, with 90 % between 3.6 and 6. That is 0.3 better than the best label, which is less than this \
error: no gain can be claimed before it is measured. Nothing was credited beyond the labels: a prediction beyond them counts \
as their end, the excess as doubt. 2 of the 10 best are predicted outside the labels' range or are unlike \
every labelled molecule: see the column logD_learned_warning.
    """
    return [" ".join(filter(None, (_learning(one), _reach(one), _gain(one), _credit(one), _doubts(one)))) for one in learned]


def warn(learned: Sequence[dict[str, Any]]) -> None:
    """Warn of predictions that reach beyond what was learned."""
    for one in learned:
        if one.get("n_warnings"):
            logger.warning("%s", _doubts(one))


def _learning(one: dict[str, Any]) -> str:
    unit = f" {one['unit']}" if one["unit"] not in ("", "1") else ""
    return (
        f"{one['name']} was learned from {one['n_labels']:,} labels ({one['label_low']:.3g} to {one['label_high']:.3g}{unit}); "
        f"molecules whose scaffold was left out are missed by {one['left_out_rmse']:.2g}{unit} (root mean square)."
    )


def _reach(one: dict[str, Any]) -> str:
    if "predicted" not in one:
        return ""
    share = f"{COVERAGE:.0%}".replace("%", " %")
    return f"The best design is predicted {one['predicted']:.3g}, with {share} between {one['low']:.3g} and {one['high']:.3g}."


def _gain(one: dict[str, Any]) -> str:
    gain, error = one.get("gain"), one["left_out_rmse"]
    if gain is None:
        return ""
    if one.get("is_start") and one.get("is_cautious"):
        return (
            "That is a molecule the search began with: none is surely better, for each counts as the end of its interval that "
            "the goal likes less. With ,kappa=0 behind the column, as in --oracle 'fit:TABLE#COLUMN,kappa=0', its mean "
            "counts."
        )
    if gain <= 0:
        return "That is no better than the best label."
    known = "less than this error: no gain can be claimed before it is measured" if gain < error else "more than this error"
    return f"That is {gain:.2g} better than the best label, which is {known}."


def _credit(one: dict[str, Any]) -> str:
    """How the search was kept from trends that lead out of the labels."""
    if not one.get("is_cautious") or one.get("gain") is None:
        return ""
    return "Nothing was credited beyond the labels: a prediction beyond them counts as their end, the excess as doubt."


def _doubts(one: dict[str, Any]) -> str:
    if not one.get("n_warnings"):
        return ""
    return (
        f"{one['n_warnings']} of the {one['n_top']} best are predicted outside the labels' range or are unlike every labelled "
        f"molecule: see the column {one['name']}_learned_warning." + (_NEARER if one["n_warnings"] == one["n_top"] else "")
    )
