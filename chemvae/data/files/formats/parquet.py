"""Parquet files in pieces, damaged ones as a sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd
from rdkit import rdBase

from chemvae.data.files.header import unique_names
from chemvae.data.files.rows import MOST_CELLS, Chunk
from chemvae.errors import InputError

if TYPE_CHECKING:
    import pyarrow

MAGIC = b"PAR1"
METADATA_KEY = b"chemvae"


def read_parquet(stream: BinaryIO, path: Path | None, name: str, chunk_rows: int) -> Iterator[Chunk]:
    """Read a Parquet file: a plain one by its path, else from the stream into memory.

    Raises
    ------
    InputError
        If it is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path if path else io.BytesIO(stream.read())) as file:
            is_canonical = _was_written_canonical((file.schema_arrow.metadata or {}).get(METADATA_KEY))
            names, first_row = unique_names(file.schema_arrow.names, name), 1
            for batch in file.iter_batches(batch_size=max(1, min(chunk_rows, MOST_CELLS // max(1, len(names))))):
                batch.validate(full=True)  # damaged text would otherwise fail later, when a cell is looked at
                frame = _as_text(batch, names).to_pandas(ignore_metadata=True)  # an index of pandas is a column to us
                frame.index = pd.RangeIndex(first_row, first_row + len(frame), name="row")
                first_row += len(frame)
                yield Chunk(frame, is_canonical=is_canonical)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError) as error:  # the last three from damaged metadata
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(f"{name} is not a readable Parquet file ({reason}). Write it again.") from error


def _as_text(batch: pyarrow.RecordBatch, names: list[str]) -> pyarrow.RecordBatch:
    """Text that was written as bytes is text again, where it is UTF-8."""
    import pyarrow

    columns = []
    for column in batch.columns:
        if pyarrow.types.is_binary(column.type) or pyarrow.types.is_large_binary(column.type):
            try:
                column = column.cast(pyarrow.large_string() if pyarrow.types.is_large_binary(column.type) else pyarrow.string())
            except pyarrow.ArrowInvalid:
                pass
        columns.append(column)
    return pyarrow.RecordBatch.from_arrays(columns, names=names)


def _was_written_canonical(metadata: bytes | None) -> bool:
    """Whether the SMILES were written canonical by this version of RDKit (canonical forms change between versions)."""
    return metadata is not None and json.loads(metadata).get("rdkit") == rdBase.rdkitVersion
