"""Match the goals a user names with the oracle, the properties and the model that can answer them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from chemvae.chem.properties import PROPERTIES
from chemvae.design.goals import Goal, Utility
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle, cautious, make_oracle
from chemvae.design.oracles.factory import BUILTIN
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.models.latent_space import draw_prior, usual_prior
from chemvae.registry import find

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


OWN_PROPERTY = (
    " A property of your own: --oracle 'fit:TABLE#COLUMN' learns it from a table, and --batch-out FILE asks a laboratory."
)


def known_goals(oracle: Oracle, utility: Utility) -> tuple[str, ...]:
    """Goals that mean the property of that name: all but those a plain function stands behind without saying so."""
    parts = oracle.oracles if isinstance(oracle, CombinedOracle) else [oracle]
    names = [name for part in parts for name in part.names]
    return tuple(goal for goal, name in zip(utility.names, names, strict=True) if goal != FunctionOracle.names[0])


def plan_goals(
    oracle: Any, goals: Sequence[Goal | str] | Goal | str | None, model: MolVAE | None = None
) -> tuple[Oracle, list[Goal]]:
    """Match goals and oracle: every goal gets a value, and every value a goal.

    Without an oracle, goals are built in, or computed by RDKit where it can, else predicted by the model. Without goals,
    everything the oracle gives is maximised. One goal with an oracle of one value is that value, whatever it is called. Several
    goals are matched by name; those the oracle does not give are built in, computed or predicted. What is predicted is scored
    by the cautious end of its interval (:func:`chemvae.design.oracles.cautious`).

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
    if given is not None and not goals:
        wanted = [Goal(name) for name in given.names]
        return cautious(given, wanted), wanted
    wanted = _as_goals(goals or ())
    if given is not None and len(wanted) == len(given.names) == 1:
        return cautious(given, wanted), wanted
    joined, ordered = _join(given, wanted, model)
    return cautious(joined, ordered), ordered


def _join(given: Oracle | None, wanted: Sequence[Goal], model: MolVAE | None) -> tuple[Oracle, list[Goal]]:
    """Match several goals by name with what an oracle gives, and find providers for the rest."""
    columns = {} if given is None else {name.lower(): name for name in given.names}
    rest = [_provider(goal.name, model) for goal in wanted if goal.name.lower() not in columns]
    unused = [name for low, name in columns.items() if low not in {goal.name.lower() for goal in wanted}]
    if unused:
        raise SettingsError(f"the oracle gives {', '.join(unused)} and no goal says what for; add Goal('{unused[0]}')")
    parts = ([] if given is None else [given]) + rest
    joined = parts[0] if len(parts) == 1 else CombinedOracle(parts)
    return joined, _in_order(wanted, joined.names)


def _as_goals(goals: Sequence[Goal | str] | Goal | str) -> list[Goal]:
    given: list[Any] = [goals]
    if isinstance(goals, Iterable) and not isinstance(goals, (str, Mapping)):
        given = list(goals)
    if not all(isinstance(one, (Goal, str)) for one in given):
        raise SettingsError(f"goals are names or Goal('name', weight=...), or a list of these; got {goals!r}")
    return [goal if isinstance(goal, Goal) else Goal(goal) for goal in given]


def _in_order(goals: Sequence[Goal], names: Sequence[str]) -> list[Goal]:
    """Sort goals as the oracle's values come."""
    by_name = {goal.name.lower(): goal for goal in goals}
    if len(by_name) != len(goals):
        raise SettingsError(f"two goals have the same name: {', '.join(goal.name for goal in goals)}")
    return [replace(by_name[name.lower()], name=name) for name in names]


def _provider(name: str, model: MolVAE | None) -> Oracle:
    """An oracle for one name: built in, or computed if RDKit can, else predicted."""
    built_in = [key for key, row in BUILTIN.items() if not row.needs_argument]
    choices = {key: None for key in (*built_in, *PROPERTIES, *getattr(model, "property_names", ()))}
    try:
        return make_oracle(find(choices, name, "property or oracle value")[0], model)
    except UnknownNameError as error:
        raise UnknownNameError(error.kind, error.name, error.choices, error.nearest, OWN_PROPERTY) from None


def make_utility(goals: Sequence[Goal], model: MolVAE | None = None) -> Utility:
    """Give every goal its range: its own, else the property's usual one, else what the model predicts over its prior.

    Raises
    ------
    SettingsError
        If several goals are to be weighed and the range of one is unknown.
    """
    ranges = [_range(goal, model, needed=len(goals) > 1) for goal in goals]
    return Utility(goals, ranges)


def _range(goal: Goal, model: MolVAE | None, needed: bool) -> tuple[float, float]:
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


def _usual_range(name: str, model: MolVAE | None) -> tuple[float, float] | None:
    try:
        row = find(PROPERTIES, name, "property")[1]
        return row.low, row.high
    except UnknownNameError:
        pass
    known = [key.lower() for key in getattr(model, "property_names", ())]
    if model is None or name.lower() not in known:
        return None
    z = draw_prior(model, 512, usual_prior(model))
    with torch.no_grad():
        values = model.predict_latent(z)[0][:, known.index(name.lower())].double()
    mean, std = float(values.mean()), float(values.std())
    return mean - 3.0 * std, mean + 3.0 * std
