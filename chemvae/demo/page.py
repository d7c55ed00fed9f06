"""report.html of the demo: what was designed, how the searches compare, the map, the model, the data. One file, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chemvae.demo.figures import trace
from chemvae.demo.results import before, describe
from chemvae.demo.searches import METHODS, MIN_SIMILARITY, SMALLEST_START, Comparison, Improvement
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

N_SHOWN = 6
_STYLE = Html(
    "<style>.demo-step{display:grid;grid-template-columns:1fr 28px 1fr 1fr;align-items:stretch;gap:8px;margin:0 0 14px}"
    ".demo-step .molecule{display:flex;flex-direction:column}.demo-step .drawing{flex:1}"
    ".demo-arrow{align-self:center;text-align:center;color:var(--muted);font-size:1.4rem}"
    "@media(max-width:700px){.demo-step{grid-template-columns:1fr}.demo-arrow{transform:rotate(90deg)}}"
    "pre{background:var(--page);border:1px solid var(--line);border-radius:8px;padding:12px 14px;overflow-x:auto}"
    "</style>"
)


def render(walk: Walk, results: Mapping[str, Any]) -> str:
    """Return the report as one HTML document."""
    training = walk.part("train")
    sections = [
        _STYLE,
        _headline(walk, results),
        _before_after(walk.improvements, walk.sizes.start_budget),
        *(_search(comparison, comparison.task.best_known(training)) for comparison in walk.comparisons),
        _map(walk),
        _model(walk),
        _data(walk),
        _next(walk.run, results["next"]),
    ]
    seconds = results["seconds"]
    lead = (
        f"In {seconds['total']:.0f} seconds on this machine chemvae made {len(walk.table):,} molecules, trained a small "
        "variational autoencoder on them and searched its latent space. Every number here is from this one run."
    )
    return page("From SMILES to designed molecules", sections, lead=lead, footer=_footer(results), scripts=["/* of the map */"])


def _headline(walk: Walk, results: Mapping[str, Any]) -> Html:
    f = walk.evaluation.figures
    share = f["validity_learned_prior"] if f["validity_learned_prior"] is not None else f["validity_prior_sampled"]
    n_train = walk.preparation["splits"].get("train", 0)
    rows = [
        (f"{n_train:,}", "training molecules", "made on this machine by RDKit reactions"),
        (f"{_last(walk, 'elapsed_s'):.0f} s", "of training", f"{len(walk.learning)} epochs on the CPU"),
        (f"{f['reconstruction_greedy']:.0%}", "reconstructed", f"of {f['n_molecules']:,} held-out molecules"),
        (f"{f['kl']:.0f} nats", "per molecule in z", "KL to the prior"),
        (f"{share:.0%}", "of samples valid", "raw decoder, temperature 1"),
    ]
    return tiles(rows)


def _last(walk: Walk, column: str) -> float:
    """A figure of the last epoch."""
    return float(walk.learning[column].iloc[-1]) if column in walk.learning else float("nan")


# before and after ----------------------------------------------------------------------------------------------------------


def _before_after(improvements: Sequence[Improvement], budget: int) -> Html:
    lead = (
        f"Held-out molecules of at least {SMALLEST_START:.0f} g/mol with the lowest QED, and the best analogue that {budget} "
        f"oracle calls found for each while staying similar to it (ECFP4 Tanimoto at least {MIN_SIMILARITY}): by gradient "
        "ascent on the predictor, and by random steps "
        "around the same molecule. QED, SAS, logP and MW are computed by RDKit."
    )
    if not improvements:
        return section("Before and after", "No held-out molecule came back from the latent space, so none was improved.")
    rows = [row for number, one in enumerate(improvements, start=1) for row in _rows(number, one)]
    wins = [_gain(one, "gradient") - _gain(one, "random") for one in improvements]
    tally = f"Gradient ascent reached the higher QED for {sum(w > 1e-9 for w in wins)} of {len(wins)} molecules"
    tally += f", random steps for {sum(w < -1e-9 for w in wins)}."
    return section(
        "Before and after", *(_pair(one) for one in improvements), paragraph(tally), table(rows, digits=3), lead=lead
    )


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
    return f'<figure class="molecule">{molecule_drawing(smiles, 300, 150)}<figcaption>{escape(legend)}</figcaption></figure>'


def _rows(number: int, improvement: Improvement) -> list[dict[str, str]]:
    """The start and both results as table rows."""
    rows = [_row(f"{number}, start", before(improvement))]
    for method in ("gradient", "random"):
        best = improvement.best(method)
        name = METHODS[method] if method == "gradient" else "random steps"
        rows.append(_row(f"{number}, {name}", {} if best is None else describe(best)))
    return rows


def _row(name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    known = {None: "–", True: "no", False: "yes"}[facts.get("novel")]
    return {
        "molecule": name,
        "QED": _number(facts.get("qed"), 3),
        "predicted": _number(facts.get("qed_predicted"), 3),
        "SAS": _number(facts.get("SAS")),
        "logP": _number(facts.get("logP")),
        "MW, g/mol": _number(facts.get("MW"), 0),
        "similarity to start": _number(facts.get("similarity_to_start")),
        "in training set": known,
    }


def _number(value: float | None, decimals: int = 2) -> str:
    """A number with fixed decimals, a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{decimals}f}"


# the searches --------------------------------------------------------------------------------------------------------------


def _search(comparison: Comparison, known: float) -> Html:
    n_calls = max(len(result.history) for result in comparison.results.values())
    lead = f"{comparison.task.why} Each search had {n_calls} oracle calls; one seed."
    sentences = [*comparison.verdict(), _beside_training(comparison, known)]
    verdict = Html("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence) + "</ul>")
    picture = Html(f'<div class="wide">{trace(comparison, known)}</div>')
    return section(comparison.task.title, verdict, picture, _search_table(comparison), _winners(comparison), lead=lead)


def _beside_training(comparison: Comparison, known: float) -> str:
    """The best new molecule of all searches beside the best that was known before; "" if there is either none."""
    found = {method: comparison.best_new(method) for method in comparison.results}
    found = {method: comparison.measure_of(row["score"]) for method, row in found.items() if row is not None}
    if not found or known != known:
        return ""
    sign = comparison.task.sign
    method = max(found, key=lambda name: sign * found[name])
    gain = sign * (found[method] - known)
    word = "better than" if gain > 5e-4 else "not better than" if gain < -5e-4 else "as good as"
    measure = comparison.task.measure
    return (
        f"The best molecule that is not in the training set ({METHODS[method]}, {measure}: {found[method]:.3f}) is {word} the "
        f"best of the training set ({known:.3f}), whose score no search was told."
    )


def _search_table(comparison: Comparison) -> Html:
    from chemvae.design import summary

    rows = []
    for method, result in comparison.results.items():
        facts, fresh = summary(result), comparison.best_new(method)
        row = {"search": METHODS[method], "calls": str(facts["n_calls"]), "best": _number(facts["best"], 3)}
        row["best new"] = _number(None if fresh is None else fresh["score"], 3)
        row["ten best, mean"] = _number(comparison.top(method), 3)
        row |= {"valid at once": _share(facts["valid"]), "new": _share(facts["novel"])}
        rows.append(row | {"seconds": f"{facts['elapsed_s']:.0f}"})
    note = (
        f"Ten best: by {comparison.task.measure}. New: not in the training set, share among the hundred best. "
        "Valid at once: share of the latent points that decode greedily to a molecule."
    )
    return table(rows, caption=note)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


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
    parts.append(paragraph("The score in bold, then what RDKit computes, and in brackets what the model predicts.", "note"))
    return Html("".join(parts))


def _legend(row: Mapping[str, Any]) -> Html:
    """Computed properties with the prediction in brackets, a line each."""
    lines = []
    for name in ("logP", "qed", "SAS"):
        predicted = row.get(f"{name}_predicted")
        beside = "" if predicted is None else f" ({_number(predicted)})"
        lines.append(f"{'QED' if name == 'qed' else name} {_number(row[name])}{beside}")
    return Html(f"<b>{_number(row['score'], 3)}</b><br>" + "<br>".join(lines))


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
    parts += [Html("<h3>Predicted against computed, held out</h3>"), side_by_side(parity, small=True)] if parity else []
    parts += [Html("<h3>The first samples, as they come</h3>"), molecule_grid(walk.samples["smiles"].tolist(), legends)]
    parts += [details("Figures and how each was taken", table(rows)), paragraph(_more(), "note")]
    return section("The model", *parts, lead=lead)


def _more() -> str:
    return "evaluation/report.html, beside this page, holds all figures, failures drawn, and validity against distance."


def _data(walk: Walk) -> Html:
    card = walk.preparation
    example = walk.part("train").head(N_SHOWN)
    legends = [Html(f"logP {row.logP:.2f}<br>QED {row.qed:.2f}<br>SAS {row.SAS:.2f}") for row in example.itertuples()]
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in card["dropped"].items()) or "none"
    parts = ", ".join(f"{count:,} {part}" for part, count in card["splits"].items())
    counts = f"{card['n_rows']:,} molecules made; dropped: {dropped}; {parts}. Split: {card['split_rule']}."
    lead = (
        "virtual-drugs: amide, sulfonamide, urea, biaryl, SNAr and reductive amination products of building blocks written by "
        "hand, with QED at least 0.5 and 150 to 500 g/mol. Nothing was downloaded. A closed library is easier to learn than "
        "molecules from the wild: expect lower figures on those."
    )
    return section("The data", molecule_grid(example["smiles"].tolist(), legends), paragraph(counts, "note"), lead=lead)


def _next(run: Path, commands: Sequence[str]) -> Html:
    python = (
        "import chemvae\n\n"
        f'model = chemvae.load("{run.as_posix()}")\n'
        "new = chemvae.sample(model, 100)\n"
        'result = chemvae.optimize(model, lambda smiles: smiles.count("O"), budget=100)\n'
        "result.best"
    )
    blocks = [Html(f"<pre>{escape(text)}</pre>") for text in ("\n".join(commands), python)]
    return section("What to try next", *blocks)


def _footer(results: Mapping[str, Any]) -> str:
    place = results["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in place["versions"].items())
    times = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in results["seconds"].items())
    machine = f"{place['processor']}, {place['cores']} cores, Python {place['python']}"
    return f"{times}. {machine}; {versions}. This page needs no network."
