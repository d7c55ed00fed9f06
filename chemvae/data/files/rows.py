"""Rows of cells become chunks of a table: under the header's names, of one width, and none lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.files.header import LOOKED_AT, Header, find_header, is_blank
from chemvae.data.files.numbers import DECIMAL

CHUNK_ROWS = 4096
MOST_LOOKED_AT = 200_000  # cells
MOST_CELLS = 2_000_000  # of a chunk; a table of a hundred thousand columns comes twenty rows at a time
Row = tuple[int, Sequence[Any]]
"""The line a row ends on, and its cells."""


@dataclass
class Chunk:
    """Some consecutive rows, as they stand in the source."""

    frame: pd.DataFrame
    """Raw cells; text for text formats. The index is the record number, 1 for the first row after the header."""
    lines: list[int] | None = None
    """The line of the file on which each record ends, for text formats."""
    problems: dict[int, str] = field(default_factory=dict)
    """Record number -> what is wrong with the row itself (too many cells, unreadable SDF record)."""
    is_canonical: bool = False
    """Whether chemvae itself wrote the SMILES in canonical form with this RDKit."""
    cleaned: dict[str, list[str]] = field(default_factory=dict)
    """Column of SMILES -> :func:`chemvae.chem.descriptors.clean_text` of each cell, where the reader knows it already."""


def read_table(
    rows: Iterable[Row], chunk_rows: int, source: str, commented: Sequence[str] = (), decimal: str = "", empty: Any = ""
) -> Iterator[Chunk]:
    """Find the header among the first rows, and give the rest in chunks.

    Parameters
    ----------
    rows : iterable of (line, cells)
        Rows that are empty all over are kept, but for those at the ends.
    chunk_rows : int
    source : str
        For messages.
    commented : sequence of str
        Cells of the last comment line above.
    decimal : str
        How the file writes decimals, where it says so.
    empty : object
        What stands where a row is too short.
    """
    rows = _within(iter(rows))
    top = list(islice(rows, 1))
    if not top:
        return
    top += islice(rows, max(3, min(LOOKED_AT, MOST_LOOKED_AT // max(1, len(top[0][1])))))
    header = find_header([cells for _, cells in top], source, commented)
    for chunk in in_chunks(chain(top[header.n_skipped :], rows), header, chunk_rows, empty):
        if decimal:
            chunk.frame.attrs[DECIMAL] = decimal
        yield chunk


def in_chunks(rows: Iterator[Row], header: Header, chunk_rows: int, empty: Any = "") -> Iterator[Chunk]:
    """Collect rows into chunks; short rows are filled up, cells outside the named columns noted as a problem."""
    first_row, chunk_rows = 1, max(1, min(chunk_rows, MOST_CELLS // max(1, len(header.names))))
    while block := list(islice(rows, chunk_rows)):
        numbers = pd.RangeIndex(first_row, first_row + len(block), name="row")
        problems, cells = {}, np.empty((len(block), len(header.names)), dtype=object)
        for place, (_, row) in enumerate(block):
            cells[place], problem = _fitted(row, header, empty)
            if problem:
                problems[numbers[place]] = problem
        frame = pd.DataFrame(cells, columns=header.names, index=numbers, dtype=object)
        yield Chunk(frame, [line for line, _ in block], problems)
        first_row += len(block)


def _fitted(row: Sequence[Any], header: Header, empty: Any) -> tuple[Sequence[Any], str]:
    """The cells of the named columns, and what is wrong with the row."""
    positions = header.positions
    width, n_columns = len(row), len(positions)
    if width == n_columns == positions[-1] + 1:
        return row, ""
    fitted = [row[i] if i < width else empty for i in positions]
    outside = sum(not is_blank(cell) for cell in row) - sum(not is_blank(cell) for cell in fitted)
    return fitted, f"it has {width} cells where the header names {n_columns}" if outside else ""


def _within(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out empty rows before the first and after the last that holds anything."""
    waiting: list[Row] | None = None
    for line, cells in rows:
        if all(is_blank(cell) for cell in cells):
            if waiting is not None:
                waiting.append((line, cells))
            continue
        yield from waiting or ()
        waiting = []
        yield line, cells
