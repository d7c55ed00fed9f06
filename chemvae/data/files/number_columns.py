"""Many columns of numbers at once, and what is told of the cells that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.files.numbers import DECIMAL, Column, decimal_of, read_numbers

MOST_EXAMPLES = 3


def read_columns(frame: pd.DataFrame) -> list[Column]:
    """Read each column of a table as :func:`read_numbers` does, but all of one kind at once: there may be very many.

    Examples
    --------
    >>> found = read_columns(pd.DataFrame({"a": ["1", "x"], "b": [2.5, None], "c": ["3", ">4"]}))
    >>> [column.values.tolist() for column in found], found[2].bounds
    ([[1.0, nan], [2.5, nan], [3.0, nan]], {1: ('>', 4.0)})
    """
    columns: dict[int, Column] = {}
    for positions in _of_one_kind(frame):
        cells = frame.iloc[:, positions].to_numpy(*_as_numbers(frame.dtypes.iloc[positions[0]]))  # [N, K]
        flat = read_numbers(pd.Series(cells.ravel(order="F"), dtype=cells.dtype), _decimal(frame, positions[0]))
        columns.update(zip(positions, _cut(flat, *cells.shape), strict=True))
    return [columns[position] for position in range(frame.shape[1])]


def _of_one_kind(frame: pd.DataFrame) -> list[list[int]]:
    """The positions of columns of numbers, and of others by how they write decimals; a table without rows has kinds, too."""
    kinds: dict[tuple[bool, str], list[int]] = {}
    for position, kind in enumerate(frame.dtypes):
        is_number = _as_numbers(kind)[0] is float
        kinds.setdefault((is_number, "" if is_number else _decimal(frame, position)), []).append(position)
    return list(kinds.values())


def _decimal(frame: pd.DataFrame, position: int) -> str:
    """How a column writes decimals, each for itself."""
    said = frame.attrs.get(DECIMAL, "")
    return said if said != "," else decimal_of(frame.iloc[:, position], said)


def _as_numbers(kind: object) -> tuple:
    """Arguments of ``to_numpy`` for a column of this type."""
    is_number = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    return (float, False, np.nan) if is_number else (object,)


def _cut(flat: Column, n_rows: int, n_columns: int) -> list[Column]:
    """Cut what columns say that were put under one another into what each of them says."""
    cut = [Column(values, {}, {}) for values in flat.values.reshape(n_columns, n_rows)]
    for position, why in flat.refused.items():
        cut[position // n_rows].refused[position % n_rows] = why
    for position, bound in flat.bounds.items():
        cut[position // n_rows].bounds[position % n_rows] = bound
    return cut


class Refusals:
    """Reads columns piece by piece, and remembers which cells were refused.

    Examples
    --------
    >>> refusals = Refusals()
    >>> _ = refusals.read(pd.DataFrame({"y": ["6.5", ">10", "x"]}, index=[1, 2, 3]))
    >>> refusals.sentences("a")[0].partition(": row")[0]
    "a: 2 cells of 'y' are no numbers and count as missing (1 censored)"
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.censored: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}

    def read(self, frame: pd.DataFrame, lines: Sequence[int | None] | None = None) -> dict[str, Column]:
        """Read a piece of some columns; the index says which rows they are, ``lines`` where these end in their file."""
        places = Places(frame.index, lines)
        found = dict(zip(frame.columns, read_columns(frame), strict=True))
        for name, column in found.items():
            if column.refused:
                self._note(name, column, places)
        return found

    def _note(self, name: str, column: Column, places: Sequence[str]) -> None:
        self.counts[name] += len(column.refused)
        self.censored[name] += len(column.bounds)
        shown = self.examples.setdefault(name, [])
        for position, why in list(column.refused.items())[: MOST_EXAMPLES - len(shown)]:
            shown.append(f"{places[position]}, {why}")

    def sentences(self, source: str) -> list[str]:
        """What to tell the user, a sentence for each column that has any."""
        return [f"{source}: {self._sentence(name, count)}" for name, count in self.counts.items()]

    def _sentence(self, name: str, count: int) -> str:
        shown = "; ".join(self.examples[name]) + (f"; and {count - MOST_EXAMPLES:,} more" if count > MOST_EXAMPLES else "")
        what = (
            f"{count:,} cells of '{name}' are no numbers and count"
            if count > 1
            else f"a cell of '{name}' is no number and counts"
        )
        censored = f" ({self.censored[name]:,} censored)" if self.censored[name] else ""
        return f"{what} as missing{censored}: {shown}"


class Places(Sequence[str]):
    """How each row is named to a person: by the line of its file where that is known, as ``data check`` does."""

    def __init__(self, rows: pd.Index, lines: Sequence[int | None] | None):
        self.rows, self.lines = rows, lines

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, position: Any) -> Any:
        line = None if self.lines is None else self.lines[position]
        return f"row {self.rows[position]}" if line is None else f"line {line}"
