"""Search a library: shard by shard, with a bound that tightens as hits are found; exactly those a look at every row would find.

Of each shard the codes (or fingerprints) of all rows are scanned; what their bounds do not rule out is measured exactly, and
only what is near enough to count is looked at as a structure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chemvae.errors import LostWorkerError, SettingsError
from chemvae.library.graph.reading import nearest_rows
from chemvae.library.manifest import Manifest, ShardFacts, read_manifest
from chemvae.library.opening import open_own_model, read_shards
from chemvae.library.query import Query
from chemvae.library.ranking import Best, ByDistance, BySimilarity, InOrder, Ranking, similarities
from chemvae.library.shard import OWN_COLUMNS, Shard
from chemvae.parallel import Workers, count_jobs, limited_threads

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

LOOKED_AT = 64  # structures at a time: after each the bound may have become tighter
WIDER = 4  # times as many candidates, where too few of those before were what is wanted
TRIES = 4  # of a task whose worker was lost
TASKS_PER_WORKER = 4


@dataclass(frozen=True)
class Hits:
    """What was found, the best first."""

    table: pd.DataFrame
    """``row`` of the library, ``id``, ``smiles``, ``distance`` and ``similarity`` to what it is near, and its columns."""
    n_searched: int
    """Molecules in the library."""


def search_library(
    library: str | Path,
    query: Query,
    model: MolVAE | str | Path | None = None,
    *,
    jobs: int = 0,
    engine: str = "local",
    device: str = "auto",
) -> Hits:
    """Find the molecules of a library that are nearest to one, among those that fulfil conditions.

    Parameters
    ----------
    library : path
    query : Query
    model : MolVAE, name or run folder
        The library's own by default; needed only to find where in latent space a molecule lies.
    jobs : int
        Threads, or tasks of a cluster; 0 or less takes one per core.
    engine : {"local", "ray"}
    device : str
        Where a model that is named is loaded.

    Returns
    -------
    Hits
        Distances are Euclidean, and geodesic (radians) where the model's codes lie on a sphere.

    Raises
    ------
    LibraryError, MissingExtraError, SettingsError, UnknownNameError, UnknownTokenError
        If the library, or an index that is asked for, is missing or damaged; if usearch is not installed; if columns or models
        do not fit the library; if the model cannot write the molecule.
    """
    library = Path(library)
    manifest = read_manifest(library)
    for condition in query.conditions:
        condition.matched(manifest.settings.properties)
    task = SearchTask(library, query, _ranking(library, manifest, query, model, device))
    best, known = Best(query.n), 0
    if query.approximate and isinstance(task.ranking, ByDistance):
        known = nearest_rows(library, manifest, task.ranking, best)
    shards = [(facts, first_row) for facts, first_row in _with_first_rows(manifest) if first_row >= known]
    if engine == "local":
        _in_threads(task, shards, best, count_jobs(jobs))
    else:
        _in_tasks(task, shards, best, jobs, engine)
    return Hits(_table(library, manifest, query, best), manifest.n_rows)


def _ranking(library: Path, manifest: Manifest, query: Query, model: MolVAE | str | Path | None, device: str) -> Ranking:
    settings = manifest.settings
    if query.near is None:
        return InOrder()
    if query.space == "fingerprint" and query.fingerprint is not None:
        return BySimilarity(query.fingerprint)
    if query.point is None and query.smiles is not None:
        vae = open_own_model(library, settings, model, device)
        vae.vocabulary.encode(query.smiles)  # raises, naming symbol and position, where the model cannot write it
        return ByDistance(vae.encode([query.smiles], canonicalize=False)[0])
    if query.point is None:
        raise SettingsError(f"near must be a molecule or {settings.latent_dim} numbers, got {query.near!r}")
    if query.point.shape != (settings.latent_dim,) or not np.isfinite(query.point).all():
        raise SettingsError(f"near must be {settings.latent_dim} numbers, as the library's codes are, got {query.point.shape}")
    norm = float(np.linalg.norm(query.point))
    if settings.space == "sphere" and not norm:
        raise SettingsError("near must lie on the unit sphere, as the library's codes do, and its origin does not")
    return ByDistance(query.point / norm if settings.space == "sphere" else query.point)


@dataclass(frozen=True)
class SearchTask:
    """A question to some shards, as it is sent to where they are searched."""

    library: Path
    query: Query
    ranking: Ranking

    def __call__(self, shards: list[tuple[ShardFacts, int]]) -> tuple[np.ndarray, np.ndarray]:
        """Values [m] and rows [m] of the best of some shards with their first rows."""
        best = Best(self.query.n)
        for facts, first_row in shards:
            self.search(facts, first_row, best)
        return best.values, best.rows

    def search(self, facts: ShardFacts, first_row: int, best: Best) -> None:
        """Offer what a shard has."""
        with Shard(self.library, facts, first_row) as shard:
            if self.ranking.least(shard) > best.bound:
                return
            allowed = self._allowed(shard)
            if allowed is not None and not allowed.any():
                return
            lower, gap = self.ranking.bounds(shard)
            if allowed is not None:
                lower = np.where(allowed, lower, np.inf)
            for places, values in _in_order(shard, self.ranking, lower, gap, best):
                self._offer(shard, places, values, best)

    def _allowed(self, shard: Shard) -> np.ndarray | None:
        """Rows that fulfil what is known of all rows at once: bool [n]; None for all of them."""
        masks = [mask for mask in (self.query.structure.may_pass(shard),) if mask is not None]
        columns = self._columns(shard)
        masks += [condition.holds(columns) for condition in self.query.conditions]
        if self.query.min_similarity is not None and self.query.fingerprint is not None:
            masks.append(similarities(shard, self.query.fingerprint) >= self.query.min_similarity)
        return np.logical_and.reduce(masks) if masks else None

    def _columns(self, shard: Shard) -> dict[str, np.ndarray]:
        """The columns that conditions ask about, by their names as written."""
        known = {name: name for name in shard.table.schema_arrow.names} if self.query.conditions else {}
        written = {asked: name for condition in self.query.conditions for asked, name in condition.matched(known).items()}
        columns = shard.columns(list(dict.fromkeys(written.values()))) if written else {}
        return {asked: columns[name] for asked, name in written.items()}

    def _offer(self, shard: Shard, places: np.ndarray, values: np.ndarray, best: Best) -> None:
        """Offer rows in the order of their values, as long as they can be among the best and are what is wanted."""
        if not self.query.structure:
            best.offer(values, shard.first_row + places)
            return
        for start in range(0, len(places), LOOKED_AT):
            part = slice(start, start + LOOKED_AT)
            near = values[part] <= best.bound
            if not near.any():
                return
            chosen, their = places[part][near], values[part][near]
            passed = self.query.structure.passes(shard, chosen)
            best.offer(their[passed], shard.first_row + chosen[passed])


def _in_order(
    shard: Shard, ranking: Ranking, lower: np.ndarray, gap: float, best: Best
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows of a shard and their exact values, in order, in batches: all there are up to a radius, then up to a larger one.

    Ends where no further row can be among the best, or none is left.
    """
    size, done = best.n, -np.inf
    n_allowed = int(np.count_nonzero(np.isfinite(lower)))
    while True:
        radius = _radius(lower, gap, best.bound, size, n_allowed)
        places = np.flatnonzero((lower <= radius) & (lower > done - gap) & np.isfinite(lower))
        values = ranking.values(shard, places)
        chosen = (values <= radius) & (values > done)
        places, values = places[chosen], values[chosen]
        order = np.lexsort((places, values))
        yield places[order], values[order]
        done, size = radius, WIDER * size
        if done >= best.bound or not np.isfinite(done):
            return


def _radius(lower: np.ndarray, gap: float, bound: float, size: int, n_allowed: int) -> float:
    """A value up to which lie as many rows as asked for, at least, or all that can count."""
    if np.isfinite(bound) and np.count_nonzero(lower <= bound) <= WIDER * size:
        return bound
    if size >= n_allowed:
        return bound
    return min(bound, float(np.partition(lower, size - 1)[size - 1]) + gap)


def _in_threads(task: SearchTask, shards: list[tuple[ShardFacts, int]], best: Best, threads: int) -> None:
    with limited_threads(1), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(task.search, facts, first_row, best) for facts, first_row in shards]:
            done.result()


def _in_tasks(task: SearchTask, shards: list[tuple[ShardFacts, int]], best: Best, jobs: int, engine: str) -> None:
    """Search in other processes or on a cluster; what was lost with its worker is searched again."""
    with Workers(task, jobs, engine=engine) as workers:
        size = max(-(-len(shards) // (TASKS_PER_WORKER * workers.jobs)), 1)
        parts = [shards[start : start + size] for start in range(0, len(shards), size)]
        for part, answer in [(part, workers.submit([part])) for part in parts]:
            for left in reversed(range(TRIES)):
                try:
                    best.offer(*answer.result()[0])
                    break
                except LostWorkerError:
                    if not left:
                        raise
                    answer = workers.submit([part])


def _with_first_rows(manifest: Manifest) -> list[tuple[ShardFacts, int]]:
    starts = np.concatenate([[0], np.cumsum([shard.n_rows for shard in manifest.shards], dtype=np.int64)])
    return list(zip(manifest.shards, starts.tolist(), strict=False))


def _table(library: Path, manifest: Manifest, query: Query, best: Best) -> pd.DataFrame:
    """All columns of the rows found, in their order."""
    names = [*OWN_COLUMNS, *manifest.settings.properties]
    frames, shared = [pd.DataFrame(columns=names)], []
    for shard in read_shards(library, manifest):
        places = best.rows[(best.rows >= shard.first_row) & (best.rows < shard.first_row + len(shard))] - shard.first_row
        if len(places):
            with shard:
                frames.append(shard.rows(places, names).to_pandas())
                shared += _shared(shard, places, query)
    frame = pd.concat(frames[1:] or frames, ignore_index=True)
    if query.smiles is not None:
        frame.insert(3, "similarity", np.array(shared, dtype=float))
    frame = frame.set_index("row").loc[best.rows].reset_index() if len(frame) else frame
    if query.near is not None and query.space == "latent":
        frame.insert(3, "distance", as_distance(best.values, manifest.settings.space))
    return frame if frame["id"].notna().any() else frame.drop(columns="id")


def _shared(shard: Shard, places: Sequence[int] | np.ndarray, query: Query) -> list[float]:
    if query.fingerprint is None:
        return []
    return similarities(shard, query.fingerprint, np.asarray(places)).tolist()


def as_distance(chord: np.ndarray, space: str) -> np.ndarray:
    """Euclidean distances [n] as distances in a latent space: on the unit sphere the arc above the chord, radians.

    Examples
    --------
    >>> as_distance(np.array([0.0, 2.0]), "sphere").round(4).tolist(), as_distance(np.array([3.0]), "flat").tolist()
    ([0.0, 3.1416], [3.0])
    """
    return 2.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)) if space == "sphere" else chord
