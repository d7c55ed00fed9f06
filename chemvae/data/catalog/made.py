"""Sets that chemvae makes itself, made once and kept in the cache folder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
from rdkit import rdBase

from chemvae.cache import cache_folder
from chemvae.data.catalog.cache import column_types
from chemvae.data.catalog.cards import DATASETS, DatasetCard
from chemvae.data.files.reading import CHUNK_ROWS, Chunk, read_records
from chemvae.data.files.writing import ParquetWriter, as_columns
from chemvae.data.virtual import drug_blocks, enumeration, oled_blocks

logger = logging.getLogger(__name__)


def made_molecules(card: DatasetCard, jobs: int) -> pd.DataFrame:
    """The SMILES of a set, as kept, or else made without the properties, which take most of the time."""
    path, column = made_path(card), card.smiles_column
    if path.is_file():
        return pd.concat([chunk.frame[[column]] for chunk in read_records(path, CHUNK_ROWS)])
    logger.info("Making the molecules of %s", card.name)
    return pd.DataFrame({column: [row[0] for row in enumeration.stream_library(card.maker, jobs=jobs)]})


def made_chunks(card: DatasetCard, chunk_rows: int, limit: int | None, jobs: int) -> Iterator[Chunk]:
    """Chunks of a set that chemvae makes: the first rows, or all of it, which is then kept."""
    path = made_path(card)
    if path.is_file() or (limit is None and _make(card, path, jobs)):
        yield from read_records(path, chunk_rows)
        return
    first_row = 1
    rows = enumeration.stream_library(card.maker, card.properties, limit=limit, jobs=jobs)
    while block := list(islice(rows, chunk_rows)):
        frame = pd.DataFrame(_made_columns(card, block))
        frame.index = pd.RangeIndex(first_row, first_row + len(block), name="row")
        first_row += len(block)
        yield Chunk(frame, is_canonical=True)


def made_path(card: DatasetCard) -> Path:
    """Where a set that was made is kept."""
    return cache_folder() / "made" / f"{card.maker}-{library_fingerprint(card.maker)}.parquet"


def _make(card: DatasetCard, path: Path, jobs: int) -> bool:
    """Make a library once and keep it; False if the cache folder cannot be written."""
    n_rows = card.counts.rows if card.counts else 0
    logger.info("Making the %s molecules of %s; this happens once, and takes minutes", f"{n_rows:,}", card.name)
    try:
        with ParquetWriter(path, column_types(card)) as writer:
            rows, n_done = enumeration.stream_library(card.maker, card.properties, jobs=jobs), 0
            while block := list(islice(rows, CHUNK_ROWS)):
                writer.write(_made_columns(card, block))
                before, n_done = n_done, n_done + len(block)
                if n_rows and 10 * before // n_rows < 10 * n_done // n_rows:
                    logger.info("  %d %% of %s are made", 100 * n_done // n_rows, card.name)
    except OSError as error:
        logger.warning("%s cannot be kept in %s (%s); it will be made again next time", card.name, path.parent, error)
        return False
    return True


def _made_columns(card: DatasetCard, rows: list[tuple]) -> dict[str, list]:
    columns = as_columns(rows, ["smiles", "recipe", *card.properties])
    return {column.name: columns[column.name] for column in card.columns}


def library_fingerprint(maker: str) -> str:
    """A short name for exactly this library: blocks, reactions, filter and RDKit's version."""
    module = {"virtual-drugs": drug_blocks, "virtual-oleds": oled_blocks}[maker]
    blocks = {name: table for name, table in vars(module).items() if isinstance(table, dict) and name.isupper()}
    recipe = [
        blocks,
        enumeration.REACTIONS,
        [enumeration.MIN_QED, enumeration.MIN_MW, enumeration.MAX_MW],
        DATASETS[maker].properties,
    ]
    return hashlib.sha256(json.dumps([*recipe, rdBase.rdkitVersion]).encode()).hexdigest()[:12]
