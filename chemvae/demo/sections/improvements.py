"""Given molecules before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chemvae.demo.results import before, describe
from chemvae.demo.searches import IMPROVERS, KEPT_SHARE, METHODS, MIN_SIMILARITY, SMALLEST_START, Improvement
from chemvae.demo.sections.words import fixed
from chemvae.pages import Html, escape, molecule_drawing, paragraph, section, table

STYLE = Html(
    "<style>.demo-step{display:grid;grid-template-columns:1fr 28px 1fr 1fr;align-items:stretch;gap:8px;margin:0 0 14px}"
    ".demo-step .molecule{display:flex;flex-direction:column}.demo-step .drawing{flex:1}"
    ".demo-arrow{align-self:center;text-align:center;color:var(--muted);font-size:1.4rem}"
    "@media(max-width:700px){.demo-step{grid-template-columns:1fr}.demo-arrow{transform:rotate(90deg)}}</style>"
)


def improvement_section(improvements: Sequence[Improvement], budget: int) -> Html:
    """Each given molecule beside what was made of it, who did better, and all as a table."""
    if not improvements:
        return section("Before and after", "No held-out molecule came back from the latent space, so none was improved.")
    lead = (
        f"Given: {_which(improvements)}. Beside each the best analogue that {budget} oracle calls found while staying similar "
        f"to it (ECFP4 Tanimoto at least {MIN_SIMILARITY}) and keeping {KEPT_SHARE:.0%} of its size: by gradient ascent on the "
        "predictor, and by random steps around the same molecule. QED, SAS, logP and MW are computed by RDKit."
    )
    rows = [row for number, one in enumerate(improvements, start=1) for row in _rows(number, one)]
    pairs = [_pair(one) for one in improvements]
    return section("Before and after", STYLE, *pairs, paragraph(_tally(improvements)), table(rows, digits=3), lead=lead)


def _which(improvements: Sequence[Improvement]) -> str:
    """Where the molecules come from."""
    library = (
        "the molecules of the library with the lowest QED, of those that the model has not seen and that have at least "
        f"{SMALLEST_START:.0f} g/mol"
    )
    named = [one.name for one in improvements if one.name]
    return ", and ".join([*named, *([library] if len(named) < len(improvements) else [])])


def _tally(improvements: Sequence[Improvement]) -> str:
    wins = [_gain(one, "gradient") - _gain(one, "random") for one in improvements]
    words = f"Gradient ascent reached the higher QED for {sum(w > 1e-9 for w in wins)} of {len(wins)} molecules"
    return words + f", random steps for {sum(w < -1e-9 for w in wins)}."


def _gain(improvement: Improvement, method: str) -> float:
    best = improvement.best(method)
    return 0.0 if best is None else float(best["qed"]) - improvement.qed


def _called(method: str) -> str:
    return "random steps" if method == "random" else METHODS[method]


def _pair(improvement: Improvement) -> Html:
    cards = [_card(improvement.start, f"{improvement.name or 'start'} · QED {improvement.qed:.3f}")]
    for method in reversed(IMPROVERS):
        best = improvement.best(method)
        words = f"{_called(method)} · " + ("nothing better found" if best is None else f"QED {best['qed']:.3f}")
        cards.append(_card(None if best is None else best["smiles"], words))
    return Html(f'<div class="demo-step">{cards[0]}<div class="demo-arrow">→</div>{cards[1]}{cards[2]}</div>')


def _card(smiles: str | None, legend: str) -> str:
    return f'<figure class="molecule">{molecule_drawing(smiles, 300, 150)}<figcaption>{escape(legend)}</figcaption></figure>'


def _rows(number: int, improvement: Improvement) -> list[dict[str, str]]:
    """The start and both results as table rows."""
    rows = [_row(f"{number}, {improvement.name or 'start'}", before(improvement))]
    for method in reversed(IMPROVERS):
        best = improvement.best(method)
        rows.append(_row(f"{number}, {_called(method)}", {} if best is None else describe(best)))
    return rows


def _row(name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    known = {None: "–", True: "no", False: "yes"}[facts.get("novel")]
    return {
        "molecule": name,
        "QED": fixed(facts.get("qed"), 3),
        "predicted": fixed(facts.get("qed_predicted"), 3),
        "SAS": fixed(facts.get("SAS")),
        "logP": fixed(facts.get("logP")),
        "MW, g/mol": fixed(facts.get("MW"), 0),
        "similarity to start": fixed(facts.get("similarity_to_start")),
        "in training set": known,
    }
