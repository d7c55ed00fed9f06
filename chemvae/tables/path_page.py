"""A path between two molecules as a page with every point drawn, or as a table like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.disk.files import write_atomically
from chemvae.pages import molecule_grid, page, section, table
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
    ends = section("The ends, as given", molecule_grid([start, end], ["A", "B"]))
    way = section("The path", molecule_grid(path["smiles"].tolist(), legends), lead="Decoded, the ends too; nothing is copied.")
    return page("From one molecule to another", [ends, way, section("As a table", table(path))])


def _similarity(value: Any) -> str:
    """Two digits; a dash where there is none."""
    return "-" if pd.isna(value) else f"{value:.2g}"
