"""What may colour a map: numbers, dates and few names; of any other column it is said why, before anything is encoded."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np
import pandas as pd

from chemvae.data.files.columns import is_missing
from chemvae.data.files.numbers import DECIMAL, describe_refused, read_numbers
from chemvae.errors import SettingsError
from chemvae.registry import find

logger = logging.getLogger(__name__)

MOST_CATEGORIES = 64
FEW_CATEGORIES = 12
WIDE = 1e3
"""Highest to lowest of positive numbers from which they are coloured by their logarithm."""
SQUASHED = 0.1
"""Part of a linear scale below which half of the numbers must lie for that."""


def readable_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text that hold days as ``2024-03-31`` (or with a time) and gaps only into dates.

    Examples
    --------
    >>> readable_dates(pd.DataFrame({"made": ["2024-03-31", ""], "n": ["1", "2"]})).dtypes.astype(str).str[:10].tolist()[0]
    'datetime64'
    """
    changed = {}
    for name in frame.columns:
        cells = frame[name]
        if not (pd.api.types.is_object_dtype(cells) or pd.api.types.is_string_dtype(cells)):
            continue
        gaps = cells.map(is_missing).astype(bool)
        told = cells[~gaps].astype(str)
        if len(told) and told.str.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?").all():
            dates = pd.to_datetime(told.str[:19], errors="coerce", format="ISO8601")
            if dates.notna().all():
                changed[name] = dates.reindex(cells.index)
    return frame.assign(**changed)


def bounds_as_gaps(frame: pd.DataFrame, color: str) -> pd.DataFrame:
    """Take bounds such as ``>9`` in the column that is to colour a map as gaps: such molecules stay grey, and it is said.

    Examples
    --------
    >>> bounds_as_gaps(pd.DataFrame({"pIC50": ["5.5", ">9", "6"]}), "pic50")["pIC50"].tolist()
    [5.5, nan, 6.0]
    """
    name = next((name for name in frame.columns if str(name).lower() == color.lower()), None)
    if name is None or pd.api.types.is_numeric_dtype(frame[name]):
        return frame
    found = read_numbers(frame[name].reset_index(drop=True), frame.attrs.get(DECIMAL, ""))
    n_numbers, n_bounds = int(np.isfinite(found.values).sum()), len(found.bounds)
    if not n_bounds or len(found.refused) > n_bounds or n_numbers < n_bounds:
        return frame
    example = frame[name].iloc[next(iter(found.bounds))]
    words = ("cell of '{}' is a bound, '{}', and its molecule stays" if n_bounds == 1 else
             "cells of '{}' are bounds such as '{}', and their molecules stay").format(name, example)  # fmt: skip
    logger.warning("%s %s grey.", f"{n_bounds:,}", words)
    changed = frame.assign(**{str(name): found.values})
    changed.attrs = frame.attrs
    return changed


def can_be_categories(n_different: int, n: int) -> bool:
    """Whether so many different texts among n cells may be shown as colours."""
    return n_different <= FEW_CATEGORIES or n_different <= min(MOST_CATEGORIES, n / 2)


def check_colour(frame: pd.DataFrame, color: str, others: Iterable[str] = ()) -> None:
    """Refuse a column that cannot colour a map.

    Parameters
    ----------
    frame : DataFrame
        The table's columns, numbers and dates as such.
    color : str
        Its name; case does not matter.
    others : iterable of str
        Names of further columns, of numbers.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    SettingsError
        Saying why it cannot.

    Examples
    --------
    >>> check_colour(pd.DataFrame({"IC50": ["1", "2", "high"]}), "ic50")
    Traceback (most recent call last):
    ...
    chemvae.errors.SettingsError: column 'IC50' cannot colour the map: 1 of 3 cells, 'high', is no number. Correct or \
empty what is none, or choose another column.
    """
    names = {str(name): name for name in frame.columns}
    name, place = find(names | dict.fromkeys(others), color, "column to colour by")
    if place is None:
        return
    cells = frame[place]
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
        return
    if why := _trouble(cells):
        remedy = "Correct or empty what is none, or choose another column" if "number" in why else "Choose another column"
        raise SettingsError(f"column '{name}' cannot colour the map: {why}. {remedy}.")


def _trouble(cells: pd.Series) -> str:
    """Why a column of text cannot colour a map; empty if it can."""
    found = read_numbers(cells.reset_index(drop=True))
    n_numbers, n_bad = int(np.isfinite(found.values).sum()), len(found.refused)
    if n_numbers and n_numbers >= n_bad:
        return describe_refused(cells)
    n_different = cells[~cells.map(is_missing).astype(bool)].astype(str).nunique()
    if not n_different:
        return "all its cells are empty"
    if can_be_categories(n_different, len(cells)):
        return ""
    if n_different <= MOST_CATEGORIES:
        return f"nearly every cell is another text ({n_different:,} in {len(cells):,} cells)"
    return f"it holds {n_different:,} different texts, and at most {MOST_CATEGORIES} can be shown"


def wants_logarithm(values: np.ndarray, limits: tuple[float, float]) -> bool:
    """Whether numbers are coloured by their logarithm: positive, over three orders of magnitude, most of them near the low end.

    Examples
    --------
    >>> wants_logarithm(np.array([1.0, 10.0, 100.0, 1e4]), (1.0, 1e4)), wants_logarithm(np.array([1.0, 2.0]), (1.0, 2.0))
    (True, False)
    """
    known = values[np.isfinite(values)]
    low, high = limits
    if not len(known) or not known.min() > 0 or not high / low >= WIDE:
        return False
    return bool((np.median(known) - low) / (high - low) < SQUASHED)
