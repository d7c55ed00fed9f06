"""Molecules with labels from whatever a user calls data (:func:`load_table`), or all its rows unchanged (:func:`read_rows`)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES
from chemvae.data.files.columns import cell_text, find_column, find_columns, find_split_column, parse_split
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.number_columns import Refusals
from chemvae.data.files.reading import CHUNK_ROWS, Chunk
from chemvae.data.files.writing import concat
from chemvae.data.prepare.cleaning import BROKEN_ROW, INVALID, UNKNOWN_SPLIT, Clean, Dropped
from chemvae.data.prepare.sources import Data, ReadingOptions, Source, open_source
from chemvae.errors import InputError, InvalidMoleculeError, NothingUsableError, SettingsError
from chemvae.registry import make_spec

logger = logging.getLogger(__name__)

ON_INVALID = ("skip", "keep", "error")
MAX_LISTED = 1000


@dataclass(frozen=True)
class Table:
    """Molecules with labels, ready to train or evaluate on."""

    name: str
    """Where it came from."""
    smiles: list[str]
    """Canonical, N of them; the raw cell where an invalid molecule was kept."""
    labels: np.ndarray
    """[N, P] float64 in the data's units; NaN where there is none."""
    property_names: list[str]
    """P names, as the data spells them."""
    units: dict[str, str]
    """Property -> unit; "" where the data does not say."""
    split: np.ndarray | None
    """[N] of train, valid and test; None where the data has no split column."""
    ids: list[str] | None
    """N names; None without a column for them."""
    rows: np.ndarray
    """[N] record numbers in the source, 1 for the first row."""
    valid: np.ndarray
    """[N] bool; False only for invalid molecules that were kept."""
    smiles_column: str
    n_rows: int
    """Rows read, used or not."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> how many rows were not used."""
    dropped_rows: list[Dropped] = field(default_factory=list)
    """The first of them, each with its reason."""
    n_missing: dict[str, int] = field(default_factory=dict)
    """Property -> used rows without a label (what is not a number included)."""
    n_not_numeric: dict[str, int] = field(default_factory=dict)
    """Property -> used rows whose cell holds something that is not a number."""

    def __len__(self) -> int:
        return len(self.smiles)

    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame: smiles, one column per property, and split and id where there are any."""
        columns: dict[str, Any] = {"smiles": self.smiles}
        columns.update({name: self.labels[:, i] for i, name in enumerate(self.property_names)})
        columns.update({name: column for name, column in (("split", self.split), ("id", self.ids)) if column is not None})
        return pd.DataFrame(columns)


def load_table(
    data: Data,
    reading: ReadingOptions | None = None,
    *,
    on_invalid: str = "skip",
    optional_properties: Sequence[str] = (),
    **options: Any,
) -> Table:
    """Read molecules with labels: canonical, invalid ones counted, missing labels NaN. Duplicates are kept.

    Parameters
    ----------
    data : str, Path, list of SMILES, Series or DataFrame
        A catalog name, a file (``.csv .tsv .smi .sdf .parquet .xlsx``, also ``.gz``, ``.zst``), a folder that ``prepare`` made,
        or "-" for standard input.
    reading : ReadingOptions, optional
        Without ``properties`` no labels are read, without ``standardize`` it is "none".
    on_invalid : {"skip", "keep", "error"}
        What becomes of a molecule RDKit cannot read.
    optional_properties : sequence of str
        Columns of labels that are taken where the data has them.
    **options
        Fields of :class:`ReadingOptions`, such as ``properties=["logP"]`` or ``limit=100``.

    Raises
    ------
    NothingUsableError
        If a column is missing, no molecule is valid, or a label column holds no number.
    InvalidMoleculeError
        For the first bad molecule under ``on_invalid="error"``.
    InputError
        If the data cannot be read.

    Examples
    --------
    >>> table = load_table(pd.DataFrame({"smiles": ["OCC", "C1"], "y": ["1.5", ""]}), properties=["Y"])
    >>> table.smiles, table.labels.tolist(), dict(table.dropped)
    (['CCO'], [[1.5]], {'not a molecule': 1})
    """
    if on_invalid not in ON_INVALID:
        raise SettingsError(f"on_invalid must be one of {', '.join(ON_INVALID)}, got '{on_invalid}'")
    reading = make_spec(ReadingOptions, reading, options)
    return _read(data, reading, on_invalid, optional_properties)


def _read(data: Data, reading: ReadingOptions, on_invalid: str, optional_properties: Sequence[str]) -> Table:
    mode = reading.standardize or "none"
    source = reading.open(data, mode)
    first = next(source.chunks)
    present = {str(column).lower() for column in first.frame.columns}
    properties = [*(reading.properties or ()), *(name for name in optional_properties if name.lower() in present)]
    wanted = _Wanted(source, first.frame, properties, reading.id_column, reading.split_column)
    collected = _Collected(wanted, on_invalid)
    for chunk, cleaned in reading.clean(chain([first], source.chunks), wanted.smiles, mode):
        collected.add(chunk, cleaned)
    return collected.table()


def read_rows(
    data: Data,
    smiles_column: str | None = None,
    source_path: str | Path | None = None,
    limit: int | None = None,
) -> tuple[pd.DataFrame, str]:
    """Read all rows unchanged, for commands that give a row for every row.

    Returns
    -------
    frame : DataFrame
        Cells as they stand in the source (text for text formats). The index counts records from 1.
    smiles_column : str

    Examples
    --------
    >>> frame, column = read_rows(pd.DataFrame({"name": ["a", "b"], "SMILES": ["OCC", "bad"]}))
    >>> column, len(frame)
    ('SMILES', 2)
    """
    frames, column = [], ""
    for frame, column in iter_rows(data, smiles_column, source_path, limit=limit):  # noqa: B007
        frames.append(frame)
    return concat(frames), column


def iter_rows(
    data: Data,
    smiles_column: str | None = None,
    source_path: str | Path | None = None,
    chunk_rows: int = CHUNK_ROWS,
    limit: int | None = None,
) -> Iterator[tuple[pd.DataFrame, str]]:
    """Like :func:`read_rows` in pieces, for files that should not be in memory whole."""
    source = open_source(data, source_path, chunk_rows, limit, smiles_column=smiles_column)
    column = None
    for chunk in source.chunks:
        column = column or find_smiles_column(chunk.frame, source.smiles_column, source.name)
        yield chunk.frame, column


class _Wanted:
    """Which columns to take, by the first chunk."""

    def __init__(self, source: Source, frame: pd.DataFrame, properties: Sequence[str], ids: str | None, split: str | None):
        columns = [str(column) for column in frame.columns]
        self.source = source
        self.properties = find_columns(columns, properties, source.name)
        self.ids = find_column(columns, ids, source.name) if ids else None
        self.split = find_split_column(columns, split or source.split_column, source.name)
        self.split_was_asked = split is not None
        self.smiles = find_smiles_column(frame, source.smiles_column, source.name)

    def units(self) -> dict[str, str]:
        """The catalog's unit, else that of a computed property of the same name, else ""."""
        computed = {name.lower(): prop.unit for name, prop in PROPERTIES.items()}
        return {name: self.source.units.get(name, computed.get(name.lower(), "")) for name in self.properties}


class _Collected:
    """What has been read so far."""

    def __init__(self, wanted: _Wanted, on_invalid: str):
        self.wanted, self.on_invalid, self.n_rows = wanted, on_invalid, 0
        self.smiles: list[str] = []
        self.valid: list[bool] = []
        self.ids: list[str] = []
        self.split: list[str] = []
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # record numbers [n], labels [n, P], bad [n, P]
        self.dropped: Counter[str] = Counter()
        self.dropped_rows: list[Dropped] = []
        self.refusals = Refusals()
        self.odd_splits: Counter[str] = Counter()

    def add(self, chunk: Chunk, cleaned: list[Clean]) -> None:
        """Take what is usable of a chunk and note why the rest is not."""
        wanted, frame = self.wanted, chunk.frame
        raw, rows = frame[wanted.smiles].tolist(), frame.index.to_numpy()
        split = [parse_split(cell) or "" for cell in frame[wanted.split]] if wanted.split else None
        kept = []
        for i, (row, clean) in enumerate(zip(rows.tolist(), cleaned, strict=True)):
            clean = Clean(None, BROKEN_ROW, chunk.problems[row]) if row in chunk.problems else clean
            if clean.smiles is None and self._turn_away(row, raw[i], clean):
                continue
            if split and not split[i] and clean.smiles is not None:
                self.odd_splits[str(frame[wanted.split].iloc[i])] += 1
            kept.append(i)
            self.smiles.append(cell_text(raw[i]) if clean.smiles is None else clean.smiles)
            self.valid.append(clean.smiles is not None)
        self.n_rows += len(frame)
        self.split += [split[i] for i in kept] if split else []
        self.ids += [str(cell) for cell in frame[wanted.ids].iloc[kept]] if wanted.ids else []
        self.parts.append((rows[kept], *self._labels(chunk, kept)))

    def _turn_away(self, row: int, raw: Any, clean: Clean) -> bool:
        """Note a row that cannot be used; False if it is to be kept all the same."""
        if self.on_invalid == "error":
            raise InvalidMoleculeError(str(raw), clean.detail, row)
        self.dropped[clean.reason] += self.on_invalid == "skip"
        if len(self.dropped_rows) < MAX_LISTED:
            self.dropped_rows.append(Dropped(row, cell_text(raw), clean.reason, clean.detail))
        return self.on_invalid == "skip"

    def _labels(self, chunk: Chunk, kept: list[int]) -> tuple[np.ndarray, np.ndarray]:
        names, frame = self.wanted.properties, chunk.frame
        values = np.full((len(kept), len(names)), np.nan)  # [n, P]
        bad = np.zeros(values.shape, dtype=bool)
        lines = [chunk.lines[i] for i in kept] if chunk.lines else None
        found = self.refusals.read(frame[[name for name in names if name in frame]].iloc[kept], lines)
        for j, name in enumerate(names):
            if name in found:
                values[:, j], bad[:, j] = found[name].values, found[name].bad
        return values, bad

    def table(self) -> Table:
        """Check that something is usable and put it together."""
        wanted, name = self.wanted, self.wanted.source.name
        if not any(self.valid):
            raise NothingUsableError(self._no_molecule(name))
        rows, labels, bad = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        for j, prop in enumerate(wanted.properties):
            self._check_labels(name, prop, labels[:, j])
        for sentence in self.refusals.sentences(name):
            logger.warning("%s", sentence)
        return Table(
            name=name,
            smiles=self.smiles,
            labels=labels,
            property_names=wanted.properties,
            units=wanted.units(),
            split=self._split(name),
            ids=self.ids if wanted.ids else None,
            rows=rows,
            valid=np.array(self.valid),
            smiles_column=wanted.smiles,
            n_rows=self.n_rows,
            dropped=+self.dropped,
            dropped_rows=self.dropped_rows,
            n_missing=dict(zip(wanted.properties, np.isnan(labels).sum(axis=0).tolist(), strict=True)),
            n_not_numeric=dict(zip(wanted.properties, bad.sum(axis=0).tolist(), strict=True)),
        )

    def _no_molecule(self, name: str) -> str:
        first = self.dropped_rows[0] if self.dropped_rows else Dropped(1, "", INVALID, "")
        return (
            f"{name} has no valid SMILES in column '{self.wanted.smiles}' ({self.n_rows:,} rows; "
            f"the first, '{first.smiles[:60]}': {first.detail}). Is it the right column?"
        )

    def _check_labels(self, name: str, prop: str, values: np.ndarray) -> None:
        if np.isfinite(values).any():
            return
        what = "; ".join(self.refusals.examples.get(prop, ["all its cells are empty"]))
        raise NothingUsableError(f"Column '{prop}' of {name} holds no number ({what}). Choose another label column.")

    def _split(self, name: str) -> np.ndarray | None:
        """The split column, unless it was found by its name only and holds none of the three words."""
        if not self.wanted.split:
            return None
        if self.odd_splits and (self.wanted.split_was_asked or any(self.split)):
            words = ", ".join(f"'{word}' ({count:,})" for word, count in self.odd_splits.most_common(5))
            raise InputError(
                f"Column '{self.wanted.split}' of {name} holds an {UNKNOWN_SPLIT}: {words}. "
                "Write train, valid or test in every row."
            )
        if self.odd_splits:
            logger.warning("%s: column '%s' names no train, valid or test and is not used", name, self.wanted.split)
            return None
        return np.array(self.split)
