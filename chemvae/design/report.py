"""The report of a search: one HTML page without network, with everything needed to judge it and to run it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae import pages
from chemvae.design.result import Result, compare, running_top, summary

N_DRAWN = 12
N_REFUSED = 20
SUMMARY_NAMES = {
    "search": "search",
    "n_calls": "calls",
    "best": "best",
    "mean_top10": "ten best",
    "auc_top10": "ten best over calls",
    "n_failed": "failed",
    "n_points": "points",
    "valid": "valid",
    "novel": "novel",
    "elapsed_s": "s",
}
SUMMARY_NOTE = (
    "best: score of the best molecule; ten best: their mean; over calls: mean of that over all calls; points: "
    "decoded; valid: share of them at the first attempt; novel: share of the best that are not in the training set."
)


def write_report(result: Result, path: str | Path, baseline: Result | None = None) -> Path:
    """Write the page and return its path; folders are made as needed.

    Parameters
    ----------
    result : Result
    path : path
    baseline : Result, optional
        Another search with as many calls, usually random, to stand beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(result, baseline), encoding="utf-8")
    return path


def render(result: Result, baseline: Result | None = None) -> str:
    """Return the page as text."""
    sections = [
        _figures(result),
        pages.section("Best molecules", *_best(result)),
        pages.section("Course of the search", *_course(result, baseline)),
        pages.section("Turned away", *_refused(result)),
        pages.section("To run it again", *_settings(result)),
    ]
    lead = f"{result.objective.describe()}; {len(result.history)} of {result.settings['budget']} calls; {result.stopped}."
    return pages.page("Molecules designed", sections, lead=lead)


def _figures(result: Result) -> pages.Html:
    """The few numbers that matter, large."""
    facts = summary(result)
    novel = pages.format_value(facts["novel"], 3)
    return pages.tiles(
        [
            (pages.format_value(facts["best"]), "best score", _smiles(facts["best_smiles"])),
            (pages.format_value(facts["mean_top10"]), "mean of the ten best", result.objective.describe()),
            (pages.format_value(facts["n_calls"]), "molecules scored", f"{facts['n_failed']} of them failed"),
            (pages.format_value(facts["valid"], 3), "of points decode", f"of {facts['n_points']:,}, at the first attempt"),
            (novel, "novel", f"share of the {len(result.molecules)} best that are not in the training set"),
        ]
    )


def _smiles(text: str | None) -> pages.Html:
    return pages.Html(f'<span class="smiles">{pages.escape(text or "nothing could be scored")}</span>')


def _best(result: Result) -> list[str]:
    """The best molecules drawn, and all described ones in a table."""
    table = result.molecules
    if not len(table):
        return ["No molecule could be scored; the reasons are below."]
    shown = table.head(N_DRAWN)
    legends = [_legend(row, result) for row in shown.to_dict("records")]
    note = "Computed by RDKit; in brackets what the model predicted, where it predicts."
    full = pages.table(table.rename(columns={"smiles": "SMILES"}), caption=f"The {len(table)} best")
    return [
        pages.paragraph(note, "note"),
        pages.molecule_grid(shown["smiles"].tolist(), legends),
        pages.details("All as a table", full),
        *_front(result),
    ]


def _front(result: Result) -> list[str]:
    """The molecules that no other beats in every goal, when there are several goals."""
    if len(result.objective.goals) == 1:
        return []
    front = result.pareto[["call", "smiles", *result.objective.names, "utility"]]
    return [
        pages.details(f"The {len(front)} molecules that none beats in one goal without losing in another", pages.table(front))
    ]


def _legend(row: dict[str, Any], result: Result) -> pages.Html:
    """Score, properties, novelty and nearest neighbours of one molecule."""
    lines = [f"<b>{pages.format_value(row['score'])}</b>"]
    for name, value in row.items():
        predicted = row.get(f"{name}_predicted")
        if isinstance(value, float) and name in _property_columns(result.molecules):
            beside = "" if predicted is None else f" ({pages.format_value(predicted, 3)})"
            lines.append(f"{pages.escape(name)} {pages.format_value(value, 3)}{beside}")
    if "novel" in row:
        lines.append("novel" if row["novel"] else "in the training set")
    for label in ("start", "known"):
        if f"similarity_to_{label}" in row:
            lines.append(f"similarity to {label} {pages.format_value(row[f'similarity_to_{label}'], 2)}")
    return pages.Html("<br>".join(lines))


def _property_columns(table: pd.DataFrame) -> list[str]:
    """Columns that RDKit computed."""
    others = ("smiles", "score", "distance", "novel")
    return [
        c for c in table.columns if c not in others and not c.startswith(("nearest_", "similarity_")) and "_predicted" not in c
    ]


def _course(result: Result, baseline: Result | None) -> list[str]:
    """The trace of the best and of the ten best, and the baseline beside it, also where it wins."""
    searches = {result.settings["method"] if isinstance(result.settings["method"], str) else "this search": result}
    if baseline is not None:
        searches[f"baseline ({baseline.settings['method']})"] = baseline
    parts: list[str] = [pages.figure_svg(_trace(searches), "What was maximised, against the molecules scored so far.")]
    columns = list(SUMMARY_NAMES)
    parts += [pages.table(compare(searches)[columns], names=SUMMARY_NAMES), pages.paragraph(SUMMARY_NOTE, "note")]
    if baseline is not None and len(baseline.history) != len(result.history):
        counts = f"{len(result.history)} and {len(baseline.history)}"
        parts.append(pages.paragraph(f"The two searches made different numbers of calls ({counts}).", "note"))
    return parts


def _trace(searches: dict[str, Result]) -> Any:
    with pages.plot_style():
        figure, axes = pages.new_figure(7.0, 3.4)
        for colour, (name, result) in zip(pages.SERIES, searches.items(), strict=False):
            utility, calls = result.history["utility"].to_numpy(), result.history["call"].to_numpy()
            axes.plot(calls, utility, ".", ms=3, alpha=0.35, color=colour)
            axes.plot(calls, running_top(utility, 1), color=colour, label=f"{name}: best")
            axes.plot(calls, running_top(utility, 10), color=colour, ls="--", label=f"{name}: mean of ten best")
        axes.set_xlabel("molecules scored")
        axes.set_ylabel(_axis_label(next(iter(searches.values()))))
        axes.legend(fontsize=8)
        _clip_low_outliers(axes, searches)
    return figure


def _axis_label(result: Result) -> str:
    goals = result.objective.goals
    if len(goals) > 1:
        return "weighted desirability"
    if goals[0].target is not None:
        return f"- |{goals[0].name} - {goals[0].target:g}|"
    return ("" if goals[0].direction == "max" else "- ") + goals[0].name


def _clip_low_outliers(axes: Any, searches: dict[str, Result]) -> None:
    """Let a few very poor molecules fall off the picture, not the interesting part."""
    values = np.concatenate([result.history["utility"].dropna().to_numpy() for result in searches.values()])
    if len(values) < 20:
        return
    low, high = np.quantile(values, 0.05), values.max()
    margin = 0.08 * (high - low) or 0.1
    axes.set_ylim(low - margin, high + margin)


def _refused(result: Result) -> list[str]:
    """How many proposals came to nothing, and why."""
    rows = [("points decoded", result.counts["points"])]
    words = {
        "invalid": "no molecule, also not when decoded again",
        "refused": "broke a constraint",
        "known": "scored before",
        "duplicate": "came up twice in a round",
    }
    rows += [(text, result.counts.get(key, 0)) for key, text in words.items()]
    parts: list[str] = [pages.table(pd.DataFrame(rows, columns=["proposals", "number"]))]
    if result.rejections:
        counted = pd.DataFrame(list(result.rejections.items()), columns=["constraint", "distinct molecules turned away"])
        parts.append(pages.table(counted))
    failed = result.history[result.history["utility"].isna()]
    if len(failed):
        reasons = failed["reason"].value_counts().rename_axis("reason of failed calls").reset_index(name="molecules")
        parts.append(pages.table(reasons.head(N_REFUSED)))
    if len(result.proposals):
        often = result.proposals.sort_values("times", ascending=False, kind="stable").head(N_REFUSED)
        parts.append(pages.details("The most frequent proposals that came to nothing", pages.table(often)))
    return parts


def _settings(result: Result) -> list[str]:
    """Settings as JSON, and versions."""
    import torch
    from rdkit import rdBase

    import chemvae

    facts = {**result.settings, "elapsed_s": round(result.elapsed_s, 2)}
    versions = {"chemvae": chemvae.__version__, "torch": torch.__version__, "rdkit": rdBase.rdkitVersion}
    text = json.dumps({**facts, "versions": versions}, indent=2, default=str)
    note = "The same settings, model and versions give the same history, as far as the oracle gives the same answers."
    return [pages.paragraph(note), pages.Html(f"<pre>{pages.escape(text)}</pre>")]
