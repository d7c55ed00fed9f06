"""report.html of the demo: what was designed, how the searches compare, the map, the model, the data. One file, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chemvae.demo.figures import trace
from chemvae.demo.results import before, best_known, describe
from chemvae.demo.searches import METHODS, MIN_SIMILARITY, N_TOP, Comparison, Improvement
from chemvae.evaluation import plots
from chemvae.maps import map_component
from chemvae.pages import (
    Html,
    details,
    escape,
    format_value,
    molecule_drawing,
    molecule_grid,
    page,
    paragraph,
    section,
    table,
    tiles,
)
from chemvae.pages import plots as side_by_side

if TYPE_CHECKING:
    from chemvae.demo.walk import Walk

N_SHOWN = 4
_STYLE = Html(
    "<style>.demo-winners{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:14px;margin:0 0 1em}"
    ".demo-step{display:grid;grid-template-columns:1fr 28px 1fr 1fr;align-items:stretch;gap:8px;margin:0 0 14px}"
    ".demo-step .molecule{display:flex;flex-direction:column}.demo-step .drawing{flex:1}"
    ".demo-arrow{align-self:center;text-align:center;color:var(--muted);font-size:1.4rem}"
    "@media(max-width:700px){.demo-step{grid-template-columns:1fr}.demo-arrow{transform:rotate(90deg)}}"
    "pre{background:var(--page);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto;font-size:.86rem}"
    "</style>"
)


def render(walk: Walk, results: Mapping[str, Any]) -> str:
    """Return the report as one HTML document."""
    sections = [
        _STYLE,
        _headline(walk, results),
        _before_after(walk.improvements, walk.sizes.start_budget),
        *(_search(comparison, best_known(comparison, walk.part("train"))) for comparison in walk.comparisons),
        _map(walk),
        _model(walk),
        _data(walk),
        _next(results["next"]),
    ]
    seconds = results["seconds"]
    lead = (
        f"In {seconds['total']:.0f} seconds on this machine chemvae made {len(walk.table):,} molecules, trained a small "
        f"variational autoencoder on them, and searched its latent space. Every number below is from this run (seed {walk.seed})."
    )
    return page("From SMILES to designed molecules", sections, lead=lead, footer=_footer(results), scripts=["/* of the map */"])


def _headline(walk: Walk, results: Mapping[str, Any]) -> Html:
    f = walk.evaluation.figures
    share = f["validity_learned_prior"] if f["validity_learned_prior"] is not None else f["validity_prior_sampled"]
    n_train = walk.preparation["splits"].get("train", 0)
    rows = [
        (f"{n_train:,}", "training molecules", "made on this machine by RDKit reactions"),
        (f"{results['seconds']['train']:.0f} s", "of training", f"{len(walk.learning)} epochs, CPU"),
        (f"{f['reconstruction_greedy']:.0%}", "reconstructed", f"of {f['n_molecules']:,} held-out molecules"),
        (f"{f['kl']:.0f} nats", "per molecule in z", "KL to the prior"),
        (f"{share:.0%}", "of samples valid", "raw decoder, temperature 1"),
    ]
    return tiles(rows)


# before and after ----------------------------------------------------------------------------------------------------------


def _before_after(improvements: Sequence[Improvement], budget: int) -> Html:
    lead = (
        f"Held-out molecules with a low QED, and the best analogue that {budget} oracle calls found for each while staying "
        f"similar to it (ECFP4 Tanimoto at least {MIN_SIMILARITY}): by gradient ascent on the predictor, and by random steps "
        "around the same molecule. QED, SAS, logP and MW are computed by RDKit."
    )
    if not improvements:
        return section("Before and after", "No held-out molecule came back from the latent space, so none was improved.")
    rows = [row for number, one in enumerate(improvements, start=1) for row in _rows(number, one)]
    wins = [_gain(one, "gradient") - _gain(one, "random") for one in improvements]
    tally = f"Gradient ascent reached the higher QED for {sum(w > 1e-9 for w in wins)} of {len(wins)} molecules"
    tally += f", random steps for {sum(w < -1e-9 for w in wins)}."
    return section("Before and after", *(_pair(one) for one in improvements), paragraph(tally), table(rows, digits=3), lead=lead)


def _gain(improvement: Improvement, method: str) -> float:
    best = improvement.best(method)
    return 0.0 if best is None else float(best["qed"]) - improvement.qed


def _pair(improvement: Improvement) -> Html:
    cards = [_card(improvement.start, f"start · QED {improvement.qed:.3f}")]
    for method in ("gradient", "random"):
        best = improvement.best(method)
        name = METHODS[method] if method == "gradient" else "random steps"
        words = f"{name} · nothing better found" if best is None else f"{name} · QED {best['qed']:.3f}"
        cards.append(_card(None if best is None else best["smiles"], words))
    return Html(f'<div class="demo-step">{cards[0]}<div class="demo-arrow">→</div>{cards[1]}{cards[2]}</div>')


def _card(smiles: str | None, legend: str) -> str:
    return f'<figure class="molecule">{molecule_drawing(smiles)}<figcaption>{escape(legend)}</figcaption></figure>'


def _rows(number: int, improvement: Improvement) -> list[dict[str, Any]]:
    """The start and both results as table rows."""
    blank = {"similarity": None, "predicted QED": None, "in training set": "no"}
    rows = [{"molecule": f"{number} start", **before(improvement), **blank}]
    for method in ("gradient", "random"):
        best = improvement.best(method)
        if best is None:
            rows.append({"molecule": f"{number} {method}", **dict.fromkeys(rows[0].keys() - {"molecule"})})
            continue
        facts = describe(best)
        told = {"similarity": facts.get("similarity_to_start"), "predicted QED": facts.get("qed_predicted")}
        shown = {name: facts.get(name) for name in ("qed", "SAS", "logP", "MW")}
        known = {None: "unknown", True: "no", False: "yes"}[facts["novel"]]
        rows.append({"molecule": f"{number} {method}", **shown, **told, "in training set": known})
    return [{key: row[key] for key in rows[0]} for row in rows]


# the searches --------------------------------------------------------------------------------------------------------------


def _search(comparison: Comparison, known: float) -> Html:
    n_calls = max(len(result.history) for result in comparison.results.values())
    lead = f"{comparison.task.why} Each search had {n_calls} oracle calls, one seed."
    verdict = Html("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in comparison.verdict()) + "</ul>")
    parts = [verdict, Html(f'<div class="wide">{trace(comparison, known)}</div>'), _search_table(comparison, known)]
    parts += [_winners(comparison)]
    return section(comparison.task.title, *parts, lead=lead)


def _search_table(comparison: Comparison, known: float) -> Html:
    from chemvae.design import summary

    rows = []
    for method, result in comparison.results.items():
        facts, fresh = summary(result), comparison.best_new(method)
        rows.append(
            {
                "search": METHODS[method],
                "calls": facts["n_calls"],
                "best": facts["best"],
                "best that is new": None if fresh is None else float(fresh["score"]),
                f"mean of {N_TOP} best (merit)": comparison.top(method),
                "points decoded": facts["n_points"],
                "valid at once": facts["valid"],
                "new among best": facts["novel"],
                "seconds": facts["elapsed_s"],
            }
        )
    note = f"Merit: {comparison.task.unit}. New: not in the training set."
    if known == known:
        note += f" The best training molecule has a merit of {format_value(known)}."
    return table(rows, caption=note, digits=3)


def _winners(comparison: Comparison) -> Html:
    """The best new molecules of each search, drawn."""
    parts = []
    for method, result in comparison.results.items():
        molecules = result.molecules
        fresh = molecules[molecules["novel"].astype(bool)] if "novel" in molecules else molecules
        shown = fresh.head(N_SHOWN)
        legends = [_legend(row) for row in shown.to_dict("records")]
        parts.append(Html(f"<h3>{escape(METHODS[method].capitalize())}: the best that are new</h3>"))
        parts.append(molecule_grid(shown["smiles"].tolist(), legends) if len(shown) else paragraph("None."))
    return Html("".join(parts))


def _legend(row: Mapping[str, Any]) -> Html:
    """Score, then computed properties with the prediction in brackets."""
    lines = [f"<b>{format_value(row['score'])}</b>"]
    for name in ("logP", "qed", "SAS"):
        predicted = row.get(f"{name}_predicted")
        beside = "" if predicted is None else f" ({format_value(predicted, 3)})"
        lines.append(f"{name} {format_value(row[name], 3)}{beside}")
    return Html(lines[0] + " · " + " · ".join(lines[1:]))


# map, model, data ----------------------------------------------------------------------------------------------------------


def _map(walk: Walk) -> Html:
    found = walk.map
    trusted = found.quality["trustworthiness"]
    note = "Two of many dimensions" + (f": trustworthiness {trusted:.2f} of 1." if trusted == trusted else ".")
    component, assets = map_component(
        found.xy, found.smiles, found.columns, "Latent space", color="5 QED - SAS", trajectories=found.trajectories,
        axis_labels=found.axis_labels, note=note, height="620px", key="space",
    )  # fmt: skip
    lead = (
        "Each dot is a molecule at its posterior mean, seen along the two principal components of the training set. The lines "
        "follow the best molecule of each search from call to call. Point at a dot to see its structure."
    )
    return section("The map", Html(component), Html(assets), lead=lead)


def _model(walk: Walk) -> Html:
    evaluation, f = walk.evaluation, walk.evaluation.figures
    parity = [
        plots.parity_plot(frame[f"{name}_label"], frame[name], frame[f"{name}_std"], name, "1", f"MAE {f[f'mae_{name}']:.3f}")
        for frame in [evaluation.predictions]
        for name in walk.model.property_names
        if f"{name}_label" in frame
    ]
    keys = ("reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_learned_prior", "unique_10k",
            "novelty", "kl", "elbo", "active_units")  # fmt: skip
    rows = [{"figure": key, "value": format_value(f[key], 3), "how": f["protocol"].get(key, "")} for key in keys if key in f]
    legends = ["" if ok else Html('<span class="bad">not valid</span>') for ok in walk.samples["valid"]]
    lead = (
        "A model of this size, trained this briefly, is for a look: chemvae train --preset cpu or gpu makes better ones. "
        f"Measured on {f['n_molecules']:,} molecules of the test part, which neither training nor any choice has seen."
    )
    parts = [side_by_side(plots.learning_curves(walk.learning)) if len(walk.learning) > 1 else ""]
    parts += [Html("<h3>Predicted against computed, held out</h3>"), side_by_side(parity)] if parity else []
    parts += [Html("<h3>The first samples, as they come</h3>"), molecule_grid(walk.samples["smiles"].tolist(), legends)]
    parts += [details("Figures and how each was taken", table(rows)), paragraph(_more(), "note")]
    return section("The model", *parts, lead=lead)


def _more() -> str:
    return "evaluation/report.html, beside this page, holds all figures, failures drawn, and validity against distance."


def _data(walk: Walk) -> Html:
    card = walk.preparation
    example = walk.part("train").head(8)
    legends = [f"logP {row.logP:.2f} · QED {row.qed:.2f} · SAS {row.SAS:.2f}" for row in example.itertuples()]
    rows = [{"what": "rows made", "molecules": card["n_rows"]}]
    rows += [{"what": f"dropped: {reason}", "molecules": count} for reason, count in card["dropped"].items()]
    rows += [{"what": part, "molecules": count} for part, count in card["splits"].items()]
    lead = (
        "virtual-drugs: amide, sulfonamide, urea, biaryl, SNAr and reductive amination products of building blocks written by "
        "hand, with QED at least 0.5 and 150 to 500 g/mol. Nothing was downloaded. A closed library is easier to learn than "
        "molecules from the wild: expect lower figures on those."
    )
    split = paragraph(f"Split: {card['split_rule']}.", "note")
    return section("The data", molecule_grid(example["smiles"].tolist(), legends), table(rows), split, lead=lead)


def _next(commands: Sequence[str]) -> Html:
    code = "\n".join(commands)
    python = (
        "import chemvae\n\n"
        'model = chemvae.load("demo/run")\n'
        "new = chemvae.sample(model, 100)\n"
        'result = chemvae.optimize(model, lambda smiles: smiles.count("O"), budget=100)\n'
        "result.best"
    )
    return section("What to try next", Html(f"<pre>{escape(code)}</pre>"), Html(f"<pre>{escape(python)}</pre>"))


def _footer(results: Mapping[str, Any]) -> str:
    place = results["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in results["seconds"].items())
    return f"{times}. {place['processor']}, {place['cores']} cores, Python {place['python']}; {versions}. This page needs no network."
