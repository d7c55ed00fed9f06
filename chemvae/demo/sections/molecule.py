"""One molecule: what comes back, what is around it, what is predicted of it, and the way to another."""

from __future__ import annotations

from chemvae.demo.molecule import Study
from chemvae.demo.sections.words import fixed, percent
from chemvae.pages import Html, escape, molecule_grid, molecule_pairs, paragraph, section, table

N_NEAR = 12


def molecule_section(study: Study | None) -> Html:
    """All of a :class:`Study`."""
    if study is None:
        return section("One molecule", "No molecule of the library could be sent through the model.")
    return section(
        f"One molecule: {study.molecule.name}" if study.molecule.name else "One molecule",
        Html(f'<div class="plots">{_round_trip(study)}{_predicted(study)}</div>'),
        paragraph(_distance(study), "note"),
        _heading("What lies around it"),
        *_near(study),
        _heading(f"The way to {study.other.name or 'another molecule'}"),
        _path(study),
        paragraph(_path_note(study), "note"),
        lead=_lead(study),
    )


def _heading(text: str) -> Html:
    return Html(f"<h3>{escape(text)}</h3>")


def _lead(study: Study) -> str:
    known = {None: "", True: " It is in the model's training set.", False: " It is not in the model's training set."}
    return f"A molecule becomes a point of the latent space, and the point is read back.{known[study.is_known]}"


def _round_trip(study: Study) -> Html:
    return molecule_pairs([study.molecule.smiles], [study.decoded or None], [_verdict(study)])


def _verdict(study: Study) -> str:
    if study.came_back:
        return "given, and as it came back: unchanged"
    if not study.valid:
        return "given, and what was written: not a molecule"
    return f"given, and as it came back: another molecule (Tanimoto {study.similarity:.2f})"


def _predicted(study: Study) -> Html:
    rows = [
        {
            "property": "QED" if row.property == "qed" else row.property,
            "RDKit": fixed(row.computed),
            "predicted": fixed(row.predicted),
            "90 % interval": f"{fixed(row.low)} to {fixed(row.high)}",
            "inside": "yes" if row.low <= row.computed <= row.high else "no",
        }
        for row in study.properties.itertuples()
    ]
    return (
        table(rows, caption="What the model predicts, beside RDKit's exact values")
        if rows
        else paragraph("This model predicts nothing that RDKit can compute.")
    )


def _distance(study: Study) -> str:
    return (
        f"Its distance to the training data is {study.distance:.2f}, 1 being typical; far beyond that, predictions are "
        "guesses. logP, QED and SAS are for practice: RDKit computes them exactly. A property that only an experiment can tell "
        "is learned from a table of yours: chemvae predict DATA --fit TABLE -p COLUMN."
    )


def _near(study: Study) -> list[Html]:
    shown = study.near.head(N_NEAR)
    words = (
        f"{study.n_near} points around it were decoded greedily: {study.n_near_valid} are molecules, "
        f"{len(study.near)} of them different ones and not itself. The most similar (ECFP4 Tanimoto):"
    )
    legends = [f"similarity {row.similarity:.2f}" for row in shown.itertuples()]
    return [paragraph(words), molecule_grid(shown["smiles"].tolist(), legends)] if len(shown) else [paragraph(words)]


def _path(study: Study) -> Html:
    legends = [
        Html(f"<b>{percent(row.share)}</b><br>{fixed(row.similarity_start)} · {fixed(row.similarity_end)}")
        for row in study.path.itertuples()
    ]
    return molecule_grid(study.path["smiles"].tolist(), legends)


def _path_note(study: Study) -> str:
    return (
        f"Points on the arc between the two, decoded, the ends too; {int(study.path['valid'].sum())} of {len(study.path)} are "
        "molecules. Below each its place on the way, and its similarity to the first and to the last."
    )
