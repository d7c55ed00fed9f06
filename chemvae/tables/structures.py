"""Molecules found in latent space as what a person wants of them: a table, an SDF, a page, a row of pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from chemvae.data.files.formats.sdf import sdf_record
from chemvae.disk.files import write_atomically
from chemvae.tables.film import write_film
from chemvae.tables.writing import TABLE_ENDINGS, check_output, write_table

STRUCTURE_ENDINGS = (*TABLE_ENDINGS, ".html")
FILM_ENDINGS = (*STRUCTURE_ENDINGS, ".png")


def check_structures(output: str | Path, *, overwrite: bool = False, film: bool = False) -> None:
    """Refuse an output that could not be written, before any work is done; see :func:`chemvae.tables.writing.check_output`."""
    check_output(output, FILM_ENDINGS if film else STRUCTURE_ENDINGS, overwrite=overwrite)


def write_structures(
    table: pd.DataFrame,
    output: str | Path,
    page: Callable[[], str],
    legends: Sequence[str] | None = None,
    curves: Sequence[str] = (),
) -> None:
    """Write a table of molecules in the form that the output's ending says.

    Parameters
    ----------
    table : DataFrame
        With a column ``smiles``; rows whose ``valid`` is false hold no molecule.
    output : path
        ``.html`` is the page, ``.png`` a row of pictures, ``.sdf`` structures with the other columns as data items; else a
        table, "-" being CSV on stdout.
    page : callable
        Makes the page; only then is anything drawn.
    legends : sequence of str, optional
        Below the pictures of a row.
    curves : sequence of str
        Columns that are drawn below a row of pictures.
    """
    ending = Path(output).suffix.lower()
    valid = table["valid"].tolist() if "valid" in table else [True] * len(table)
    if ending == ".html":
        text = page()
        write_atomically(Path(output), lambda temporary: temporary.write_text(text, encoding="utf-8"))
    elif ending == ".sdf":
        text = as_sdf(table[valid])
        write_atomically(Path(output), lambda temporary: temporary.write_text(text, encoding="utf-8"))
    elif ending == ".png":
        values = {name: table[name].tolist() for name in curves}
        write_film(output, table["smiles"].tolist(), list(legends or [""] * len(table)), valid, values)
    else:
        write_table(table, output)


def as_sdf(table: pd.DataFrame) -> str:
    """Molecules with the other columns as data items, named by their number.

    Examples
    --------
    >>> as_sdf(pd.DataFrame({"smiles": ["CCO", "CCN"], "logP": [-0.1, None]})).count("$$$$")
    2
    """
    rows = table.drop(columns="smiles").to_dict("records")
    records = zip(table["smiles"], rows, strict=True)
    return "".join(sdf_record(smiles, str(i), items) for i, (smiles, items) in enumerate(records, start=1))
