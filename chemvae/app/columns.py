"""What stands in the columns of an upload, beside the molecules: numbers, empty cells, words; and rows that disagree."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.files.number_columns import read_columns

MOST_LOOKED = 100_000
"""Rows of which all cells are looked at."""
MOST_SAID = 20
SHOWN = 40


@contextmanager
def warnings_heard() -> Iterator[list[str]]:
    """What this thread is warned of while a file is read, each sentence once: a page has no console."""
    heard: list[str] = []
    mine = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == mine and (words := record.getMessage()) not in heard:
                heard.append(words)

    ear, logger = Ear(logging.WARNING), logging.getLogger("chemvae")
    logger.addHandler(ear)
    try:
        yield heard
    finally:
        logger.removeHandler(ear)


def count_cells(frame: pd.DataFrame, taken: str) -> dict[str, dict[str, Any]]:
    """Of each column in which most of what stands there is numbers: cells that are, empty ones, bounds, and words.

    Examples
    --------
    >>> table = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "pIC50": ["6.5", "n.d.", ">7"]})
    >>> count_cells(table, "smiles")
    {'pIC50': {'numbers': 1, 'empty': 1, 'bounds': 1, 'words': 0, 'such_as': ['n.d.']}}
    """
    found = {}
    for name, column in zip(frame.columns, read_columns(frame), strict=True):
        n_numbers = int(np.isfinite(column.values).sum())
        n_words = len(column.refused) - len(column.bounds)
        if str(name) == taken or not n_numbers or n_words > n_numbers:
            continue
        texts = {str(cell).strip() for cell in frame[name] if isinstance(cell, str)}
        is_open = np.isnan(column.values) & ~column.bad
        open_words = [str(frame[name].iloc[i]).strip() for i in np.flatnonzero(is_open)]
        refused = [str(frame[name].iloc[i]).strip() for i in column.refused if i not in column.bounds]
        said = [one[:SHOWN] for one in dict.fromkeys([*refused, *open_words]) if one in texts and one]
        found[str(name)] = {
            "numbers": n_numbers, "empty": int(is_open.sum()), "bounds": len(column.bounds), "words": n_words,
            "such_as": said[:3],
        }  # fmt: skip
    return found


def disagreements(frame: pd.DataFrame, smiles: pd.Series, names: list[str]) -> list[str]:
    """Molecules that stand in several rows with different numbers, a sentence each.

    Parameters
    ----------
    frame : DataFrame
        Its index counts rows from 1.
    smiles : Series
        Canonical, by the same index; rows that are no molecules are left out.
    names : list of str
        Columns of numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"y": ["1.25", "2", "1.4"]}, index=[1, 2, 3])
    >>> disagreements(table, pd.Series(["CCO", "CC", "CCO"], index=[1, 2, 3]), ["y"])
    ['CCO stands in rows 1 and 3 with y 1.25 and 1.4']
    """
    repeated = smiles[smiles.duplicated(keep=False)]
    if not len(repeated) or not names:
        return []
    part = frame.loc[repeated.index, names]
    part.attrs = frame.attrs
    values = pd.DataFrame({name: one.values for name, one in zip(names, read_columns(part), strict=True)}, index=repeated.index)
    said = []
    for text, rows in repeated.groupby(repeated, sort=False).groups.items():
        for name in names:
            known = values.loc[rows, name].dropna()
            if known.nunique() > 1:
                where = " and ".join(str(row) for row in known.index[:4])
                said.append(f"{text} stands in rows {where} with {name} {' and '.join(f'{one:g}' for one in known[:4])}")
    return said[:MOST_SAID]
