"""An index of a library's codes, for libraries so large that a look at every code takes too long: how it is read.

It is usearch's graph of near neighbours (HNSW; Malkov & Yashunin, 2018, https://arxiv.org/abs/1603.09320): a search walks along
its edges and meets most of the nearest, not surely all. How many is measured when the index is made, and told by every search.
What was appended to a library later is looked at row by row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from chemvae.disk.checksums import file_sha256, json_sha256
from chemvae.errors import MissingExtraError, command_line
from chemvae.library.manifest import LibraryError, Manifest
from chemvae.library.opening import read_shards
from chemvae.library.ranking import Best, ByDistance

GRAPH, FACTS = "latent.usearch", "latent.json"
WIDTH = 256  # nodes that a search keeps in view, at least
WIDER = 4  # times as many of the graph's answers as hits are asked for: they are put in order by the float codes


@dataclass(frozen=True)
class IndexFacts:
    """What is known of an index."""

    n_rows: int
    """Molecules in it: the library's first."""
    shards: str
    """A hash of the checksums of their codes."""
    sha256: str
    """Of the graph's bytes."""
    n_bytes: int
    recall: float
    """Share of the true 50 nearest that a search by it finds, a mean over 20 molecules of the library."""


def nearest_rows(library: Path, manifest: Manifest, ranking: ByDistance, best: Best) -> int:
    """Offer the nearest that the index knows; how many of the library's first rows it covers.

    Raises
    ------
    LibraryError
        If there is no index, or it is of other molecules.
    """
    facts = read_facts(library)
    if facts.n_rows > manifest.n_rows or facts.shards != covered(manifest, facts.n_rows):
        raise LibraryError(library, "has an index of other molecules.", _remedy(library))
    offer_met(library, manifest, _opened(library.absolute(), facts), ranking, best)
    return facts.n_rows


@lru_cache(maxsize=4)
def _opened(library: Path, facts: IndexFacts) -> Any:
    """The graph, read where it lies, and kept: to open it costs more than a search.

    Its length is compared; its bytes are ``library verify``'s to read.
    """
    path, module = library / GRAPH, usearch_index()
    try:
        if path.stat().st_size != facts.n_bytes:
            raise ValueError("another length")
        graph = module.Index.restore(str(path), view=True, enable_key_lookups=False)
    except (OSError, ValueError, RuntimeError):
        graph = None
    if graph is None or len(graph) != facts.n_rows:
        raise LibraryError(library, f"has a damaged index ({GRAPH}).", _remedy(library))
    return graph


def read_facts(library: Path) -> IndexFacts:
    """What is known of a library's index.

    Raises
    ------
    LibraryError
        If there is none, or what is known of it cannot be read.
    """
    try:
        return IndexFacts(**json.loads((library / FACTS).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise LibraryError(library, "has no index.", _remedy(library)) from None
    except (OSError, ValueError, TypeError):
        raise LibraryError(library, f"has a {FACTS} that cannot be used.", _remedy(library)) from None


def index_problems(library: Path) -> Iterator[str]:
    """What is wrong with the index, where there is one."""
    if not (library / FACTS).exists():
        return
    try:
        if file_sha256(library / GRAPH) != read_facts(library).sha256:
            yield f"{GRAPH}: its bytes are not those that were written"
    except OSError as error:
        yield f"{GRAPH}: {error.strerror or 'cannot be read'}"
    except LibraryError as error:
        yield f"{FACTS}: {error.problem}"


def offer_met(library: Path, manifest: Manifest, graph: Any, ranking: ByDistance, best: Best) -> None:
    """Offer the rows that a walk through the graph meets, with their exact distances."""
    count = min(WIDER * best.n, len(graph))
    graph.expansion_search = max(WIDTH, count)
    rows = np.sort(graph.search(np.asarray(ranking.point, dtype=np.float32), count).keys.astype(np.int64))
    for shard in read_shards(library, manifest):
        here = rows[(rows >= shard.first_row) & (rows < shard.first_row + len(shard))]
        if len(here):
            with shard:
                best.offer(ranking.values(shard, here - shard.first_row), here)


def covered(manifest: Manifest, n_rows: int) -> str:
    """A hash of the codes of the first shards, which hold so many rows; "" where no shard ends there."""
    sums, rows = [], 0
    for shard in manifest.shards:
        if rows == n_rows:
            break
        rows += shard.n_rows
        sums.append(shard.files["points.npy"].sha256)
    return json_sha256(sums) if rows == n_rows else ""


def _remedy(library: Path) -> str:
    return f"Make one with: {command_line('library', 'index', library)}; or search without --approximate."


def usearch_index() -> Any:
    """The module of usearch's indexes."""
    from rdkit import rdBase  # noqa: F401  first: a process that imports RDKit after usearch 2.26 is ended by a fault of memory

    try:
        import usearch.index
    except ImportError:
        raise MissingExtraError("usearch", "library", "An index of a library") from None
    return usearch.index
