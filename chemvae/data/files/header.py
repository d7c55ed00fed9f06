"""Where the names of a table's columns stand: under titles and comments, with empty cells around them, or nowhere."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chemvae.chem.molecules import parse
from chemvae.data.files.columns import SMILES_NAMES, is_missing, list_names
from chemvae.data.files.layout import molecule_columns
from chemvae.data.files.molecule_column import count_molecules, is_written_like_smiles

logger = logging.getLogger(__name__)

LOOKED_AT = 65  # rows
_MARKS = frozenset("0123456789()[]=#@/\\")
_BLANK = "\ufeff\u200b\u2060 \t\r\n\u00a0"


@dataclass(frozen=True)
class Header:
    """The columns of a table."""

    names: list[str]
    positions: list[int]
    """Which cells of a row belong to them."""
    n_skipped: int
    """Rows at the top that are none: titles and the header."""


def find_header(top: Sequence[Sequence[Any]], source: str, commented: Sequence[str] = ()) -> Header:
    """Find the header in the first rows of a table.

    Parameters
    ----------
    top : sequence of rows
        None is empty all over.
    source : str
        For messages.
    commented : sequence of str
        Cells of the last comment line above: the header, where they name SMILES and the first row is a molecule.

    Examples
    --------
    >>> find_header([["Assay 7", "", ""], ["smiles", "y", ""], ["CCO", "1", ""]], "a.csv")
    Header(names=['smiles', 'y'], positions=[0, 1], n_skipped=2)
    >>> find_header([["CCO", "1"], ["CCN", "2"]], "a.csv").names
    ['column_1', 'column_2']
    """
    n_titles = _count_titles(top)
    if n_titles:
        shown = "; ".join(" ".join(str(cell) for cell in row if not is_blank(cell)) for row in top[:n_titles])
        logger.info("%s: what stands above the names of its columns is not read: %s", source, shown[:200])
    top = top[n_titles:]
    first = [_text(cell) for cell in top[0]]
    if looks_headerless(first, top[1:]):
        if len(commented) >= len(first) and (_names_smiles(commented) or len(commented) == len(first) > 1):
            return Header(unique_names(commented, source), list(range(len(commented))), n_titles)
        logger.info("%s has no names of columns; they are called column_1 to column_%s", source, len(first))
        return Header([f"column_{i + 1}" for i in range(len(first))], list(range(len(first))), n_titles)
    if _lacks_one(first, top[1:]):
        first = ["", *first]
    filled = [i for i, cell in enumerate(first) if cell or any(i < len(row) and not is_blank(row[i]) for row in top[1:])]
    return Header(unique_names([first[i] for i in filled], source, filled), filled, n_titles + 1)


def looks_headerless(first: Sequence[str], following: Sequence[Sequence[Any]]) -> bool:
    """Whether the first line of a table is already a row: it has a molecule where most of the next rows have molecules too.

    Examples
    --------
    >>> looks_headerless(["CCO", "1.2"], [["CCN", "1.3"]]), looks_headerless(["C", "N"], [["4", "5"]])
    (True, False)
    """
    if _names_smiles(first):
        return False
    for position, cell in enumerate(first):
        if is_written_like_smiles(cell):
            below = [row[position] for row in following if position < len(row) and not is_missing(row[position])]
            is_molecule = parse(cell) is not None
            if not below and is_molecule and len(cell) > 1:
                return True
            if (is_molecule or _has_marks(cell)) and count_molecules(below).is_molecules:
                return True
    return False


def unique_names(header: Sequence[str], source: str, positions: Sequence[int] | None = None) -> list[str]:
    """Name nameless columns by position and tell equal names apart, which is said.

    Examples
    --------
    >>> unique_names(["smiles", "y", "", "y"], "a.csv")
    ['smiles', 'y', 'column_3', 'y.1']
    """
    copies: Counter[str] = Counter()
    names: dict[str, None] = {}
    for position, cell in zip(positions or range(len(header)), header, strict=True):
        base = name = cell.strip(_BLANK) or f"column_{position + 1}"
        while name in names:
            copies[base] += 1
            name = f"{base}.{copies[base]}"
        names[name] = None
    if copies:
        twice, later = list_names(list(copies), 5), list_names([f"{base}.1" for base in copies], 5)
        logger.warning("%s names columns more than once (%s); the later ones are called %s", source, twice, later)
    return list(names)


def is_blank(cell: Any) -> bool:
    """Whether nothing stands in a cell."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip(_BLANK))


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell).strip(_BLANK)


def _names_smiles(cells: Sequence[str]) -> bool:
    return any(cell.strip(_BLANK).lower() in SMILES_NAMES for cell in cells)


def _has_marks(cell: str) -> bool:
    """Whether a cell that is no molecule was meant to be one: words have no brackets, bonds and ring numbers."""
    return len(cell) > 2 and bool(_MARKS & set(cell))


def _count_titles(top: Sequence[Sequence[Any]]) -> int:
    """Rows at the top with a single filled cell, above rows with several; molecules and the names of SMILES are no titles."""
    filled = [[cell for cell in row if not is_blank(cell)] for row in top]
    if len(top) < 3 or sum(len(cells) > 1 for cells in filled) * 2 <= len(filled):
        return 0
    for n, cells in enumerate(filled):
        is_title = len(cells) == 1 and not _names_smiles([_text(cells[0])]) and parse(_text(cells[0])) is None
        if cells and not is_title:
            return n if n < len(top) - 1 else 0
    return 0


def _lacks_one(first: Sequence[str], following: Sequence[Sequence[Any]]) -> bool:
    """Whether every row has one filled cell more than the header names: the row's own name, before the others."""
    rows = [row for row in following if any(not is_blank(cell) for cell in row)]
    if len(rows) < 2 or any(len(row) != len(first) + 1 or is_blank(row[0]) for row in rows):
        return False
    return any(not is_blank(row[-1]) for row in rows) and bool(molecule_columns(rows)) and 0 not in molecule_columns(rows)
