"""How the searches went: one section for each task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chemvae.demo.figures import trace
from chemvae.demo.searches import METHODS, Comparison
from chemvae.demo.sections.words import fixed, percent
from chemvae.pages import Html, details, escape, molecule_grid, paragraph, section, table

N_SHOWN = 6


def search_section(comparison: Comparison, known: float, reference_name: str) -> Html:
    """One task: who was ahead, the course of the searches, their figures, and the best molecules of each.

    Parameters
    ----------
    comparison : Comparison
    known : float
        Measure of the best molecule of the reference; NaN if none fulfils the constraints.
    reference_name : str
        What the reference is called: "training set", "virtual library".
    """
    n_calls = max(len(result.history) for result in comparison.results.values())
    lead = f"{comparison.task.why} Each search had {n_calls} oracle calls; one seed."
    sentences = [*comparison.verdict(), _beside_reference(comparison, known, reference_name)]
    verdict = Html("<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence) + "</ul>")
    picture = Html(f'<div class="wide">{trace(comparison, known, reference_name)}</div>')
    return section(comparison.task.title, verdict, picture, _figures(comparison), *_winners(comparison), lead=lead)


def _beside_reference(comparison: Comparison, known: float, reference_name: str) -> str:
    """The best new molecule of all searches beside the best of the reference; "" if there is either none."""
    rows = {method: comparison.best_new(method) for method in comparison.results}
    found = {method: comparison.measure_of(row["score"]) for method, row in rows.items() if row is not None}
    if not found or known != known:
        return ""
    sign = comparison.task.sign
    method = max(found, key=lambda name: sign * found[name])
    gain = sign * (found[method] - known)
    word = "better than" if gain > 5e-4 else "not better than" if gain < -5e-4 else "as good as"
    measure = comparison.task.measure
    return (
        f"The best molecule that is not in the training set ({METHODS[method]}, {measure}: {found[method]:.3f}) is {word} the "
        f"best of the {reference_name} ({known:.3f}), whose score no search was told."
    )


def _figures(comparison: Comparison) -> Html:
    from chemvae.design import summary

    rows = []
    for method, result in comparison.results.items():
        facts, fresh = summary(result), comparison.best_new(method)
        row = {"search": METHODS[method], "calls": str(facts["n_calls"]), "best": fixed(facts["best"], 3)}
        row["best new"] = fixed(None if fresh is None else fresh["score"], 3)
        row["ten best, mean"] = fixed(comparison.top(method), 3)
        row |= {"valid at once": percent(facts["valid"]), "new": percent(facts["novel"])}
        rows.append(row | {"seconds": f"{facts['elapsed_s']:.0f}"})
    note = (
        f"Ten best: by {comparison.task.measure}. New: not in the training set, share among the hundred best. "
        "Valid at once: share of the latent points that decode greedily to a molecule."
    )
    return table(rows, caption=note)


def _winners(comparison: Comparison) -> list[Html]:
    """The best new molecules of the best search, drawn; those of the others folded."""
    sign = comparison.task.sign
    order = sorted(comparison.results, key=lambda method: _rank(sign * comparison.top(method)), reverse=True)
    note = paragraph("The score in bold, then what RDKit computes, and in brackets what the model predicts.", "note")
    others = [part for method in order[1:] for part in _drawn(comparison, method)]
    return [*_drawn(comparison, order[0]), note, details("The best of the other searches", *others)]


def _rank(merit: float) -> float:
    """A merit that can be sorted: nothing found ranks last."""
    return merit if merit == merit else -float("inf")


def _drawn(comparison: Comparison, method: str) -> list[Html]:
    molecules = comparison.results[method].molecules
    fresh = molecules[molecules["novel"].astype(bool)] if "novel" in molecules else molecules
    shown = fresh.head(N_SHOWN)
    legends = [_legend(row) for row in shown.to_dict("records")]
    heading = Html(f"<h3>{escape(METHODS[method].capitalize())}: the best that are new</h3>")
    return [heading, molecule_grid(shown["smiles"].tolist(), legends) if len(shown) else paragraph("None.")]


def _legend(row: Mapping[str, Any]) -> Html:
    """Computed properties with the prediction in brackets, a line each."""
    lines = []
    for name in ("logP", "qed", "SAS"):
        predicted = row.get(f"{name}_predicted")
        aside = "" if predicted is None else f" ({fixed(predicted)})"
        lines.append(f"{'QED' if name == 'qed' else name} {fixed(row[name])}{aside}")
    return Html(f"<b>{fixed(row['score'], 3)}</b><br>" + "<br>".join(lines))
