"""What was found around a molecule, along a property or in a gap, as pages."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from chemvae.pages import Html, escape, molecule_grid, molecule_strip, page, paragraph, section, table
from chemvae.tables.path_page import property_plots

MOST_DRAWN = 24
"""New neighbours drawn of each radius."""


def neighbors_page(found: pd.DataFrame, queries: Sequence[str]) -> str:
    """The page of :func:`chemvae.neighbors`: the molecule, known neighbours, and new ones at rising radius."""
    sections = []
    for query in queries:
        part = found[found["query"] == query]
        title = "The molecule" if len(queries) == 1 else f"The molecule {query}"
        sections.append(section(title, molecule_grid([query], [query])))
        sections += [*_known(part, query), *_new(part, query, found.attrs.get("decodes", {}).get(query, ()))]
    return page(
        "What is near a molecule",
        [*sections, section("As a table", table(found.drop(columns=["query"] if len(queries) == 1 else [])))],
        lead="What a library holds beside what the model writes around the molecule's place in its latent space.",
    )


def _known(part: pd.DataFrame, query: str) -> list[Html]:
    """Drawn neighbours of a library."""
    known = part[part["kind"] == "known"]
    if not len(known):
        return []
    legends = [f"{_nearness(row)}, row {int(row.row) + 1:,}" for row in known.itertuples()]
    drawn = molecule_grid(known["smiles"].tolist(), legends)
    return [section("Known neighbours", drawn, lead="The nearest of the library, with their rows in it.")]


def _new(part: pd.DataFrame, query: str, decodes: Sequence[dict]) -> list[Html]:
    """Drawn new neighbours, radius by radius."""
    new = part[part["kind"] == "new"]
    if not len(new) and not decodes:
        return []
    pieces: list[Html] = []
    for counted in decodes:
        here = new[new["radius"] == counted["radius"]]
        words = (
            f"Of {counted['decodes']:,} decodes {counted['valid']:,} are molecules, {counted['same']:,} of them the molecule "
            f"itself. {'Those that turn up here first, by similarity:' if len(here) else 'None is new here.'}"
        )
        pieces += [Html(f"<h3>Radius {counted['radius']:g}</h3>"), paragraph(words, "note")]
        shown = here.head(MOST_DRAWN)
        if len(shown):
            pieces.append(molecule_grid(shown["smiles"].tolist(), [_legend(row) for row in shown.itertuples()]))
    lead = (
        "Decoded around the molecule's code. The radius is the standard deviation of the noise in every dimension, in units of "
        "the training codes' spread there."
    )
    return [section("New neighbours", *pieces, lead=lead)]


def _nearness(row: object) -> str:
    similarity = getattr(row, "similarity", float("nan"))
    return f"similarity {similarity:.2f}" if similarity == similarity else f"distance {getattr(row, 'distance', 0.0):.2f}"


def _legend(row: object) -> str:
    is_novel = getattr(row, "novel", None)
    words = "" if is_novel is None else ", not in the training set" if is_novel else ", in the training set"
    return f"{_nearness(row)}, {int(getattr(row, 'count', 1))}×{words}"


def edit_page(found: pd.DataFrame, smiles: str, words: Sequence[str], names: Sequence[str]) -> str:
    """The page of :func:`chemvae.edit`: the steps as a film beside the molecule, the property along them, the table."""
    places = "share" if "share" in found else "radius"
    legends = [_edit_legend(row, places, names) for row in found.to_dict("records")]
    strip = molecule_strip(found["smiles"].tolist(), legends, [smiles] * len(found))
    sections = [
        section("The molecule, as given", molecule_grid([smiles], [smiles]), *(paragraph(one, "note") for one in words)),
        section(
            "Step by step",
            strip,
            lead="Decoded at every point, the molecule's own code first; what the given molecule lacks is in colour.",
        ),
    ]
    if names:
        sections.append(section("Along the way", property_plots(found[places], found, names, places)))
    return page("A molecule changed step by step", [*sections, section("As a table", table(found))])


def _edit_legend(row: dict, places: str, names: Sequence[str]) -> str:
    words = [f"{places} {row[places]:.2g}"]
    words += [f"{name} {row[name]:.3g}" for name in names if row[name] == row[name]]
    words += [f"similarity {row['similarity']:.2f}"] if row["similarity"] == row["similarity"] else []
    return "; ".join(words) + ("" if row["usable"] else " (lacks what is to be kept)" if row["valid"] else " (no molecule)")


def edit_legends(found: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """A line for each picture of an edit."""
    places = "share" if "share" in found else "radius"
    return [
        ", ".join([f"{row[places]:.2g}", *(f"{name} {row[name]:.3g}" for name in names if row[name] == row[name])])
        for row in found.to_dict("records")
    ]


def completions_page(found: pd.DataFrame, pattern: str) -> str:
    """The page of :func:`chemvae.complete`: what fills the gaps, the most probable first."""
    legends = [f"{row.rank}: log p {row.log_prob:.1f}" for row in found.itertuples()]
    drawn = molecule_grid(found["smiles"].tolist(), legends)
    lead = Html(f"Fillings of <code>{escape(pattern)}</code>, the most probable first.")
    return page("Gaps filled in", [section("Molecules", drawn, lead=lead), section("As a table", table(found))])
