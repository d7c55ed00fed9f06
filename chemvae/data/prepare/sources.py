"""Open whatever a user calls data as one stream of raw rows, and share the work on its molecules among processes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from chemvae.chem.descriptors import CLEANED, UNCHANGED, with_columns
from chemvae.chem.molecules import check_standardize_mode, parse
from chemvae.data.catalog.locate import is_catalog_name, locate, nearest_names, open_dataset
from chemvae.data.files.annotations import LeftOut
from chemvae.data.files.columns import is_missing
from chemvae.data.files.reading import CHUNK_ROWS, STDIN, Chunk, is_there, read_records, source_name
from chemvae.data.given import as_written, list_molecules
from chemvae.data.prepare.cleaning import Clean, SymbolCheck, check_symbols, clean_cell
from chemvae.errors import InputError, NothingUsableError

logger = logging.getLogger(__name__)

PREPARED_FILE = "data.parquet"
Data: TypeAlias = str | Path | Sequence[str] | pd.Series | pd.DataFrame


@dataclass(frozen=True)
class ReadingOptions:
    """How a table of molecules is read; :func:`~chemvae.data.prepare.tables.load_table` and ``prepare`` share it."""

    smiles_column: str | None = None
    """Found by itself where it has a usual name or looks like SMILES."""
    properties: Sequence[str] | None = None
    """Columns of labels, in any case; without it what the reader takes by itself."""
    id_column: str | None = None
    """Column of names to keep; ``prepare`` finds it by itself in a table of the user's where it has a usual name."""
    split_column: str | None = None
    """Column of train, valid and test; found by itself if it is called ``split``."""
    standardize: str | None = None
    """"none", "salts" or "neutral", as in :func:`chemvae.chem.molecules.standardize`; without it the reader's own choice."""
    source_path: str | Path | None = None
    """Where a set of the catalog lies (``--from``)."""
    limit: int | None = None
    """Stop after so many rows."""
    jobs: int = 1
    """Worker processes; 0 takes one per core."""
    symbol_check: SymbolCheck | None = None
    """Canonical SMILES -> complaint or None, to turn away what a vocabulary cannot write."""

    def __post_init__(self) -> None:
        if self.standardize is not None:
            check_standardize_mode(self.standardize)

    def open(self, data: Data, mode: str) -> Source:
        """Open the data, whose SMILES will be cleaned with ``mode``."""
        return open_source(
            data,
            self.source_path,
            limit=self.limit,
            jobs=self.jobs,
            smiles_column=self.smiles_column,
            clean=mode == "none",
        )

    def clean(self, chunks: Iterable[Chunk], column: str, mode: str) -> Iterator[tuple[Chunk, list[Clean]]]:
        """Clean the SMILES of a stream with ``mode``; see :func:`clean_pieces`."""
        return clean_pieces(chunks, column, mode, self.jobs, self.symbol_check)


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
    *,
    clean: bool = False,
) -> Source:
    """Open a catalog name, a path, a prepared folder, "-", or a list, Series or DataFrame, as a stream of chunks.

    ``clean`` says that the SMILES will be cleaned with mode "none"; sets of the catalog remember the outcome.

    Raises
    ------
    InputError
        If it cannot be opened; a path that is missing brings the nearest names.
    """
    if isinstance(data, (str, Path)) and not _is_one_molecule(data):
        source = _open_named(data, source_path, chunk_rows, limit, jobs, smiles_column, clean)
    else:
        frame = data if isinstance(data, pd.DataFrame) else _one_column(data, smiles_column or "smiles")
        source = Source("the data", _frame_chunks(frame, chunk_rows), smiles_column=smiles_column)
    return replace(source, chunks=_not_empty(source.name, _first_rows(source.chunks, limit)))


def _is_one_molecule(data: str | Path) -> bool:
    """Whether a text is a SMILES and nothing that could be opened."""
    return isinstance(data, str) and not (data == STDIN or is_catalog_name(data) or Path(data).exists()) and bool(parse(data))


def _one_column(data: Any, name: str) -> pd.DataFrame:
    """A table of molecules in any form that :mod:`chemvae.data.given` knows."""
    return pd.DataFrame({name: pd.Series([as_written(one) for one in list_molecules(data)[0]], dtype=object)})


def clean_pieces(
    chunks: Iterable[Chunk], column: str, mode: str, jobs: int, symbol_check: SymbolCheck | None = None
) -> Iterator[tuple[Chunk, list[Clean]]]:
    """Clean the SMILES of a stream; those chemvae wrote itself are taken as they are, those met before are remembered."""
    left_out = LeftOut()
    pieces = _cells(chunks, column, mode, left_out)
    for (chunk, cells, texts), found in with_columns(pieces, itemgetter(2), [CLEANED[mode]], jobs):
        cleaned = _outcomes(cells, texts, found[CLEANED[mode]], _known(chunk, column, mode))
        yield chunk, [check_symbols(clean, symbol_check) for clean in cleaned] if symbol_check else cleaned
    if said := left_out.sentence():
        logger.warning("Column '%s' has %s.", column, said)


def _cells(chunks: Iterable[Chunk], column: str, mode: str, left_out: LeftOut) -> Iterator[tuple[Chunk, list[Any], list[Any]]]:
    """Each chunk with all its SMILES, and with those that must be cleaned: the same list if that is all of them."""
    for chunk in chunks:
        is_known = _known(chunk, column, mode) is not None
        cells = chunk.frame[column].tolist()
        cells = cells if is_known else left_out.read(cells)
        texts = [] if is_known else [cell for cell in cells if not is_missing(cell)]
        yield chunk, cells, cells if len(texts) == len(cells) else texts


def _known(chunk: Chunk, column: str, mode: str) -> Iterable[str] | None:
    """What cleaning makes of each cell, where the reader says so; None where it must be found out."""
    if mode != "none":
        return None
    return repeat(UNCHANGED) if chunk.is_canonical else chunk.cleaned.get(column)


def _outcomes(cells: list[Any], texts: list[Any], found: Iterable[str], known: Iterable[str] | None) -> list[Clean]:
    """What becomes of each cell of a chunk."""
    if known is not None:
        return [clean_cell(cell, None if is_missing(cell) else value) for cell, value in zip(cells, known, strict=False)]
    if texts is cells:
        return [clean_cell(cell, value) for cell, value in zip(cells, found, strict=True)]
    values = iter(found)
    return [clean_cell(cell, None if is_missing(cell) else next(values)) for cell in cells]


def _first_rows(chunks: Iterator[Chunk], limit: int | None) -> Iterator[Chunk]:
    n_left = limit
    for chunk in chunks:
        if n_left is None:
            yield chunk
            continue
        if n_left > 0:
            cleaned = {name: values[:n_left] for name, values in chunk.cleaned.items()}
            lines = chunk.lines and chunk.lines[:n_left]
            yield replace(chunk, frame=chunk.frame.head(n_left), lines=lines, cleaned=cleaned)
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
    data: str | Path,
    source_path: str | Path | None,
    chunk_rows: int,
    limit: int | None,
    jobs: int,
    smiles_column: str | None,
    clean: bool,
) -> Source:
    if isinstance(data, str) and is_catalog_name(data):
        located = locate(data, source_path)
        card = located.card
        split = next((column.name for column in card.columns if column.role == "split"), None)
        chunks = open_dataset(located, chunk_rows, limit, jobs, clean=clean)
        return Source(card.name, chunks, card.units, smiles_column or card.smiles_column, split)
    path = Path(data)
    if source_path is not None:
        raise InputError(f"--from belongs to a catalog name, and '{data}' is none. Give the path itself as the data.")
    found = str(data) == STDIN or is_there(path)
    if path.is_dir() and (path / PREPARED_FILE).is_file():
        path = path / PREPARED_FILE
    if not found and not path.suffix and (near := nearest_names(str(data))):
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
