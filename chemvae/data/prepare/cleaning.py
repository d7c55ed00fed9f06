"""From raw SMILES to clean ones, with the reason for every one that is turned away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from chemvae.chem.descriptors import clean_text, read_text
from chemvae.data.files.columns import is_missing

EMPTY, INVALID, BROKEN_ROW, DUPLICATE = "empty cell", "not a molecule", "broken row", "duplicate"
UNKNOWN_SYMBOL, UNKNOWN_SPLIT = "unknown symbol", "unknown split name"
SymbolCheck = Callable[[str], "str | None"]


class Clean(NamedTuple):
    """One cell of SMILES after cleaning."""

    smiles: str | None
    """Canonical; None if turned away."""
    reason: str = ""
    """One of a few categories, for counting."""
    detail: str = ""
    """What exactly is wrong with it."""

    @property
    def canonical(self) -> str:
        """``smiles`` of a cell that was not turned away."""
        assert self.smiles is not None, self.reason
        return self.smiles


class Dropped(NamedTuple):
    """One row that is not used."""

    row: int
    smiles: str
    reason: str
    detail: str


def clean_smiles(raw: Any, mode: str = "none", symbol_check: SymbolCheck | None = None) -> Clean:
    """Standardise one cell, or say why it cannot be used.

    Examples
    --------
    >>> clean_smiles("OCC").smiles, clean_smiles("").reason, clean_smiles("C1CC").detail
    ('CCO', 'empty cell', 'ring 1 is opened and never closed')
    """
    return check_symbols(clean_cell(raw, None if is_missing(raw) else clean_text(raw, mode)), symbol_check)


def clean_cell(raw: Any, cleaned: str | None) -> Clean:
    """What becomes of a cell, given the :func:`~chemvae.chem.descriptors.clean_text` of it; None for an empty one."""
    if cleaned is None:
        return Clean(None, EMPTY, "the cell is empty")
    smiles, reason = read_text(raw, cleaned)
    return Clean(smiles) if smiles is not None else Clean(None, INVALID, reason)


def check_symbols(clean: Clean, symbol_check: SymbolCheck | None) -> Clean:
    """Turn away what holds a symbol that is complained about."""
    complaint = symbol_check(clean.smiles) if symbol_check and clean.smiles is not None else None
    return Clean(None, UNKNOWN_SYMBOL, complaint) if complaint else clean
