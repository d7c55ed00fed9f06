"""A path between two molecules as a film: a page with every point drawn, a row of pictures, or a table like any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import canonicalize
from chemvae.pages import (
    Html,
    escape,
    figure_svg,
    molecule_grid,
    molecule_strip,
    new_figure,
    page,
    paragraph,
    plot_style,
    plots,
    section,
    table,
    tiles,
)
from chemvae.tables.film import others_before
from chemvae.tables.structures import FILM_ENDINGS, write_structures

PATH_ENDINGS = FILM_ENDINGS
OWN_COLUMNS = ("step", "share", "decode", "smiles", "valid", "similarity_start", "similarity_end")
"""Of :func:`chemvae.sampling.interpolate`; what stands beside them are properties."""


def write_path(path: pd.DataFrame, output: str | Path, start: str, end: str) -> None:
    """Write what :func:`chemvae.sampling.interpolate` gives, as a page (``.html``), a row of pictures (``.png``) or a table.

    Parameters
    ----------
    path : DataFrame
    output : path
        "-" is CSV on stdout.
    start, end : str
        The two molecules, as they were given.
    """
    legends = [f"{row.share:.0%}" for row in path.itertuples()]
    write_structures(path, output, lambda: path_page(path, start, end), legends, path_properties(path))


def path_properties(path: pd.DataFrame) -> list[str]:
    """The columns of a path that are properties."""
    return [name for name in path.columns if name not in OWN_COLUMNS]


def first_decodes(path: pd.DataFrame) -> pd.DataFrame:
    """The decode that stands for each point, without the others of the point."""
    return path[path["decode"] == 0].reset_index(drop=True) if "decode" in path else path


def path_figures(path: pd.DataFrame) -> dict[str, float]:
    """What is worth counting along a path.

    Returns
    -------
    dict
        ``n_points``; ``valid``, the share of points that decoded to a molecule; ``distinct``, different molecules over valid
        points; ``largest_jump``, one less the least similarity of a valid point's molecule to the next one's (NaN for one
        point).

    Examples
    --------
    >>> path = pd.DataFrame({"smiles": ["CCO", "CCO", "C1", "CCN"], "valid": [True, True, False, True]})
    >>> figures = path_figures(path)
    >>> figures["n_points"], figures["valid"], round(figures["distinct"], 3), round(figures["largest_jump"], 3)
    (4, 0.75, 0.667, 0.667)
    """
    from chemvae.chem.fingerprints import morgan, tanimoto

    points = first_decodes(path)
    found = points.loc[points["valid"].astype(bool), "smiles"].tolist()
    prints = morgan(found)
    jumps = [1 - float(tanimoto([a], [b])[0, 0]) for a, b in zip(prints, prints[1:], strict=False)]
    return {
        "n_points": len(points),
        "valid": len(found) / len(points),
        "distinct": len(set(found)) / len(found) if found else float("nan"),
        "largest_jump": max(jumps, default=float("nan")),
    }


def path_page(path: pd.DataFrame, start: str, end: str) -> str:
    """The page: the ends as given, the path as decoded, what changes along it, and the table."""
    missed = missed_ends(path, start, end)
    notes = [paragraph(Html(f'<span class="bad">{escape(sentence)}</span>')) for sentence in missed]
    ends = section("The ends, as given", molecule_grid([start, end], ["A", "B"]), *notes)
    points = first_decodes(path)
    strip = molecule_strip(points["smiles"].tolist(), _legends(points), others_before(points["smiles"], points["valid"]))
    way = section(
        "The path",
        strip,
        _counted(path),
        lead="Decoded, the ends too; nothing is copied. What a molecule has and the one before it has not is in colour.",
    )
    sections = [ends, way]
    if len(points) < len(path):
        sections.append(_all_decodes(path))
    if names := path_properties(path):
        sections.append(section("Along the path", property_plots(points["share"], points, names, "share of the way")))
    return page("From one molecule to another", [*sections, section("As a table", table(path))])


def _legends(points: pd.DataFrame) -> list[str]:
    return [
        f"{row.share:.0%} of the way; similarity {_similarity(row.similarity_start)} to A, "
        f"{_similarity(row.similarity_end)} to B"
        for row in points.itertuples()
    ]


def _counted(path: pd.DataFrame) -> Html:
    figures = path_figures(path)
    return tiles(
        [
            (f"{figures['valid']:.0%}", "of the points", "decoded to a molecule"),
            (_similarity(figures["distinct"]), "distinct", "different molecules over points with one"),
            (_similarity(figures["largest_jump"]), "largest jump", "1 less the similarity of neighbours on the path"),
        ]
    )


def _all_decodes(path: pd.DataFrame) -> Html:
    """Every decode of each point."""
    grids = [
        Html(f"<h3>{share:.0%} of the way</h3>" + molecule_grid(part["smiles"].tolist()))
        for share, part in path.groupby("share", sort=True)
    ]
    return section("All decodes", *grids, lead="Of each point the one that stands for it first, then others it decodes to.")


def property_plots(x: Sequence[float], points: pd.DataFrame, names: Sequence[str], label: str) -> Html:
    """A figure for each property along a way; points without a molecule are gaps."""
    drawn = []
    with plot_style():
        for name in names:
            figure, axes = new_figure(4.2, 2.6)
            axes.plot(np.asarray(x, dtype=float), points[name].to_numpy(dtype=float), "o-")
            axes.set(xlabel=label, ylabel=name)
            drawn.append(figure_svg(figure, alt=f"{name} against {label}"))
    return plots(drawn, small=len(drawn) != 2)


def missed_ends(path: pd.DataFrame, start: str, end: str) -> list[str]:
    """Say of each end of a path whether it is another molecule than the one that was given; [] where both are as given.

    Parameters
    ----------
    path : DataFrame
        As :func:`chemvae.sampling.interpolate` gives it.
    start, end : str
        The two molecules, as they were given.

    Examples
    --------
    >>> path = pd.DataFrame({"smiles": ["CCO", "CCC"], "valid": True, "similarity_start": [1, 0.3]})
    >>> path["similarity_end"] = [0.3, 0.5]
    >>> missed_ends(path, "OCC", "CCN")
    ['The path does not end at CCN: what is decoded there is CCC, with similarity 0.5 to it.']
    """
    found = []
    points = first_decodes(path)
    for words, given, row, name in (("begin", start, points.iloc[0], "start"), ("end", end, points.iloc[-1], "end")):
        if not row["valid"]:
            found.append(f"The path does not {words} at {given}: what is decoded there is no molecule.")
        elif row["smiles"] != canonicalize(given):
            similarity = _similarity(row[f"similarity_{name}"])
            found.append(
                f"The path does not {words} at {given}: what is decoded there is {row['smiles']}, with similarity {similarity} "
                "to it."
            )
    return found


def _similarity(value: Any) -> str:
    """Two digits; a dash where there is none."""
    return "-" if pd.isna(value) else f"{value:.2g}"
