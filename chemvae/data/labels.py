"""Labels in any unit: centred and scaled in float64 before anything else, refused where even that cannot hold them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemvae.errors import InputError

LARGEST = 1e300
"""Of a label's size: beyond it, differences and predictions need not be finite any more."""
SMALLEST = 1e-290
"""Of the largest label of a column: below it, float64 has too few digits left."""
ROUNDING = 8 * np.finfo(np.float64).eps
"""Of the largest label: what spreads less is constant but for rounding."""
RATIO = 1e3
"""Centre in units of the spread up to which single precision keeps labels to a ten-thousandth of their spread."""
SINGLE = (1e-30, 1e30)
"""Spreads between which single precision neither overflows nor vanishes."""


def label_scale(labels: np.ndarray, ddof: int = 1) -> tuple[float, float]:
    """Mean and standard deviation of the finite labels [N], the same in any unit; 1 for the deviation of a constant.

    Examples
    --------
    >>> [round(label_scale(unit * np.array([1.0, np.nan, 3.0]))[0] / unit, 9) for unit in (1e-250, 1.0, 1e250)]
    [2.0, 2.0, 2.0]
    >>> label_scale(np.array([5.0, 5.0])), label_scale(np.array([np.nan]))
    ((5.0, 1.0), (0.0, 1.0))
    """
    known = np.asarray(labels, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return 0.0, 1.0
    power = int(np.frexp(np.abs(known).max())[1])  # a power of two loses no bit, and squares neither overflow nor vanish
    scaled = np.ldexp(known, -power)
    spread = float(scaled.std(ddof=ddof)) if len(known) > 1 else 0.0
    return float(np.ldexp(scaled.mean(), power)), float(np.ldexp(spread, power)) if spread > ROUNDING else 1.0


def needs_double(centre: float, spread: float) -> bool:
    """Whether single precision would lose what tells labels of this mean and standard deviation apart.

    Examples
    --------
    >>> needs_double(330.0, 60.0), needs_double(-384.1, 0.003), needs_double(0.0, 1e38)
    (False, True, True)
    """
    return abs(centre) > RATIO * spread or not SINGLE[0] < spread < SINGLE[1]


def check_labels(labels: np.ndarray, names: Sequence[str], rows: Sequence[int] | np.ndarray, source: str) -> None:
    """Refuse labels that standardising in float64 cannot hold, naming row and value.

    Parameters
    ----------
    labels : array [N, P]
        NaN where missing.
    names : sequence of str, length P
    rows : sequence of int, length N
        Numbers of the rows in their source.
    source : str
        Where they came from.

    Raises
    ------
    InputError
        For a label beyond 1e300; a column whose labels all lie below 1e-290; a label so far from the others that these become
        equal.

    Examples
    --------
    >>> check_labels(np.array([[1.0], [2.0], [3.0], [1e30]]), ["y"], [1, 2, 3, 4], "a.csv")
    Traceback (most recent call last):
    ...
    chemvae.errors.InputError: a.csv, row 4: 'y' is 1e+30, so far from the other labels that they become equal beside it. \
Correct it, or leave its cell empty.
    """
    for name, column in zip(names, np.asarray(labels, dtype=np.float64).T, strict=True):
        if found := _trouble(column):
            position, words = found
            raise InputError(f"{source}, row {rows[position]}: '{name}' is {column[position]:g}, {words}.")


def _trouble(column: np.ndarray) -> tuple[int, str] | None:
    """Position and description of a label that cannot be held, if there is one."""
    known = np.flatnonzero(np.isfinite(column))
    if not len(known):
        return None
    largest = int(known[np.abs(column[known]).argmax()])
    if abs(column[largest]) > LARGEST:
        return largest, f"and labels of more than {LARGEST:g} cannot be learned. Write them in another unit"
    if 0 < abs(column[largest]) < SMALLEST:
        return largest, f"and labels of less than {SMALLEST:g} cannot be learned. Write them in another unit"
    centre, spread = label_scale(column)
    standard = (column[known] - centre) / spread
    n_different = len(np.unique(column[known]))
    n_left = len(np.unique(standard.astype(np.float32)))
    if n_different > 2 and 2 * (n_left - 1) < n_different - 1:
        words = "so far from the other labels that they become equal beside it. Correct it, or leave its cell empty"
        return int(known[np.abs(standard).argmax()]), words
    return None
