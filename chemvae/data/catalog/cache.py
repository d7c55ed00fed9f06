"""Keep a data set as it was read and cleaned, so that reading it a second time takes a moment.

One Parquet file in the user's cache folder for each set, under a name that holds a hash of the files it came from, of its card
and of RDKit's version: whatever changes, it is read anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
from rdkit import rdBase

from chemvae.cache import cache_folder
from chemvae.chem.descriptor_cache import DEFINITIONS
from chemvae.chem.descriptors import CLEANED, with_columns
from chemvae.data.files.reading import Chunk
from chemvae.disk.checksums import file_sha256
from chemvae.disk.parquet_cache import ParquetCache

AGAIN = "the set is read anew"
_CLEANED, _LINE, _PROBLEM = "chemvae:cleaned", "chemvae:line", "chemvae:problem"  # beside the set's own columns


def kept_path(name: str, facts: object, paths: Sequence[Path]) -> Path:
    """Where a set is kept; ``facts`` is all besides its files that says how it is read."""
    stamp = repr([facts, [file_sha256(path) for path in paths], rdBase.rdkitVersion, DEFINITIONS])
    return cache_folder() / "read" / f"{name}-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.parquet"


def read_kept(path: Path, column: str, chunk_rows: int) -> Iterator[Chunk] | None:
    """Chunks of a kept set, whose SMILES in ``column`` are cleaned; None if it is not kept, or damaged (with a warning)."""
    table = ParquetCache(path, AGAIN).read()
    return None if table is None else _chunks(table, column, chunk_rows)


def _chunks(table, column: str, chunk_rows: int) -> Iterator[Chunk]:
    own = [name for name in table.column_names if name not in (_CLEANED, _LINE, _PROBLEM)]
    for start in range(0, table.num_rows, chunk_rows):
        piece = table.slice(start, chunk_rows)
        rows = pd.RangeIndex(start + 1, start + 1 + len(piece), name="row")
        frame = pd.DataFrame({name: _cells(piece[name], rows) for name in own}, index=rows)
        lines = piece[_LINE].to_pylist() if piece[_LINE].null_count == 0 else None
        noted = enumerate(piece[_PROBLEM].to_pylist(), start=start + 1) if piece[_PROBLEM].null_count < len(frame) else ()
        problems = {row: problem for row, problem in noted if problem is not None}
        yield Chunk(frame, lines, problems, cleaned={column: piece[_CLEANED].to_pylist()})


def _cells(column, rows: pd.Index) -> pd.Series:
    """Text as objects, as the readers of text formats give it."""
    import pyarrow

    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        return pd.Series(column.to_pylist(), index=rows, dtype=object)
    return pd.Series(column.to_numpy(), index=rows)


def keep(chunks: Iterator[Chunk], column: str, path: Path, jobs: int = 1) -> Iterator[Chunk]:
    """Clean the SMILES of a set, hand its chunks on, and keep them when the last was taken."""
    writer, is_read = ParquetCache(path, AGAIN).writer(), False
    try:
        for chunk in _cleaned(chunks, column, jobs):
            writer.write(partial(_table, chunk, column))
            yield chunk
        is_read = True
    finally:
        writer.close(keep=is_read)


def _cleaned(chunks: Iterator[Chunk], column: str, jobs: int) -> Iterator[Chunk]:
    """Say of each SMILES what becomes of it, where the reader has not."""
    none = CLEANED["none"]
    for chunk, found in with_columns(chunks, lambda one: [] if one.cleaned else one.frame[column].tolist(), [none], jobs):
        chunk.cleaned = chunk.cleaned or {column: found[none]}
        yield chunk


def _table(chunk: Chunk, column: str):
    import pyarrow

    table = pyarrow.Table.from_pandas(chunk.frame, preserve_index=False).replace_schema_metadata(None)
    lines = chunk.lines or [None] * len(chunk.frame)
    problems = [chunk.problems.get(row) for row in chunk.frame.index]
    table = table.append_column(_CLEANED, pyarrow.array(chunk.cleaned[column], pyarrow.string()))
    table = table.append_column(_LINE, pyarrow.array(lines, pyarrow.int64()))
    return table.append_column(_PROBLEM, pyarrow.array(problems, pyarrow.string()))
