"""A path between two molecules as a page with every point drawn, or as a table like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.chem.molecules import canonicalize
from chemvae.disk.files import write_atomically
from chemvae.pages import Html, escape, molecule_grid, page, paragraph, section, table
from chemvae.tables.writing import TABLE_ENDINGS, write_table

PATH_ENDINGS = (*TABLE_ENDINGS, ".html")


def write_path(path: pd.DataFrame, output: str | Path, start: str, end: str) -> None:
    """Write what :func:`chemvae.sampling.interpolate` gives; an output that ends in .html becomes a page with drawings.

    Parameters
    ----------
    path : DataFrame
    output : path
        "-" is CSV on stdout.
    start, end : str
        The two molecules, as they were given.
    """
    if not str(output).lower().endswith(".html"):
        write_table(path, output)
        return
    text = path_page(path, start, end)
    write_atomically(Path(output), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def path_page(path: pd.DataFrame, start: str, end: str) -> str:
    """The page: the ends as given, the path as decoded, and the table."""
    legends = [
        f"{row.share:.0%} of the way; similarity {_similarity(row.similarity_start)} to A, "
        f"{_similarity(row.similarity_end)} to B"
        for row in path.itertuples()
    ]
    missed = missed_ends(path, start, end)
    notes = [paragraph(Html(f'<span class="bad">{escape(sentence)}</span>')) for sentence in missed]
    ends = section("The ends, as given", molecule_grid([start, end], ["A", "B"]), *notes)
    way = section("The path", molecule_grid(path["smiles"].tolist(), legends), lead="Decoded, the ends too; nothing is copied.")
    return page("From one molecule to another", [ends, way, section("As a table", table(path))])


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
    for words, given, row, name in (("begin", start, path.iloc[0], "start"), ("end", end, path.iloc[-1], "end")):
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
