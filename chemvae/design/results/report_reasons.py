"""The part of a search's report that says what was not scored, or has no score, and why."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from chemvae import pages
from chemvae.design.results.outcome import Outcome

N_REFUSED = 20
N_REASONS = 10
N_EXAMPLES = 3
OUTCOMES = {
    "new": "new, and within all constraints: the scored ones were chosen among these",
    "invalid": "no molecule, also not when decoded again",
    "refused": "broke a constraint",
    "known": "scored before",
    "duplicate": "came up twice in a round",
}


def turned_away(result: Outcome) -> list[str]:
    """How many proposals came to nothing, and why, with examples."""
    rows = [("points decoded", result.counts["points"])]
    rows += [(text, result.counts.get(key, 0)) for key, text in OUTCOMES.items()]
    note = "Below: distinct molecules, each counted for every constraint it broke, and distinct strings; the shortest examples."
    parts: list[str] = [pages.table(pd.DataFrame(rows, columns=["proposals", "number"])), pages.paragraph(note, "note")]
    for reasons in (_constraints(result), _grammar(result), _failures(result)):
        if reasons:
            parts.append(pages.table(reasons))
    if len(result.proposals):
        often = result.proposals.sort_values("times", ascending=False, kind="stable").head(N_REFUSED)
        parts.append(pages.details("The most frequent proposals that came to nothing", pages.table(often)))
    return parts


def _constraints(result: Outcome) -> list[dict[str, Any]]:
    """How many distinct molecules broke each constraint."""
    refused = result.proposals[result.proposals["outcome"] == "refused"]
    return [
        {
            "constraint": label,
            "turned away": count,
            "such as": _examples(refused["smiles"][refused["reason"].str.startswith(label)]),
        }
        for label, count in result.rejections.items()
    ]


def _grammar(result: Outcome) -> list[dict[str, Any]]:
    """What was wrong with strings that are no molecules, whichever ring or atom it was."""
    wrong = result.proposals[result.proposals["outcome"] == "invalid"]
    kinds = wrong["reason"].map(lambda reason: re.sub(r"\b\d+\b( \(\w+\))?", "…", reason))
    return _counted(wrong["smiles"], kinds, "no molecule, because", "strings")


def _failures(result: Outcome) -> list[dict[str, Any]]:
    """Why molecules have no score."""
    failed = result.history[result.history["utility"].isna()]
    return _counted(failed["smiles"], failed["reason"], "no score, because", "molecules")


def _counted(smiles: pd.Series, reasons: pd.Series, heading: str, unit: str) -> list[dict[str, Any]]:
    """The most frequent reasons, with counts and examples."""
    often = reasons.value_counts().head(N_REASONS)
    return [
        {heading: reason, unit: int(count), "such as": _examples(smiles[reasons == reason])} for reason, count in often.items()
    ]


def _examples(smiles: pd.Series) -> pages.Html:
    """The shortest few, each on a line."""
    shortest = sorted(smiles, key=len)[:N_EXAMPLES]
    return pages.Html(
        "".join(f'<div class="smiles" style="white-space: nowrap">{pages.escape(text)}</div>' for text in shortest)
    )
