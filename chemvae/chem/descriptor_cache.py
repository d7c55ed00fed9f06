"""Remember what was computed of molecules, in Parquet files below the user's cache folder.

Each file (a part) holds some columns of some molecules: the text that was given, a 64-bit key of it, and values. Looking up
reads the keys of all parts once (16 bytes a molecule) and then only the row groups in which the molecules lie; a key that
matches is confirmed by the text. Parts appear whole or not at all, so several processes may write at the same time. The name
of the folder holds RDKit's version and that of the definitions here: other values live in another folder.
"""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import rdBase

from chemvae.cache import cache_folder
from chemvae.disk.parquet_cache import CacheWriter, ParquetCache, check_notes

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

DEFINITIONS = 1  # raise it when a column of the same name comes to mean something else
KEY, TEXT = "key", "smiles"
AGAIN = "its molecules are computed again"
GROUP_ROWS = 8_192
MOST_PARTS = 8  # of the same columns, before they are put together
LARGE_ROWS = 1_000_000  # parts with more stay as they are
MOST_BYTES = 4 * 1024**3  # of the folder; beyond it the oldest parts go
HELD_BYTES = 128 * 1024**2  # of row groups kept in memory while looking up
_COUNTER = itertools.count()


def descriptor_folder() -> Path:
    """Where the parts for this RDKit lie."""
    return cache_folder() / "descriptors" / f"rdkit-{rdBase.rdkitVersion}-{DEFINITIONS}"


def text_keys(texts: Sequence[str]) -> np.ndarray:
    """A 64-bit key of each text [N] uint64, the same in every process."""
    import pandas as pd

    return pd.util.hash_array(np.array(texts, dtype=object), categorize=False) if len(texts) else np.zeros(0, np.uint64)


def is_keepable(text: Any) -> bool:
    """Whether a text can be looked up and kept: SMILES are ASCII."""
    return isinstance(text, str) and text.isascii()


class DescriptorCache:
    """The parts of one folder, for looking up.

    Parameters
    ----------
    folder : path or None
        None: :func:`descriptor_folder`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with PartWriter({"y": "number"}, folder) as writer:
    ...         writer.add(["C", "CC"], {"y": np.array([1.0, 2.0])})
    ...     DescriptorCache(folder).look_up(["CC", "O"], ["y"])["y"]
    [(array([0]), array([2.]))]
    """

    def __init__(self, folder: str | Path | None = None):
        self.folder = Path(folder) if folder is not None else descriptor_folder()
        paths = sorted(self.folder.glob("*.parquet"), reverse=True)  # the newest first
        self._parts = [part for part in map(_open, paths) if part is not None]
        self._held: OrderedDict[tuple, Any] = OrderedDict()

    def look_up(self, texts: Sequence[str], columns: Sequence[str]) -> dict[str, list[tuple[np.ndarray, Any]]]:
        """Find what is known.

        Parameters
        ----------
        texts : sequence of str, length N
        columns : sequence of str

        Returns
        -------
        dict
            For each column pieces of (places in ``texts``, their values): numbers as an array, texts as a list of str, bits as
            an array [n, bytes] of uint8. No place comes twice.
        """
        found: dict[str, list] = {name: [] for name in columns}
        missing = {name: np.ones(len(texts), dtype=bool) for name in columns}
        keys = text_keys(texts) if self._parts else np.zeros(len(texts), np.uint64)
        for part in list(self._parts):
            wanted = [name for name in columns if name in part.columns and missing[name].any()]
            if not wanted:
                continue
            try:
                for places, values in self._from_part(part, keys, texts, wanted, missing):
                    for name in wanted:
                        new = missing[name][places]
                        found[name].append((places[new], _only(values[name], new)))
                        missing[name][places] = False
            except Exception as error:  # whatever a damaged file makes the reader raise
                self._parts.remove(part)
                part.file.close()
                part.cache.give_up(error)
        return found

    def _from_part(
        self, part: _Part, keys: np.ndarray, texts: Sequence[str], wanted: list[str], missing: Mapping[str, np.ndarray]
    ) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
        """Yield (places, columns of values) for the molecules of a part, row group after row group."""
        at = np.minimum(np.searchsorted(part.keys, keys), len(part.keys) - 1)
        needed = np.logical_or.reduce([missing[name] for name in wanted])
        places = np.flatnonzero((part.keys[at] == keys) & needed)
        rows = part.rows[at[places]]
        order = np.argsort(rows, kind="stable")
        places, rows = places[order], rows[order]
        bounds = np.searchsorted(rows, part.group_starts)
        for group, (a, b) in enumerate(itertools.pairwise(bounds.tolist())):
            if a < b:
                yield self._from_group(part, group, rows[a:b] - part.group_starts[group], places[a:b], texts, wanted)

    def _from_group(
        self, part: _Part, group: int, rows: np.ndarray, places: np.ndarray, texts: Sequence[str], wanted: list[str]
    ) -> tuple[np.ndarray, dict[str, Any]]:
        import pyarrow
        import pyarrow.compute

        table = self._group(part, group, wanted)
        asked = pyarrow.array([texts[i] for i in places.tolist()], pyarrow.string())
        same = pyarrow.compute.equal(table[TEXT].take(rows), asked).to_numpy(zero_copy_only=False)
        return places[same], {name: _values(table[name].take(rows[same])) for name in wanted}

    def _group(self, part: _Part, group: int, wanted: list[str]) -> dict[str, pyarrow.Array]:
        """Columns of one row group; those used last are held."""
        needed = [TEXT, *wanted]
        unread = [name for name in needed if (part.path, group, name) not in self._held]
        if unread:
            table = part.file.read_row_group(group, columns=unread)
            for name in unread:
                self._held[part.path, group, name] = table[name].combine_chunks()
        columns = {}
        for name in needed:
            self._held.move_to_end((part.path, group, name))
            columns[name] = self._held[part.path, group, name]
        while len(self._held) > len(needed) and sum(column.nbytes for column in self._held.values()) > HELD_BYTES:
            self._held.popitem(last=False)
        return columns


class _Part:
    """One file: its columns, and where each key lies."""

    def __init__(self, path: Path):
        import pyarrow.parquet

        self.path, self.cache = path, ParquetCache(path, AGAIN)
        self.file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
        check_notes(self.file)
        self.columns = frozenset(self.file.schema_arrow.names) - {KEY, TEXT}
        keys = self.file.read([KEY])[KEY].to_numpy()  # [rows]
        if len(keys) == 0:
            raise ValueError("it holds no rows")
        self.rows = np.argsort(keys, kind="stable")
        self.keys = keys[self.rows]
        facts = self.file.metadata
        sizes = [facts.row_group(i).num_rows for i in range(facts.num_row_groups)]
        self.group_starts = np.concatenate([[0], np.cumsum(sizes)])


class PartWriter:
    """A new part, row group by row group; it appears when it is closed, with all that was added so far.

    Parameters
    ----------
    columns : mapping of name to "number", "text" or "bits:<bytes>"
    folder : path or None
        None: :func:`descriptor_folder`.
    least : int
        With fewer molecules nothing is kept: they are computed again sooner than the cache would be tidied.
    """

    def __init__(self, columns: Mapping[str, str], folder: str | Path | None = None, least: int = 1):
        self.columns, self.least = dict(columns), least
        self.folder = Path(folder) if folder is not None else descriptor_folder()
        self._file = _new_part(self.folder)
        self._waiting: list[tuple[list[str], Mapping[str, Any]]] = []
        self._n_waiting = self._n = 0

    def __enter__(self) -> PartWriter:
        return self

    def add(self, texts: Sequence[str], values: Mapping[str, Any]) -> None:
        """Add molecules with one value per column; numbers as an array [n], texts as a list, bits as an array [n, bytes]."""
        self._waiting.append((list(texts), values))
        self._n_waiting += len(texts)
        if self._n_waiting >= max(GROUP_ROWS, self.least):
            self._write()

    def _write(self) -> None:
        if self._n_waiting:
            self._file.write(self._table, GROUP_ROWS)
        self._n += self._n_waiting
        self._waiting, self._n_waiting = [], 0

    def _table(self) -> pyarrow.Table:
        import pyarrow

        texts = [text for block, _ in self._waiting for text in block]
        arrays = {KEY: pyarrow.array(text_keys(texts)), TEXT: pyarrow.array(texts, pyarrow.string())}
        for name, kind in self.columns.items():
            blocks = [values[name] for _, values in self._waiting]
            if kind == "text":
                arrays[name] = pyarrow.array([value for block in blocks for value in block], pyarrow.string())
            elif kind == "number":
                arrays[name] = pyarrow.array(np.concatenate(blocks), pyarrow.float64())
            else:
                width = int(kind.removeprefix("bits:"))
                packed = np.ascontiguousarray(np.concatenate(blocks))
                buffer = pyarrow.py_buffer(packed)
                arrays[name] = pyarrow.FixedSizeBinaryArray.from_buffers(pyarrow.binary(width), len(packed), [None, buffer])
        return pyarrow.table(arrays)

    def __exit__(self, *_: object) -> None:
        """Keep what there is, whatever ended the block: an interrupted computation need not begin anew."""
        if self._n + self._n_waiting >= self.least:
            self._write()
        if self._file.close():
            tidy(self.folder)


def _new_part(folder: Path) -> CacheWriter:
    """A writer of a part that is newer than all others."""
    path = folder / f"{time.time_ns():020d}-{os.getpid()}-{next(_COUNTER)}.parquet"
    return ParquetCache(path, AGAIN).writer(use_dictionary=False)


def tidy(folder: Path) -> None:
    """Put small parts of the same columns together, and let the oldest go where the folder has become too large."""
    alike: dict[frozenset[str], list[_Part]] = {}
    for part in filter(None, map(_open, sorted(folder.glob("*.parquet")))):
        if len(part.keys) < LARGE_ROWS:
            alike.setdefault(part.columns, []).append(part)
    for parts in alike.values():
        if len(parts) > MOST_PARTS:
            _merge(parts, folder)
    sizes = [(path, _size(path)) for path in sorted(folder.glob("*.parquet"))]
    excess = sum(size for _, size in sizes) - MOST_BYTES
    for path, size in sizes:
        if excess <= 0:
            return
        ParquetCache(path, AGAIN).remove()
        excess -= size


def _merge(parts: Sequence[_Part], folder: Path) -> None:
    """Write parts of the same columns as one, each text once, then remove them."""
    import pyarrow

    writer = _new_part(folder)
    try:
        for batch in _distinct_rows(parts):
            writer.write(partial(pyarrow.Table.from_batches, [batch]), GROUP_ROWS)
    except (pyarrow.ArrowException, OSError) as error:
        logger.debug("Parts in %s could not be put together (%s)", folder, error)
        writer.close(keep=False)
        return
    if writer.close():
        for part in parts:
            part.file.close()
            part.cache.remove()


def _distinct_rows(parts: Sequence[_Part]) -> Iterator[pyarrow.RecordBatch]:
    """All rows of parts of the same columns; of those of the same key the first."""
    import pyarrow

    keys = np.concatenate([part.file.read([KEY])[KEY].to_numpy() for part in parts])
    keep = np.zeros(len(keys), dtype=bool)
    keep[np.unique(keys, return_index=True)[1]] = True
    names, start = parts[0].file.schema_arrow.names, 0
    for part in parts:
        for batch in part.file.iter_batches(batch_size=GROUP_ROWS, columns=names):
            chosen = keep[start : start + len(batch)]
            start += len(batch)
            if chosen.any():
                yield batch.filter(pyarrow.array(chosen))


def _open(path: Path) -> _Part | None:
    """Open a part; None if another process has just removed it, or it is of no use."""
    return ParquetCache(path, AGAIN).attempt(_Part)


def _size(path: Path) -> int:
    """Bytes; 0 if another process has just removed it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _values(column: pyarrow.Array) -> Any:
    """A column as numpy numbers [n], a list of str, or an array of bytes [n, width]."""
    import pyarrow

    if pyarrow.types.is_fixed_size_binary(column.type):
        width = column.type.byte_width
        packed = np.frombuffer(column.buffers()[1], dtype=np.uint8).reshape(-1, width)
        return packed[column.offset : column.offset + len(column)]
    if pyarrow.types.is_string(column.type):
        return column.to_pylist()
    return column.to_numpy(zero_copy_only=False)


def _only(values: Any, chosen: np.ndarray) -> Any:
    if isinstance(values, list):
        return values if chosen.all() else [value for value, yes in zip(values, chosen, strict=True) if yes]
    return values[chosen]
