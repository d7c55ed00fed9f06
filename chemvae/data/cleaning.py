"""From raw SMILES to clean ones, with the reason for every one that is turned away. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chemvae.chem.molecules import invalid_reason, standardize
from chemvae.chem.properties import compute_rows
from chemvae.data.columns import is_missing
from chemvae.data.splits import hash_split, scaffold_split, smiles_key

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


class Dropped(NamedTuple):
    """One row that is not used."""

    row: int
    smiles: str
    reason: str
    detail: str


class Prepared(NamedTuple):
    """One clean molecule with all that follows from its structure."""

    clean: Clean
    key: int
    split: str
    properties: list[float]


def clean_smiles(raw: Any, mode: str = "none", symbol_check: SymbolCheck | None = None) -> Clean:
    """Standardise one cell, or say why it cannot be used.

    Examples
    --------
    >>> clean_smiles("OCC").smiles, clean_smiles("").reason, clean_smiles("C1CC").detail
    ('CCO', 'empty cell', 'ring 1 is opened and never closed')
    """
    if is_missing(raw):
        return Clean(None, EMPTY, "the cell is empty")
    smiles = standardize(raw, mode) if isinstance(raw, str) else None
    if smiles is None:
        return Clean(None, INVALID, invalid_reason(raw) or "nothing is left of it after standardising")
    complaint = symbol_check(smiles) if symbol_check else None
    return Clean(None, UNKNOWN_SYMBOL, complaint) if complaint else Clean(smiles)


def clean_block(raw: Sequence[Any], mode: str, symbol_check: SymbolCheck | None = None) -> list[Clean]:
    """Clean a block of cells."""
    return [clean_smiles(cell, mode, symbol_check) for cell in raw]


def prepare_block(raw: Sequence[Any], mode: str, split: str, compute: Sequence[str], is_canonical: bool) -> list[Prepared]:
    """Clean a block of cells and work out key, split ("" unless by hash or scaffold) and properties."""
    return [_prepare_cell(cell, mode, split, compute, is_canonical) for cell in raw]


def _prepare_cell(raw: Any, mode: str, split: str, compute: Sequence[str], is_canonical: bool) -> Prepared:
    clean = Clean(raw) if is_canonical and mode == "none" else clean_smiles(raw, mode)
    if clean.smiles is None:
        return Prepared(clean, 0, "", [])
    rule = {"hash": hash_split, "scaffold": scaffold_split}.get(split)
    values = compute_rows([clean.smiles], compute)[0] if compute else []
    return Prepared(clean, smiles_key(clean.smiles), rule(clean.smiles) if rule else "", values)
