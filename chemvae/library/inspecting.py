"""Say what a library holds, and whether every byte of it is the one that was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from chemvae.disk.checksums import file_sha256
from chemvae.library.graph.reading import index_problems
from chemvae.library.manifest import Manifest, ShardFacts, read_manifest
from chemvae.library.shard import ARRAYS, TABLE
from chemvae.progress import CancelToken, ProgressCallback, steps


def library_info(library: str | Path) -> dict[str, Any]:
    """What a library holds: molecules, shards, bytes, its model, columns with their units, and the tables it was made of.

    Raises
    ------
    LibraryError
        If there is none, or its manifest is damaged.
    """
    manifest = read_manifest(Path(library))
    settings = manifest.settings
    n_bytes = sum(file.n_bytes for shard in manifest.shards for file in shard.files.values())
    return {
        "n_molecules": manifest.n_rows,
        "n_shards": len(manifest.shards),
        "n_bytes": n_bytes,
        "bytes_per_molecule": n_bytes / max(manifest.n_rows, 1),
        **asdict(settings),
        "largest_code_error": max((shard.error for shard in manifest.shards), default=0.0),
        "is_complete": all(source.is_complete for source in manifest.sources),
        "sources": [asdict(source) for source in manifest.sources],
    }


def verify_library(
    library: str | Path, progress: ProgressCallback | None = None, cancel: CancelToken | None = None
) -> list[str]:
    """Compare every file of a library with its checksum, and its arrays and tables with each other.

    Returns
    -------
    list of str
        What is wrong, a sentence each; empty where all is well.

    Raises
    ------
    LibraryError
        If there is no library, or its manifest is damaged.
    """
    library, step = Path(library), steps(progress, cancel)
    manifest = read_manifest(library)
    problems, done = [*_strangers(library, manifest), *index_problems(library)], 0
    for shard in manifest.shards:
        problems += _problems(library / shard.name, shard, manifest)
        done += shard.n_rows
        step("rows", done, manifest.n_rows)
    return problems


def _strangers(library: Path, manifest: Manifest) -> Iterator[str]:
    known = {shard.name for shard in manifest.shards}
    for one in sorted(library.iterdir()):
        if one.is_dir() and one.name not in known:
            yield f"{one.name}: no shard of the manifest; a writer that was ended has left it, and the next one removes it"


def _problems(folder: Path, shard: ShardFacts, manifest: Manifest) -> list[str]:
    found = [
        f"{folder.name}/{name}: {why}" for name, facts in shard.files.items() if (why := _changed(folder / name, facts.sha256))
    ]
    return found or [f"{folder.name}/{why}" for why in _misfits(folder, shard, manifest)]


def _changed(path: Path, sha256: str) -> str:
    try:
        return "" if file_sha256(path) == sha256 else "its bytes are not those that were written"
    except OSError as error:
        return error.strerror or "cannot be read"


def _misfits(folder: Path, shard: ShardFacts, manifest: Manifest) -> Iterator[str]:
    """What does not go together although every file is as it was written."""
    for name in ARRAYS:
        array = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        if array.shape[-1 if name == "keys" else 0] != shard.n_rows:
            yield f"{name}.npy: {array.shape} are not {shard.n_rows:,} rows"
    with pyarrow.parquet.ParquetFile(folder / TABLE) as table:
        if table.metadata.num_rows != shard.n_rows:
            yield f"{TABLE}: {table.metadata.num_rows:,} rows instead of {shard.n_rows:,}"
        if missing := set(manifest.settings.properties) - set(table.schema_arrow.names):
            yield f"{TABLE}: it has no column {', '.join(sorted(missing))}"
