"""What a campaign returns: its history, the best molecules described, and figures to compare searches by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.fingerprints import morgan, nearest, scaffold
from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.design.book import Receipt
from chemvae.design.goals import Objective

SHOWN_PROPERTIES = ("logP", "qed", "SAS", "MW")
N_DESCRIBED = 100


@dataclass(frozen=True)
class Result:
    """Everything a campaign found out."""

    history: pd.DataFrame
    """One row per distinct molecule sent to the oracle: ``call`` (from 1), ``smiles`` (canonical), ``score`` (the oracle's
    value in its unit; the weighted desirability when there are several goals), ``reason`` (why there is none), ``seconds``,
    ``z`` (the point it was decoded from), ``utility`` (what was maximised), and a column per goal when there are several."""
    proposals: pd.DataFrame
    """What was not scored: ``round``, ``smiles``, ``outcome`` (invalid or refused), ``reason``, ``times``."""
    molecules: pd.DataFrame
    """The best molecules, at most 100: ``smiles``, ``score``, properties computed by RDKit, ``P_predicted`` and
    ``P_predicted_std`` beside them, ``distance`` to the training data, ``novel`` where the model has a training index,
    ``nearest_known`` and ``nearest_start`` with their similarity where such molecules were given."""
    objective: Objective
    """The goals."""
    rejections: dict[str, int]
    """Constraint -> distinct molecules it turned away."""
    counts: dict[str, int]
    """``points`` decoded, ``valid`` among them at the first, greedy attempt, and how the others ended."""
    settings: dict[str, Any]
    """All that is needed to run it again."""
    stopped: str
    """Why it ended."""
    elapsed_s: float
    """Wall time."""
    model: Any = field(default=None, repr=False)
    """The model that was used: the caller's own, unchanged, or a copy where the optimizer has retrained one."""
    batch: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """The molecules a laboratory is asked to measure: ``id``, ``batch``, ``smiles``, an empty column per value, and what is
    known of them. Empty for other oracles."""
    receipt: Receipt | None = None
    """What became of the results that were handed in."""

    @property
    def best(self) -> pd.Series | None:
        """The row of ``history`` with the highest utility; None if nothing could be scored."""
        return None if self.history["utility"].isna().all() else self.history.loc[self.history["utility"].idxmax()]

    @property
    def pareto(self) -> pd.DataFrame:
        """The rows of ``history`` that the constraints allow and no other beats in one goal without losing in another."""
        allowed = self.history[self.history["utility"].notna()]
        return allowed[non_dominated(self.objective.merits(allowed[self.objective.columns].to_numpy(dtype=float)))]

    @property
    def interrupted(self) -> bool:
        """Whether the user stopped it."""
        return self.stopped == "interrupted"

    def to_html(self, path: str | Path, baseline: Result | None = None) -> Path:
        """Write the report as one page that needs no network; ``baseline`` is drawn beside it."""
        from chemvae.design.report import write_report

        return write_report(self, path, baseline)


def non_dominated(merits: np.ndarray) -> np.ndarray:
    """Tell which rows no other row dominates; rows with NaN never count.

    Parameters
    ----------
    merits : ndarray [N, P]
        To be maximised.

    Returns
    -------
    ndarray of bool [N]

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [np.nan, 9.0]]))
    array([ True,  True, False, False])
    """
    usable = ~np.isnan(merits).any(axis=1)
    front = np.zeros(len(merits), dtype=bool)
    for i in np.flatnonzero(usable):
        others = merits[usable]
        beaten = (others >= merits[i]).all(axis=1) & (others > merits[i]).any(axis=1)
        front[i] = not beaten.any()
    return front


def running_top(utility: Sequence[float], k: int) -> np.ndarray:
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


def summary(result: Result) -> dict[str, Any]:
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


def _auc(result: Result) -> float | None:
    """Mean over the calls of the running mean of the ten best; scores for one goal keep their own sign."""
    curve = running_top(result.history["utility"], k=10)
    curve = curve[np.isfinite(curve)]
    if not len(curve):
        return None
    flips = len(result.objective.goals) == 1 and result.objective.goals[0].target is None
    sign = -1.0 if flips and result.objective.goals[0].direction == "min" else 1.0
    return sign * float(curve.mean())


def compare(results: Mapping[str, Result]) -> pd.DataFrame:
    """Put the summaries of several searches side by side, one row each.

    Examples
    --------
    >>> compare({"ours": result, "random": baseline})  # doctest: +SKIP
    """
    return pd.DataFrame([{"search": name, **summary(result)} for name, result in results.items()])


def describe_molecules(model: Any, smiles: Sequence[str], names: Sequence[str], **others: Sequence[str] | None) -> pd.DataFrame:
    """Describe canonical molecules: computed beside predicted properties, novelty, nearest neighbours.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str, length N
    names : sequence of str
        Properties of interest; those RDKit can compute are, those the model predicts are predicted.
    **others : sequence of SMILES, optional
        Molecules to find the nearest one in (ECFP4 Tanimoto), such as ``known`` or ``start``.

    Returns
    -------
    DataFrame, N rows
        ``smiles``, the properties, ``P_predicted`` and ``P_predicted_std``, ``distance``, ``novel``, and for each of the others
        ``nearest_NAME`` and ``similarity_to_NAME``.
    """
    smiles = list(smiles)
    table = pd.DataFrame({"smiles": pd.Series(smiles, dtype="str")})
    predicted = list(getattr(model, "property_names", ()))
    wanted = list(dict.fromkeys([*names, *predicted, *SHOWN_PROPERTIES]))
    computable = {name.lower(): name for name in PROPERTIES}
    columns = list(dict.fromkeys(computable[name.lower()] for name in wanted if name.lower() in computable))
    table = table.join(compute_table(smiles, columns)) if smiles else table.reindex(columns=["smiles", *columns])
    if smiles:
        table = table.join(_predictions(model, smiles, predicted))
        novelty = model.is_known(smiles)
        if novelty is not None:
            table["novel"] = ~np.asarray(novelty, dtype=bool)
    for label, reference in others.items():
        if reference is not None and len(reference) and smiles:
            index, similarity = nearest(morgan(smiles), morgan(list(reference)))
            table[f"nearest_{label}"] = [reference[i] if i >= 0 else None for i in index]
            table[f"similarity_to_{label}"] = similarity
    return table


def _predictions(model: Any, smiles: list[str], names: Sequence[str]) -> pd.DataFrame:
    table = model.predict(smiles).reset_index(drop=True)
    renamed = {name: f"{name}_predicted" for name in names} | {f"{name}_std": f"{name}_predicted_std" for name in names}
    return table.rename(columns=renamed)


def _number(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
