"""The model: samples as they come, figures, predictions; and the molecules it was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chemvae.chem.properties import compute
from chemvae.demo.sections.words import percent, properties_line
from chemvae.evaluation import plots
from chemvae.pages import Html, details, format_value, molecule_grid, paragraph, section, table
from chemvae.pages import plots as side_by_side

if TYPE_CHECKING:
    from chemvae.demo.card import ModelCard
    from chemvae.demo.findings import Findings
    from chemvae.evaluation.protocols import Evaluation

N_SHOWN = 6
KEYS = (
    "reconstruction_greedy", "reconstruction_jt", "validity_normal_greedy", "validity_learned_sampled",
    "unique_10k_learned_sampled", "novelty", "fcd_learned_sampled", "kl", "elbo", "active_units",
)  # fmt: skip
"""Figures that are listed, where they were measured."""
OF_THE_LIBRARY = ("reconstruction_greedy", "mae", "coverage90")
"""How the names of figures begin that are listed of a model that was not trained on the library."""


def samples_section(findings: Findings) -> Html:
    """The first samples, invalid ones too."""
    smiles = findings.samples["smiles"].tolist()
    legends = [_sample(text) if ok else Html('<span class="bad">not a molecule</span>') for text, ok in _rows(findings)]
    n_valid = int(findings.samples["valid"].sum())
    lead = (
        f"Points drawn from the latent space, each decoded once at temperature 1, as they come: {n_valid} of {len(smiles)} are "
        f"molecules. {_share_of_samples(findings)}"
    )
    return section("New molecules", molecule_grid(smiles, legends), lead=lead)


def _rows(findings: Findings) -> list[tuple[str, bool]]:
    return list(zip(findings.samples["smiles"], findings.samples["valid"], strict=True))


def _sample(smiles: str) -> Html:
    return properties_line({name: compute(name, smiles) for name in ("logP", "qed", "SAS")})


def _share_of_samples(findings: Findings) -> str:
    """How many samples are molecules, from the card if there is one."""
    if findings.card is not None and "validity_learned_sampled" in findings.card.figures:
        value, how = findings.card.figures["validity_learned_sampled"]
        return f"The model's card says {percent(float(value), 1)}: {how} ({findings.card.source})"
    samples = findings.evaluation.samples
    return f"Of all {len(samples):,} that were drawn, {percent(samples['valid'].mean())} are."


def model_section(findings: Findings) -> Html:
    """What the card says, or how training went; then what was measured here."""
    evaluation = findings.evaluation
    parity = [
        plots.parity_plot(frame[f"{name}_label"], frame[name], frame[f"{name}_std"], name, "1", _errors(evaluation, name))
        for frame in [evaluation.predictions]
        for name in findings.model.property_names
        if f"{name}_label" in frame
    ]
    parts = [] if findings.card is None else _quoted(findings.card)
    parts += (
        [] if findings.is_trained else [Html("<h3>Measured here, on the virtual library</h3>"), paragraph(_honest(findings))]
    )
    parts += [side_by_side(plots.learning_curves(findings.learning))] if len(findings.learning) > 1 else []
    parts += [Html("<h3>Predicted against computed</h3>"), side_by_side(parity, small=True)] if parity else []
    parts += [details("Figures of this run and how each was taken", table(_measured(findings)))]
    parts += [paragraph("evaluation/report.html, beside this page, holds all figures, with the failures drawn.", "note")]
    return section("The model", *parts, lead=_lead(findings))


def _errors(evaluation: Evaluation, name: str) -> str:
    f = evaluation.figures
    return f"MAE {f[f'mae_{name}']:.3f}; {percent(f[f'coverage90_{name}'])} inside the 90 % interval"


def _lead(findings: Findings) -> str:
    n = f"{findings.evaluation.figures['n_molecules']:,}"
    if findings.is_trained:
        return (
            "A model of this size, trained this briefly, is for a look: chemvae train --preset cpu or gpu makes better ones. "
            f"Measured on {n} molecules of the test part, which neither training nor any choice has seen."
        )
    about = f"{findings.card.about} " if findings.card is not None else ""
    return f"{about}It was measured here on {n} molecules that it was not trained on."


def _quoted(card: ModelCard) -> list[Html]:
    """The card's figures, word for word."""
    names = [*KEYS, *(name for name in card.figures if name.startswith(("mae_", "coverage90_")))]
    rows = [
        {"figure": name, "value": card.figures[name][0], "how": card.figures[name][1]} for name in names if name in card.figures
    ]
    quoted = paragraph(f"{card.taken}. Quoted from {card.source}; nothing of it was measured anew for this page.")
    limits = [paragraph(f"Limits, from the same card: {card.limits}")] if card.limits else []
    return [Html("<h3>What its card says</h3>"), quoted, details("The card's figures", table(rows)), *limits]


def _honest(findings: Findings) -> str:
    """What figures on the library mean for a model of other molecules."""
    f = findings.evaluation.figures
    here = f"{percent(f['reconstruction_greedy'], 1)} of {f['n_molecules']:,} molecules came back exactly"
    own = findings.card.share("reconstruction_greedy") if findings.card is not None else None
    own_share = "" if own is None else f", beside {percent(own, 1)} of held-out molecules of its own kind (card)"
    n, n_known = len(findings.table), len(findings.table) - len(findings.held_out)
    known = f"{n_known:,} of its {n:,} molecules are in the model's training set and were left out. " if n_known else ""
    return (
        "The library holds products of a few reactions between a few hundred building blocks: another kind of molecule than "
        f"those from the wild, more alike and easier to rebuild. {known}{here}{own_share}. Take the figures below for what the "
        "model does on such molecules, not for how good it is."
    )


def _measured(findings: Findings) -> list[dict[str, str]]:
    """Figures of this run with their sentences; of a model that was not trained here, those that concern the library."""
    f = findings.evaluation.figures
    keys = KEYS if findings.is_trained else [key for key in f["protocol"] if key.startswith(OF_THE_LIBRARY)]
    return [
        {"figure": key, "value": format_value(f[key], 3), "how": f["protocol"].get(key, "")}
        for key in keys
        if f.get(key) is not None
    ]


def data_section(findings: Findings) -> Html:
    """The library: what it is, examples, counts."""
    card = findings.preparation
    example = findings.reference.head(N_SHOWN)
    legends = [properties_line(row) for row in example.to_dict("records")]
    lead = (
        "virtual-drugs: amide, sulfonamide, urea, biaryl, SNAr and reductive amination products of building blocks written by "
        "hand, with QED at least 0.5 and 150 to 500 g/mol. Nothing was downloaded. A closed library is easier to learn than "
        "molecules from the wild: expect lower figures on those."
    )
    return section(
        "The library",
        molecule_grid(example["smiles"].tolist(), legends),
        paragraph(_counts(card, findings.is_trained), "note"),
        lead=lead,
    )


def _counts(card: Mapping[str, Any], is_trained: bool) -> str:
    dropped = ", ".join(f"{count:,} {reason}" for reason, count in card["dropped"].items()) or "none"
    made = f"{card['n_rows']:,} molecules made; dropped: {dropped}"
    if not is_trained:
        return f"{made}."
    parts = ", ".join(f"{count:,} {part}" for part, count in card["splits"].items())
    return f"{made}; {parts}. Split: {card['split_rule']}."
