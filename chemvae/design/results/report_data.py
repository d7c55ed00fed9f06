"""What the report of a search says, apart from how it looks: figures, tables and captions."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES
from chemvae.design.results.comparison import ENDINGS, difference, lead_of
from chemvae.design.results.learned import sentences
from chemvae.design.results.orbitals import orbitals
from chemvae.design.results.outcome import Outcome
from chemvae.design.results.plain import plain
from chemvae.design.results.summary import compare, running_top, summary
from chemvae.design.results.why import REASONS
from chemvae.naming import EXTRAS
from chemvae.runs import environment

N_DRAWN = 12
N_NEIGHBOURS = 6
N_OF_FRONT = 6
N_REFUSED = 20
N_REASONS = 10
N_EXAMPLES = 3
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
    "known_rings": "rings known",
    "diversity": "diversity",
    "n_scaffolds": "scaffolds",
    "elapsed_s": "s",
}
SUMMARY_NOTE = (
    "best: score of the best molecule; ten best: their mean; over calls: mean of that over all calls; points: "
    "decoded; valid: share of them at the first attempt. Of the best, at most 100: novel: share that is not in the training "
    "set; rings known: share whose ring systems are all in ChEMBL; diversity: one minus the mean Tanimoto similarity (ECFP4) "
    "of all pairs; scaffolds: distinct ones (Bemis-Murcko)."
)
LEAD_NOTE = "What the search set out from, scored as the designs are, whether or not it keeps within the constraints."
BEST_NOTE = (
    "The score, then what RDKit computes or the oracle gave; in brackets what the model predicted, where it predicts. A click "
    "on a SMILES selects it."
)
CAUTIOUS_NOTE = (
    " A goal that is predicted is told as predicted, with the interval that holds it in 9 of 10 cases. What counts in the "
    "score is the end of it that the goal likes less, so that a mere hope does not win."
)
CAUTIOUS_FRONT_NOTE = (
    " Goals that are predicted are shown as predicted; what counts is the end of their interval that the goal likes less, so a "
    "molecule of the front may lie behind another one here."
)
DIFFERENCE_NOTE = (
    " Each is drawn as its lead lies, what that lacks in colour, with what it is ahead or behind. An interval holds the true "
    "value in 9 of 10 cases: a difference within it may be none."
)
NEIGHBOURS = {"known": "known molecule", "labelled": "labelled molecule", "start": "start molecule"}
OUTCOMES = {
    "new": "new, and within all constraints: the scored ones were chosen among these",
    "invalid": "no molecule, also not when decoded again",
    "refused": "broke a constraint",
    "known": "scored before",
    "duplicate": "came up twice in a round",
}


def report_data(result: Outcome, baseline: Outcome | None = None) -> dict[str, Any]:
    """Return all that the report says, in JSON types: what a page of one's own is made from.

    Parameters
    ----------
    result : Outcome
    baseline : Outcome, optional
        Another search with as many calls, usually random, to stand beside it.

    Returns
    -------
    dict
        ``title``, ``lead``, and the sections ``facts``, ``batch``, ``leads``, ``best``, ``learned``, ``front``,
        ``orbitals``, ``neighbours``, ``course``, ``turned_away`` and ``settings``, each with its tables (lists of rows) and
        captions; None for a section that this search has not. Molecules are SMILES.
    """
    return plain(gather(result, baseline))


def gather(result: Outcome, baseline: Outcome | None = None) -> dict[str, Any]:
    """As :func:`report_data`, with tables as they are: what the page is rendered from."""
    return {
        "title": "Molecules designed",
        "lead": f"{result.utility.describe()}; {_calls(result)}; {result.stopped}.",
        "facts": summary(result),
        "batch": _batch(result),
        "leads": _leads(result),
        "best": _best(result),
        "learned": {"sentences": sentences(result.learned), "values": result.learned} if result.learned else None,
        "front": _front(result),
        "orbitals": orbitals(result),
        "neighbours": _neighbours(result),
        "course": _course(result, baseline),
        "turned_away": _turned_away(result),
        "settings": _settings(result),
    }


def _calls(result: Outcome) -> str:
    """How much of the budget is spent, and what is known besides."""
    told = f" and {result.n_told} values that were told besides" if result.n_told else ""
    return f"{len(result.history) - result.n_told} of {result.settings['budget']} calls{told}"


def _batch(result: Outcome) -> dict[str, Any] | None:
    """What a laboratory is asked to measure, in which batches, and why."""
    if not len(result.batch):
        return None
    numbers = result.batch["batch"].value_counts().sort_index()
    parts = [f"{count} of batch {number}" for number, count in numbers.items()]
    caption = f"{len(result.batch)} molecules are open: {', '.join(parts)}."
    found = [f"{word}: {meaning}" for word, meaning in REASONS.items() if word in set(result.batch.get("why", ()))]
    why = f" Why they were chosen, by what is known now: {'; '.join(found)}." if found else ""
    return {"caption": caption + why, "molecules": result.batch}


def _leads(result: Outcome) -> dict[str, Any] | None:
    """What the search set out from."""
    if not len(result.leads):
        return None
    return {"molecules": result.leads, "note": LEAD_NOTE}


def _best(result: Outcome) -> dict[str, Any] | None:
    """The best molecules described, and how many of them are drawn."""
    if not len(result.molecules):
        return None
    cautious = CAUTIOUS_NOTE if any(one.get("is_cautious") for one in result.learned) else ""
    return {
        "note": BEST_NOTE + cautious + (DIFFERENCE_NOTE if len(result.leads) else ""),
        "caption": f"The {len(result.molecules)} best",
        "molecules": result.molecules,
        "n_drawn": min(N_DRAWN, len(result.molecules)),
        "properties": property_columns(result.molecules),
        "units": units(result),
        "differences": _differences(result),
        "streams": stream_shares(result.molecules),
    }


def stream_shares(molecules: pd.DataFrame) -> dict[str, float]:
    """Share of the best molecules, at most 100, by what proposed them, the largest first; empty where nothing says.

    Examples
    --------
    >>> stream_shares(pd.DataFrame({"stream": ["crossover", "prior", "crossover", "crossover"]}))
    {'crossover': 0.75, 'prior': 0.25}
    """
    return {} if "stream" not in molecules else molecules["stream"].value_counts(normalize=True).to_dict()


def _differences(result: Outcome) -> list[dict[str, Any]]:
    """How much larger the score and the goals of each drawn design are than its lead's; none without a lead."""
    rows = result.molecules.head(N_DRAWN).to_dict("records")
    found = [(row, lead_of(row, result.leads)) for row in rows]
    names = dict.fromkeys(["score", *result.utility.columns])
    return [
        {"lead": lead["smiles"], **{name: difference(row, lead, name) for name in names}}
        for row, lead in found
        if lead is not None
    ]


def property_columns(table: pd.DataFrame) -> list[str]:
    """Columns that RDKit computed, or an oracle gave."""
    extras = (other if other in table else name for name, other in EXTRAS.items())
    others = {"smiles", "id", "score", "bound", "reason", "hardest_bond", "stream", "parent", "lives_in", *extras}
    named = [c for c in table.columns if c not in others and not c.startswith(("nearest_", "similarity_"))]
    ends = {f"{c}{ending}" for c in named for ending in ENDINGS}
    told = {c.removesuffix("_learned") for c in named if c.endswith("_learned")}  # with their intervals, on a line of their own
    counted = {c for c in named if c.endswith("_scored") and c.removesuffix("_scored") in named}
    hidden = (told - set(PROPERTIES)) | counted | ends
    return [c for c in named if not any(word in c for word in ("_predicted", "_learned")) and c not in hidden]


def _front(result: Outcome) -> dict[str, Any] | None:
    """The molecules that no other beats in every goal, when there are several goals, from one end to the other."""
    if len(result.utility.goals) == 1 or not len(result.pareto):
        return None
    names = result.utility.columns
    front = as_predicted(result.pareto, names).sort_values(names[0], kind="stable")
    front = front[["call", "smiles", *(c for name in names for c in (name, f"{name}_scored") if c in front), "utility"]]
    rows = np.unique(np.linspace(0, len(front) - 1, N_OF_FRONT).round().astype(int))
    if len(front) == 1:
        note = "One molecule is best in every goal, so that there is no front to choose from:"
    else:
        note = (
            f"Beside the best by the weights: {len(front)} molecules that none beats in one goal without losing in "
            f"another, the front. From one end to the other, {len(rows)} of them:"
        )
    note += CAUTIOUS_FRONT_NOTE if any(f"{name}_scored" in front for name in names) else ""
    return {"note": note, "goals": names, "molecules": front, "drawn_rows": rows, "units": units(result)}


def as_predicted(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Calls with goals that are predicted as they are predicted, where that is known, and what counted as ``P_scored``.

    Examples
    --------
    >>> table = pd.DataFrame({"S1": [2.4], "S1_learned": [2.7], "logP": [3.0]})
    >>> as_predicted(table, ["S1", "logP"]).to_dict("records")
    [{'S1': 2.7, 'logP': 3.0, 'S1_scored': 2.4}]
    """
    told = [name for name in names if f"{name}_learned" in table]
    changed = table.assign(**{f"{name}_scored": table[name] for name in told})
    changed = changed.assign(**{name: table[f"{name}_learned"] for name in told})
    return changed.drop(columns=[f"{name}_learned" for name in told])


def units(result: Outcome) -> dict[str, str]:
    """Units of what is predicted, where it has one."""
    return {one["name"]: one["unit"] for one in result.learned if one.get("unit") not in (None, "", "1")}


def _neighbours(result: Outcome) -> dict[str, Any] | None:
    """Each of the best beside the molecule it is most like: a known one or, where none were given, a start molecule."""
    label = next((one for one in NEIGHBOURS if f"nearest_{one}" in result.molecules), None)
    if label is None:
        return None
    shown = result.molecules.head(N_NEIGHBOURS)
    pairs = {"smiles": shown["smiles"], "nearest": shown[f"nearest_{label}"], "similarity": shown[f"similarity_to_{label}"]}
    return {
        "title": f"Nearest {NEIGHBOURS[label]}",
        "caption": f"Designs at the left, the nearest {NEIGHBOURS[label]} at the right.",
        "pairs": pd.DataFrame(pairs),
    }


def searches_by_name(result: Outcome, baseline: Outcome | None) -> dict[str, Outcome]:
    """A search and its baseline under the names they have in a report."""
    method = result.settings["method"]
    searches = {method if isinstance(method, str) else "this search": result}
    if baseline is not None:
        searches[f"baseline ({baseline.settings['method']})"] = baseline
    return searches


def _course(result: Outcome, baseline: Outcome | None) -> dict[str, Any]:
    """The trace of each search, and their summaries side by side, also where the baseline wins."""
    searches = searches_by_name(result, baseline)
    warning = ""
    if baseline is not None and len(baseline.history) != len(result.history):
        counts = f"{len(result.history)} and {len(baseline.history)}"
        warning = f"The two searches made different numbers of calls ({counts})."
    return {
        "searches": compare(searches),
        "names": SUMMARY_NAMES,
        "note": SUMMARY_NOTE,
        "warning": warning,
        "traces": {name: _trace(one) for name, one in searches.items()},
    }


def _trace(result: Outcome) -> pd.DataFrame:
    """What was maximised after each call: of this molecule, of the best, and the mean of the ten best."""
    utility = result.history["utility"].to_numpy(dtype=float)
    columns = {"call": result.history["call"], "utility": utility}
    return pd.DataFrame({**columns, "best": running_top(utility, 1), "mean_top10": running_top(utility, 10)})


def _turned_away(result: Outcome) -> dict[str, Any]:
    """How many proposals came to nothing, and why, with examples."""
    rows = _proposal_counts(result.counts)
    often = result.proposals.sort_values("times", ascending=False, kind="stable").head(N_REFUSED)
    return {
        "proposals": pd.DataFrame(rows, columns=["proposals", "number"]),
        "note": "Above, each proposal is counted as often as it was made. Below: distinct molecules, each counted for every "
        "constraint it broke, also where a point was decoded again, and distinct strings; the shortest examples.",
        "constraints": _constraints(result),
        "grammar": _grammar(result),
        "failures": _failures(result),
        "most_frequent": often,
    }


def _proposal_counts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Where proposals came from and how they ended: what stands above "together" adds up to it, and so does what stands below.

    Examples
    --------
    >>> [number for _, number in _proposal_counts({"points": 5, "new": 4, "invalid": 1, "refused": 3})]
    [5, 3, 8, 4, 1, 3, 0, 0]
    >>> _proposal_counts({"points": 5, "new": 3})[-1]
    ('not looked at, since the search was ended', 2)
    """
    ended = [(text, counts.get(key, 0)) for key, text in OUTCOMES.items()]
    together, points = sum(number for _, number in ended), counts["points"]
    left = [("not looked at, since the search was ended", points - together)] if points > together else []
    named = max(together - points, 0)
    return [
        ("points decoded", points),
        ("molecules that the method named itself (crosses, mutations, a start library)", named),
        ("together", points + named),
        *((f"of these: {text}", number) for text, number in ended),
        *left,
    ]


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
    reasons = wrong["reason"].map(lambda reason: re.sub(r"\b\d+\b( \(\w+\))?", "…", reason))
    return _counted(wrong["smiles"], reasons, "no molecule, because", "strings")


def _failures(result: Outcome) -> list[dict[str, Any]]:
    """Why molecules have no score."""
    failed = result.history[result.history["score"].isna()]
    return _counted(failed["smiles"], failed["reason"], "no score, because", "molecules")


def _counted(smiles: pd.Series, reasons: pd.Series, heading: str, unit: str) -> list[dict[str, Any]]:
    """The most frequent reasons, with counts and examples."""
    often = reasons.value_counts().head(N_REASONS)
    return [
        {heading: reason, unit: int(count), "such as": _examples(smiles[reasons == reason])} for reason, count in often.items()
    ]


def _examples(smiles: pd.Series) -> list[str]:
    """The shortest few."""
    return sorted(smiles, key=len)[:N_EXAMPLES]


def _settings(result: Outcome) -> dict[str, Any]:
    """The command, the settings and the versions."""
    around = environment()
    machine = {key: around[key] for key in ("versions", "python", "platform", "processor", "cores", "device", "commit")}
    return {
        "note": "The same settings, model and versions give the same history, as far as the oracle gives the same answers.",
        "command": _command(),
        "settings": {**result.settings, "elapsed_s": round(result.elapsed_s, 2)},
        "machine": machine,
    }


def _command() -> str:
    """What was typed, as a shell reads it."""
    program = Path(sys.argv[0]).name
    return shlex.join(["chemvae" if program == "__main__.py" else program, *sys.argv[1:]])
