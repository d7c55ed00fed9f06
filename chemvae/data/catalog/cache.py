"""Keep a data set as it was read and cleaned, so that reading it a second time takes a moment.

One Parquet file in the user's cache folder for each set, under a name that holds a hash of the files it came from, of its card
and of RDKit's version: whatever changes, it is read anew.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rdkit import rdBase

from chemvae.cache import cache_folder
from chemvae.chem.descriptor_cache import DEFINITIONS
from chemvae.chem.descriptors import CLEANED, with_columns
from chemvae.data.catalog.cards.base import DatasetCard
from chemvae.data.files.reading import CHUNK_ROWS, Chunk, read_records
from chemvae.data.files.writing import ParquetWriter
from chemvae.disk.checksums import file_sha256
from chemvae.disk.parquet_cache import ParquetCache

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

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


def _chunks(table: pyarrow.Table, column: str, chunk_rows: int) -> Iterator[Chunk]:
    own = [name for name in table.column_names if name not in (_CLEANED, _LINE, _PROBLEM)]
    for start in range(0, table.num_rows, chunk_rows):
        piece = table.slice(start, chunk_rows)
        rows = pd.RangeIndex(start + 1, start + 1 + len(piece), name="row")
        frame = pd.DataFrame({name: _cells(piece[name], rows) for name in own}, index=rows)
        lines = piece[_LINE].to_pylist() if piece[_LINE].null_count == 0 else None
        noted = enumerate(piece[_PROBLEM].to_pylist(), start=start + 1) if piece[_PROBLEM].null_count < len(frame) else ()
        problems = {row: problem for row, problem in noted if problem is not None}
        yield Chunk(frame, lines, problems, cleaned={column: piece[_CLEANED].to_pylist()})


def _cells(column: pyarrow.ChunkedArray, rows: pd.Index) -> pd.Series:
    """Text as objects, as the readers of text formats give it."""
    import pyarrow

    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        return pd.Series(column.to_pylist(), index=rows, dtype=object)
    return pd.Series(column.to_numpy(), index=rows)


def column_types(card: DatasetCard) -> dict[str, str]:
    """Columns of a card and what they hold, as :class:`~chemvae.data.files.writing.ParquetWriter` names it."""
    return {column.name: "number" if column.role == "property" else "text" for column in card.columns}


def kept_table(card: DatasetCard, path: Path, make: Callable[[], pd.DataFrame], chunk_rows: int) -> Iterator[Chunk]:
    """Chunks of a table of canonical molecules with the columns of a card: from the file, or made now and written there."""
    if not path.is_file():
        table = make()[[column.name for column in card.columns]]
        if not _write(card, table, path):
            return _frame_chunks(table, chunk_rows)
    return read_records(path, chunk_rows)


def _write(card: DatasetCard, table: pd.DataFrame, path: Path) -> bool:
    """Keep a table; False if the cache folder cannot be written."""
    types = column_types(card)
    try:
        with ParquetWriter(path, types) as writer:
            for start in range(0, len(table), CHUNK_ROWS):
                piece = table.iloc[start : start + CHUNK_ROWS]
                writer.write({name: _arrow_cells(piece[name], kind) for name, kind in types.items()})
    except OSError as error:
        logger.warning("%s cannot be kept in %s (%s); it will be made again next time", card.name, path.parent, error)
        return False
    return True


def _arrow_cells(cells: pd.Series, kind: str) -> list:
    """Numbers with NaN, or texts with None."""
    return cells.tolist() if kind == "number" else [None if pd.isna(cell) else cell for cell in cells]


def _frame_chunks(table: pd.DataFrame, chunk_rows: int) -> Iterator[Chunk]:
    table = table.set_axis(pd.RangeIndex(1, len(table) + 1, name="row"))
    return (Chunk(table.iloc[start : start + chunk_rows], is_canonical=True) for start in range(0, len(table), chunk_rows))


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


def _table(chunk: Chunk, column: str) -> pyarrow.Table:
    import pyarrow

    table = pyarrow.Table.from_pandas(chunk.frame, preserve_index=False).replace_schema_metadata(None)
    lines: Sequence[int | None] = chunk.lines or [None] * len(chunk.frame)
    problems = [chunk.problems.get(row) for row in chunk.frame.index]
    table = table.append_column(_CLEANED, pyarrow.array(chunk.cleaned[column], pyarrow.string()))
    table = table.append_column(_LINE, pyarrow.array(lines, pyarrow.int64()))
    return table.append_column(_PROBLEM, pyarrow.array(problems, pyarrow.string()))
