"""Find the columns a user means, and read numbers and split names from cells; every complaint names what there is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.files.numbers import MISSING_WORDS, read_numbers
from chemvae.errors import NothingUsableError

SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "smi")
ID_NAMES = (
    "id", "compound id", "molecule id", "mol id", "sample id", "molecule chembl id", "chembl id", "cid", "cas",
    "registry number", "compound", "compound name", "molecule name", "name", "title", "entry", "no", "nr", "index", "unnamed 0",
)  # fmt: skip
"""Columns that tell molecules apart, the likeliest first; case, blanks and signs do not matter."""
SPLITS = ("train", "valid", "test")
_ID_KEYS = tuple(name.replace(" ", "") for name in ID_NAMES)
_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}


def find_column(columns: Sequence[str], name: str, source: str = "the table") -> str:
    """Return the column called ``name``: exactly, else without regard to case and outer blanks.

    Raises
    ------
    NothingUsableError
        Naming the nearest column and all there are.

    Examples
    --------
    >>> find_column(["smiles", "logP"], "LOGP")
    'logP'
    >>> find_column(["smiles", "logP"], "logD", "a.csv")
    Traceback (most recent call last):
    ...
    chemvae.errors.NothingUsableError: a.csv has no column 'logD'. Did you mean 'logP'? Its columns: smiles, logP.
    """
    if name in columns:
        return name
    by_key = {str(column).strip().lower(): column for column in reversed(columns)}
    if name.strip().lower() in by_key:
        return by_key[name.strip().lower()]
    near = difflib.get_close_matches(name.strip().lower(), by_key, n=1)
    hint = f" Did you mean '{by_key[near[0]]}'?" if near else ""
    raise NothingUsableError(f"{source} has no column '{name}'.{hint} Its columns: {list_names(columns)}.")


def find_columns(columns: Sequence[str], names: Sequence[str], source: str = "the table") -> list[str]:
    """Return the columns of these names as :func:`find_column` does, each once; of very many, too.

    Examples
    --------
    >>> find_columns(["smiles", "logP"], ["LOGP", "logP"])
    ['logP']
    """
    exact = set(columns)
    return list(dict.fromkeys(name if name in exact else find_column(columns, name, source) for name in names))


def find_split_column(columns: Sequence[str], asked: str | None, source: str = "the table") -> str | None:
    """Return the column asked for, else one named ``split``, else None."""
    if asked is not None:
        return find_column(columns, asked, source)
    return next((column for column in columns if str(column).strip().lower() == "split"), None)


def is_id_name(column: str) -> bool:
    """Whether a column is called as names or numbers of molecules are, however it is spelled.

    Examples
    --------
    >>> [is_id_name(one) for one in ("Compound ID", "compound_id", "CompoundID", "ID", "idle", "pIC50")]
    [True, True, True, True, False, False]
    """
    return _id_key(column) in _ID_KEYS


def _id_key(column: str) -> str:
    return re.sub(r"[\W_]+", "", str(column)).lower()


def find_id_column(columns: Sequence[str], taken: Collection[str | None] = ()) -> str | None:
    """The column that is likeliest to name molecules, by what it is called; None where no free one is called so."""
    named = {_id_key(column): column for column in reversed(columns) if column not in taken}
    return next((named[key] for key in _ID_KEYS if key in named), None)


def is_missing(cell: Any) -> bool:
    """Whether a cell stands for no value: blank, NaN, None, ``NA``, ``-``.

    Examples
    --------
    >>> is_missing(" n/a "), is_missing(float("nan")), is_missing(None), is_missing("0")
    (True, True, True, False)
    """
    if cell is None or cell is pd.NA:
        return True
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING_WORDS
    try:
        return bool(cell != cell)
    except (ValueError, ArithmeticError):  # an array within a cell, a signalling NaN: something is there
        return False


def cell_text(cell: Any) -> str:
    """A cell as a person would see it: an empty one of a workbook or a DataFrame is empty, and no ``None`` or ``nan``.

    Examples
    --------
    >>> cell_text(None), cell_text(float("nan")), cell_text("NA"), cell_text(7)
    ('', '', 'NA', '7')
    """
    return "" if not isinstance(cell, str) and is_missing(cell) else str(cell)


def parse_numbers(cells: pd.Series | Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Read numbers from cells.

    Returns
    -------
    values : ndarray of float64 [N]
        NaN where there is none; infinite values count as none.
    bad : ndarray of bool [N]
        True where something stands that is neither a number nor a word for "missing"; :func:`read_numbers` says why.

    Examples
    --------
    >>> values, bad = parse_numbers(["1.5", "", "high", " 2e3"])
    >>> values.tolist(), bad.tolist()
    ([1.5, nan, nan, 2000.0], [False, False, True, False])
    """
    column = read_numbers(cells)
    return column.values, column.bad


def parse_split(cell: Any) -> str | None:
    """Read the name of a split, None if it is not one.

    Examples
    --------
    >>> parse_split(" Validation"), parse_split("holdout")
    ('valid', None)
    """
    return _SPLIT_WORDS.get(cell.strip().lower()) if isinstance(cell, str) else None


def list_names(columns: Sequence[str], most: int = 30) -> str:
    """Names of columns for a sentence; not all of a thousand."""
    names = [str(column) for column in columns]
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
