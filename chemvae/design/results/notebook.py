"""A search as a notebook shows it: a sentence, the lead, and the best designs drawn as the lead lies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chemvae.design.results.comparison import difference, lead_of
from chemvae.design.results.outcome import Outcome
from chemvae.pages import Html, escape, format_value, paragraph
from chemvae.tables.drawn import drawings

N_SHOWN = 8


def result_html(result: Outcome) -> str:
    """What stands below a cell that ends in a result.

    Parameters
    ----------
    result : Outcome
    """
    words = f"{result.utility.describe()}; {len(result.history):,} calls; {result.stopped}."
    rows = result.molecules.head(N_SHOWN).to_dict("records")
    if not rows:
        return paragraph(f"{words} No molecule could be scored.")
    compared = [lead_of(row, result.leads) for row in rows]
    first = [(one["smiles"], _legend(one, "lead")) for one in result.leads.to_dict("records")]
    best = [(row["smiles"], _legend(row, _change(row, lead))) for row, lead in zip(rows, compared, strict=True)]
    smiles, legends = zip(*first, *best, strict=True)
    beside = [None] * len(first) + [None if lead is None else lead["smiles"] for lead in compared]
    return paragraph(words) + drawings(smiles, legends, beside)


def _change(row: dict, lead: Mapping[str, Any] | None) -> str:
    """How far a design's score is from its lead's."""
    change = difference(row, lead, "score")
    return "" if change != change else f"{change:+.3g}"


def _legend(row: dict, words: str) -> Html:
    return Html(f"<b>{format_value(row['score'])}</b> {escape(words)}<br>{escape(row['smiles'])}")
