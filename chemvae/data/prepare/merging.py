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
MERGED_COLUMNS = ("smiles", "property", "label", "n_values", "lowest", "highest", "values", "bounds")


@dataclass(frozen=True)
class Told:
    """What one more row says of a molecule: P values, and the bounds among its cells as they are written."""

    values: np.ndarray
    bounds: tuple[str, ...]
    """"" where there is none."""
    id: str = ""


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
    spreads : dict
        Property -> the largest difference between the numbers of one molecule, and what that molecule is called.
    against : dict
        Property -> molecules with a number on the wrong side of a bound of their own, by what they are called.
    """

    def __init__(self, properties: Sequence[str]):
        self.properties = list(properties)
        self.told: dict[int, list[Told]] = {}
        self.first_bounds: dict[int, tuple[str, ...]] = {}
        self.n_filled = dict.fromkeys(self.properties, 0)
        self.spreads: dict[str, tuple[float, str]] = {}
        self.against: dict[str, list[str]] = {}

    def add(self, keys: Sequence[int], columns: Sequence[Column], ids: Sequence[str] = ()) -> None:
        """Take rows [n] of molecules that stood in earlier rows: their keys, the column of each property [P], their names."""
        for i, key in enumerate(keys):
            values = np.array([column.values[i] for column in columns], dtype=np.float64)
            self.told.setdefault(int(key), []).append(Told(values, _bounds(columns, i), ids[i] if ids else ""))

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
            rows.writerow([*MERGED_COLUMNS, *(["ids"] if "id" in types else [])])
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
                ids = [columns["id"][i], *(one.id for one in others)] if "id" in columns else []
                self._compare(name, values, bounds, " and ".join(ids) or columns["smiles"][i])
                row = [columns["smiles"][i], name, label, len(values), *ends, listed, " ".join(bounds)]
                yield [*row, *(["; ".join(ids)] if ids else [])]

    def _compare(self, name: str, values: Sequence[float], bounds: Sequence[str], called: str) -> None:
        """Take note of how far the rows of one molecule agree."""
        if len(values) > 1 and max(values) - min(values) > self.spreads.get(name, (0.0, ""))[0]:
            self.spreads[name] = max(values) - min(values), called
        if any(_is_beyond(value, bound) for value in values for bound in bounds):
            self.against.setdefault(name, []).append(called)

    def sentences(self, source: str) -> list[str]:
        """What to tell the user of rows of one molecule that do not agree: the widest spread, and values beyond bounds."""
        wide = [
            f"{source}: values of '{name}' for one molecule differ by up to {spread:.4g} ({called}); its median is taken, and "
            f"all stand in {MERGED_FILE}"
            for name, (spread, called) in self.spreads.items()
        ]
        return wide + [
            f"{source}: a number and a bound of '{name}' contradict each other ({'; '.join(called[:3])}"
            f"{f'; and {len(called) - 3:,} more' if len(called) > 3 else ''}); the number is taken, see {MERGED_FILE}"
            for name, called in self.against.items()
        ]


def _filled(cells: list[Any], kind: str) -> list[Any]:
    """Numbers with NaN for gaps."""
    return [np.nan if cell is None else cell for cell in cells] if kind == "number" else cells


def _is_beyond(value: float, bound: str) -> bool:
    """Whether a number lies where a bound such as ``>9`` says that it cannot.

    Examples
    --------
    >>> _is_beyond(2.99, ">4.5"), _is_beyond(5.0, ">4.5"), _is_beyond(5.0, "<=5")
    (True, False, False)
    """
    limit = float(bound.lstrip("<>="))
    return value < limit if bound.startswith(">") else value > limit


def _bounds(columns: Sequence[Column], i: int) -> tuple[str, ...]:
    """The bounds of one row as texts."""
    return tuple("{}{:.10g}".format(*column.bounds[i]) if i in column.bounds else "" for column in columns)
