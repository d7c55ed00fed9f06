"""Figures to compare searches by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.fingerprints import scaffold
from chemvae.design.results.outcome import Outcome


def running_top(utility: Sequence[float] | np.ndarray, k: int) -> np.ndarray:
    """Mean of the k best so far after each call (of fewer, while there are fewer); NaN before the first score.

    Examples
    --------
    >>> running_top([1.0, float("nan"), 3.0, 2.0], k=2)
    array([1. , 1. , 2. , 2.5])
    """
    best: list[float] = []
    out = []
    for value in utility:
        if np.isfinite(value):
            best = sorted([*best, float(value)], reverse=True)[:k]
        out.append(float(np.mean(best)) if best else np.nan)
    return np.array(out)


def summary(result: Outcome) -> dict[str, Any]:
    """Return the figures that searches are compared by; JSON types, None where there is nothing.

    ``best`` and ``mean_top10`` are scores (of the molecules with the highest utility); ``auc_top10`` is the mean over all
    calls of the running mean of the ten best (for a target: of minus the distance to it); shares are fractions: ``valid``
    among decoded points at the first attempt, ``novel`` among the described best molecules. ``diversity`` of these is one minus
    the mean Tanimoto similarity of all pairs, ``n_scaffolds`` the number of their Bemis-Murcko scaffolds.

    Examples
    --------
    >>> sorted(summary(result))[:4]  # doctest: +SKIP
    ['auc_top10', 'best', 'best_smiles', 'elapsed_s']
    """
    from chemvae.evaluation.metrics import internal_diversity  # with it comes the whole room

    history = result.history
    order = history["utility"].dropna().sort_values(ascending=False, kind="stable").index
    top = history.loc[order[:10], "score"]
    best = result.best
    novel = result.molecules["novel"] if "novel" in result.molecules else None
    return {
        "method": result.settings["method"],
        "n_calls": len(history),
        "n_start": result.settings["n_start"],
        "best": _number(None if best is None else best["score"]),
        "best_smiles": None if best is None else str(best["smiles"]),
        "mean_top10": _number(top.mean() if len(top) else None),
        "auc_top10": _number(_auc(result)),
        "n_failed": int(history["score"].isna().sum()),
        "n_points": result.counts["points"],
        "valid": _number(result.counts["valid"] / result.counts["points"] if result.counts["points"] else None),
        "novel": _number(None if novel is None or not len(novel) else novel.astype(float).mean()),
        "diversity": _number(internal_diversity(result.molecules["smiles"].tolist())),
        "n_scaffolds": len({scaffold(smiles) for smiles in result.molecules["smiles"]}),
        "stopped": result.stopped,
        "elapsed_s": round(result.elapsed_s, 3),
    }


def _auc(result: Outcome) -> float | None:
    """Mean over the calls of the running mean of the ten best; scores for one goal keep their own sign."""
    curve = running_top(result.history["utility"], k=10)
    curve = curve[np.isfinite(curve)]
    if not len(curve):
        return None
    flips = len(result.utility.goals) == 1 and result.utility.goals[0].target is None
    sign = -1.0 if flips and result.utility.goals[0].direction == "min" else 1.0
    return sign * float(curve.mean())


def compare(results: Mapping[str, Outcome]) -> pd.DataFrame:
    """Put the summaries of several searches side by side, one row each.

    Examples
    --------
    >>> compare({"ours": result, "random": baseline})  # doctest: +SKIP
    """
    return pd.DataFrame([{"search": name, **summary(result)} for name, result in results.items()])


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
