"""Join sets of the catalog: clean each, keep the labels of each source apart, and give every molecule one part of the split.

What is left out, and which labels are not believed, is decided here for each set and counted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from chemvae.chem.descriptors import CLEANED, SCAFFOLD, read_text, stream_columns
from chemvae.chem.molecules import canonicalize, parse
from chemvae.data.catalog.cards.base import DatasetCard
from chemvae.data.catalog.cards.joined import joined_name, taken_columns
from chemvae.data.files.columns import parse_numbers
from chemvae.data.splits import key_splits, smiles_keys

logger = logging.getLogger(__name__)

RULES = 1  # raise it when other molecules or labels are taken
ELEMENTS = frozenset("H B C N O F Si P S Cl Se Br I".split())
FEWEST_ATOMS = 16  # heavy atoms of a literature entry without any label: lighter ones are solvents, hosts' fragments, salts
LARGEST_MISFIT_MEV = 100.0
LARGEST_FWHM_NM = 120.0
LARGEST_S1_EV = 6.0
SOLID, GAS = "solid", "gas"
ODD_GROUP = Chem.MolFromSmarts("[SX4H1](=O)=O")  # what removing atom maps has left of a sulfone
BLOCK_ROWS = 8_192
Labels = dict[str, np.ndarray]


def join_sets(frames: Mapping[str, pd.DataFrame], cards: Mapping[str, DatasetCard], jobs: int = 1) -> pd.DataFrame:
    """Join sets, read as they are, into one table.

    Parameters
    ----------
    frames : mapping of name to DataFrame
        Raw rows with the columns of the card; the first set comes first.
    cards : mapping of name to card
    jobs : int
        Worker processes.

    Returns
    -------
    DataFrame
        ``smiles``, ``solvent``, one column per source and label (:func:`joined_name`), ``sets``, ``split``,
        ``split_scaffold``. One row per molecule; where a source measured it in several solvents, one row for each, of which
        the first holds the labels of all other sources.
    """
    cleaned = {name: clean_set(frame, cards[name], jobs) for name, frame in frames.items()}
    first, more = _side_by_side(cleaned)
    table = pd.concat([first, more], ignore_index=True)
    sets = membership(cleaned)
    table["sets"] = [sets[smiles] for smiles in table["smiles"]]
    return _with_splits(table, jobs)


def clean_set(frame: pd.DataFrame, card: DatasetCard, jobs: int = 1) -> pd.DataFrame:
    """Molecules of a set with their labels: ``smiles``, ``solvent``, and the labels under their joined names.

    A set that chemvae makes is taken as it is: it has no labels but those that follow from the structure.
    """
    if card.maker:
        return pd.DataFrame({"smiles": frame[card.smiles_column].to_numpy(object), "solvent": ""})
    labels, texts = _labels(frame, card)
    smiles = largest_fragments(frame[card.smiles_column].tolist(), jobs)
    is_labelled = np.any([np.isfinite(values) for values in labels.values()], axis=0) if labels else np.ones(len(frame), bool)
    reasons = [refusal(one, card.name, bool(known)) for one, known in zip(smiles, is_labelled, strict=True)]
    for reason, count in Counter(filter(None, reasons)).most_common():
        logger.info("%s: %d rows left out, %s", card.name, count, reason)
    columns = {"smiles": smiles, "solvent": _solvents(frame, smiles), **labels, **texts}
    kept = pd.DataFrame(columns)[[not reason for reason in reasons]]
    return kept.groupby(["smiles", "solvent"], sort=False).first().reset_index()  # the first value that there is


def refusal(smiles: str | None, part: str, is_labelled: bool = True) -> str:
    """Why a molecule of a set is left out; "" if it is not.

    Examples
    --------
    >>> refusal("c1ccc2c(c1)[Po]c1ccccc12", "oled-measured")
    'elements that no emitter here holds'
    >>> refusal("Cc1ccccc1", "oled-measured", is_labelled=False), refusal("Cc1ccccc1", "dyes")
    ('a solvent, salt or fragment without labels', '')
    """
    mol = None if smiles is None else parse(smiles)
    if mol is None:
        return "not a molecule"
    elements = {atom.GetSymbol() for atom in mol.GetAtoms()}
    if "C" not in elements or elements - ELEMENTS:
        return "elements that no emitter here holds"
    if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        return "radicals"
    if mol.HasSubstructMatch(ODD_GROUP):
        return "the odd group [SH](=O)=O"
    if part == "oled-measured" and not is_labelled and mol.GetNumHeavyAtoms() < FEWEST_ATOMS:
        return "a solvent, salt or fragment without labels"
    return ""


def _labels(frame: pd.DataFrame, card: DatasetCard) -> tuple[Labels, dict[str, list[Any]]]:
    """Labels of a set that are believed, and the media they were measured in, under their joined names."""
    columns = taken_columns(card)
    values = {c.name: parse_numbers(frame[c.name])[0] if c.name in frame else None for c in columns if c.role == "property"}
    values = {name: np.full(len(frame), np.nan) if found is None else found for name, found in values.items()}
    texts = {c.name: _texts(frame, c.name) for c in columns if c.role == "text"}
    believed = DOUBTS.get(card.name, lambda values, texts: values)(values, texts)
    return (
        {joined_name(card.name, name): found for name, found in believed.items()},
        {joined_name(card.name, name): found for name, found in texts.items()},
    )


def _texts(frame: pd.DataFrame, column: str) -> list[Any]:
    cells = frame[column] if column in frame else [None] * len(frame)
    return [cell.strip() if isinstance(cell, str) and cell.strip() else None for cell in cells]


def _doubt_measured(values: Labels, texts: Mapping[str, list[Any]]) -> Labels:
    """Measured values less those that were simulated, whose unit is unclear, or that contradict each other."""
    values = {name: _unless(found, _simulated(texts.get(f"{name.rsplit('_', 1)[0]}_medium"))) for name, found in values.items()}
    values["fwhm"] = _unless(values["fwhm"], _simulated(texts["fwhm_medium"]) | (values["fwhm"] > LARGEST_FWHM_NM))
    values["plqy_percent"] = _unless(values["plqy_percent"], values["plqy_percent"] <= 1.0)  # percent or fraction?
    energies = ("S1_meV", "T1_meV", "dEst_meV")
    misfit = np.abs(values["S1_meV"] - values["T1_meV"] - values["dEst_meV"]) > LARGEST_MISFIT_MEV
    return values | {name: _unless(values[name], misfit) for name in energies}


def _doubt_computed(values: Labels, texts: Mapping[str, list[Any]]) -> Labels:
    """Computed values less those of calculations that failed or found an unstable ground state."""
    failed = (values["T1_eV"] < 0.0) | (values["S1_eV"] > LARGEST_S1_EV)
    return {name: _unless(found, failed) for name, found in values.items()}


DOUBTS: dict[str, Callable[[Labels, Mapping[str, list[Any]]], Labels]] = {
    "oled-measured": _doubt_measured,
    "donor-acceptor": _doubt_computed,
}
"""Sets some of whose labels are not believed."""


def _simulated(media: list[Any] | None) -> np.ndarray | bool:
    return False if media is None else np.array([medium == "simulation" for medium in media])


def _unless(values: np.ndarray, doubtful: np.ndarray | bool) -> np.ndarray:
    return np.where(doubtful, np.nan, values)


def largest_fragments(cells: Sequence[Any], jobs: int) -> list[str | None]:
    """Canonical SMILES of the largest organic fragment of each cell; None where there is no molecule."""
    column = CLEANED["salts"]
    found = computed_columns(cells, [column], jobs)[column]
    return [read_text(cell, value)[0] for cell, value in zip(cells, found, strict=True)]


def computed_columns(texts: Sequence[Any], columns: Sequence[str], jobs: int) -> dict[str, list[Any]]:
    """Columns that are computed from SMILES, as :func:`~chemvae.chem.descriptors.stream_columns` names them."""
    blocks = (texts[start : start + BLOCK_ROWS] for start in range(0, len(texts), BLOCK_ROWS))
    found = list(stream_columns(blocks, columns, jobs))
    return {name: [value for one in found for value in one[name]] for name in columns}


def _solvents(frame: pd.DataFrame, smiles: Sequence[str | None]) -> list[str]:
    """What each row was measured in: a canonical SMILES, solid where that is the molecule itself, gas, or "" """
    if "solvent_smiles" not in frame:
        return [""] * len(frame)
    cells = frame["solvent_smiles"].fillna("").astype(str).str.strip()
    known = {cell: canonicalize(cell) or (GAS if cell.lower() == GAS else "") for cell in cells.unique()}
    raw = frame["smiles"].astype(str).str.strip()
    return [
        SOLID if known[cell] in (one, canonicalize(own)) and known[cell] else known[cell]
        for cell, one, own in zip(cells, smiles, raw, strict=True)
    ]


def _side_by_side(cleaned: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per molecule with the labels of all sets, and the rows of further solvents."""
    order = pd.Index(pd.unique(np.concatenate([frame["smiles"].to_numpy(object) for frame in cleaned.values()])), name="smiles")
    columns, more = [], []
    for frame in cleaned.values():
        again = frame.duplicated("smiles")
        more.append(frame[again])
        columns.append(frame[~again].set_index("smiles").drop(columns="solvent").reindex(order))
    solvents = pd.Series("", index=order, name="solvent", dtype=object)
    for frame in cleaned.values():
        known = frame[(frame["solvent"] != "") & ~frame.duplicated("smiles")].set_index("smiles")["solvent"]
        solvents.loc[known.index] = known
    first = pd.concat([solvents, *columns], axis=1).reset_index()
    return first, pd.concat(more, ignore_index=True).reindex(columns=first.columns)


def membership(cleaned: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Molecule -> names of the sets that hold it."""
    sets: dict[str, list[str]] = {}
    for name, frame in cleaned.items():
        for smiles in pd.unique(frame["smiles"]):
            sets.setdefault(smiles, []).append(name)
    return {smiles: ";".join(names) for smiles, names in sets.items()}


def _with_splits(table: pd.DataFrame, jobs: int) -> pd.DataFrame:
    """Add the part of each molecule by itself, and by its scaffold."""
    distinct = pd.unique(table["smiles"]).tolist()
    by_molecule = dict(zip(distinct, key_splits(smiles_keys(distinct)), strict=True))
    by_scaffold = dict(
        zip(distinct, key_splits(smiles_keys(computed_columns(distinct, [SCAFFOLD], jobs)[SCAFFOLD])), strict=True)
    )
    table["split"] = table["smiles"].map(by_molecule)
    table["split_scaffold"] = table["smiles"].map(by_scaffold)
    return table
