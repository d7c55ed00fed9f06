"""Labels that are only known to lie on one side of a limit: no numbers to learn from, and kept for who can use them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from chemvae.data.files.columns import is_missing
from chemvae.data.files.number_columns import read_columns
from chemvae.data.files.reading import Chunk
from chemvae.data.prepare.cleaning import Clean

BOUNDS_FILE = "bounds.csv"
COLUMNS = ("row", "line", "smiles", "property", "bound", "limit")


class BoundsFile:
    """``bounds.csv`` of a prepared folder: a row for every bound of every molecule; no file where there is none.

    Parameters
    ----------
    folder : Path
    id_column : str, optional
        Of the data; its cells stand beside the bounds.

    Attributes
    ----------
    counts : Counter
        Property -> bounds.
    """

    def __init__(self, folder: Path, id_column: str | None = None):
        self.path, self.id_column = folder / BOUNDS_FILE, id_column
        self.counts: Counter[str] = Counter()
        self._file: TextIO | None = None

    def __enter__(self) -> BoundsFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, chunk: Chunk, cleans: Sequence[Clean], properties: Sequence[str]) -> None:
        """Write the bounds among the labels of a chunk's molecules."""
        names = [name for name in properties if name in chunk.frame]
        for name, column in zip(names, read_columns(chunk.frame[names]), strict=True):
            for i, (bound, limit) in column.bounds.items():
                text = cleans[i].smiles
                if text is not None and int(chunk.frame.index[i]) not in chunk.problems:
                    self._write(self._row(chunk, i, [text, name, bound, f"{limit:.10g}"]))
                    self.counts[name] += 1

    def _row(self, chunk: Chunk, i: int, cells: list[str]) -> list[Any]:
        own = [] if self.id_column is None else [chunk.frame[self.id_column].iloc[i]]
        line = chunk.lines[i] if chunk.lines else ""
        return [int(chunk.frame.index[i]), line, *cells, *("" if is_missing(cell) else cell for cell in own)]

    def _write(self, row: list[Any]) -> None:
        if self._file is None:
            self._file = self.path.open("w", newline="", encoding="utf-8")
            csv.writer(self._file).writerow([*COLUMNS, *([] if self.id_column is None else ["id"])])
        csv.writer(self._file).writerow(row)
