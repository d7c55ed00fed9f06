"""Find the columns a user means, and read numbers and split names from cells; every complaint names what there is."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import parse
from chemvae.data.files.numbers import MISSING_WORDS, read_numbers
from chemvae.errors import NothingUsableError

logger = logging.getLogger(__name__)

SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "smi")
SPLITS = ("train", "valid", "test")
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
_SNIFF_ROWS = 64
_SNIFF_FRACTION = 0.5


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
    raise NothingUsableError(f"{source} has no column '{name}'.{hint} Its columns: {_listed(columns)}.")


def find_smiles_column(frame: pd.DataFrame, asked: str | None = None, source: str = "the table") -> str:
    """Return the column of SMILES: the one asked for, else one with a usual name, else the first whose values parse.

    Which one was taken is logged.

    Raises
    ------
    NothingUsableError
        If the column asked for is not there, or no column holds molecules.

    Examples
    --------
    >>> find_smiles_column(pd.DataFrame({"id": ["A1", "A2"], "drug": ["CCO", "c1ccccc1"]}))
    'drug'
    """
    columns = [str(column) for column in frame.columns]
    if asked is not None:
        return find_column(columns, asked, source)
    column = _named_like_smiles(columns) or _first_that_parses(frame)
    if column is None:
        remedy = "Name the column with --smiles-column" if len(columns) > 1 else "Is it a list of SMILES?"
        raise NothingUsableError(f"{source} has no valid SMILES in any column (columns: {_listed(columns)}). {remedy}")
    if len(columns) > 1:
        logger.info("%s: the SMILES are taken from column '%s' (columns: %s)", source, column, _listed(columns))
    return column


def find_split_column(columns: Sequence[str], asked: str | None, source: str = "the table") -> str | None:
    """Return the column asked for, else one named ``split``, else None."""
    if asked is not None:
        return find_column(columns, asked, source)
    return next((column for column in columns if str(column).strip().lower() == "split"), None)


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
    return bool(cell != cell)


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


def looks_headerless(first: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Whether the first line of a table is already a row: it has a molecule where the next rows have molecules too.

    Examples
    --------
    >>> looks_headerless(["CCO", "1.2"], [["CCN", "1.3"]]), looks_headerless(["C", "N"], [["4", "5"]])
    (True, False)
    """
    if any(cell.strip().lower() in SMILES_NAMES for cell in first):
        return False
    for position, cell in enumerate(first):
        if parse(cell) is not None:
            below = [row[position] for row in following[:_SNIFF_ROWS] if position < len(row)]
            if (below or len(cell.strip()) > 1) and all(parse(value) is not None for value in below):
                return True
    return False


def _named_like_smiles(columns: Sequence[str]) -> str | None:
    keys = [re.sub(r"[\s-]+", "_", column.strip().lower()) for column in columns]
    for name in SMILES_NAMES:
        if name in keys:
            return columns[keys.index(name)]
    alike = [column for column, key in zip(columns, keys, strict=True) if "smiles" in key]
    return alike[0] if len(alike) == 1 else None


def _first_that_parses(frame: pd.DataFrame) -> str | None:
    """The first column where at least half of the filled cells at the top are molecules."""
    for column in frame.columns:
        cells = [cell for cell in frame[column].head(_SNIFF_ROWS) if not is_missing(cell)]
        n_parsed = sum(parse(cell) is not None for cell in cells)
        if n_parsed and n_parsed >= _SNIFF_FRACTION * len(cells):
            return str(column)
    return None


def _listed(columns: Sequence[str], most: int = 30) -> str:
    names = [str(column) for column in columns]
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
