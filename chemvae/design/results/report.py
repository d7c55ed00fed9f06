"""The report of a search: one HTML page without network, with everything needed to judge it and to run it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chemvae import pages
from chemvae.design.results.comparison import difference, files, interval, lead_of
from chemvae.design.results.orbitals import orbital_section
from chemvae.design.results.outcome import Outcome
from chemvae.design.results.report_data import NEIGHBOURS, SUMMARY_NAMES, gather, property_columns, searches_by_name, units
from chemvae.design.results.report_figures import front as front_picture
from chemvae.design.results.report_figures import latent_path, streams, trace
from chemvae.disk.files import write_atomically

KINDS = {".csv": "text/csv", ".smi": "text/plain", ".sdf": "chemical/x-mdl-sdfile"}


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
    text = render(result, baseline)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def render(result: Outcome, baseline: Outcome | None = None) -> str:
    """Return the page as text: what :func:`report_data` says, and pictures."""
    data = gather(result, baseline)
    sections = [
        *_leads(data["leads"], result),
        _tiles(data["facts"], result),
        *_batch(data["batch"]),
        pages.section("Best molecules", *_best(data["best"], result), *_front(data["front"], result)),
        *_learned(data["learned"]),
        *orbital_section(data["orbitals"]),
        *_neighbours(data["neighbours"]),
        pages.section("Course of the search", *_course(data["course"], result, baseline)),
        pages.section("Turned away", *_turned_away(data["turned_away"])),
        pages.section("To run it again", *_settings(data["settings"], result)),
    ]
    return pages.page(data["title"], sections, lead=data["lead"])


def _tiles(facts: dict[str, Any], result: Outcome) -> pages.Html:
    """The few numbers that matter, large."""
    n_best = f"of the {len(result.molecules)} best"
    return pages.tiles(
        [
            (_best_score(facts, result), "best score", _smiles(facts["best_smiles"])),
            (pages.format_value(facts["mean_top10"]), "mean of the ten best", result.utility.describe()),
            (
                pages.format_value(facts["n_calls"]),
                "molecules sent to be scored",
                f"{facts['n_failed']} of them without a score",
            ),
            (_percent(facts["valid"]), "of points decode", f"of {facts['n_points']:,}, at the first attempt"),
            (_percent(facts["novel"]), "novel", f"{n_best}: not in the training set"),
            (_percent(facts["known_rings"]), "ring systems known", f"{n_best}: all of them in ChEMBL"),
            (pages.format_value(facts["diversity"], 2), "diversity", f"{n_best}, with {facts['n_scaffolds']} scaffolds"),
        ]
    )


def _percent(share: float | None) -> str:
    return pages.format_value(share) if share is None else f"{100 * share:.3g} %"


def _smiles(text: str | None) -> pages.Html:
    return pages.Html(f'<span class="smiles">{pages.escape(text or "nothing could be scored")}</span>')


def _batch(data: dict[str, Any] | None) -> list[pages.Html]:
    """What a laboratory is asked to measure."""
    if data is None:
        return []
    table = data["molecules"]
    legends = [_place(row) for row in table.to_dict("records")]
    grid = pages.molecule_grid(table["smiles"].tolist(), legends)
    full = pages.table(table.rename(columns={"smiles": "SMILES"}))
    return [pages.section("To be measured", data["caption"], grid, pages.details("As a table", full))]


def _place(row: dict[str, Any]) -> str:
    """Which molecule of which batch this is, why it is there, and what is expected of it."""
    names = [name.removesuffix("_expected") for name in row if name.endswith("_expected")]
    values = {name: [pages.format_value(row[name + end], 3) for end in ("_expected", "_low", "_high")] for name in names}
    expected = [f"{name} {mean} expected ({low} to {high})" for name, (mean, low, high) in values.items()]
    return ", ".join(filter(None, (f"{row['id']}, batch {row['batch']}", row.get("why"), *expected)))


def _leads(data: dict[str, Any] | None, result: Outcome) -> list[pages.Html]:
    """What the search set out from, before anything else."""
    if data is None:
        return []
    table = data["molecules"]
    shown, told = property_columns(table), units(result)
    legends = [_legend(row, shown, told) for row in table.to_dict("records")]
    title = "The lead" if len(table) == 1 else "The leads"
    return [pages.section(title, pages.paragraph(data["note"], "note"), pages.design_grid(table["smiles"].tolist(), legends))]


def _best(data: dict[str, Any] | None, result: Outcome) -> list[str]:
    """The best molecules drawn beside their lead, and all described ones in a table and as files."""
    if data is None:
        return ["No molecule could be scored; the reasons are below."]
    table = data["molecules"]
    shown = table.head(data["n_drawn"])
    leads = [lead_of(row, result.leads) for row in shown.to_dict("records")]
    better = _sign(result)
    legends = [
        _legend(row, data["properties"], data["units"], lead, better)
        for row, lead in zip(shown.to_dict("records"), leads, strict=True)
    ]
    full = pages.table(table.rename(columns={"smiles": "SMILES"}), caption=data["caption"])
    beside = [None if lead is None else lead["smiles"] for lead in leads]
    links = "".join(pages.download(name, text, KINDS[Path(name).suffix]) for name, text in files(result).items())
    return [
        pages.paragraph(data["note"], "note"),
        pages.design_grid(shown["smiles"].tolist(), legends, beside),
        pages.paragraph(pages.Html(f"To take along: {links}")),
        *([pages.plots([streams(data["streams"], len(table))])] if data["streams"] else []),
        pages.details("All as a table", full),
    ]


def _sign(result: Outcome) -> int:
    """+1 where a larger score is better, -1 where a smaller one is, 0 where a target says which."""
    goals = result.utility.goals
    if len(goals) > 1:
        return 1
    return 0 if goals[0].target is not None else 1 if goals[0].direction == "max" else -1


def _ahead(row: dict[str, Any], lead: Any, name: str, better: int = 0) -> str:
    """The difference from the lead with its sign, in colour where more or less of it is better."""
    change = difference(row, lead, name)
    if change != change:
        return ""
    kind = "" if not better or not change else " good" if change * better > 0 else " bad"
    sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else "±"
    return f' <span class="delta{kind}">{sign}{pages.format_value(abs(change), 3)}</span>'


def _best_score(facts: dict[str, Any], result: Outcome) -> str:
    """The best score, with its side where it is only a limit."""
    first = result.molecules.iloc[0].to_dict() if len(result.molecules) else {}
    bound = first.get("bound") if first.get("smiles") == facts["best_smiles"] else None
    return bound if bound and bound[:1] in "<>" else pages.format_value(facts["best"])


def _within(row: dict[str, Any], name: str) -> str:
    """The interval of a value, unless it has a line of its own (:func:`_intervals`)."""
    ends = None if f"{name}_learned_low" in row else interval(row, name)
    return "" if ends is None else f", 90 %: {pages.format_value(ends[0], 3)} to {pages.format_value(ends[1], 3)}"


def _legend(row: dict[str, Any], properties: list[str], units: dict[str, str], lead: Any = None, better: int = 0) -> pages.Html:
    """Score, what is predicted, properties, novelty and nearest neighbours of one molecule, and how far it is from its lead."""
    ahead = "" if row.get("bound") else _ahead(row, lead, "score", better)  # from a limit no difference can be told
    lines = [f"<b>{_score(row)}</b>{ahead}{_within(row, 'score')}"]
    lines += [pages.escape(row["id"])] if row.get("id") else []
    lines += _intervals(row, units, lead)
    for name, value in row.items():
        predicted = row.get(f"{name}_predicted")
        if isinstance(value, float) and name in properties:
            aside = "" if predicted is None else f" ({pages.format_value(predicted, 3)}{_within(row, name)})"
            aside = _within(row, name) if predicted is None else aside
            lines.append(
                f"{pages.escape(name.replace('_', ' '))} {pages.format_value(value, 3)}{_ahead(row, lead, name)}{aside}"
            )
    if row.get("reason"):
        lines.append(f'<span class="bad">{pages.escape(row["reason"])}</span>')
    if "novel" in row:
        lines.append("novel" if row["novel"] else "in the training set")
    for label in NEIGHBOURS:
        if f"similarity_to_{label}" in row:
            lines.append(f"similarity to {label} {pages.format_value(row[f'similarity_to_{label}'], 2)}")
    lines.append(pages.copyable(row["smiles"]))
    return pages.Html("<br>".join(lines))


def _score(row: dict[str, Any]) -> str:
    """The score; where a value is only a limit, on which side of it the true one lies."""
    bound, shown = row.get("bound") or "", pages.format_value(row["score"])
    return pages.escape(bound if bound[:1] in "<>" else f"{shown} ({bound})") if bound else shown


def _intervals(row: dict[str, Any], units: dict[str, str], lead: Any = None) -> list[str]:
    """What is predicted of one molecule, with its interval, how far it is from its lead, and what is to be said against it."""
    lines = []
    for stem in (name.removesuffix("_low") for name in row if name.endswith("_learned_low")):
        name = stem.removesuffix("_learned")
        mean, low, high = (pages.format_value(row[stem + end], 3) for end in ("", "_low", "_high"))
        unit = f" {pages.escape(units[name])}" if name in units else ""
        warning = f"<br>{pages.escape(row[f'{stem}_warning'])}" if row[f"{stem}_warning"] else ""
        shown = f"{pages.escape(name)} {mean}{unit}{_ahead(row, lead, stem)}, predicted ({low} to {high})"
        lines.append(f"{shown}{warning}")
    return lines


def _learned(data: dict[str, Any] | None) -> list[pages.Html]:
    """What was learned from tables, and what is claimed beside its error."""
    if data is None:
        return []
    return [pages.section("What the predictions are worth", *map(pages.paragraph, data["sentences"]))]


def _front(data: dict[str, Any] | None, result: Outcome) -> list[str]:
    """The front's molecules, a few of them drawn, and where they lie."""
    if data is None:
        return []
    drawn = data["molecules"].iloc[data["drawn_rows"]]
    legends = [_values(row, data["goals"], data["units"]) for row in drawn.to_dict("records")]
    return [
        pages.paragraph(data["note"], "note"),
        front_picture(result),
        pages.molecule_grid(drawn["smiles"].tolist(), legends),
        pages.details("The front as a table", pages.table(data["molecules"])),
    ]


def _values(row: dict[str, Any], names: list[str], units: dict[str, str]) -> pages.Html:
    """The goals' values, a line each."""
    shown = (f"{name} {pages.format_value(row[name], 3)} {units.get(name, '')}".strip() for name in names)
    return pages.Html("<br>".join(map(pages.escape, shown)))


def _neighbours(data: dict[str, Any] | None) -> list[pages.Html]:
    """Each of the best beside the molecule it is most like."""
    if data is None:
        return []
    pairs = data["pairs"]
    legends = [f"Tanimoto similarity {pages.format_value(value, 2)} (ECFP4)" for value in pairs["similarity"]]
    drawn = pages.molecule_pairs(pairs["smiles"].tolist(), pairs["nearest"].tolist(), legends)
    return [pages.section(data["title"], data["caption"], drawn)]


def _course(data: dict[str, Any], result: Outcome, baseline: Outcome | None) -> list[str]:
    """The trace and the way through latent space, and the baseline beside it, also where it wins."""
    figures = (trace(searches_by_name(result, baseline)), latent_path(result))
    table = pages.table(data["searches"][list(SUMMARY_NAMES)], names=SUMMARY_NAMES)
    warning = [pages.paragraph(data["warning"], "note")] if data["warning"] else []
    drawn = [figure for figure in figures if figure is not None]
    return [pages.plots(drawn), table, pages.paragraph(data["note"], "note"), *warning]


def _turned_away(data: dict[str, Any]) -> list[str]:
    """How many proposals came to nothing, and why, with examples."""
    reasons = [_with_examples(data[name]) for name in ("constraints", "grammar", "failures") if data[name]]
    parts: list[str] = [pages.table(data["proposals"]), pages.paragraph(data["note"], "note"), *map(pages.table, reasons)]
    if len(data["most_frequent"]):
        title = "The most frequent proposals that came to nothing"
        parts.append(pages.details(title, pages.table(data["most_frequent"])))
    return parts


def _with_examples(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with their examples each on a line."""
    line = '<div class="smiles" style="white-space: nowrap">{}</div>'
    return [{**row, "such as": pages.Html("".join(line.format(pages.escape(text)) for text in row["such as"]))} for row in rows]


def _settings(data: dict[str, Any], result: Outcome) -> list[str]:
    """The command, the settings and the versions."""
    text = json.dumps({**data["settings"], **data["machine"]}, indent=2, default=str)
    return [
        pages.paragraph(data["note"]),
        pages.Html(f"<p><code>{pages.escape(data['command'])}</code></p>"),
        pages.table(_plain_settings(result)),
        pages.details("All settings, versions and the machine", pages.Html(f"<pre>{pages.escape(text)}</pre>")),
    ]


def _plain_settings(result: Outcome) -> list[dict[str, Any]]:
    """The settings in a table, a line each."""
    facts = {**result.settings, "goals": result.utility.describe()}
    facts["constraints"] = ", ".join(facts["constraints"])
    facts["start"] = facts["start"] if isinstance(facts["start"], str) else ", ".join(facts["start"])
    return [{"setting": name, "value": str(value)} for name, value in facts.items() if value not in (None, "")]
