"""Find a named data set, fetch it if need be, and read it in chemvae's own columns, whichever copy it is.

Looked for in this order: the path given, the folder in ``CHEMVAE_DATA``, the user's cache folder, the publisher. Sets that
chemvae makes itself are made when first asked for, and kept in the cache.
"""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from chemvae.cache import cache_folder
from chemvae.chem.descriptors import CLEANED, read_text, with_columns
from chemvae.data.catalog.cache import keep, kept_path, kept_table, read_kept
from chemvae.data.catalog.cards import DATASETS, DatasetCard, Upstream, card_text
from chemvae.data.catalog.download import Progress, fetch
from chemvae.data.catalog.joining import RULES, join_sets
from chemvae.data.catalog.made import library_fingerprint, made_chunks, made_molecules
from chemvae.data.catalog.pooling import POOLING_RULES, pool_sets
from chemvae.data.files.reading import CHUNK_ROWS, Chunk, read_records
from chemvae.data.files.writing import concat
from chemvae.data.splits import key_splits, smiles_keys
from chemvae.disk.checksums import file_sha256
from chemvae.errors import InputError
from chemvae.registry import find

__all__ = ["DATASETS", "DatasetCard", "Located", "card_text", "is_catalog_name", "load_dataset", "locate", "open_dataset"]
logger = logging.getLogger(__name__)

DATA_VARIABLE = "CHEMVAE_DATA"


@dataclass(frozen=True)
class Located:
    """Where a data set was found."""

    card: DatasetCard
    paths: tuple[Path, ...]
    """Empty for a set that is made."""
    kind: str
    """local (our column names), upstream (the publisher's), made or joined."""
    parts: tuple[Located, ...] = ()
    """Of a joined set."""


def is_catalog_name(data: object) -> bool:
    """Whether ``data`` names a set of the catalog and no file of that name lies in the current folder.

    Examples
    --------
    >>> is_catalog_name("ZINC250k"), is_catalog_name("zinc.csv")
    (True, False)
    """
    return isinstance(data, str) and data.lower() in DATASETS and not Path(data).is_file()


def load_dataset(
    name: str, source_path: str | Path | None = None, limit: int | None = None, jobs: int = 1, progress: Progress | None = None
) -> pd.DataFrame:
    """Read a whole set of the catalog in chemvae's columns, rows as they come (nothing dropped).

    Parameters
    ----------
    name : str
        Of :data:`DATASETS`; case does not matter.
    source_path : path, optional
        A copy of the file, or the folder it lies in.
    limit : int, optional
        First rows only.
    jobs : int
        Worker processes, where something must be computed.

    Raises
    ------
    UnknownNameError
        If there is no such set.
    InputError
        If it cannot be found or fetched.

    Examples
    --------
    >>> load_dataset("virtual-drugs", limit=3).columns.tolist()
    ['smiles', 'logP', 'qed', 'SAS', 'recipe']
    """
    chunks = open_dataset(locate(name, source_path, progress), limit=limit, jobs=jobs)
    frame = concat([chunk.frame for chunk in chunks])
    return frame if limit is None else frame.head(limit)


def locate(name: str, source_path: str | Path | None = None, progress: Progress | None = None) -> Located:
    """Find the files of a set, downloading them if they are nowhere on this machine.

    Raises
    ------
    UnknownNameError
        If there is no such set.
    InputError
        If the path given does not hold it, or it cannot be downloaded.
    """
    card = find(DATASETS, name, "data set")[1]
    if card.parts:
        return _joined(card, None if source_path is None else Path(source_path), progress)
    if source_path is not None:
        return _from_path(card, Path(source_path))
    if card.maker:
        return Located(card, (), "made")
    for folder in _known_folders():
        if found := _in_folder(card, folder):
            logger.info("%s: reading %s", card.name, ", ".join(map(str, found.paths)))
            return found
    return _download(card, progress)


def open_dataset(
    located: Located, chunk_rows: int = CHUNK_ROWS, limit: int | None = None, jobs: int = 1, *, clean: bool = False
) -> Iterator[Chunk]:
    """Stream a set in chunks of rows with the columns of its card.

    With ``clean`` the chunks say what cleaning makes of their SMILES, and a set that is read to its end is kept in the cache.
    """
    card = located.card
    if located.kind == "made":
        return made_chunks(card, chunk_rows, limit, jobs)
    if located.kind == "joined":
        return _joined_chunks(located, chunk_rows, jobs)
    if not clean or limit is not None:
        return _raw_chunks(located, chunk_rows, jobs)
    path = kept_path(card.name, (card, located.kind, [path.name for path in located.paths]), located.paths)
    kept = read_kept(path, card.smiles_column, chunk_rows)
    return kept if kept is not None else keep(_raw_chunks(located, chunk_rows, jobs), card.smiles_column, path, jobs)


def _joined(card: DatasetCard, folder: Path | None, progress: Progress | None) -> Located:
    """Find every set that a set joins, in one folder or each where it is."""
    if folder is not None and not folder.is_dir():
        raise InputError(f"{card.name} joins {', '.join(card.parts)}: give the folder that holds their files, not {folder}.")
    parts = tuple(locate(name, None if DATASETS[name].maker else folder, progress) for name in card.parts)
    return Located(card, tuple(path for part in parts for path in part.paths), "joined", parts)


def _joined_chunks(located: Located, chunk_rows: int, jobs: int) -> Iterator[Chunk]:
    """Chunks of a set that is joined once and kept."""
    made = [library_fingerprint(part.card.maker) for part in located.parts if part.kind == "made"]
    card = located.card
    rules = POOLING_RULES if card.pooled else RULES
    path = kept_path(card.name, (card.columns, card.parts, made, rules), located.paths)

    def join() -> pd.DataFrame:
        logger.info("Joining %s; this happens once", card.name)
        frames = {part.card.name: _part_rows(part, jobs) for part in located.parts}
        return pool_sets(frames, card, jobs) if card.pooled else join_sets(frames, DATASETS, jobs)

    return kept_table(card, path, join, chunk_rows)


def _part_rows(part: Located, jobs: int) -> pd.DataFrame:
    """All rows of a set; of one that chemvae makes the molecules are enough, and sooner made."""
    if part.kind == "made":
        return made_molecules(part.card, jobs)
    return concat([chunk.frame for chunk in open_dataset(part, jobs=jobs)])


def _raw_chunks(located: Located, chunk_rows: int, jobs: int) -> Iterator[Chunk]:
    return _local_chunks(located, chunk_rows) if located.kind == "local" else _upstream_chunks(located, chunk_rows, jobs)


def _known_folders() -> list[Path]:
    given = [Path(part).expanduser() for part in os.environ.get(DATA_VARIABLE, "").split(os.pathsep) if part]
    return [folder for folder in (*given, cache_folder() / "datasets") if folder.is_dir()]


def _from_path(card: DatasetCard, path: Path) -> Located:
    if path.is_dir():
        found = _in_folder(card, path)
        if found is None:
            wanted = [" with ".join(file.name for file in card.local)] if card.local else []
            wanted += [" with ".join(file.file_name for file in card.upstream)] if card.is_downloadable else []
            raise InputError(f"The folder {path} holds no copy of {card.name}: looked for {' or '.join(wanted) or 'none'}.")
        return found
    columns = list(next(read_records(path, chunk_rows=64)).frame.columns)
    ours = {column.name for column in card.columns if column.role in ("smiles", "property", "split")}
    if ours <= set(columns):
        return Located(card, (path,), "local")
    if len(card.upstream) == 1 and card.is_downloadable and set(card.upstream[0].readable) <= set(columns):
        return Located(card, (path,), "upstream")
    missing = ", ".join(sorted(ours - set(columns)))
    raise InputError(
        f"{path} is not a copy of {card.name}: it lacks the columns {missing} (it has: {', '.join(columns)}). "
        "To use it as a table of your own, give the path in place of the name."
    )


def _in_folder(card: DatasetCard, folder: Path) -> Located | None:
    """Look for a set's files in a folder, or in a folder of the set's name inside it."""
    for place in (folder / card.name, folder):
        local = tuple(place / file.name for file in card.local)
        if local and all(path.is_file() for path in local):
            for file, path in zip(card.local, local, strict=True):
                _warn_if_changed(card, path, file.sha256)
            return Located(card, local, "local")
        if card.is_downloadable:
            found = (_with_or_without_gz(place / file.file_name) for file in card.upstream)
            paths = [path for path in found if path is not None]
            if len(paths) == len(card.upstream):
                return Located(card, tuple(paths), "upstream")
    return None


def _with_or_without_gz(path: Path) -> Path | None:
    return next((candidate for candidate in (path, path.with_name(path.name + ".gz")) if candidate.is_file()), None)


def _warn_if_changed(card: DatasetCard, path: Path, sha256: str) -> None:
    if file_sha256(path) != sha256:
        logger.warning("%s is not the copy that the card of %s describes: its counts may differ", path, card.name)


def _download(card: DatasetCard, progress: Progress | None) -> Located:
    if not card.is_downloadable:
        addresses = ", ".join(file.url for file in card.upstream)
        raise InputError(
            f"{card.name} was not found (looked in {', '.join(map(str, _known_folders())) or 'no folder'}), and chemvae cannot "
            f"assemble it from its publisher's files ({addresses}). Name a copy with --from PATH, or set {DATA_VARIABLE}."
        )
    folder = cache_folder() / "datasets" / card.name
    paths = [fetch(file.url, folder / file.file_name, file.sha256, progress) for file in card.upstream]
    return Located(card, tuple(paths), "upstream")


def _local_chunks(located: Located, chunk_rows: int) -> Iterator[Chunk]:
    names, before = [column.name for column in located.card.columns], 0
    for path in located.paths:
        last = before
        for chunk in read_records(path, chunk_rows):
            chunk.frame = chunk.frame[[name for name in names if name in chunk.frame.columns]]
            last = before + int(chunk.frame.index[-1])
            yield _further_down(chunk, before)
        before = last


def _further_down(chunk: Chunk, before: int) -> Chunk:
    """A chunk of a later file: its rows go on counting where the file before it ended, and have no line of their own."""
    if not before:
        return chunk
    rows = pd.RangeIndex(int(chunk.frame.index[0]) + before, int(chunk.frame.index[-1]) + before + 1, name="row")
    return replace(
        chunk, frame=chunk.frame.set_axis(rows), lines=None,
        problems={row + before: problem for row, problem in chunk.problems.items()},
    )  # fmt: skip


def _upstream_chunks(located: Located, chunk_rows: int, jobs: int) -> Iterator[Chunk]:
    card, first_row = located.card, 1
    if card.recompute:
        logger.info("%s: %s are computed anew the first time", card.name, ", ".join(card.recompute))
    for file, path in zip(card.upstream, located.paths, strict=True):
        computed = list(card.recompute)
        if any(column.role == "split" for column in card.columns) and "split" not in {*file.readable.values(), *file.constants}:
            computed.append(CLEANED["none"])
        raw = ((chunk, _renamed(card, file, path, chunk.frame)) for chunk in read_records(path, chunk_rows))
        for (chunk, frame), found in with_columns(raw, partial(_smiles_cells, card), computed, jobs):
            shift = first_row - int(chunk.frame.index[0])
            frame = _in_our_columns(card, frame, found)
            frame.index = pd.RangeIndex(first_row, first_row + len(frame), name="row")
            first_row += len(frame)
            cleaned = {card.smiles_column: found[CLEANED["none"]]} if CLEANED["none"] in found else {}
            problems = {row + shift: problem for row, problem in chunk.problems.items()}
            yield Chunk(frame, problems=problems, cleaned=cleaned)


def _renamed(card: DatasetCard, file: Upstream, path: Path, raw: pd.DataFrame) -> pd.DataFrame:
    """Rename the publisher's columns; line breaks and blanks around a SMILES go."""
    missing = [name for name in file.readable if name not in raw.columns]
    if missing:
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)} of {card.name}; it has: {', '.join(map(str, raw.columns))}."
        )
    frame = raw[list(file.readable)].rename(columns=dict(file.readable)).assign(**file.constants)
    frame[card.smiles_column] = [cell.strip() if isinstance(cell, str) else cell for cell in frame[card.smiles_column]]
    return frame


def _smiles_cells(card: DatasetCard, piece: tuple[Chunk, pd.DataFrame]) -> list:
    return piece[1][card.smiles_column].tolist()


def _in_our_columns(card: DatasetCard, frame: pd.DataFrame, found: dict) -> pd.DataFrame:
    """Put in what was computed anew because the file has it in an older form, and the split where the file has none."""
    for name in card.recompute:
        frame[name] = found[name]
    if CLEANED["none"] in found:
        cells, values = frame[card.smiles_column], found[CLEANED["none"]]
        smiles = [read_text(cell, value)[0] for cell, value in zip(cells, values, strict=True)]
        parts = iter(key_splits(smiles_keys([one for one in smiles if one is not None])))
        frame["split"] = ["" if one is None else next(parts) for one in smiles]
    return frame[[column.name for column in card.columns if column.name in frame]]


def nearest_names(name: str) -> list[str]:
    """Names of sets that look like ``name``."""
    return difflib.get_close_matches(name.lower(), DATASETS, n=3)
