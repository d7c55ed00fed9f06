"""Open whatever a user calls data as one stream of raw rows, and share the work on its molecules among processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

import pandas as pd

from chemvae.data.catalog import is_catalog_name, locate, nearest_names, open_dataset
from chemvae.data.cleaning import Clean, SymbolCheck, clean_block
from chemvae.data.reading import CHUNK_ROWS, STDIN, Chunk, read_records, source_name
from chemvae.errors import InputError, NothingUsableError
from chemvae.parallel import stream_ordered

PREPARED_FILE = "data.parquet"
PIECE_ROWS = 1024
Data = str | Path | Sequence[str] | pd.Series | pd.DataFrame
Result = TypeVar("Result")


@dataclass(frozen=True)
class Source:
    """Data as every reader here takes it."""

    name: str
    """For messages."""
    chunks: Iterator[Chunk]
    """Raw rows."""
    units: dict[str, str] = field(default_factory=dict)
    """Property -> unit, where the catalog knows."""
    smiles_column: str | None = None
    """Where the user or the catalog says."""
    split_column: str | None = None


def open_source(
    data: Data,
    source_path: str | Path | None = None,
    chunk_rows: int = CHUNK_ROWS,
    limit: int | None = None,
    jobs: int = 1,
    smiles_column: str | None = None,
) -> Source:
    """Open a catalog name, a path, a prepared folder, "-", or a list, Series or DataFrame, as a stream of chunks.

    Raises
    ------
    InputError
        If it cannot be opened; a path that is missing brings the nearest names.
    """
    if isinstance(data, (str, Path)):
        source = _open_named(data, source_path, chunk_rows, limit, jobs, smiles_column)
    else:
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame({smiles_column or "smiles": list(data)})
        source = Source("the data", _frame_chunks(frame, chunk_rows), smiles_column=smiles_column)
    return replace(source, chunks=_not_empty(source.name, _first_rows(source.chunks, limit)))


def map_pieces(
    work: Callable[[tuple[list, bool]], list[Result]], chunks: Iterable[Chunk], column: str, jobs: int
) -> Iterator[tuple[Chunk, list[Result]]]:
    """Apply ``work`` to (cells of one column, whether they are canonical) of small pieces, in order.

    A table of one piece is not worth starting processes for.
    """
    waiting: deque[Chunk] = deque()
    pieces = (piece for chunk in chunks for piece in _cut(chunk))
    first = list(islice(pieces, 2))

    def cells() -> Iterator[tuple[list, bool]]:
        for piece in chain(first, pieces):
            waiting.append(piece)
            yield piece.frame[column].tolist(), piece.is_canonical

    for results in stream_ordered(work, cells(), jobs=jobs if len(first) > 1 else 1, chunk=1):
        yield waiting.popleft(), results


def clean_pieces(
    chunks: Iterable[Chunk], column: str, mode: str, jobs: int, symbol_check: SymbolCheck | None
) -> Iterator[tuple[Chunk, list[Clean]]]:
    """Clean the SMILES of a stream; those chemvae wrote itself are taken as they are."""
    return map_pieces(partial(_clean_cells, mode=mode, symbol_check=symbol_check), chunks, column, jobs)


def _clean_cells(cells: tuple[list, bool], mode: str, symbol_check: SymbolCheck | None) -> list[Clean]:
    raw, is_canonical = cells
    if is_canonical and mode == "none" and symbol_check is None:
        return [Clean(smiles) for smiles in raw]
    return clean_block(raw, mode, symbol_check)


def _cut(chunk: Chunk) -> Iterator[Chunk]:
    """Cut a chunk into pieces small enough to share among workers."""
    for start in range(0, len(chunk.frame), PIECE_ROWS):
        stop = start + PIECE_ROWS
        yield replace(chunk, frame=chunk.frame.iloc[start:stop], lines=chunk.lines and chunk.lines[start:stop])


def _first_rows(chunks: Iterator[Chunk], limit: int | None) -> Iterator[Chunk]:
    n_left = limit
    for chunk in chunks:
        if n_left is None:
            yield chunk
            continue
        if n_left > 0:
            yield replace(chunk, frame=chunk.frame.head(n_left), lines=chunk.lines and chunk.lines[:n_left])
        n_left -= len(chunk.frame)
        if n_left <= 0:
            return


def _not_empty(name: str, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    first = next(chunks, None)
    if first is None:
        raise NothingUsableError(f"{name} holds no rows.")
    yield first
    yield from chunks


def _open_named(
    data: str | Path, source_path: str | Path | None, chunk_rows: int, limit: int | None, jobs: int, smiles_column: str | None
) -> Source:
    if is_catalog_name(data):
        located = locate(data, source_path)
        card = located.card
        split = next((column.name for column in card.columns if column.role == "split"), None)
        chunks = open_dataset(located, chunk_rows, limit, jobs)
        return Source(card.name, chunks, card.units, smiles_column or card.smiles_column, split)
    path = Path(data)
    if source_path is not None:
        raise InputError(f"--from belongs to a catalog name, and '{data}' is none. Give the path itself as the data.")
    if path.is_dir() and (path / PREPARED_FILE).is_file():
        path = path / PREPARED_FILE
    if str(data) != STDIN and not path.exists() and not path.suffix and (near := nearest_names(str(data))):
        raise InputError(f"There is no file {data}, and no data set of that name. Did you mean {' or '.join(near)}?")
    return Source(source_name(str(path)), read_records(str(path), chunk_rows, smiles_column), smiles_column=smiles_column)


def _frame_chunks(frame: pd.DataFrame, chunk_rows: int) -> Iterator[Chunk]:
    frame = frame.rename(columns=str)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"The data has two columns called '{twice}'. Rename or drop one.")
    frame = frame.set_axis(pd.RangeIndex(1, len(frame) + 1, name="row"))
    for start in range(0, len(frame), chunk_rows):
        yield Chunk(frame.iloc[start : start + chunk_rows])
