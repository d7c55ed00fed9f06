"""Work in other processes: a pool of them, one under a time limit (:mod:`~chemvae.parallel.timed`), or a Ray cluster's."""

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
