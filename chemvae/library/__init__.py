"""A library: very many molecules in files that are searched where they lie, near in latent space, by structure and by property.

``chemvae library build|append|info|verify|index`` and ``chemvae search`` are these functions. A library is read a shard at a
time and through maps of its files: memory does not grow with it.
"""

from __future__ import annotations

from chemvae.library.building import Work
from chemvae.library.building import append_library as append
from chemvae.library.building import build_library as build
from chemvae.library.graph.making import build_index as index
from chemvae.library.graph.reading import IndexFacts
from chemvae.library.graph.reading import read_facts as index_facts
from chemvae.library.hits import write_hits
from chemvae.library.inspecting import library_info as info
from chemvae.library.inspecting import verify_library as verify
from chemvae.library.manifest import LibraryError
from chemvae.library.query import Query
from chemvae.library.searching import Hits
from chemvae.library.searching import search_library as search
from chemvae.library.sources import Reading

__all__ = [
    "Hits", "IndexFacts", "LibraryError", "Query", "Reading", "Work", "append", "build", "index", "index_facts", "info",
    "search", "verify", "write_hits",
]  # fmt: skip
