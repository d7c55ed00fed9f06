"""Several measurements of one molecule as one: by the rule by which labels of a data set are merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from chemvae.design.evaluators.censored import AT_LEAST
from chemvae.design.evaluators.measurement import Measurement


def merge_replicates(rows: Sequence[Measurement]) -> Measurement:
    """One measurement of a molecule: the median of its exact values; where it has none, the tightest bound; else a failure.

    Bounds on both sides without an exact value say that it lies between, which counts as no value.

    Parameters
    ----------
    rows : sequence of Measurement, length N >= 1
        Of one molecule.

    Examples
    --------
    >>> rows = [Measurement("C", (5.0,)), Measurement("C", (7.0,)), Measurement("C", (9.0,), "", (">",))]
    >>> merge_replicates(rows).values, merge_replicates(rows).reason, merge_replicates(rows[2:]).bounds
    ((6.0,), 'median of 2 values, 5 to 7', ('>',))
    """
    if len({str(one) for one in rows}) == 1:
        return rows[0]
    merged = [_merge_values(rows, place) for place in range(len(rows[0].values))]
    bounds = tuple(bound for _, bound, _ in merged)
    reasons = dict.fromkeys(reason for *_, reason in merged if reason)
    values = tuple(value for value, *_ in merged)
    return Measurement(rows[0].smiles, values, "; ".join(reasons), bounds if any(bounds) else (), rows[0].id)


def _merge_values(rows: Sequence[Measurement], place: int) -> tuple[float, str, str]:
    """One of the values: what it counts as, its bound, and what is said of it."""
    cells = [(one.values[place], one.bounds[place] if one.bounds else "") for one in rows]
    exact = [value for value, bound in cells if not bound and math.isfinite(value)]
    if exact:
        spread = f"median of {len(exact)} values, {min(exact):g} to {max(exact):g}"
        return median(exact), "", spread if len(exact) > 1 else ""
    bounds = {bound for _, bound in cells if bound}
    if len(bounds) == 1:
        (side,) = bounds
        limits = [value for value, bound in cells if bound]
        limit = max(limits) if side == AT_LEAST else min(limits)
        return limit, side, f"{side}{limit:g} is a bound"
    said = "; ".join(dict.fromkeys(one.reason for one in rows if one.reason))
    return math.nan, "", said or "no value was given"
