"""The report of a search: one HTML page without network, with everything needed to judge it and to run it again."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae import pages
from chemvae.design.results.outcome import Outcome
from chemvae.design.results.report_figures import front as front_picture
from chemvae.design.results.report_figures import latent_path, trace
from chemvae.design.results.report_reasons import turned_away
from chemvae.design.results.summary import compare, summary
from chemvae.runs import environment

N_DRAWN = 12
N_NEIGHBOURS = 6
N_OF_FRONT = 6
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
    "diversity": "diversity",
    "n_scaffolds": "scaffolds",
    "elapsed_s": "s",
}
SUMMARY_NOTE = (
    "best: score of the best molecule; ten best: their mean; over calls: mean of that over all calls; points: "
    "decoded; valid: share of them at the first attempt. Of the best, at most 100: novel: share that is not in the training "
    "set; diversity: one minus the mean Tanimoto similarity (ECFP4) of all pairs; scaffolds: distinct ones (Bemis-Murcko)."
)
NEIGHBOURS = {"known": "known molecule", "start": "start molecule"}


def write_report(result: Outcome, path: str | Path, baseline: Outcome | None = None) -> Path:
    """Write the page and return its path; folders are made as needed.

    Parameters
    ----------
    result : Outcome
    path : path
    baseline : Outcome, optional
        Another search with as many calls, usually random, to stand beside it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(result, baseline), encoding="utf-8")
    return path


def render(result: Outcome, baseline: Outcome | None = None) -> str:
    """Return the page as text."""
    sections = [
        _figures(result),
        *_batch(result),
        pages.section("Best molecules", *_best(result)),
        *_neighbours(result),
        pages.section("Course of the search", *_course(result, baseline)),
        pages.section("Turned away", *turned_away(result)),
        pages.section("To run it again", *_settings(result)),
    ]
    lead = f"{result.utility.describe()}; {len(result.history)} of {result.settings['budget']} calls; {result.stopped}."
    return pages.page("Molecules designed", sections, lead=lead)


def _figures(result: Outcome) -> pages.Html:
    """The few numbers that matter, large."""
    facts = summary(result)
    n_best = f"of the {len(result.molecules)} best"
    return pages.tiles(
        [
            (pages.format_value(facts["best"]), "best score", _smiles(facts["best_smiles"])),
            (pages.format_value(facts["mean_top10"]), "mean of the ten best", result.utility.describe()),
            (pages.format_value(facts["n_calls"]), "molecules scored", f"{facts['n_failed']} of them failed"),
            (_percent(facts["valid"]), "of points decode", f"of {facts['n_points']:,}, at the first attempt"),
            (_percent(facts["novel"]), "novel", f"{n_best}: not in the training set"),
            (pages.format_value(facts["diversity"], 2), "diversity", f"{n_best}, with {facts['n_scaffolds']} scaffolds"),
        ]
    )


def _percent(share: float | None) -> str:
    return pages.format_value(share) if share is None else f"{100 * share:.3g} %"


def _smiles(text: str | None) -> pages.Html:
    return pages.Html(f'<span class="smiles">{pages.escape(text or "nothing could be scored")}</span>')


def _batch(result: Outcome) -> list[pages.Html]:
    """What a laboratory is asked to measure."""
    if not len(result.batch):
        return []
    legends = [f"{row['id']}, batch {row['batch']}" for row in result.batch.to_dict("records")]
    grid = pages.molecule_grid(result.batch["smiles"].tolist(), legends)
    full = pages.table(result.batch.rename(columns={"smiles": "SMILES"}))
    return [
        pages.section("To be measured", f"{len(result.batch)} molecules are open.", grid, pages.details("As a table", full))
    ]


def _best(result: Outcome) -> list[str]:
    """The best molecules drawn, and all described ones in a table."""
    table = result.molecules
    if not len(table):
        return ["No molecule could be scored; the reasons are below."]
    shown = table.head(N_DRAWN)
    legends = [_legend(row, result) for row in shown.to_dict("records")]
    note = "The score, then what RDKit computes; in brackets what the model predicted, where it predicts."
    full = pages.table(table.rename(columns={"smiles": "SMILES"}), caption=f"The {len(table)} best")
    return [
        pages.paragraph(note, "note"),
        pages.molecule_grid(shown["smiles"].tolist(), legends),
        pages.details("All as a table", full),
        *_front(result),
    ]


def _front(result: Outcome) -> list[str]:
    """The molecules that no other beats in every goal, when there are several goals."""
    if len(result.utility.goals) == 1:
        return []
    names = result.utility.columns
    front = result.pareto.sort_values(names[0], kind="stable")[["call", "smiles", *names, "utility"]]
    if not len(front):
        return []
    drawn = front.iloc[np.unique(np.linspace(0, len(front) - 1, N_OF_FRONT).round().astype(int))]
    legends = [
        pages.Html("<br>".join(f"{pages.escape(name)} {pages.format_value(row[name], 3)}" for name in names))
        for row in drawn.to_dict("records")
    ]
    return [
        pages.paragraph(f"Beside the best by the weights: {len(front)} molecules that none beats in one goal without losing in "
                        f"another, the front. From one end to the other, {len(drawn)} of them:", "note"),
        front_picture(result),
        pages.molecule_grid(drawn["smiles"].tolist(), legends),
        pages.details("The front as a table", pages.table(front)),
    ]  # fmt: skip


def _legend(row: dict[str, Any], result: Outcome) -> pages.Html:
    """Score, properties, novelty and nearest neighbours of one molecule."""
    lines = [f"<b>{pages.format_value(row['score'])}</b>"]
    for name, value in row.items():
        predicted = row.get(f"{name}_predicted")
        if isinstance(value, float) and name in _property_columns(result.molecules):
            beside = "" if predicted is None else f" ({pages.format_value(predicted, 3)})"
            lines.append(f"{pages.escape(name)} {pages.format_value(value, 3)}{beside}")
    if "novel" in row:
        lines.append("novel" if row["novel"] else "in the training set")
    for label in NEIGHBOURS:
        if f"similarity_to_{label}" in row:
            lines.append(f"similarity to {label} {pages.format_value(row[f'similarity_to_{label}'], 2)}")
    return pages.Html("<br>".join(lines))


def _property_columns(table: pd.DataFrame) -> list[str]:
    """Columns that RDKit computed, or an oracle gave."""
    others = ("smiles", "score", "distance", "novel")
    return [
        c for c in table.columns if c not in others and not c.startswith(("nearest_", "similarity_")) and "_predicted" not in c
    ]


def _neighbours(result: Outcome) -> list[pages.Html]:
    """Each of the best beside the molecule it is most like: a known one or, where none were given, a start molecule."""
    label = next((one for one in NEIGHBOURS if f"nearest_{one}" in result.molecules), None)
    if label is None:
        return []
    shown = result.molecules.head(N_NEIGHBOURS)
    similarity = shown[f"similarity_to_{label}"]
    legends = [f"Tanimoto similarity {pages.format_value(value, 2)} (ECFP4)" for value in similarity]
    pairs = pages.molecule_pairs(shown["smiles"].tolist(), shown[f"nearest_{label}"].tolist(), legends)
    return [
        pages.section(
            f"Nearest {NEIGHBOURS[label]}", f"Designs at the left, the nearest {NEIGHBOURS[label]} at the right.", pairs
        )
    ]


def _course(result: Outcome, baseline: Outcome | None) -> list[str]:
    """The trace and the way through latent space, and the baseline beside it, also where it wins."""
    searches = {result.settings["method"] if isinstance(result.settings["method"], str) else "this search": result}
    if baseline is not None:
        searches[f"baseline ({baseline.settings['method']})"] = baseline
    figures = [figure for figure in (trace(searches), latent_path(result)) if figure is not None]
    table = pages.table(compare(searches)[list(SUMMARY_NAMES)], names=SUMMARY_NAMES)
    parts: list[str] = [pages.plots(figures), table, pages.paragraph(SUMMARY_NOTE, "note")]
    if baseline is not None and len(baseline.history) != len(result.history):
        counts = f"{len(result.history)} and {len(baseline.history)}"
        parts.append(pages.paragraph(f"The two searches made different numbers of calls ({counts}).", "note"))
    return parts


def _settings(result: Outcome) -> list[str]:
    """The command, the settings and the versions."""
    around = environment()
    facts = {**result.settings, "elapsed_s": round(result.elapsed_s, 2)}
    machine = {key: around[key] for key in ("versions", "python", "platform", "processor", "cores", "device", "commit")}
    text = json.dumps({**facts, **machine}, indent=2, default=str)
    note = "The same settings, model and versions give the same history, as far as the oracle gives the same answers."
    return [
        pages.paragraph(note),
        pages.Html(f"<p><code>{pages.escape(_command())}</code></p>"),
        pages.table(_plain_settings(result)),
        pages.details("All settings, versions and the machine", pages.Html(f"<pre>{pages.escape(text)}</pre>")),
    ]


def _command() -> str:
    """What was typed, as a shell reads it."""
    program = Path(sys.argv[0]).name
    return shlex.join(["chemvae" if program == "__main__.py" else program, *sys.argv[1:]])


def _plain_settings(result: Outcome) -> list[dict[str, Any]]:
    """The settings in a table, a line each."""
    facts = {**result.settings, "goals": result.utility.describe()}
    facts["constraints"] = ", ".join(facts["constraints"])
    facts["start"] = facts["start"] if isinstance(facts["start"], str) else ", ".join(facts["start"])
    return [{"setting": name, "value": str(value)} for name, value in facts.items() if value not in (None, "")]
