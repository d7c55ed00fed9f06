"""report.html of the emitters' demo: random emitters, one improved, and the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chemvae.demo.emitters.findings import BLUE, MIN_SIMILARITY, SHOWN, EmitterFindings
from chemvae.demo.sections.words import fixed, percent
from chemvae.maps import map_component
from chemvae.pages import Html, escape, molecule_grid, page, paragraph, section, tiles

N_DRAWN = 12


def render(found: EmitterFindings, results: Mapping[str, Any]) -> str:
    """Return the report as one HTML document."""
    lead = (
        f"In {results['seconds']['total']:.0f} seconds on this machine the model '{found.name}' wrote random emitters, moved "
        "one towards blue, and drew a map of a library. Every property is the model's own prediction, a vertical excitation "
        "in eV; the emission lies below S1 by a Stokes shift that nothing here estimates."
    )
    sections = [_tiles(results), _samples(found), _improved(found), _map(found), _next(results)]
    return page("Emitters", sections, lead=lead, footer="This page needs no network.", scripts=["/* of the map */"])


def _tiles(results: Mapping[str, Any]) -> Html:
    samples, start, best = results["samples"], results["start"], results["best"]
    shown = [(percent(samples["valid"]), "of samples are molecules", f"{samples['n']} draws of the learned prior")]
    if best is not None:
        shown += [
            (f"{start[one]:.2f} → {best[one]:.2f}", f"{one} [eV]", f"predicted, after {results['n_calls']} calls")
            for one in ("S1", "dE_ST")
        ]
    return tiles(shown)


def _samples(found: EmitterFindings) -> Html:
    smiles = found.samples.loc[found.samples["valid"], "smiles"].drop_duplicates().head(N_DRAWN).tolist()
    told = found.model.predict(smiles) if smiles else None
    legends = [] if told is None else [_legend(row) for row in told.to_dict("records")]
    lead = "Draws of the learned prior, decoded once; those that are molecules, as they came; predictions in eV."
    return section("Random emitters", molecule_grid(smiles, legends) if smiles else paragraph("None."), lead=lead)


def _legend(row: Mapping[str, Any], suffix: str = "") -> Html:
    lines = [f"{one} {fixed(row[one + suffix])} ± {fixed(row[f'{one}{suffix}_std'])}" for one in SHOWN]
    return Html("<br>".join(map(escape, lines)))


def _improved(found: EmitterFindings) -> Html:
    best = found.result.molecules.head(5).to_dict("records")
    smiles = [found.start.smiles, *(row["smiles"] for row in best)]
    first = Html(f"<b>{escape(found.start.name or 'start')}</b><br>") + _legend(found.before.to_dict())
    legends = [Html(first), *(_legend(row, "_predicted") for row in best)]
    lead = (
        f"Goals: S1 of {BLUE} eV and a small dE_ST, at least {MIN_SIMILARITY} similar (ECFP4) to the start. Scored was the "
        "worse end of each prediction's interval, so that a guess far from the data does not win; "
        f"{len(found.result.history)} calls. In eV."
    )
    return section("One emitter, and what was made of it", molecule_grid(smiles, legends), lead=lead)


def _map(found: EmitterFindings) -> Html:
    drawn = found.map
    note = f"Two of many dimensions: trustworthiness {fixed(drawn.quality['trustworthiness'])} of 1."
    component, assets = map_component(
        drawn.xy, drawn.smiles, drawn.columns, "Latent space of emitters", color="where from", trajectories=drawn.trajectories,
        axis_labels=drawn.axis_labels, note=note, height="620px", key="space",
    )  # fmt: skip
    lead = (
        "Each dot is a molecule at its posterior mean, seen along the two principal components of molecules of virtual-oleds, "
        "an enumerated library that comes with chemvae; the line goes from the start to the search's best. Point at a dot to "
        "see its structure; colour the map by S1, T1 or dE_ST, as predicted."
    )
    return section("The map", Html(component), Html(assets), lead=lead)


def _next(results: Mapping[str, Any]) -> Html:
    return section("What to try next", Html(f"<pre>{escape(chr(10).join(results['next']))}</pre>"))
