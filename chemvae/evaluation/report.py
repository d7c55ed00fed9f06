"""One evaluation as files: ``report.json`` with the figures, and a page that shows them, offline and self-contained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.disk.files import write_atomically
from chemvae.disk.staging import all_at_once
from chemvae.evaluation import plots
from chemvae.evaluation.generation import TRIPLE
from chemvae.evaluation.latent.smoothness import STEP_NAMES
from chemvae.evaluation.mistakes import MISTAKES
from chemvae.evaluation.protocols import PROPERTY_FIGURES, Evaluation
from chemvae.naming import label_columns
from chemvae.pages import (
    Html,
    escape,
    format_value,
    molecule_grid,
    molecule_pairs,
    page,
    paragraph,
    section,
    table,
    tiles,
)
from chemvae.pages import plots as side_by_side
from chemvae.runs import write_json

N_DRAWN_FAILURES = 12
N_DRAWN_SAMPLES = 24
TEMPERATURE_NAMES = {"greedy": "greedy", "sampled": "temperature 1"}
_GROUPS = {
    "Reconstruction": r"reconstruction_.*",
    "Sampling": r"(validity|unique_10k|fcd)(_.*)?|novelty|internal_diversity|snn|(scaffold|fragment)_similarity",
    "Does z decide?": r"own_code_found_.*|(within|between)_z_similarity_.*",
    "Smoothness": r"(similarity|valid|property_change)_at_.*|neighbors_kept_.*",
    "Bound and latent space": (
        r"elbo|kl|cross_entropy|rate|distortion|active_units|mutual_information.*|aggregated_posterior_.*"
    ),
    "Likelihood": r"log_px_.*|bdmc_gap|amortization_gap",
    "Counts": r"n_.*|seed",
    "Properties": r"(?!protocol).*",
}
"""Heading to the keys below it; a key stands in the first group that knows it."""
_TILES = (
    ("reconstruction_greedy", "reconstructed", "posterior mean, greedy"),
    ("reconstruction_jt", "reconstructed, sampled", "10 draws x 10 decodes"),
    ("novelty", "novel", "among unique, against training"),
    ("kl", "KL", "nats per molecule"),
)


def write_report(
    evaluation: Evaluation, folder: Path | str, *, name: str = "model", history: pd.DataFrame | None = None
) -> Path:
    """Write ``report.json`` and ``report.html`` into a folder and return the path of the page.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path or str
        Made if it is not there.
    name : str
        Of the model, for the title.
    history : DataFrame, optional
        The run's ``metrics.csv``, for the learning curves.
    """
    folder = Path(folder)
    text = render_report(evaluation, name=name, history=history)
    with all_at_once(folder, "report") as place:
        write_json(place / "report.json", evaluation.figures)
        write_atomically(place / "report.html", lambda path: path.write_text(text, encoding="utf-8"))
    return folder / "report.html"


def render_report(evaluation: Evaluation, *, name: str = "model", history: pd.DataFrame | None = None) -> str:
    """Return the page as :func:`write_report` writes it."""
    f = evaluation.figures
    lead = (
        f"{f['n_molecules']:,} held-out molecules, {f['n_samples']:,} samples, seed {f['seed']}. "
        "Raw decoder: nothing is masked or repaired."
    )
    sections = [
        _headline(f),
        _remarks(f),
        _prior_section(f),
        _smoothness_section(f),
        _learning_section(history),
        _distance_section(evaluation),
        _property_section(evaluation),
        _failure_section(evaluation),
        _sample_section(evaluation),
        _figures_section(f),
    ]
    return page(f"Evaluation of {name}", [part for part in sections if part], lead=lead, footer=_footer())


def _footer() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Written by chemvae {version('chemvae')}. This page needs no network."
    except PackageNotFoundError:
        return "Written by chemvae. This page needs no network."


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _headline(f: Mapping[str, Any]) -> Html:
    shown = [(key, words, note) for key, words, note in _TILES if f.get(key) is not None]
    parts = [(f"{f[key]:.1f}" if key == "kl" else _share(f[key]), words, note) for key, words, note in shown]
    pairs = priors_and_temperatures(f)
    chosen = [pair for pair in pairs if pair in (("normal", "greedy"), pairs[-1])]
    return tiles([*parts[:2], *(_validity_tile(f, *pair) for pair in chosen), *parts[2:]])


def priors_and_temperatures(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The pairs (P, T) that the keys ``validity_P_T``, ``unique_10k_P_T`` and ``fcd_P_T`` are there for, in their order.

    Examples
    --------
    >>> priors_and_temperatures({"validity_normal_greedy": 1.0, "unique_10k_normal_greedy": 0.7, "fcd_normal_greedy": None})
    [('normal', 'greedy')]
    """
    found = (re.fullmatch(r"unique_10k_(.+)_(greedy|sampled)", key) for key in figures)
    return [(match[1], match[2]) for match in found if match]


def _validity_tile(f: Mapping[str, Any], prior: str, temperature: str) -> tuple[str, str, str]:
    """A validity, with what it must not stand without."""
    valid, unique, distance = (f[f"{key}_{prior}_{temperature}"] for key in TRIPLE)
    beside = f"of these {_share(unique)} distinct" + ("" if distance is None else f", FCD {distance:.2f}")
    return _share(valid), f"valid, {_prior_name(prior)}, {TEMPERATURE_NAMES[temperature]}", beside


def _prior_name(prior: str) -> str:
    return {"normal": "family's own prior", "learned": "learned prior", "trained": "trained prior"}.get(
        prior, f"prior '{prior}'"
    )


def _prior_section(f: Mapping[str, Any]) -> Html:
    """What is written at draws of each prior, and whether z decides."""
    rows = []
    for prior, temperature in priors_and_temperatures(f):
        row: dict[str, Any] = {"draws": _prior_name(prior), "decoded": TEMPERATURE_NAMES[temperature]}
        row |= {name: f[f"{name}_{prior}_{temperature}"] for name in TRIPLE}
        row["found"] = f.get(f"own_code_found_{prior}_{temperature}")
        similar = [
            f.get(f"{name}_z_similarity_{prior}") if temperature == "sampled" else None for name in ("within", "between")
        ]
        rows.append(row | dict(zip(("within", "between"), similar, strict=True)))
    heads = {"validity": "valid", "unique_10k": "distinct of 10,000", "fcd": "FCD", "found": "own code found",
             "within": "texts of one z", "between": "of different z"}  # fmt: skip
    lead = (
        "A validity says little alone: greedy decodes can all be molecules and mostly the same ones. Own code found: draws "
        "that are the nearest to the code of what they became. Where texts of one z are hardly more alike (Tanimoto) than "
        "texts of different z, the decoder does not read it."
    )
    return section("Drawn from the priors", table(rows, names=heads, digits=3), lead=lead)


def _smoothness_section(f: Mapping[str, Any]) -> Html:
    """Similarity and properties at six distances from a code."""
    if "similarity_at_1.0" not in f:
        return Html("")
    rows = []
    for step in STEP_NAMES:
        start = f"property_change_at_{step}_"
        words = step.replace("sd", " posterior sd") if step.endswith("sd") else f"{step} sd of the codes"
        changes = {key[len(start) :]: value for key, value in f.items() if key.startswith(start)}
        rows.append({"step": words, "similarity": f[f"similarity_at_{step}"], "valid": f[f"valid_at_{step}"]} | changes)
    lead = (
        "Tanimoto similarity of the greedy decode to the molecule a step away, and the change of its properties in standard "
        f"deviations. Of the 10 nearest molecules in z, {_share(f.get('neighbors_kept_10'))} are among the 10 most similar."
    )
    return section("A step away from a molecule", table(rows, digits=3), lead=lead)


def _remarks(f: Mapping[str, Any]) -> Html:
    """What a reader should know before quoting a figure."""
    remarks = []
    if f["n_molecules"] < 1_000 or f["n_samples"] < 5_000:
        remarks.append("Small sizes: good for a look. For figures to quote take 5,000 molecules and 30,000 samples.")
    if f["n_failed_parse"] or f["n_unencodable"]:
        remarks.append(
            f"{f['n_failed_parse']:,} rows could not be read; {f['n_unencodable']:,} molecules hold symbols that the "
            "vocabulary lacks and count as reconstruction failures."
        )
    if f["kl"] is not None and f["kl"] < 5.0:
        remarks.append("The KL is below 5 nats: the latent space carries little, whatever validity says.")
    if f["novelty"] is None:
        remarks.append("Novelty was not measured: the run keeps no index of its training molecules.")
    if f["fcd"] is None:
        remarks.append("The Frechet ChemNet distance was not measured (install extra: eval).")
    if not remarks:
        return Html("")
    return section("Before you quote a figure", Html("<ul>" + "".join(f"<li>{escape(r)}</li>" for r in remarks) + "</ul>"))


def _learning_section(history: pd.DataFrame | None) -> Html:
    figures = plots.learning_curves(history) if history is not None and len(history) > 1 else []
    return section("Learning", side_by_side(figures)) if figures else Html("")


def _distance_section(evaluation: Evaluation) -> Html:
    if evaluation.radius.empty:
        return Html("")
    marks = {"posterior draw": evaluation.posterior_radius, "nearest neighbour": evaluation.neighbour_radius}
    lead = (
        f"Greedy decodes at growing distance from {int(evaluation.radius['n'].iloc[0]):,} molecules, in one random direction "
        "each, and from the centre of the prior outward. Dashed: median distance of a posterior draw, and of the nearest other "
        "molecule."
    )
    figures = [plots.radius_plot(evaluation.radius, marks), plots.norm_plot(evaluation.norm)]
    return section("Validity against distance", side_by_side(figures), lead=lead)


def _property_section(evaluation: Evaluation) -> Html:
    f, frame = evaluation.figures, evaluation.predictions
    named = label_columns([key.removeprefix("n_labels_") for key in f if key.startswith("n_labels_")])
    names = [name for name in named if f[f"n_labels_{name}"]]
    if not names:
        return Html("")
    figures, rows = [], []
    for name in names:
        unit = evaluation.units.get(name, "1")
        note = f"{f[f'n_labels_{name}']:,} molecules; line: right; grey band with dashed edges: median 90\u00a0% interval"
        label, mean, std = (frame[one] for one in named[name])
        figures.append(plots.parity_plot(label, mean, std, name, unit, note))
        rows.append({"property": name, "unit": unit} | {key: f[f"{key}_{name}"] for key in PROPERTY_FIGURES})
    heads = {"mae": "MAE", "rmse": "RMSE", "r2": "R²", "spearman": "Spearman", "coverage90": "in 90 % interval"}
    lead = "Predicted from the posterior mean, against the labels of the file."
    return section("Properties", side_by_side(figures, small=True), table(rows, names=heads, digits=3), lead=lead)


def _failure_section(evaluation: Evaluation) -> Html:
    failed, total = evaluation.failures, evaluation.figures["n_molecules"]
    if failed.empty:
        return section("Molecules that do not come back", "All of them came back.")
    lead = f"{len(failed):,} of {total:,} molecules: their posterior mean, decoded greedily, is something else."
    chart = Html(f'<div class="wide">{plots.mistakes_plot(Counter(failed["kind"]), MISTAKES, total)}</div>')
    shown = _spread(failed, N_DRAWN_FAILURES)
    legends = [_failure_legend(row) for row in shown.itertuples(index=False)]
    pairs = molecule_pairs(shown["smiles"].tolist(), shown["decoded"].tolist(), legends)
    words = "Input on the left, what was decoded on the right; some of each kind."
    return section("Molecules that do not come back", chart, paragraph(words, "note"), pairs, lead=lead)


def _failure_legend(row: Any) -> Html:
    similarity = "" if row.similarity != row.similarity else f" · Tanimoto {row.similarity:.2f}"
    words = row.reason if row.kind == "unencodable" else MISTAKES[row.kind]
    return Html(f'<span class="tag">{escape(row.kind)}</span> {escape(words)}{similarity}')


def _spread(failed: pd.DataFrame, n: int) -> pd.DataFrame:
    """Take n rows, going round the kinds so that each is seen, in the order of :data:`MISTAKES`."""
    turn = failed.groupby("kind").cumcount()
    rank = failed["kind"].map({kind: i for i, kind in enumerate(MISTAKES)})
    chosen = failed.assign(turn=turn, rank=rank).sort_values(["turn", "rank"], kind="stable").head(n)
    return chosen.sort_values(["rank", "turn"], kind="stable")


def _sample_section(evaluation: Evaluation) -> Html:
    head = evaluation.samples.head(N_DRAWN_SAMPLES)
    legends = ["" if ok else Html('<span class="bad">not valid</span>') for ok in head["valid"]]
    lead = f"The first {len(head)} decodes at temperature 1, as they come."
    return section("A sample", molecule_grid(head["smiles"].tolist(), legends), lead=lead)


def _figures_section(f: Mapping[str, Any]) -> Html:
    """Every key with its value and its protocol, in groups."""
    groups: dict[str, list[str]] = {title: [] for title in _GROUPS}
    for key in f:
        title = next((title for title, pattern in _GROUPS.items() if re.fullmatch(pattern, key)), None)
        if title is not None:
            groups[title].append(key)
    parts = []
    for title, keys in groups.items():
        rows = [
            {"key": Html(f"<code>{escape(k)}</code>"), "value": format_value(f[k]), "protocol": f["protocol"].get(k, "")}
            for k in keys
        ]
        if rows:
            parts += [Html(f"<h3>{escape(title)}</h3>"), table(rows)]
    return section("All figures", *parts, lead="How each was taken, as in report.json. A dash: not measured.")
