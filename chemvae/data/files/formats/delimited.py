"""Tables and lists in text: CSV and its kin, and one SMILES a line."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from chemvae.data.files.annotations import split_extension
from chemvae.data.files.columns import SMILES_NAMES
from chemvae.data.files.header import Header, unique_names
from chemvae.data.files.layout import read_sep
from chemvae.data.files.rows import Chunk, Row, in_chunks, read_table
from chemvae.data.files.textlines import LONGEST_LINE, TextLines
from chemvae.data.files.writing import AS_TEXT, as_meant
from chemvae.errors import InputError

logger = logging.getLogger(__name__)

DECIMAL_OF = {",": ".", ";": ","}  # what a separator says of decimal signs; a tab says nothing
MOST_LINES = 1_000  # of one row, by line ends in quotation marks


def read_csv(lines: TextLines, delimiter: str, chunk_rows: int) -> Iterator[Chunk]:
    """Read a table whose cells are separated by ``delimiter``; comment lines are left out, and said."""
    comment, lines_left = _skip_top(lines)
    commented = [cell.strip() for cell in comment.strip("# \t\r\n").split(delimiter)] if comment else []
    rows = _csv_rows(lines, lines_left, delimiter)
    yield from read_table(rows, chunk_rows, lines.name, commented, DECIMAL_OF.get(delimiter, ""))


def _skip_top(lines: TextLines) -> tuple[str, Iterator[str]]:
    """The last of the comments at the top, and the lines under them; a line ``sep=`` is left out too."""
    comments: list[str] = []
    for line in lines:
        if line.startswith("#"):
            comments.append(line)
        elif line.strip() and not (lines.number == 1 and read_sep(line)):
            _say_comments(lines.name, comments)
            return comments[-1] if comments else "", chain([line], lines)
    _say_comments(lines.name, comments)
    return "", iter(())


def _say_comments(name: str, comments: Sequence[str]) -> None:
    if comments:
        logger.info("%s: %s lines that begin with # are comments; the first: %s", name, len(comments), comments[0].strip()[:80])


def _csv_rows(lines: TextLines, left: Iterator[str], delimiter: str) -> Iterator[Row]:
    """Each row with the line it ends on; blank lines and comments of one cell in a table of several are left out."""
    reader = csv.reader(left, delimiter=delimiter)
    width, comments, last, told = 0, [], lines.number - 1, False
    while (row := _next_row(reader)) is not None:
        if lines.ended and lines.number > last + 1 or lines.number - last > MOST_LINES:
            _refuse_open_quote(lines, last)
        if not told and lines.number - last > 2 and _looks_swallowed(row, delimiter, width):
            logger.warning("%s: the row on lines %s to %s holds what look like rows. Is a quotation mark left open?",
                           lines.name, f"{last + 1:,}", f"{lines.number:,}")  # fmt: skip
            told = True
        last = lines.number
        if not row or (len(row) == 1 and not row[0].strip()):
            continue
        if width > 1 and len(row) == 1 and row[0].startswith("#"):
            comments.append(row[0])
            continue
        width = width or len(row)
        yield lines.number, [as_meant(cell) for cell in row] if any(cell[:1] == AS_TEXT for cell in row) else row
    _say_comments(lines.name, comments)


def _next_row(reader: Iterator[list[str]]) -> list[str] | None:
    """The next row, with cells as long as a line may be; the limit that all of a process shares is left as it was."""
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(before)


def _looks_swallowed(row: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell holds whole lines with as many separators as the rows of the table have."""
    inner = [line for cell in row for line in cell.splitlines()[1:-1]]
    return bool(inner) and all(line.count(delimiter) == width - 1 for line in inner)


def _refuse_open_quote(lines: TextLines, last: int) -> None:
    """Refuse a row that goes on over the end of the file, or for a thousand lines."""
    raise InputError(
        f"{lines.name} is not a readable table: a row begins on line {last + 1:,} and has no end by line {lines.number:,}. "
        "Is a quotation mark left open?"
    )


def read_smi(lines: TextLines, chunk_rows: int) -> Iterator[Chunk]:
    """Read one SMILES a line and what follows it; a header line gives the names."""
    comment, left = _skip_top(lines)
    rows = ((lines.number, line) for line in left)
    head = list(islice(rows, chunk_rows))
    names, head = _smi_names(head, comment)
    if not names:
        return
    split = _smi_rows(lines, chain(head, rows), len(names))
    yield from in_chunks(split, Header(names, list(range(len(names))), 0), chunk_rows)


def _smi_names(head: list[tuple[int, str]], comment: str) -> tuple[list[str], list[tuple[int, str]]]:
    """The columns, by the header if there is one and by how many words most lines have; and the lines that are rows."""
    told = [comment.strip("# \t\r\n").split(), _split(head[0][1])] if head else []
    named = next((words for words in reversed(told) if words and words[0].lower() in SMILES_NAMES), [])
    if named and named is told[1]:
        head = head[1:]
    rows = [_split(line) for _, line in head if line.strip() and not line.startswith("#")]
    if len(named) > 1 and all(len(words) == len(named) for words in rows):
        return ["smiles", *unique_names(named, "")[1:]], head
    return (["smiles", "name"] if any(len(words) > 1 for words in rows) else ["smiles"]) if told else [], head


def _split(line: str, most: int = -1) -> list[str]:
    """The SMILES with its extension, if it has one, and the other words of a line; ``most`` cells at most."""
    first, *rest = line.split(None, 1)
    extension, words = split_extension(rest[0]) if rest else ("", "")
    return [f"{first} {extension}".strip(), *words.split(None, most - 2 if most > 1 else -1)]


def _smi_rows(lines: TextLines, numbered: Iterable[tuple[int, str]], width: int) -> Iterator[Row]:
    """A row for each line that is neither blank nor a comment."""
    told = False
    for number, line in numbered:
        if not line.strip() or line.startswith("#"):
            continue
        cells = _split(line, width)
        if len(cells) > width:
            if not told:
                logger.warning("%s: names stand behind SMILES from line %s on, where none did before; they are not read.",
                               lines.name, f"{number:,}")  # fmt: skip
            told, cells = True, cells[:width]
        yield number, [cell.strip() for cell in cells]
