"""How a text table is laid out, told by its body: what separates the cells, and whether it is a table at all or a list."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chemvae.chem.molecules import parse
from chemvae.data.files.columns import SMILES_NAMES
from chemvae.data.files.molecule_column import count_molecules, is_written_like_smiles

DELIMITERS = ",;\t|"
_ROWS = 64
_SEP = re.compile(r'\ufeff?"?sep=(.)"?\s*$', re.IGNORECASE)
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Layout(NamedTuple):
    """What the head of a text file says of it."""

    kind: str
    """"csv", "smi" or "sdf"."""
    delimiter: str = ""
    """Of a "csv"."""


def read_sep(line: str) -> str:
    r"""The separator that a line such as ``sep=;`` names, as spreadsheets write it; "" if it is another line.

    Examples
    --------
    >>> read_sep("sep=;\r\n"), read_sep("smiles;y")
    (';', '')
    """
    match = _SEP.match(line.strip("\r\n"))
    return match[1] if match else ""


def find_layout(kind: str, head: str, smiles_column: str | None = None) -> Layout:
    r"""Tell table, list and SDF apart where the ending does not, and find what separates the cells.

    Parameters
    ----------
    kind : str
        What the ending says: "csv", "tsv", "smi", "sdf", or "" for nothing.
    head : str
        The first characters of the file.
    smiles_column : str, optional
        Helps to recognise a header.

    Examples
    --------
    >>> find_layout("csv", "smiles\tlogP, calc\nCCO\t0.1\nCCN\t0.2\n"), find_layout("smi", "SMILES,ID\nCCO,a\nCCN,b\n")
    (Layout(kind='csv', delimiter='\t'), Layout(kind='csv', delimiter=','))
    >>> find_layout("", "CCO ethanol\nCCN ethylamine\n")
    Layout(kind='smi', delimiter='')
    """
    if kind == "sdf" or (not kind and ("M  END" in head or "$$$$" in head)):
        return Layout("sdf")
    lines = [line for line in _LINE_ENDS.split(head)[: 4 * _ROWS] if line.strip()]
    if lines and (told := read_sep(lines[0])):
        return Layout("csv", told)
    lines = ([line for line in lines if not line.startswith("#")] or lines)[:_ROWS]
    delimiter = _find_delimiter(lines, "\t,;|" if kind == "tsv" else DELIMITERS)
    if kind in ("csv", "tsv"):
        return Layout("smi") if not delimiter and _is_list(lines, 2) else Layout("csv", delimiter or ",")
    names = {*SMILES_NAMES, *([smiles_column.lower()] if smiles_column else [])}
    return Layout("csv", delimiter) if delimiter and _is_table(lines, delimiter, names) else Layout("smi")


class _Split(NamedTuple):
    """How well a separator explains some lines; the larger, the better."""

    agrees: bool
    """The header has as many cells as most rows."""
    has_molecules: bool
    share: float
    """Of rows with as many cells as most have."""


def _find_delimiter(lines: Sequence[str], order: str) -> str:
    """The separator whose rows are alike and as wide as the header; "" if there is none."""
    judged = {delimiter: split for delimiter in order if (split := _judge(lines, delimiter)) is not None}
    agreeing = {delimiter: split for delimiter, split in judged.items() if split.agrees}
    if agreeing:
        return max(agreeing, key=lambda delimiter: agreeing[delimiter])  # the first of equals
    in_header = {delimiter: lines[0].count(delimiter) for delimiter in order} if lines else {}
    return max(in_header, key=lambda delimiter: in_header[delimiter]) if any(in_header.values()) else ""


def _judge(lines: Sequence[str], delimiter: str) -> _Split | None:
    rows = split_rows(lines, delimiter)
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else (rows[0] if rows else [], rows)
    if not body:
        return None
    width, n_rows = Counter(map(len, body)).most_common(1)[0]
    if width < 2 or 2 * n_rows < len(body):
        return None
    widths = {width, width - 1, max(map(len, map(strip_right, body)))}
    agrees = len(header) in widths or len(strip_right(header)) in widths
    return _Split(agrees and len(header) > 1, bool(molecule_columns(body)), n_rows / len(body))


def split_rows(lines: Iterable[str], delimiter: str) -> list[list[str]]:
    """Cells of lines; nothing where they cannot be split so."""
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []


def strip_right(row: Sequence[str]) -> list[str]:
    """A row without the empty cells at its end."""
    filled = [i for i, cell in enumerate(row) if str(cell).strip()]
    return list(row[: filled[-1] + 1]) if filled else []


def molecule_columns(rows: Sequence[Sequence[str]]) -> list[int]:
    """Positions where at least half of the filled cells are molecules."""
    tops = rows[:_ROWS]
    likely = [
        i for i in range(max(map(len, tops), default=0)) if any(i < len(r) and is_written_like_smiles(r[i]) for r in tops)
    ]
    return [i for i in likely if count_molecules([row[i] for row in tops if i < len(row)]).is_molecules]


def _is_table(lines: Sequence[str], delimiter: str, names: set[str]) -> bool:
    """Whether lines without a telling ending are a table: a header says so, or a column of cells that are molecules."""
    header = {cell.strip().strip('"').lower() for cell in lines[0].split(delimiter)}
    if header & names:
        return delimiter != "\t" or lines[0].count("\t") > 1 or not _is_list(lines, 2)
    if not molecule_columns(split_rows(lines[1:] or lines, delimiter)):
        return False
    return not _is_list(lines, 2) or (delimiter == "\t" and lines[0].count("\t") > 1)


def _is_list(lines: Sequence[str], width: int) -> bool:
    """Whether most lines begin with a molecule and a blank, and have so many words at least."""
    body = lines[1:] if len(lines) > 1 else lines
    words = [line.split() for line in body]
    n_list = sum(len(found) >= width and parse(found[0]) is not None for found in words)
    return n_list > 0 and 2 * n_list >= len(body)
