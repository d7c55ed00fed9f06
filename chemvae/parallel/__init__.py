"""Work in other processes: a pool of them, one under a time limit (:mod:`~chemvae.parallel.timed`), or a Ray cluster's."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chemvae.parallel.pool import (
        ENGINES,
        WAITING_PER_WORKER,
        Answer,
        Workers,
        count_jobs,
        limited_threads,
        map_ordered,
        stream_ordered,
    )

__all__ = [
    "ENGINES",
    "WAITING_PER_WORKER",
    "Answer",
    "Workers",
    "count_jobs",
    "limited_threads",
    "map_ordered",
    "stream_ordered",
]


def __getattr__(name: str) -> object:
    """Hand the pool's names on when they are first used: a worker process passes through here and starts sooner without."""
    if name not in __all__:
        raise AttributeError(f"module 'chemvae.parallel' has no attribute '{name}'")
    return getattr(importlib.import_module("chemvae.parallel.pool"), name)


def __dir__() -> list[str]:
    return __all__
