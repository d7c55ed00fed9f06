"""Worker pools that share an oracle's molecules: processes, each of which can be stopped alone, or Ray.

An oracle makes its pool by name (:data:`ENGINES`). Chunks of molecules go in; chunks with their scores come out as they are
done. A chunk whose worker died is taken apart, so that only the molecule at fault is left without a score.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from chemvae.design.oracles.score import Score, Scorer
from chemvae.errors import ChemVAEError, SettingsError
from chemvae.parallel import WAITING_PER_WORKER, Workers, count_jobs
from chemvae.parallel.timed import TimedWorker

CHUNKS_PER_WORKER = 4
LARGEST_CHUNK = 256
Chunk = list[str]
Scored = tuple[Chunk, list[Score]]


class WorkerPool(Protocol):
    """Workers that score chunks."""

    def chunk_size(self, n: int) -> int:
        """Molecules a worker should get at a time when there are n."""

    def work(self, waiting: deque[Chunk]) -> Generator[Scored, None, None]:
        """Yield chunks with their scores in any order; whoever leaves early ends what is being done."""

    def close(self) -> None:
        """End the workers."""


def map_scores(oracle: Scorer, pool: WorkerPool, smiles: Sequence[str]) -> Iterator[Score]:
    """Have a pool score distinct molecules, and yield the scores in their order, each as soon as those before it are there."""
    done: dict[str, Score] = {}
    given = 0
    with contextlib.closing(pool.work(deque(split(smiles, pool.chunk_size(len(smiles)))))) as scored:
        for chunk, scores in scored:
            done.update(zip(chunk, scores, strict=True))
            while given < len(smiles) and smiles[given] in done:
                yield done[smiles[given]]
                given += 1


def split(smiles: Sequence[str], size: int) -> list[Chunk]:
    """Cut a list into chunks.

    Examples
    --------
    >>> split(["C", "N", "O"], 2)
    [['C', 'N'], ['O']]
    """
    return [list(smiles[start : start + size]) for start in range(0, len(smiles), size)]


def _score_all(oracle: Scorer, smiles: Sequence[str]) -> list[Score]:
    return list(type(oracle).run(oracle, smiles))  # the copy's own, whatever was put over it in the parent


def _share(oracle: Scorer, n: int, jobs: int) -> int:
    """Molecules in a chunk: the oracle's own number, or so many that every worker gets several chunks in turn."""
    return oracle.chunk_size or min(max(math.ceil(n / (jobs * CHUNKS_PER_WORKER)), 1), LARGEST_CHUNK)


def retry_alone(oracle: Scorer, chunk: Chunk, reason: str, seconds: float, waiting: deque[Chunk]) -> list[Scored]:
    """What is known after a worker was lost: which molecule failed if it had only one; else each is to be asked alone."""
    if len(chunk) > 1:
        waiting.extendleft([text] for text in reversed(chunk))
        return []
    return [(chunk, [oracle.failure(reason, seconds)])]


class LocalWorkerPool:
    """Worker processes on this machine. With a time limit each molecule goes alone, and an overrun ends its worker only.

    Raises
    ------
    SettingsError
        If the oracle cannot be taken to another process on this system.
    """

    def __init__(self, oracle: Scorer, jobs: int):
        self.oracle, self.jobs = oracle, count_jobs(jobs)
        limit_s = math.inf if oracle.timeout_s is None else oracle.timeout_s
        function = partial(_score_all, oracle.worker_copy())
        try:
            self.workers = [TimedWorker(function, limit_s) for _ in range(self.jobs)]
        except SettingsError:
            if oracle.timeout_s is not None:
                raise
            raise SettingsError(
                f"the oracle '{oracle.describe()}' cannot be spread over {self.jobs} processes on this system, because it "
                "cannot be sent to them. Define it at the top of a module, or use jobs=1."
            ) from None

    def chunk_size(self, n: int) -> int:
        """Molecules a worker gets at a time."""
        return 1 if self.oracle.timeout_s is not None else _share(self.oracle, n, self.jobs)

    def work(self, waiting: deque[Chunk]) -> Generator[Scored, None, None]:
        """Yield chunks with their scores as they are done."""
        busy: dict[TimedWorker, Chunk] = {}
        try:
            while waiting or busy:
                for worker in [worker for worker in self.workers if worker not in busy][: len(waiting)]:
                    busy[worker] = waiting.popleft()
                    worker.begin(busy[worker])
                for worker in TimedWorker.next_done(busy):
                    chunk = busy.pop(worker)
                    scores, reason = worker.finish()
                    seconds = time.perf_counter() - worker.began
                    yield from [(chunk, scores)] if scores else retry_alone(self.oracle, chunk, reason, seconds, waiting)
        finally:
            for worker in busy:
                worker.close()

    def close(self) -> None:
        """End the workers."""
        for worker in self.workers:
            worker.close()


class RayWorkerPool:
    """Tasks of a Ray cluster that is running, or of one started on this machine. A time limit is kept inside each task."""

    def __init__(self, oracle: Scorer, jobs: int):
        self.oracle = oracle
        self.workers = Workers(partial(_score_all, oracle.worker_copy(oracle.timeout_s)), jobs, engine="ray")
        self.jobs = self.workers.jobs

    def chunk_size(self, n: int) -> int:
        """Molecules a task gets."""
        return _share(self.oracle, n, self.jobs)

    def work(self, waiting: deque[Chunk]) -> Generator[Scored, None, None]:
        """Yield chunks with their scores, in order."""
        sent: deque[tuple[Chunk, Any]] = deque()
        try:
            while waiting or sent:
                while waiting and len(sent) < self.jobs * WAITING_PER_WORKER:
                    sent.append((waiting[0], self.workers.submit([waiting.popleft()])))
                chunk, answer = sent[0]
                started = time.perf_counter()
                try:
                    scored = [(chunk, answer.result()[0])]
                except ChemVAEError as error:
                    scored = retry_alone(self.oracle, chunk, str(error), time.perf_counter() - started, waiting)
                sent.popleft()
                yield from scored
        finally:
            for _, answer in sent:
                answer.cancel()

    def close(self) -> None:
        """Leave the cluster to others."""
        self.workers.__exit__()


ENGINES = {"local": LocalWorkerPool, "ray": RayWorkerPool}
"""Where the work of an oracle with ``jobs`` other than 1 is done."""
