"""Look through a table of molecules and list what is wrong with which line, without changing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from chemvae.data.catalog.locate import is_catalog_name
from chemvae.data.files.columns import cell_text, find_column, find_split_column, is_id_name
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.number_columns import read_columns
from chemvae.data.files.numbers import DECIMAL, read_numbers
from chemvae.data.files.reading import Chunk
from chemvae.data.prepare.cleaning import BROKEN_ROW, DUPLICATE, Clean, SymbolCheck
from chemvae.data.prepare.sources import Data, clean_pieces, open_source
from chemvae.data.prepare.tables import MAX_LISTED
from chemvae.data.splits import SeenKeys, smiles_keys

NOT_NUMERIC, IS_BOUND = "label is not a number", "label is a bound"


class Offence(NamedTuple):
    """One line with something wrong in it."""

    row: int
    """Record number, 1 for the first after the header."""
    line: int | None
    """Line of the file the record ends on, for text formats."""
    smiles: str
    reason: str
    detail: str


@dataclass
class Check:
    """What :func:`check` found."""

    source: str
    smiles_column: str = ""
    columns: list[str] = field(default_factory=list)
    n_rows: int = 0
    n_valid: int = 0
    """Molecules that can be used, repeated ones included."""
    n_distinct: int = 0
    longest: int = 0
    """Characters of the longest canonical SMILES."""
    n_fragments: int = 0
    """Valid molecules of more than one fragment (salts, mixtures)."""
    counts: Counter[str] = field(default_factory=Counter)
    """Reason -> how often."""
    offences: list[Offence] = field(default_factory=list)
    """The first of them."""
    n_missing: dict[str, int] = field(default_factory=dict)
    """Label column -> empty cells."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing at all was found."""
        return not self.counts

    def to_dict(self) -> dict[str, Any]:
        """All of it in JSON types, as ``chemvae data check --json`` writes it."""
        return {**vars(self), "offences": [offence._asdict() for offence in self.offences], "counts": dict(self.counts)}

    def add(self, offence: Offence) -> None:
        """Count an offence and list it, if the list is not full."""
        self.counts[offence.reason] += 1
        if len(self.offences) < MAX_LISTED:
            self.offences.append(offence)


def check(
    data: Data,
    smiles_column: str | None = None,
    properties: Sequence[str] | None = (),
    standardize: str | None = "none",
    symbol_check: SymbolCheck | None = None,
    source_path: str | Path | None = None,
    jobs: int = 1,
) -> Check:
    """List the offending lines of a table: unreadable molecules, broken rows, duplicates, labels that are not numbers.

    Memory stays flat: the table is streamed, and only the first thousand offences are kept.

    Parameters
    ----------
    data, smiles_column, source_path, jobs
        As in :func:`chemvae.data.prepare.tables.load_table`.
    properties : sequence of str or None
        Columns of labels; None takes those that :func:`chemvae.data.prepare.preparation.prepare` keeps by itself.
    standardize : {"none", "salts", "neutral"} or None
        None cleans as ``prepare`` does by itself.
    symbol_check : callable, optional
        Canonical SMILES -> complaint or None.

    Raises
    ------
    NothingUsableError
        If there are no rows, or a column is missing.
    InputError
        If the data cannot be read.

    Examples
    --------
    >>> report = check(["CCO", "C1CC", "OCC"])
    >>> report.n_valid, [(offence.row, offence.reason) for offence in report.offences]
    (2, [(2, 'not a molecule'), (3, 'duplicate')])
    """
    standardize = standardize or usual_cleaning(data)
    source = open_source(data, source_path, jobs=jobs, smiles_column=smiles_column, clean=standardize == "none")
    first = next(source.chunks)
    report, seen = Check(source.name, columns=[str(column) for column in first.frame.columns]), SeenKeys()
    report.smiles_column = find_smiles_column(first.frame, source.smiles_column, source.name)
    if properties is None:
        own = {report.smiles_column, find_split_column(report.columns, source.split_column, source.name)}
        properties = label_columns(first.frame, source.units, own)
    labels = [find_column(report.columns, name, source.name) for name in properties]
    report.n_missing = dict.fromkeys(labels, 0)
    chunks = chain([first], source.chunks)
    for chunk, cleaned in clean_pieces(chunks, report.smiles_column, standardize, jobs, symbol_check):
        _check_molecules(report, chunk, cleaned, seen)
        _check_labels(report, chunk, labels)
    report.n_distinct = len(seen)
    report.offences.sort(key=lambda offence: offence.row)
    return report


def _check_molecules(report: Check, chunk: Chunk, cleaned: list[Clean], seen: SeenKeys) -> None:
    raw = chunk.frame[report.smiles_column].tolist()
    report.n_rows += len(raw)
    good = []
    for i, clean in enumerate(cleaned):
        row = int(chunk.frame.index[i])
        if row in chunk.problems:
            report.add(_offence(chunk, i, raw[i], BROKEN_ROW, chunk.problems[row]))
        elif clean.smiles is None:
            report.add(_offence(chunk, i, raw[i], clean.reason, clean.detail))
        else:
            good.append(i)
            report.longest = max(report.longest, len(clean.smiles))
            report.n_fragments += "." in clean.smiles or "." in str(raw[i]).partition(" ")[0]
    report.n_valid += len(good)
    is_new = seen.add_new(smiles_keys([cleaned[i].canonical for i in good]))
    for i in (i for i, new in zip(good, is_new, strict=True) if not new):
        report.add(_offence(chunk, i, raw[i], DUPLICATE, f"the same molecule as an earlier row: {cleaned[i].smiles}"))


def _check_labels(report: Check, chunk: Chunk, labels: Sequence[str]) -> None:
    for name in (name for name in labels if name in chunk.frame):
        column = read_numbers(chunk.frame[name], chunk.frame.attrs.get(DECIMAL, ""))
        report.n_missing[name] += int((np.isnan(column.values) & ~column.bad).sum())
        for i in column.refused:
            cell, reason = chunk.frame[name].iloc[i], IS_BOUND if i in column.bounds else NOT_NUMERIC
            report.add(_offence(chunk, i, chunk.frame[report.smiles_column].iloc[i], reason, f"{name} is '{cell}'"))


def _offence(chunk: Chunk, i: int, smiles: object, reason: str, detail: str) -> Offence:
    line = chunk.lines[i] if chunk.lines else None
    return Offence(int(chunk.frame.index[i]), line, cell_text(smiles), reason, detail)


def number_columns(data: Data, smiles_column: str | None = None) -> list[str]:
    """The columns of a table that can be labels, as far as its head shows.

    Examples
    --------
    >>> number_columns(pd.DataFrame({"smiles": ["C", "CC"], "pIC50": [">9", "6.5"], "series": ["a", "b"]}))
    ['pIC50']
    """
    source = open_source(data, smiles_column=smiles_column)
    frame = next(source.chunks).frame
    own = {find_smiles_column(frame, source.smiles_column, source.name, is_told=False)}
    return label_columns(frame, source.units, own | {find_split_column(list(map(str, frame.columns)), None, source.name)})


def usual_cleaning(data: Data) -> str:
    """How SMILES are cleaned where nothing is said: a set of the catalog is taken as it is, a user's table loses its salts."""
    return "none" if is_catalog_name(data) else "salts"


def label_columns(frame: pd.DataFrame, units: Collection[str], taken: Collection[str | None]) -> list[str]:
    """The columns that are labels where none are named: those of the catalog, else all of numbers, as far as the head shows.

    A bound such as ``>9`` stands among numbers; numbers of molecules, as in a column ``Compound ID``, are no labels.

    Examples
    --------
    >>> table = pd.DataFrame({"smiles": ["C", "CC"], "pIC50": [">9", "6.5"], "series": ["a", "b"]})
    >>> label_columns(table, (), ("smiles",))
    ['pIC50']
    """
    heads = zip(frame.columns, read_columns(frame.head(256)), strict=True)
    numbers = {str(name) for name, one in heads if one.refused.keys() <= one.bounds.keys() and np.isfinite(one.values).any()}
    numbers = {name for name in numbers if not is_id_name(name)}
    return [column for column in map(str, frame.columns) if column in (units or numbers) and column not in taken]
