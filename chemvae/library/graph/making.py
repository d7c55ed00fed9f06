"""Make an index of a library's codes, and measure how many of the nearest it finds."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.disk.checksums import file_sha256
from chemvae.disk.files import write_atomically
from chemvae.disk.locks import held
from chemvae.library.graph.reading import FACTS, GRAPH, IndexFacts, covered, offer_met, usearch_index
from chemvae.library.manifest import Manifest, read_manifest
from chemvae.library.opening import read_shards
from chemvae.library.query import Query
from chemvae.library.ranking import Best, ByDistance
from chemvae.library.searching import search_library
from chemvae.parallel import count_jobs
from chemvae.progress import CancelToken, ProgressCallback, steps
from chemvae.runs import write_json

ROWS_AT_A_TIME = 65_536
N_TRIED, N_NEAREST = 20, 50  # searches that the recall is measured by, and hits of each


def build_index(
    library: str | Path, jobs: int = 0, progress: ProgressCallback | None = None, cancel: CancelToken | None = None
) -> IndexFacts:
    """Index the codes of a library, in place of an index that is there.

    Parameters
    ----------
    library : path
    jobs : int
        Threads; 0 or less takes one per core. With one the graph is the same each time.
    progress, cancel : optional

    Raises
    ------
    LibraryError, MissingExtraError
        If there is no library, or it is damaged; if usearch is not installed.
    """
    library, step = Path(library), steps(progress, cancel)
    manifest = read_manifest(library)
    graph = usearch_index().Index(ndim=manifest.settings.latent_dim, metric="l2sq", dtype="f16", enable_key_lookups=False)
    with held(library):
        for shard in read_shards(library, manifest):
            with shard:
                points = shard.array("points")
                for start in range(0, len(shard), ROWS_AT_A_TIME):
                    part = np.asarray(points[start : start + ROWS_AT_A_TIME], dtype=np.float32)
                    graph.add(shard.first_row + start + np.arange(len(part)), part, threads=count_jobs(jobs))
                    step("rows", shard.first_row + start + len(part), manifest.n_rows)
        write_atomically(library / GRAPH, lambda path: graph.save(str(path)))
        path, recall = library / GRAPH, _recall(library, manifest, graph, jobs)
        sha256, n_bytes = file_sha256(path), path.stat().st_size
        facts = IndexFacts(manifest.n_rows, covered(manifest, manifest.n_rows), sha256, n_bytes, recall)
        write_json(library / FACTS, asdict(facts))
    return facts


def _recall(library: Path, manifest: Manifest, graph: Any, jobs: int) -> float:
    """Share of the true nearest that the graph finds, for molecules of the library."""
    if not manifest.n_rows:
        return 1.0
    shares = []
    for row in np.random.default_rng(0).integers(manifest.n_rows, size=N_TRIED):
        point = _point(library, manifest, int(row))
        truth = search_library(library, Query(point, N_NEAREST), jobs=jobs).table["row"].to_numpy()
        best = Best(N_NEAREST)
        offer_met(library, manifest, graph, ByDistance(point), best)
        shares.append(len(set(best.rows) & set(truth)) / len(truth))
    return round(float(np.mean(shares)), 4)


def _point(library: Path, manifest: Manifest, row: int) -> np.ndarray:
    for shard in read_shards(library, manifest):
        if row < shard.first_row + len(shard):
            with shard:
                return np.array(shard.array("points")[row - shard.first_row], dtype=np.float64)
    raise IndexError(row)
