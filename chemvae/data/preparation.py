"""Turn a raw table into a clean one, in a stream: canonical, no duplicates, split, every dropped row listed with its reason.

Memory does not grow with the rows except for one 64-bit key per molecule, so files of any size can be prepared.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import rdBase

from chemvae.chem.molecules import check_standardize_mode
from chemvae.chem.properties import PROPERTIES
from chemvae.data.catalog import is_catalog_name
from chemvae.data.checking import Check, check
from chemvae.data.cleaning import BROKEN_ROW, DUPLICATE, UNKNOWN_SPLIT, Clean, Dropped, Prepared, prepare_block
from chemvae.data.columns import SPLITS, find_column, find_smiles_column, find_split_column, parse_numbers, parse_split
from chemvae.data.reading import Chunk, read_records
from chemvae.data.sources import PREPARED_FILE, Data, Source, map_pieces, open_source
from chemvae.data.splits import SPLIT_RULES, SeenKeys
from chemvae.data.tables import Table, iter_rows, load_table, read_rows
from chemvae.data.writing import ParquetWriter, new_folder
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.registry import find

__all__ = ["Check", "Report", "Table", "check", "iter_rows", "load_table", "prepare", "read_records", "read_rows"]
SPLIT_MODES = ("auto", "hash", "scaffold", "none")
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
    rdkit: str = field(default_factory=lambda: rdBase.rdkitVersion)

    def text(self) -> str:
        """The report in Markdown."""
        lines = [f"# {self.source}, prepared", "", f"- rows read: {self.n_rows:,}", f"- molecules kept: {self.n_kept:,}"]
        lines += [f"- dropped, {reason}: {count:,}" for reason, count in self.dropped.items()]
        lines += [f"- {part}: {count:,}" for part, count in self.splits.items()]
        lines += [f"- split rule: {self.split_rule}", f"- standardize: {self.standardize}", f"- RDKit: {self.rdkit}"]
        lines += ["", "| property | unit | missing labels |", "|---|---|---|"] if self.properties else []
        lines += [f"| {name} | {unit} | {self.n_missing[name]:,} |" for name, unit in self.properties.items()]
        return "\n".join([*lines, "", f"SMILES are taken from column `{self.smiles_column}`."]) + "\n"


def prepare(
    data: Data,
    out: str | Path,
    smiles_column: str | None = None,
    properties: Sequence[str] | None = None,
    id_column: str | None = None,
    split_column: str | None = None,
    standardize: str | None = None,
    split: str = "auto",
    compute: Sequence[str] = (),
    source_path: str | Path | None = None,
    overwrite: bool = False,
    jobs: int = 1,
) -> Report:
    """Clean a table into ``<out>/data.parquet``, beside ``dropped.csv``, ``card.json`` and ``card.md``.

    Of rows with the same canonical SMILES the first is kept, with its labels. The folder appears when all of it is there.

    Parameters
    ----------
    data, smiles_column, id_column, split_column, source_path
        As in :func:`chemvae.data.tables.load_table`.
    out : path
        The folder to make.
    properties : sequence of str, optional
        Columns of labels to keep; without it those of the catalog's card, or every column of numbers.
    standardize : {"none", "salts", "neutral"}, optional
        Without it "none" for a set of the catalog and "salts" for a table of yours.
    split : {"auto", "hash", "scaffold", "none"}
        "auto" keeps a split column and else goes by hash; see :mod:`chemvae.data.splits`.
    compute : sequence of str
        Properties of :data:`chemvae.chem.properties.PROPERTIES` to compute and add.
    overwrite : bool
        Replace an earlier prepared folder.
    jobs : int
        Worker processes.

    Returns
    -------
    Report

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
    if split not in SPLIT_MODES:
        raise SettingsError(f"split must be one of {', '.join(SPLIT_MODES)}, got '{split}'")
    mode = standardize or ("none" if is_catalog_name(data) else "salts")
    check_standardize_mode(mode)
    computed = [find(PROPERTIES, name, "property")[0] for name in compute]
    source = open_source(data, source_path, jobs=jobs, smiles_column=smiles_column)
    plan = _Plan(source, mode, split, computed, properties, id_column, split_column)
    with new_folder(Path(out), overwrite) as folder:
        report = _run(plan, folder, jobs)
        (folder / CARD_FILE).write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
        (folder / TEXT_FILE).write_text(report.text(), encoding="utf-8")
    return report


class _Plan:
    """Which columns to keep, settled by the first chunk."""

    def __init__(
        self,
        source: Source,
        mode: str,
        split: str,
        computed: list[str],
        properties: Sequence[str] | None,
        ids: str | None,
        split_column: str | None,
    ):
        self.source, self.mode, self.split, self.computed = source, mode, split, computed
        self.smiles, self.ids = source.smiles_column or "", ids
        self.properties: list[str] = list(properties or ())
        self.is_choosing = properties is None
        self.split_column = (split_column or source.split_column) if split == "auto" else None

    def settle(self, frame: pd.DataFrame) -> None:
        """Find the columns in the first chunk."""
        columns, name = [str(column) for column in frame.columns], self.source.name
        self.smiles = find_smiles_column(frame, self.source.smiles_column, name)
        self.ids = find_column(columns, self.ids, name) if self.ids else None
        if self.split == "auto":
            self.split_column = find_split_column(columns, self.split_column, name)
            self.split = "column" if self.split_column else "hash"
        taken = {self.smiles, self.ids, self.split_column, *self.computed}
        if self.is_choosing:
            known = self.source.units or {column: "" for column in columns if _holds_numbers(frame[column])}
            self.properties = [column for column in columns if column in known and column not in taken]
        self.properties = list(dict.fromkeys(find_column(columns, prop, name) for prop in self.properties))

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


def _holds_numbers(cells: pd.Series) -> bool:
    """Whether every filled cell of a column's head is a number, and one is filled."""
    values, bad = parse_numbers(cells.head(256))
    return bool(np.isfinite(values).any()) and not bad.any()


def _run(plan: _Plan, folder: Path, jobs: int) -> Report:
    first = next(plan.source.chunks)
    plan.settle(first.frame)
    work = partial(_prepare_cells, mode=plan.mode, split=plan.split, compute=tuple(plan.computed))
    tally, seen = _Tally(), SeenKeys()
    with (
        ParquetWriter(folder / PREPARED_FILE, plan.types(), {"standardize": plan.mode}) as writer,
        (folder / DROPPED_FILE).open("w", newline="", encoding="utf-8") as file,
    ):
        dropped_rows = csv.writer(file)
        dropped_rows.writerow(Dropped._fields)
        for chunk, prepared in map_pieces(work, chain([first], plan.source.chunks), plan.smiles, jobs):
            kept, dropped = _sort_out(plan, chunk, prepared, seen)
            writer.write(kept)
            dropped_rows.writerows(dropped)
            tally.add(chunk, kept, dropped, plan)
        if not tally.n_kept:
            raise NothingUsableError(tally.complaint(plan))
    return tally.report(plan)


def _prepare_cells(cells: tuple[list, bool], mode: str, split: str, compute: tuple[str, ...]) -> list[Prepared]:
    raw, is_canonical = cells
    return prepare_block(raw, mode, split, compute, is_canonical)


def _sort_out(plan: _Plan, chunk: Chunk, prepared: list[Prepared], seen: SeenKeys) -> tuple[dict[str, list], list[Dropped]]:
    """Split a piece into the columns of what is kept and the list of what is not."""
    frame, kept, dropped = chunk.frame, [], []
    raw, rows = frame[plan.smiles].tolist(), frame.index.tolist()
    splits = _splits(plan, frame, prepared)
    for i, item in enumerate(prepared):
        clean = Clean(None, BROKEN_ROW, chunk.problems[rows[i]]) if rows[i] in chunk.problems else item.clean
        if clean.smiles is not None and plan.split != "none" and not splits[i]:
            clean = Clean(None, UNKNOWN_SPLIT, f"'{frame[plan.split_column].iloc[i]}' is not train, valid or test")
        if clean.smiles is None:
            dropped.append(Dropped(rows[i], str(raw[i]), clean.reason, clean.detail))
        else:
            kept.append(i)
    is_new = seen.add_new([prepared[i].key for i in kept])
    twice = [i for i, new in zip(kept, is_new, strict=True) if not new]
    dropped += [
        Dropped(rows[i], str(raw[i]), DUPLICATE, f"the same molecule as an earlier row: {prepared[i].clean.smiles}")
        for i in twice
    ]
    kept = [i for i, new in zip(kept, is_new, strict=True) if new]
    return _columns(plan, frame, prepared, splits, kept), sorted(dropped)


def _splits(plan: _Plan, frame: pd.DataFrame, prepared: list[Prepared]) -> list[str]:
    if plan.split == "column":
        return [parse_split(cell) or "" for cell in frame[plan.split_column]]
    return [item.split for item in prepared]


def _columns(plan: _Plan, frame: pd.DataFrame, prepared: list[Prepared], splits: list[str], kept: list[int]) -> dict[str, list]:
    columns: dict[str, Any] = {"smiles": [prepared[i].clean.smiles for i in kept]}
    for name in plan.properties:
        columns[name] = parse_numbers(frame[name].iloc[kept])[0] if name in frame else np.full(len(kept), np.nan)
    for j, name in enumerate(plan.computed):
        columns[name] = np.array([prepared[i].properties[j] for i in kept], dtype=float)
    if plan.split != "none":
        columns["split"] = [splits[i] for i in kept]
    if plan.ids:
        columns["id"] = [str(cell) for cell in frame[plan.ids].iloc[kept]]
    return columns


class _Tally:
    """Counts for the report."""

    def __init__(self):
        self.n_rows = self.n_kept = 0
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

    def report(self, plan: _Plan) -> Report:
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
        )
