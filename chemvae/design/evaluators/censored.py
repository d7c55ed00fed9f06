"""Values that are only known to lie on one side of a limit: what they are worth to a search that looks for the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.design.evaluators.calls import Call
from chemvae.design.goals import Goal

AT_LEAST, AT_MOST = ">", "<"


def as_counted(calls: Sequence[Call | None], others: Sequence[Call], goals: Sequence[Goal]) -> np.ndarray:
    """The values of some calls [N, P] as a search counts them, beside all calls so far.

    An exact value counts as it is. A bound that says that a molecule is at least as good as its limit (``>9`` where large is
    good) counts as the limit, which claims nothing that was not seen. One that says that it is no better than its limit
    (``>9`` where small is good) counts as the mean of the values seen that are worse than the limit; where there are none, as
    the limit less a standard deviation of those seen. One that says neither (``>9`` where 12 is the target) is NaN.

    Parameters
    ----------
    calls : sequence of Call or None, length N
        None has no values: NaN.
    others : sequence of Call
    goals : sequence of Goal, length P

    Examples
    --------
    >>> from chemvae.design.oracles import Score
    >>> exact = [Call("C" * n, Score((float(n),)), np.zeros(1)) for n in (2, 4, 6)]
    >>> bound = Call("N", Score((5.0,)), np.zeros(1), ("<",))
    >>> as_counted([bound], exact, [Goal("y")]).tolist(), as_counted([bound], exact, [Goal("y", "min")]).tolist()
    ([[3.0]], [[5.0]])
    """
    missing = (np.nan,) * len(goals)
    values = np.array([missing if call is None else call.score.values for call in calls], dtype=float).reshape(-1, len(goals))
    for i, call in enumerate(calls):
        for j, bound in enumerate(() if call is None else call.bounds):
            if bound:
                values[i, j] = _worth(goals[j], bound, values[i, j], _seen(others, goals[j], j))
    return values


def _seen(calls: Sequence[Call], goal: Goal, place: int) -> np.ndarray:
    """How much the exact values of one goal among the calls are wanted."""
    exact = [call.score.values[place] for call in calls if not (call.bounds and call.bounds[place])]
    merits = np.asarray(goal.merit(np.array(exact, dtype=float)))
    return merits[np.isfinite(merits)]


def _worth(goal: Goal, bound: str, limit: float, seen: np.ndarray) -> float:
    """What one bound counts as, given the merits of exact values; in the unit of the value."""
    side, merit = known_side(goal, bound, limit), float(goal.merit(limit))
    if side != AT_MOST:
        return limit if side else np.nan
    worse = seen[seen < merit]
    counted = float(worse.mean()) if len(worse) else merit - (float(seen.std()) if len(seen) else 0.0)
    further = min(counted, float(np.nextafter(merit, -np.inf)))  # no better than what was measured to be as good as the limit
    return limit + (further - merit) * (1.0 if _rises(goal, limit) else -1.0)


def known_side(goal: Goal, bound: str, limit: float) -> str:
    """What a bound on a value says of how much it is wanted: at least as much as the limit, at most, or "" for neither.

    Examples
    --------
    >>> known_side(Goal("pIC50"), ">", 9.0), known_side(Goal("IC50", "min"), ">", 9.0)
    ('>', '<')
    >>> known_side(Goal("logP", target=7.0), ">", 9.0), known_side(Goal("logP", target=12.0), ">", 9.0)
    ('<', '')
    """
    if goal.target is None:
        return AT_LEAST if (bound == AT_LEAST) == (goal.direction == "max") else AT_MOST
    is_away = limit >= goal.target if bound == AT_LEAST else limit <= goal.target
    return AT_MOST if is_away else ""


def _rises(goal: Goal, limit: float) -> bool:
    """Whether a little more of the value is wanted more, at a limit."""
    return goal.direction == "max" if goal.target is None else limit < goal.target


def written_bounds(call: Call, names: Sequence[str]) -> str:
    """The bounds among a call's values as they are written, each with its name where there are several values.

    Examples
    --------
    >>> from chemvae.design.oracles import Score
    >>> call = Call("CCO", Score((9.0, 1.5)), np.zeros(1), (">", ""))
    >>> written_bounds(call, ["pIC50", "logS"])
    'pIC50 >9'
    """
    marks = zip(names, call.score.values, call.bounds, strict=True) if call.bounds else ()
    written = [(name, f"{bound}{value:g}") for name, value, bound in marks if bound]
    return "; ".join(text if len(names) == 1 else f"{name} {text}" for name, text in written)
