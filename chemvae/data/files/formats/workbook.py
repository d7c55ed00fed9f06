"""A table as the one sheet of an XLSX workbook: a header that stays, numbers as numbers, texts as texts, drawings in cells."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.data.files.formats.spreadsheet import DRAWING
from chemvae.errors import InputError, MissingExtraError

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 1_048_576, 16_384, 32_767  # of a sheet, by its makers
WIDEST, PICTURE_WIDTH, PICTURE_HEIGHT = 40, 26, 105  # characters; characters and points of a cell with a drawing
HEADER = {
    "bold": True,
    "font_color": "#ffffff",
    "bg_color": "#2b5c8a",
    "valign": "vcenter",
    "border": 1,
    "border_color": "#ffffff",
}
TO_FILL_IN = {"bg_color": "#fff6cc", "border": 1, "border_color": "#d9c46c"}
_CONTROL = re.compile(r"[\000-\010\013\014\016-\037]")


def write_xlsx(frame: pd.DataFrame, path: Path, pictures: Mapping[int, bytes] | None = None) -> None:
    """Write a table; texts are texts there, also those that look like formulas.

    The header is coloured and stays in sight, columns can be filtered, and a column without anything in it is coloured: it is
    there to be filled in.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    pictures : mapping, optional
        Position of a row -> PNG of twice the size of its cell, laid over a first column ``drawing``.

    Raises
    ------
    MissingExtraError
        Without XlsxWriter.
    InputError
        If a sheet cannot hold so much.
    """
    try:
        import xlsxwriter
    except ImportError as error:
        raise MissingExtraError("xlsxwriter", "xlsx", "Writing .xlsx files") from error
    n_rows, n_columns = frame.shape
    if n_rows >= MOST_ROWS or n_columns + bool(pictures) > MOST_COLUMNS:
        raise InputError(
            f"A sheet holds {MOST_ROWS:,} rows and {MOST_COLUMNS:,} columns, the table {n_rows:,} and {n_columns:,}."
        )
    with path.open("wb") as file:
        options = {"constant_memory": True, "remove_timezone": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        book = xlsxwriter.Workbook(file, options)
        try:
            _Sheet(book, frame, dict(pictures or {})).write()
        finally:
            book.close()


class _Sheet:
    """The sheet of a workbook, written row by row."""

    def __init__(self, book: Any, frame: pd.DataFrame, pictures: dict[int, bytes]):
        self.frame, self.pictures, self.first = frame, pictures, int(bool(pictures))
        self.sheet = book.add_worksheet("chemvae")
        self.header, self.open = book.add_format(HEADER), book.add_format(TO_FILL_IN)
        self.cell = book.add_format({"valign": "vcenter"})
        self.is_open = [bool(len(frame)) and bool((frame.iloc[:, j].astype(object) == "").all()) for j in range(frame.shape[1])]

    def write(self) -> None:
        """Header, then rows."""
        names = [*([DRAWING] if self.first else []), *map(str, self.frame.columns)]
        self.sheet.freeze_panes(1, 0)
        self._set_widths(names)
        self.sheet.set_row(0, 22)
        for j, name in enumerate(names):
            self.sheet.write_string(0, j, _text(name), self.header)
        for i, row in enumerate(self.frame.itertuples(index=False, name=None)):
            self._write_row(i, row)
        if len(self.frame) and names:
            self.sheet.autofilter(0, 0, len(self.frame), len(names) - 1)

    def _set_widths(self, names: list[str]) -> None:
        """As wide as the header and the first cells need."""
        head = self.frame.head(50)
        for j, name in enumerate(names):
            shown = [] if j < self.first else [len(_shown(value)) for value in head.iloc[:, j - self.first]]
            wanted = PICTURE_WIDTH if j < self.first else max([len(name) + 3, *shown]) + 1
            self.sheet.set_column(j, j, min(wanted, WIDEST))

    def _write_row(self, i: int, row: tuple[Any, ...]) -> None:
        if self.first:
            self.sheet.set_row(i + 1, PICTURE_HEIGHT if i in self.pictures else None)
        for j, value in enumerate(row):
            self._write_cell(i + 1, j + self.first, value, self.open if self.is_open[j] else self.cell)
        if i in self.pictures:
            place = {"image_data": io.BytesIO(self.pictures[i]), "x_scale": 0.5, "y_scale": 0.5, "object_position": 1}
            self.sheet.insert_image(i + 1, 0, "drawing.png", {**place, "x_offset": 2, "y_offset": 2})

    def _write_cell(self, i: int, j: int, value: Any, look: Any) -> None:
        """A value as a sheet takes it: nothing for what is missing, text for what is neither number, date nor truth value."""
        value = value.item() if hasattr(value, "item") else value
        if value is None or value is pd.NA or value != value or value == "":
            self.sheet.write_blank(i, j, None, look)
        elif isinstance(value, bool):
            self.sheet.write_boolean(i, j, value, look)
        elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            self.sheet.write_number(i, j, value, look)
        elif isinstance(value, datetime):
            self.sheet.write_datetime(i, j, value)
        else:
            self.sheet.write_string(i, j, _text(str(value)), look)


def _shown(value: Any) -> str:
    """About what a sheet shows of a value."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    """A text without the characters that no sheet can hold."""
    plain = _CONTROL.sub("", text)
    if len(plain) > LONGEST_CELL:
        raise InputError(
            f"A cell of a sheet holds {LONGEST_CELL:,} characters, '{plain[:30]}...' has {len(plain):,}: write .csv."
        )
    return plain
