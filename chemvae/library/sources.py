"""Where a library's molecules come from: any table chemvae reads, known again by its bytes, and gone on with where it ended."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from chemvae.data.catalog.locate import is_catalog_name, locate
from chemvae.data.files.number_columns import read_columns
from chemvae.data.files.reading import STDIN, split_sheet
from chemvae.data.prepare.sources import PREPARED_FILE, Data
from chemvae.disk.checksums import file_sha256, json_sha256
from chemvae.errors import SettingsError
from chemvae.library.features import Piece
from chemvae.library.keys import KnownKeys
from chemvae.library.manifest import SourceFacts
from chemvae.models.vae import MolVAE
from chemvae.tables.rows import Block, read_blocks

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """How the tables of one call are read."""

    smiles_column: str | None = None
    """Found by itself if not given."""
    id_column: str | None = None
    """Column of names to keep."""
    standardize: str = "none"
    """"none", "salts" or "neutral"."""
    jobs: int = 1
    """Worker processes for cleaning."""
    piece_rows: int = 4096
    """Rows that are handed on together."""


def describe_source(data: Data, smiles_column: str | None = None) -> SourceFacts:
    """What is known of a source before it is read: a name, and a checksum where it is a file or a set of the catalog."""
    if not isinstance(data, (str, Path)) or str(data) == STDIN:
        return SourceFacts("stdin" if isinstance(data, str) else "data in memory", None)
    path, sheet = split_sheet(Path(data))
    files = [path / PREPARED_FILE if (path / PREPARED_FILE).is_file() else path]
    if is_catalog_name(data):
        files, sheet = list(locate(str(data)).paths), str(data)
    if not all(file.is_file() for file in files):  # a pipe, a folder, or nothing
        return SourceFacts(str(data), None)
    return SourceFacts(str(data), json_sha256([*map(file_sha256, files), sheet, smiles_column]))


def read_pieces(
    data: Data, reading: Reading, model: MolVAE, given: tuple[str, ...], known: KnownKeys, facts: SourceFacts
) -> Iterator[tuple[Piece, SourceFacts]]:
    """Read on in a source, and say after each piece how far it is read.

    Parameters
    ----------
    data : str, Path, DataFrame or sequence of str
    reading : Reading
    model : MolVAE
        Whose vocabulary decides what can be written.
    given : tuple of str
        Properties that the source is to tell, where it has a column of that name.
    known : KnownKeys
        Of the library; what is new is added.
    facts : SourceFacts
        The rows it has read already are passed over.
    """
    n_rows = 0
    for block in read_blocks(model, data, reading.smiles_column, "keep", reading.standardize, reading.jobs):
        for start in range(max(facts.n_rows - n_rows, 0), len(block.smiles), reading.piece_rows):
            part = _part(block, slice(start, start + reading.piece_rows))
            piece, n_known = _new_molecules(part, reading.id_column, given, known)
            left_out = Counter(facts.left_out) + Counter(reason for reason in part.reasons if reason)
            facts = replace(
                facts, n_rows=n_rows + start + len(part.smiles), n_kept=facts.n_kept + len(piece.smiles),
                n_known=facts.n_known + n_known, left_out=_in_kinds(left_out),
            )  # fmt: skip
            yield piece, facts
        n_rows += len(block.smiles)
    yield Piece([], [], {}), replace(facts, is_complete=True)


def _part(block: Block, rows: slice) -> Block:
    return Block(block.frame.iloc[rows], block.smiles[rows], block.reasons[rows], block.smiles_column)


def _in_kinds(counts: Counter[str]) -> dict[str, int]:
    """Reasons with their counts: at most twenty, the rest together."""
    kinds = counts.most_common(20)
    rest = counts.total() - sum(count for _, count in kinds)
    return dict(kinds) | ({"other reasons": rest} if rest else {})


def _new_molecules(block: Block, id_column: str | None, given: tuple[str, ...], known: KnownKeys) -> tuple[Piece, int]:
    """The molecules of a block that the library lacks, and how many rows it has already."""
    usable = np.array([i for i, one in enumerate(block.smiles) if one is not None], dtype=np.int64)
    smiles = [block.smiles[i] for i in usable.tolist()]
    is_new = known.add(smiles) if smiles else np.zeros(0, bool)
    chosen = usable[is_new]
    frame = block.frame.iloc[chosen]
    kept = [one for one, new in zip(smiles, is_new, strict=True) if new]
    return Piece(kept, _ids(frame, id_column), _numbers(frame, given)), int((~is_new).sum())


def _ids(frame: pd.DataFrame, column: str | None) -> list[str | None]:
    if column is None:
        return [None] * len(frame)
    if column not in frame.columns:
        raise SettingsError(
            f"there is no column '{column}' for --id-column; the table has {', '.join(map(str, frame.columns))}"
        )
    return [None if pd.isna(cell) else str(cell) for cell in frame[column]]


def _numbers(frame: pd.DataFrame, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Columns of the table as numbers; NaN where there is none."""
    by_lower = {str(column).lower(): column for column in frame.columns}
    found = {}
    for name in names:
        column = by_lower.get(name.lower())
        missing = np.full(len(frame), np.nan)
        found[name] = missing if column is None else read_columns(frame[[column]])[0].values.astype(np.float64)
    return found
