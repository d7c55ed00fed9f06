"""A shard: some molecules of a library in files that numpy, pyarrow and DuckDB read too.

``table.parquet`` holds what a person reads (row, id, smiles, properties), the others arrays in NumPy's format with a row for
each of its rows: ``codes`` int8 [n, D], ``points`` float32 [n, D], ``morgan`` uint8 [n, 256] and ``pattern`` uint8 [n, 128]
(eight bits a byte, the lowest first), ``bit_counts`` uint16 [n], how many bits ``morgan`` has, and ``keys`` uint64 [2, n],
hashes of the SMILES in ascending order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chemvae.disk.checksums import file_sha256
from chemvae.disk.files import Replacement, clear_leftovers, refusals_explained, remove
from chemvae.library.codes import quantize
from chemvae.library.keys import sorted_keys
from chemvae.library.manifest import FileFacts, LibraryError, ShardFacts
from chemvae.library.scan import count_bits

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

TABLE = "table.parquet"
ARRAYS = ("codes", "points", "morgan", "bit_counts", "pattern", "keys")
OWN_COLUMNS = ("row", "id", "smiles")
GROUP_ROWS = 8_192  # of the table: what is read for one molecule


@dataclass(frozen=True)
class Molecules:
    """n molecules with all that a library keeps of them."""

    smiles: list[str]
    ids: list[str | None]
    points: np.ndarray
    """float32 [n, D]."""
    morgan: np.ndarray
    """uint8 [n, 256]."""
    pattern: np.ndarray
    """uint8 [n, 128]."""
    properties: dict[str, np.ndarray]
    """Name -> float64 [n]; NaN where there is no value."""

    def __len__(self) -> int:
        return len(self.smiles)

    @classmethod
    def joined(cls, parts: Sequence[Molecules]) -> Molecules:
        """Several of these, one after the other."""
        names = list(parts[0].properties)
        return cls(
            [one for part in parts for one in part.smiles],
            [one for part in parts for one in part.ids],
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.morgan for part in parts]),
            np.concatenate([part.pattern for part in parts]),
            {name: np.concatenate([part.properties[name] for part in parts]) for name in names},
        )


def write_shard(library: Path, name: str, first_row: int, molecules: Molecules) -> ShardFacts:
    """Write a shard, which appears whole; one of this name that no manifest knows is replaced.

    Parameters
    ----------
    library : Path
    name : str
    first_row : int
        Of the library.
    molecules : Molecules
        One at least.

    Raises
    ------
    ChemVAEError
        If the disk is full or the folder not writable; nothing is left behind.
    """
    path = library / name
    with refusals_explained(path):
        clear_leftovers(path)
        remove(path)
        replacement = Replacement(path)
        with replacement as temporary:
            temporary.mkdir(parents=True)
            facts = _write_files(temporary, name, first_row, molecules)
    return facts


def _write_files(folder: Path, name: str, first_row: int, molecules: Molecules) -> ShardFacts:
    codes, how = quantize(molecules.points)
    arrays = {
        "codes": codes, "points": molecules.points, "morgan": molecules.morgan, "pattern": molecules.pattern,
        "bit_counts": count_bits(molecules.morgan), "keys": sorted_keys(molecules.smiles),
    }  # fmt: skip
    _write_table(folder / TABLE, first_row, molecules)
    for array, values in arrays.items():
        np.save(folder / f"{array}.npy", values)
    files = {}
    for path in sorted(folder.iterdir()):
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
        files[path.name] = FileFacts(path.stat().st_size, file_sha256(path))
    return ShardFacts(name, len(molecules), tuple(how.center.tolist()), how.step, how.error, files)


def _write_table(path: Path, first_row: int, molecules: Molecules) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = np.arange(first_row, first_row + len(molecules), dtype=np.int64)
    columns: Mapping[str, pyarrow.Array] = {
        "row": pyarrow.array(rows),
        "id": pyarrow.array(molecules.ids, pyarrow.string()),
        "smiles": pyarrow.array(molecules.smiles, pyarrow.string()),
        **{name: pyarrow.array(values, pyarrow.float64()) for name, values in molecules.properties.items()},
    }
    pyarrow.parquet.write_table(
        pyarrow.table(dict(columns)), path, compression="zstd", row_group_size=GROUP_ROWS, use_dictionary=False,
        write_page_checksum=True,
    )  # fmt: skip


class Shard:
    """A shard that is read: arrays are maps of their files, of which only what is looked at is ever in memory.

    Parameters
    ----------
    library : Path
    facts : ShardFacts
    first_row : int
        Of the library.

    Raises
    ------
    LibraryError
        If a file is missing or has another length than the manifest says.
    """

    def __init__(self, library: Path, facts: ShardFacts, first_row: int):
        self.library, self.facts, self.first_row = library, facts, first_row
        self.path = library / facts.name
        for name, file in facts.files.items():
            self._check_length(name, file.n_bytes)
        self._file: pyarrow.parquet.ParquetFile | None = None

    def __len__(self) -> int:
        return self.facts.n_rows

    def __enter__(self) -> Shard:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _check_length(self, name: str, expected: int) -> None:
        try:
            found = (self.path / name).stat().st_size
        except OSError:
            raise self._damaged(f"'{self.facts.name}/{name}' is missing") from None
        if found != expected:
            raise self._damaged(f"'{self.facts.name}/{name}' has {found:,} bytes instead of {expected:,}")

    def _damaged(self, what: str) -> LibraryError:
        return LibraryError(self.library, f"is damaged: {what}.", "Copy this shard again from its origin, or build anew.")

    def array(self, name: str) -> np.ndarray:
        """One of :data:`ARRAYS`, mapped into memory."""
        try:
            return np.load(self.path / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise self._damaged(f"'{self.facts.name}/{name}.npy' cannot be read ({error})") from None

    @property
    def table(self) -> pyarrow.parquet.ParquetFile:
        """Its table, open."""
        import pyarrow.parquet

        if self._file is None:
            try:
                self._file = pyarrow.parquet.ParquetFile(self.path / TABLE, page_checksum_verification=True)
            except (OSError, pyarrow.ArrowException) as error:
                raise self._damaged(f"'{self.facts.name}/{TABLE}' cannot be read ({error})") from None
        return self._file

    def columns(self, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Whole columns of numbers: name -> float64 [n]."""
        table = self._read(range(self.table.num_row_groups), names)
        return {name: table[name].to_numpy() for name in names}

    def rows(self, places: np.ndarray, names: Sequence[str]) -> pyarrow.Table:
        """Some rows (places [m] in the shard, in any order) of some columns; only the groups they lie in are read."""
        size = self.table.metadata.row_group(0).num_rows  # of all groups but the last
        groups, of = np.unique(places // size, return_inverse=True)
        return self._read(groups.tolist(), names).take(of * size + places % size)

    def _read(self, groups: Sequence[int] | range, names: Sequence[str]) -> pyarrow.Table:
        import pyarrow

        try:
            return self.table.read_row_groups(list(groups), columns=list(names), use_threads=False)
        except (OSError, pyarrow.ArrowException) as error:
            raise self._damaged(f"'{self.facts.name}/{TABLE}' cannot be read ({error})") from None
