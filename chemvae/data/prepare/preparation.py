"""Turn a raw table into a clean one, in a stream: canonical, no duplicates, split, every dropped row listed with its reason.

Memory does not grow with the rows except for one 64-bit key per molecule, so files of any size can be prepared.
"""

from __future__ import annotations

import csv
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import rdBase

from chemvae.chem.descriptors import SCAFFOLD, with_columns
from chemvae.chem.properties import PROPERTIES
from chemvae.data.catalog.locate import is_catalog_name
from chemvae.data.files.columns import (
    SPLITS,
    cell_text,
    find_column,
    find_columns,
    find_id_column,
    find_split_column,
    is_missing,
    parse_split,
)
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.number_columns import Refusals
from chemvae.data.files.numbers import Column
from chemvae.data.files.reading import Chunk, read_records
from chemvae.data.files.writing import ParquetWriter, new_folder
from chemvae.data.prepare.bounds import BoundsFile
from chemvae.data.prepare.checking import Check, check, label_columns, usual_cleaning
from chemvae.data.prepare.cleaning import BROKEN_ROW, DUPLICATE, UNKNOWN_SPLIT, Clean, Dropped
from chemvae.data.prepare.merging import MERGE_RULE, Repeats
from chemvae.data.prepare.sources import PREPARED_FILE, Data, ReadingOptions, Source
from chemvae.data.prepare.tables import Table, iter_rows, load_table, read_rows
from chemvae.data.splits import SPLIT_RULES, SeenKeys, hash_split, key_splits, smiles_keys
from chemvae.errors import InputError, NothingUsableError, SettingsError
from chemvae.registry import find, make_spec

logger = logging.getLogger(__name__)

__all__ = [
    "Check",
    "ReadingOptions",
    "Report",
    "Table",
    "check",
    "iter_rows",
    "load_table",
    "prepare",
    "read_records",
    "read_rows",
]
SPLIT_MODES = ("auto", "hash", "scaffold", "none")
LINE = "line"  # of the file that a row ends on, as `data check` says it
DROPPED_FILE, CARD_FILE, TEXT_FILE = "dropped.csv", "card.json", "card.md"


@dataclass(frozen=True)
class Report:
    """What :func:`prepare` did; ``card.json`` holds the same."""

    source: str
    smiles_column: str
    standardize: str
    split_rule: str
    """In words."""
    properties: dict[str, str]
    """Name -> unit."""
    n_rows: int
    n_kept: int
    dropped: dict[str, int]
    """Reason -> rows."""
    splits: dict[str, int]
    """Part -> molecules."""
    n_missing: dict[str, int]
    """Property -> kept molecules without a label."""
    n_stripped: int = 0
    """Molecules that were written with a salt or solvent, which cleaning took away."""
    n_merged: int = 0
    """Molecules with labels from several rows."""
    merge_rule: str = MERGE_RULE
    n_bounds: dict[str, int] = field(default_factory=dict)
    """Property -> cells of molecules that hold a bound such as ``>9``: no labels, listed in ``bounds.csv``."""
    rdkit: str = field(default_factory=lambda: rdBase.rdkitVersion)

    def text(self) -> str:
        """The report in Markdown."""
        lines = [f"# {self.source}, prepared", "", f"- rows read: {self.n_rows:,}", f"- molecules kept: {self.n_kept:,}"]
        lines += [f"- dropped, {reason}: {count:,}" for reason, count in self.dropped.items()]
        lines += [f"- salts and solvents stripped: {self.n_stripped:,}"] if self.n_stripped else []
        lines += [f"- labels merged from several rows: {self.n_merged:,} molecules"] if self.n_merged else []
        lines += [f"- labels of a molecule: {self.merge_rule}"] if self.properties else []
        lines += [f"- bounds such as >9 in {name}, no labels, in bounds.csv: {n:,}" for name, n in self.n_bounds.items()]
        lines += [f"- {part}: {count:,}" for part, count in self.splits.items()]
        lines += [f"- split rule: {self.split_rule}", f"- standardize: {self.standardize}", f"- RDKit: {self.rdkit}"]
        lines += ["", "| property | unit | missing labels |", "|---|---|---|"] if self.properties else []
        lines += [f"| {name} | {unit} | {self.n_missing[name]:,} |" for name, unit in self.properties.items()]
        return "\n".join([*lines, "", f"SMILES are taken from column `{self.smiles_column}`."]) + "\n"


def prepare(
    data: Data,
    out: str | Path,
    reading: ReadingOptions | None = None,
    *,
    split: str = "auto",
    compute: Sequence[str] = (),
    overwrite: bool = False,
    **options: Any,
) -> Report:
    """Clean a table into ``<out>/data.parquet``, beside ``dropped.csv``, ``card.json`` and ``card.md``.

    Rows with the same canonical SMILES become one, at the place and with the id of the first; its labels are the medians of
    theirs, and ``merged.csv`` lists them with their spread. ``dropped.csv`` holds every row that did not become one of its own,
    with its line in the file, its id and its labels as they are written. A label that is a bound such as ``>9`` is no number,
    and stands in ``bounds.csv``. The folder appears when all of it is there.

    Parameters
    ----------
    data
        As in :func:`chemvae.data.prepare.tables.load_table`.
    out : path
        The folder to make.
    reading : ReadingOptions, optional
        Without ``properties`` the labels of the catalog's card are kept, or every column of numbers; without ``standardize``
        it is "none" for a set of the catalog and "salts" for a table of yours.
    split : {"auto", "hash", "scaffold", "none"}
        "auto" keeps a split column and else goes by hash; see :mod:`chemvae.data.splits`.
    compute : sequence of str
        Properties of :data:`chemvae.chem.properties.PROPERTIES` to compute and add.
    overwrite : bool
        Replace an earlier prepared folder.
    **options
        Fields of :class:`ReadingOptions`, such as ``jobs=4``.

    Raises
    ------
    NothingUsableError
        If a column is missing or no molecule is valid.
    InputError
        If the data cannot be read, or ``out`` exists.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = prepare(["OCC", "CCO", "C1", "CCN"], Path(folder) / "mine")
    >>> report.n_kept, report.dropped
    (2, {'duplicate': 1, 'not a molecule': 1})
    """
    plan = _plan(data, make_spec(ReadingOptions, reading, options), split, compute)
    with new_folder(Path(out), overwrite=overwrite) as folder:
        return _write(plan, folder)


def _plan(data: Data, reading: ReadingOptions, split: str, compute: Sequence[str]) -> _Plan:
    """Check what is asked for and open the data."""
    if split not in SPLIT_MODES:
        raise SettingsError(f"split must be one of {', '.join(SPLIT_MODES)}, got '{split}'")
    mode = reading.standardize or usual_cleaning(data)
    computed = [find(PROPERTIES, name, "property")[0] for name in compute]
    return _Plan(reading.open(data, mode), reading, mode, split, computed, is_own=not is_catalog_name(data))


def _write(plan: _Plan, folder: Path) -> Report:
    """Fill the folder."""
    report = _run(plan, folder)
    (folder / CARD_FILE).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    (folder / TEXT_FILE).write_text(report.text(), encoding="utf-8")
    return report


class _Plan:
    """Which columns to keep, settled by the first chunk."""

    def __init__(self, source: Source, reading: ReadingOptions, mode: str, split: str, computed: list[str], *, is_own: bool):
        self.source, self.reading, self.mode, self.split, self.computed = source, reading, mode, split, computed
        self.smiles, self.ids = source.smiles_column or "", reading.id_column
        self.properties: list[str] = list(reading.properties or ())
        self.is_choosing = reading.properties is None
        self.is_own = is_own
        self.refusals = Refusals()
        self.split_column = (reading.split_column or source.split_column) if split == "auto" else None

    def settle(self, frame: pd.DataFrame) -> None:
        """Find the columns in the first chunk."""
        columns, name = [str(column) for column in frame.columns], self.source.name
        self.smiles = find_smiles_column(frame, self.source.smiles_column, name)
        self.ids = find_column(columns, self.ids, name) if self.ids else None
        asked = {column.strip().lower() for column in (*self.properties, self.split_column or "split")}
        if self.ids is None and self.is_own:
            self.ids = find_id_column([one for one in columns if one.strip().lower() not in asked], {self.smiles})
        if self.split == "auto":
            self.split_column = find_split_column(columns, self.split_column, name)
            self.split = "column" if self.split_column else "hash"
        taken = {self.smiles, self.ids, self.split_column, *self.computed}
        if self.is_choosing:
            taken |= self.types().keys() - self.properties
            self.properties = label_columns(frame, self.source.units, taken)
        self.properties = find_columns(columns, self.properties, name)
        own = {"smiles", *(["split"] if self.split != "none" else []), *(["id"] if self.ids else [])}
        if clashing := own & set(self.properties):
            raise InputError(
                f"{name}: a prepared set has a column '{min(clashing)}' of its own. Rename the label of that name."
            )

    def dropped_columns(self) -> list[str]:
        """Of ``dropped.csv``: what is wrong, the line, then id and labels as they are written."""
        ours = [*Dropped._fields, LINE]
        return [*ours, *(name for name in [*([self.ids] if self.ids else []), *self.properties] if name not in ours)]

    def types(self) -> dict[str, str]:
        """Columns of the result and what they hold."""
        names = [*self.properties, *self.computed]
        types = {"smiles": "text", **dict.fromkeys(names, "number")}
        types.update({"split": "text"} if self.split != "none" else {})
        return types | ({"id": "text"} if self.ids else {})

    def units(self) -> dict[str, str]:
        """Property -> unit."""
        table = {name.lower(): prop.unit for name, prop in PROPERTIES.items()}
        names = [*self.properties, *self.computed]
        return {name: self.source.units.get(name, table.get(name.lower(), "")) for name in names}

    def rule(self) -> str:
        """How molecules are split, in words."""
        if self.split == "column":
            return f"column '{self.split_column}' of the data"
        return SPLIT_RULES.get(self.split, "none")


def _run(plan: _Plan, folder: Path) -> Report:
    first = next(plan.source.chunks)
    plan.settle(first.frame)
    tally, seen, repeats, facts = _Tally(), SeenKeys(), Repeats(plan.properties), {"standardize": plan.mode}
    with (
        ParquetWriter(folder / PREPARED_FILE, plan.types(), facts) as writer,
        (folder / DROPPED_FILE).open("w", newline="", encoding="utf-8") as file,
        BoundsFile(folder, plan.ids) as bounds,
    ):
        dropped_rows = csv.writer(file)
        dropped_rows.writerow(plan.dropped_columns())
        for piece in _cleaned(plan, first):
            kept, dropped = piece.sort_out(plan, seen, repeats)
            writer.write(kept)
            dropped_rows.writerows(piece.as_written(plan, dropped))
            bounds.add(piece.chunk, piece.cleans, plan.properties)
            tally.add(piece.chunk, kept, dropped, plan)
            tally.n_stripped += piece.count_stripped(plan)
        if not tally.n_kept:
            raise NothingUsableError(tally.complaint(plan))
    n_merged = repeats.merge(folder / PREPARED_FILE, plan.types(), facts)
    for sentence in [*plan.refusals.sentences(plan.source.name), *repeats.sentences(plan.source.name)]:
        logger.warning("%s", sentence)
    tally.n_missing.subtract(repeats.n_filled)
    return tally.report(plan, n_merged, dict(bounds.counts))


def _cleaned(plan: _Plan, first: Chunk) -> Iterator[_Piece]:
    """Clean every row, and compute what was asked for of those that are molecules."""
    cleaned = plan.reading.clean(chain([first], plan.source.chunks), plan.smiles, plan.mode)
    columns = [*plan.computed, *([SCAFFOLD] if plan.split == "scaffold" else [])]
    for (chunk, cleans), found in with_columns(cleaned, _molecules, columns, plan.reading.jobs):
        yield _Piece(chunk, cleans, found)


def _molecules(piece: tuple[Chunk, list[Clean]]) -> list[str]:
    return [clean.smiles for clean in piece[1] if clean.smiles is not None]


@dataclass(frozen=True)
class _Piece:
    """Some rows, cleaned."""

    chunk: Chunk
    cleans: list[Clean]
    """One for each row."""
    found: dict[str, Any]
    """Computed columns, with a value for each row that is a molecule."""

    def sort_out(self, plan: _Plan, seen: SeenKeys, repeats: Repeats) -> tuple[dict[str, Any], list[Dropped]]:
        """Split the rows into the columns of what is kept and the list of what is not."""
        splits = self._splits(plan)
        refused = self._refused(plan, splits)
        kept = [i for i in range(len(self.cleans)) if i not in refused]
        keys = smiles_keys([self.cleans[i].canonical for i in kept])
        is_new = seen.add_new(keys)
        again = [i for i, new in zip(kept, is_new.tolist(), strict=True) if not new]
        for i in again:
            refused[i] = Clean(None, DUPLICATE, f"the same molecule as an earlier row: {self.cleans[i].smiles}")
        kept = [i for i, new in zip(kept, is_new.tolist(), strict=True) if new]
        labels = self._labels(plan, kept)
        repeats.add(keys[~is_new].tolist(), self._labels(plan, again), self._ids(plan, again))
        repeats.note_bounds(keys[is_new].tolist(), labels)
        columns = self._columns(plan, kept, labels)
        if plan.split != "none":
            columns["split"] = key_splits(keys[is_new]) if plan.split == "hash" else [splits[i] for i in kept]
        raw, rows = self.chunk.frame[plan.smiles], self.chunk.frame.index
        dropped = [Dropped(int(rows[i]), cell_text(raw.iloc[i]), refused[i].reason, refused[i].detail) for i in sorted(refused)]
        return {name: columns[name] for name in plan.types()}, dropped

    def count_stripped(self, plan: _Plan) -> int:
        """Rows of several fragments of which cleaning kept one."""
        raw = self.chunk.frame[plan.smiles]
        return sum(
            clean.smiles is not None and "." not in clean.smiles and "." in str(cell).partition(" ")[0]
            for cell, clean in zip(raw, self.cleans, strict=True)
        )

    def _labels(self, plan: _Plan, rows: list[int]) -> list[Column]:
        """What the label cells of some rows say; later records of an SDF may lack an item."""
        frame, empty = self.chunk.frame, Column(np.full(len(rows), np.nan))
        lines = [self.chunk.lines[i] for i in rows] if self.chunk.lines else None
        found = plan.refusals.read(frame[[name for name in plan.properties if name in frame]].iloc[rows], lines)
        return [found.get(name, empty) for name in plan.properties]

    def as_written(self, plan: _Plan, dropped: list[Dropped]) -> Iterator[list[Any]]:
        """Rows of ``dropped.csv``: with line, id and labels as they stand in the file."""
        frame = self.chunk.frame
        names = [name for name in plan.dropped_columns() if name not in (*Dropped._fields, LINE)]
        place = {int(row): i for i, row in enumerate(frame.index)}
        for one in dropped:
            i = place[one.row]
            line = self.chunk.lines[i] if self.chunk.lines else ""
            cells = (frame[name].iloc[i] if name in frame else "" for name in names)
            yield [*one, line, *("" if is_missing(cell) else cell for cell in cells)]

    def _splits(self, plan: _Plan) -> list[str]:
        """The part of each row where a column or the scaffold says; "" where none does. The hash rule needs only the key."""
        if plan.split == "column":
            cells = self.chunk.frame[plan.split_column]
            words = {cell: parse_split(cell) or "" for cell in cells.unique()}
            return [words.get(cell, "") for cell in cells]
        if plan.split == "scaffold":
            scaffolds = iter(self.found[SCAFFOLD])
            return ["" if clean.smiles is None else hash_split(next(scaffolds)) for clean in self.cleans]
        return []

    def _refused(self, plan: _Plan, splits: list[str]) -> dict[int, Clean]:
        """Rows that are not used, each with why: broken, not a molecule, or of an unknown part."""
        frame = self.chunk.frame
        refused = {i: clean for i, clean in enumerate(self.cleans) if clean.smiles is None}
        if plan.split == "column":
            words = {i: frame[plan.split_column].iloc[i] for i, part in enumerate(splits) if not part and i not in refused}
            refused |= {i: Clean(None, UNKNOWN_SPLIT, f"'{word}' is not train, valid or test") for i, word in words.items()}
        broken = [(i, row) for i, row in enumerate(frame.index) if row in self.chunk.problems] if self.chunk.problems else []
        return refused | {i: Clean(None, BROKEN_ROW, self.chunk.problems[row]) for i, row in broken}

    def _columns(self, plan: _Plan, kept: list[int], labels: list[Column]) -> dict[str, Any]:
        """The columns of the rows numbered ``kept``, whose labels have been read."""
        columns: dict[str, Any] = {"smiles": [self.cleans[i].smiles for i in kept]}
        columns |= {name: column.values for name, column in zip(plan.properties, labels, strict=True)}
        place = np.cumsum([clean.smiles is not None for clean in self.cleans]) - 1  # of a row among the molecules
        columns |= {name: self.found[name][place[kept]] for name in plan.computed}
        if plan.ids:
            columns["id"] = self._ids(plan, kept)
        return columns

    def _ids(self, plan: _Plan, rows: list[int]) -> list[str]:
        """What some rows are called; nothing where no column says."""
        return [str(cell) for cell in self.chunk.frame[plan.ids].iloc[rows]] if plan.ids else []


class _Tally:
    """Counts for the report."""

    def __init__(self) -> None:
        self.n_rows = self.n_kept = self.n_stripped = 0
        self.dropped: Counter[str] = Counter()
        self.splits: Counter[str] = Counter()
        self.n_missing: Counter[str] = Counter()
        self.first_dropped: Dropped | None = None

    def add(self, chunk: Chunk, kept: dict[str, Any], dropped: list[Dropped], plan: _Plan) -> None:
        """Count one piece."""
        self.n_rows += len(chunk.frame)
        self.n_kept += len(kept["smiles"])
        self.dropped.update(item.reason for item in dropped)
        self.splits.update(kept.get("split", ()))
        self.n_missing.update({name: int(np.isnan(kept[name]).sum()) for name in plan.units()})
        self.first_dropped = self.first_dropped or (dropped[0] if dropped else None)

    def complaint(self, plan: _Plan) -> str:
        """Why nothing was kept."""
        first = self.first_dropped
        detail = f"; the first, '{first.smiles[:60]}': {first.detail}" if first else ""
        return f"{plan.source.name} has no usable molecule in column '{plan.smiles}' ({self.n_rows:,} rows{detail})."

    def report(self, plan: _Plan, n_merged: int, n_bounds: dict[str, int]) -> Report:
        """Put the counts together."""
        return Report(
            source=plan.source.name,
            smiles_column=plan.smiles,
            standardize=plan.mode,
            split_rule=plan.rule(),
            properties=plan.units(),
            n_rows=self.n_rows,
            n_kept=self.n_kept,
            dropped=dict(self.dropped.most_common()),
            splits={part: self.splits[part] for part in SPLITS if part in self.splits},
            n_missing={name: self.n_missing[name] for name in plan.units()},
            n_stripped=self.n_stripped,
            n_merged=n_merged,
            n_bounds=n_bounds,
        )
