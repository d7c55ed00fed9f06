"""Labels of one molecule that stand in several rows, merged by a stated rule: the median, with its spread told."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.data.files.numbers import Column
from chemvae.data.files.writing import ParquetWriter
from chemvae.data.splits import smiles_keys

MERGE_RULE = "the median of its rows' numbers; a bound such as >9 counts only where no row has a number, and then as no label"
MERGED_FILE = "merged.csv"


@dataclass(frozen=True)
class Told:
    """What one more row says of a molecule: P values, and the bounds among its cells as they are written."""

    values: np.ndarray
    bounds: tuple[str, ...]
    """"" where there is none."""


class Repeats:
    """What rows say of molecules that stand in more than one.

    Only these are held: the first row of each is read again from what was written.

    Parameters
    ----------
    properties : sequence of str, length P
        Label columns.

    Attributes
    ----------
    n_filled : dict
        Property -> molecules whose first row has no label, and another has.
    """

    def __init__(self, properties: Sequence[str]):
        self.properties = list(properties)
        self.told: dict[int, list[Told]] = {}
        self.first_bounds: dict[int, tuple[str, ...]] = {}
        self.n_filled = dict.fromkeys(self.properties, 0)

    def add(self, keys: Sequence[int], columns: Sequence[Column]) -> None:
        """Take rows [n] of molecules that stood in earlier rows: their keys, and the column of each property [P]."""
        for i, key in enumerate(keys):
            values = np.array([column.values[i] for column in columns], dtype=np.float64)
            self.told.setdefault(int(key), []).append(Told(values, _bounds(columns, i)))

    def note_bounds(self, keys: Sequence[int], columns: Sequence[Column]) -> None:
        """Remember the bounds of rows that are the first of their molecule."""
        for i in sorted({i for column in columns for i in column.bounds}):
            self.first_bounds[int(keys[i])] = _bounds(columns, i)

    def merge(self, path: Path, types: Mapping[str, str], facts: Mapping[str, Any]) -> int:
        """Write the prepared file again with merged labels, and ``merged.csv`` beside it; return how many were merged."""
        if not self.told or not self.properties:
            return 0
        import pyarrow.parquet

        whole = path.with_name("unmerged-" + path.name)
        path.replace(whole)
        with (
            pyarrow.parquet.ParquetFile(whole) as file,
            ParquetWriter(path, types, facts) as writer,
            path.with_name(MERGED_FILE).open("w", newline="", encoding="utf-8") as listing,
        ):
            rows = csv.writer(listing)
            rows.writerow(["smiles", "property", "label", "n_values", "lowest", "highest", "values", "bounds"])
            for batch in file.iter_batches():
                columns = {name: batch.column(name).to_pylist() for name in types}
                rows.writerows(self._merged(columns))
                writer.write({name: _filled(cells, types[name]) for name, cells in columns.items()})
        whole.unlink()
        return len(self.told)

    def _merged(self, columns: dict[str, list[Any]]) -> Iterator[list[Any]]:
        """Replace labels in place, and tell of each."""
        for i, key in enumerate(smiles_keys(columns["smiles"]).tolist()):
            others = self.told.get(key, ())
            for j, name in enumerate(self.properties if others else ()):
                own = columns[name][i]
                told = [own, *(one.values[j] for one in others)]
                values = [value for value in told if value is not None and np.isfinite(value)]
                bounds = [one[j] for one in (self.first_bounds.get(key), *(more.bounds for more in others)) if one and one[j]]
                columns[name][i] = float(np.median(values)) if values else np.nan
                self.n_filled[name] += bool(values) and not (own is not None and np.isfinite(own))
                ends = [f"{min(values):.10g}", f"{max(values):.10g}"] if values else ["", ""]
                label = f"{columns[name][i]:.10g}" if values else ""
                listed = " ".join(f"{value:.10g}" for value in values)
                yield [columns["smiles"][i], name, label, len(values), *ends, listed, " ".join(bounds)]


def _filled(cells: list[Any], kind: str) -> list[Any]:
    """Numbers with NaN for gaps."""
    return [np.nan if cell is None else cell for cell in cells] if kind == "number" else cells


def _bounds(columns: Sequence[Column], i: int) -> tuple[str, ...]:
    """The bounds of one row as texts."""
    return tuple("{}{:.10g}".format(*column.bounds[i]) if i in column.bounds else "" for column in columns)
