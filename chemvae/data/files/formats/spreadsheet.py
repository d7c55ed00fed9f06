"""Sheets of XLSX workbooks: cells as the spreadsheet last showed them; what it would not show is named."""

from __future__ import annotations

import io
import logging
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from chemvae.data.files.columns import SMILES_NAMES, list_names
from chemvae.data.files.header import LOOKED_AT
from chemvae.data.files.layout import molecule_columns
from chemvae.data.files.rows import Chunk, Row, read_table
from chemvae.errors import InputError, MissingExtraError, NothingUsableError

logger = logging.getLogger(__name__)

MAGIC, OLD_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MOST_BYTES = 4 << 30  # unpacked; a sheet can have a million rows
DRAWING = "drawing"
"""Column of a sheet that we write, whose cells hold pictures and nothing else."""
_MERGED = re.compile(rb'<mergeCell\s[^>]*ref="([A-Z0-9:]+)"')
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, OSError, SyntaxError,
    NotImplementedError, RuntimeError,
)  # fmt: skip
"""What openpyxl and zipfile raise on files that are damaged in one way or another; a SyntaxError is one of XML."""


def read_xlsx(stream: BinaryIO, name: str, chunk_rows: int, sheet: str = "") -> Iterator[Chunk]:
    """Read the sheet of that name; without one the first visible that holds molecules, else the first that holds anything.

    Cells are numbers, texts, dates or truth values as in the file. A formula whose value was not saved stands as its text, and
    error cells as theirs, so that the reader of numbers refuses both.

    Raises
    ------
    MissingExtraError
        Without openpyxl.
    InputError
        If the file is damaged, an old ``.xls``, or protected by a password; if it has no sheet of the name.
    NothingUsableError
        If no visible sheet holds anything.
    """
    content = stream.read()
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError("openpyxl", "xlsx", "Reading .xlsx files") from error
    if content.startswith(OLD_MAGIC):
        raise InputError(f"{name} is an old .xls file or has a password. Save it as .xlsx without one, or as .csv.")
    try:
        _check_size(content, name)
        shown, written = (openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data) for data in (True, False))
        title = _find_sheet(shown, name, sheet) if sheet else _choose_sheet(shown, name)
        _say_merged(content, shown[title], name)
        rows = _rows(shown[title], written[title], name)
        yield from _without_drawings(read_table(rows, chunk_rows, name, empty=None))
    except _DAMAGE as error:
        reason = (str(error).splitlines() or [""])[0].strip(".'\"") or type(error).__name__
        raise InputError(f"{name} is not a readable .xlsx file ({reason}). Save it again, or as .csv.") from error


def _without_drawings(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Leave out the column over which drawings lie: its cells are empty."""
    for chunk in chunks:
        is_drawn = DRAWING in chunk.frame and chunk.frame[DRAWING].isna().all()
        yield replace(chunk, frame=chunk.frame.drop(columns=DRAWING)) if is_drawn else chunk


def _check_size(content: bytes, name: str) -> None:
    """Refuse what would unpack to more than any sheet holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MOST_BYTES:
            raise InputError(f"{name} unpacks to more than {MOST_BYTES >> 30} GB. Save the sheet that is meant as .csv.")


def _find_sheet(workbook: Any, name: str, asked: str) -> str:
    """The title of the sheet that is asked for, hidden or not; case decides only between two that are spelled alike."""
    titles = [sheet.title for sheet in workbook.worksheets]
    alike = [title for title in titles if title.strip().lower() == asked.strip().lower()]
    if not alike:
        raise InputError(f"{name} has no sheet '{asked}'. Its sheets: {list_names(titles)}.")
    return asked if asked in alike else alike[0]


def _choose_sheet(workbook: Any, name: str) -> str:
    """The title of the sheet that is read; the others are named."""
    visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    tops = {sheet.title: _top(sheet) for sheet in visible}
    filled = [title for title, top in tops.items() if top]
    if not filled:
        raise NothingUsableError(f"{name} holds no rows in a visible sheet.")
    title = next((title for title in filled if _holds_molecules(tops[title])), filled[0])
    others = [sheet.title + (" (hidden)" if sheet.sheet_state != "visible" else "") for sheet in workbook.worksheets]
    others = [other for other in others if other != title]
    if others:
        told = list_names(others, 10)
        logger.info("%s: sheet '%s' is read; not read: %s. %s:SHEET reads another.", name, title, told, Path(name).name)
    return title


def _top(sheet: Any) -> list[list[str]]:
    """The first rows that hold anything, as text."""
    sheet.reset_dimensions()  # some programs write wrong ones
    rows = (["" if cell is None else str(cell).strip() for cell in row] for row in sheet.iter_rows(values_only=True))
    return [row for row in islice(rows, 4 * LOOKED_AT) if any(row)][:LOOKED_AT]


def _holds_molecules(top: list[list[str]]) -> bool:
    return any(cell.lower() in SMILES_NAMES for row in top for cell in row) or bool(molecule_columns(top))


def _rows(shown: Any, written: Any, name: str) -> Iterator[Row]:
    """Values, with the formula where a program left no value; the row of the sheet is the line."""
    shown.reset_dimensions()
    written.reset_dimensions()
    n_formulas = 0
    both = zip(shown.iter_rows(values_only=True), written.iter_rows(values_only=True), strict=False)
    for number, (values, formulas) in enumerate(both, start=1):
        cells = list(values)
        for i, (value, formula) in enumerate(zip(values, formulas, strict=False)):
            if value is None and formula is not None:
                text = getattr(formula, "text", formula)  # of an array formula
                cells[i] = text if isinstance(text, str) else "=?"
                n_formulas += 1
        yield number, cells
    if n_formulas:
        logger.warning("%s: the values of %s formulas were not saved, so that their cells hold none. Open it in a spreadsheet, "
                       "save it, and give it again.", name, f"{n_formulas:,}")  # fmt: skip


def _say_merged(content: bytes, sheet: Any, name: str) -> None:
    """Name merged cells: only the first of them holds the value."""
    path = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if path not in archive.namelist():
            return
        with archive.open(path) as file:
            found = _find_merged(file)
    if found:
        logger.warning("%s: %s groups of cells are merged (%s); only the first cell of each holds a value, the others none.",
                       name, len(found), list_names(found, 3))  # fmt: skip


def _find_merged(file: Any) -> list[str]:
    """References such as A2:A4, from the XML as it streams by."""
    found: dict[str, None] = {}
    rest = b""
    while piece := file.read(1 << 20):
        text = rest + piece
        found.update(dict.fromkeys(match.decode() for match in _MERGED.findall(text)))
        rest = text[-200:]
    return list(found)
