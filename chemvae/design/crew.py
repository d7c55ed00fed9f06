"""Crews: workers that share an oracle's molecules: processes, each of which can be stopped alone, or Ray.

An oracle makes its crew by name (:data:`ENGINES`). Chunks of molecules go in; chunks with their scores come out as they are
done. A chunk whose worker died is taken apart, so that only the molecule at fault is left without a score.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Protocol

from chemvae.design.score import Score
from chemvae.errors import ChemVAEError, SettingsError
from chemvae.parallel import WAITING_PER_WORKER, Workers, count_jobs
from chemvae.parallel.timed import RemoteError, TimedFunction, TimeLimitError

if TYPE_CHECKING:
    from chemvae.design.oracle import Oracle

CHUNKS_PER_WORKER = 4
LARGEST_CHUNK = 256
Chunk = list[str]
Scored = tuple[Chunk, list[Score]]


class Crew(Protocol):
    """Workers that score chunks."""

    def chunk_size(self, n: int) -> int:
        """Molecules a worker should get at a time when there are n."""

    def work(self, waiting: deque[Chunk]) -> Iterator[Scored]:
        """Yield chunks with their scores in any order; whoever leaves early ends what is being done."""

    def close(self) -> None:
        """End the workers."""


def spread(oracle: Oracle, crew: Crew, smiles: Sequence[str]) -> Iterator[Score]:
    """Have a crew score distinct molecules, and yield the scores in their order, each as soon as those before it are there."""
    done: dict[str, Score] = {}
    given = 0
    with contextlib.closing(crew.work(deque(split(smiles, crew.chunk_size(len(smiles)))))) as scored:
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


def _score_all(oracle: Oracle, smiles: Sequence[str]) -> list[Score]:
    return list(type(oracle).run(oracle, smiles))  # the copy's own, whatever was put over it in the parent


def _share(oracle: Oracle, n: int, jobs: int) -> int:
    """Molecules in a chunk: the oracle's own number, or so many that every worker gets several chunks in turn."""
    return oracle.chunk_size or min(max(math.ceil(n / (jobs * CHUNKS_PER_WORKER)), 1), LARGEST_CHUNK)


def _blame(oracle: Oracle, chunk: Chunk, reason: str, seconds: float, waiting: deque[Chunk]) -> list[Scored]:
    """What is known after a worker was lost: which molecule failed if it had only one; else each is to be asked alone."""
    if len(chunk) > 1:
        waiting.extendleft([text] for text in reversed(chunk))
        return []
    return [(chunk, [oracle.failure(reason, seconds)])]


class _Hand(TimedFunction):
    """A worker that is given a chunk now and asked for its scores later."""

    def begin(self, chunk: Chunk) -> None:
        """Hand over a chunk; the clock starts when the worker is up."""
        self.problem = ""
        try:
            if self._process is None or not self._process.is_alive():
                self._start()
            self._pipe.send(chunk)
        except (RemoteError, OSError) as error:
            self.problem = str(error) or "the worker process died"
        self.began = time.perf_counter()
        self.due = self.began + self.timeout_s

    def finish(self) -> tuple[list[Score] | None, str]:
        """Return the scores, or None and what happened to the worker."""
        try:
            if self.problem:
                return None, self.problem
            if self._pipe.poll(0):
                return self._receive(), ""
        except RemoteError as error:
            return None, str(error)
        self.close()
        return None, str(TimeLimitError(f"timed out after {self.timeout_s:g} s"))

    @staticmethod
    def next_done(hands: Iterable[_Hand]) -> list[_Hand]:
        """Wait until some have an answer, a problem, or no time left."""
        if failed := [hand for hand in hands if hand.problem]:
            return failed
        left_s = min(hand.due for hand in hands) - time.perf_counter()
        ready = connection.wait([hand._pipe for hand in hands], None if math.isinf(left_s) else max(left_s, 0.0))
        now = time.perf_counter()
        return [hand for hand in hands if hand._pipe in ready or now >= hand.due]


class LocalCrew:
    """Worker processes on this machine. With a time limit each molecule goes alone, and an overrun ends its worker only.

    Raises
    ------
    SettingsError
        If the oracle cannot be taken to another process on this system.
    """

    def __init__(self, oracle: Oracle, jobs: int):
        self.oracle, self.jobs = oracle, count_jobs(jobs)
        limit_s = math.inf if oracle.timeout_s is None else oracle.timeout_s
        function = partial(_score_all, oracle.alone())
        try:
            self.hands = [_Hand(function, limit_s) for _ in range(self.jobs)]
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

    def work(self, waiting: deque[Chunk]) -> Iterator[Scored]:
        """Yield chunks with their scores as they are done."""
        busy: dict[_Hand, Chunk] = {}
        try:
            while waiting or busy:
                for hand in [hand for hand in self.hands if hand not in busy][: len(waiting)]:
                    busy[hand] = waiting.popleft()
                    hand.begin(busy[hand])
                for hand in _Hand.next_done(busy):
                    chunk = busy.pop(hand)
                    scores, reason = hand.finish()
                    seconds = time.perf_counter() - hand.began
                    yield from [(chunk, scores)] if scores else _blame(self.oracle, chunk, reason, seconds, waiting)
        finally:
            for hand in busy:
                hand.close()

    def close(self) -> None:
        """End the workers."""
        for hand in self.hands:
            hand.close()


class RayCrew:
    """Tasks of a Ray cluster that is running, or of one started on this machine. A time limit is kept inside each task."""

    def __init__(self, oracle: Oracle, jobs: int):
        self.oracle = oracle
        self.workers = Workers(partial(_score_all, oracle.alone(oracle.timeout_s)), jobs, engine="ray")
        self.jobs = self.workers.jobs

    def chunk_size(self, n: int) -> int:
        """Molecules a task gets."""
        return _share(self.oracle, n, self.jobs)

    def work(self, waiting: deque[Chunk]) -> Iterator[Scored]:
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
                    scored = _blame(self.oracle, chunk, str(error), time.perf_counter() - started, waiting)
                sent.popleft()
                yield from scored
        finally:
            for _, answer in sent:
                answer.cancel()

    def close(self) -> None:
        """Leave the cluster to others."""
        self.workers.__exit__()


ENGINES = {"local": LocalCrew, "ray": RayCrew}
"""Where the work of an oracle with ``jobs`` other than 1 is done."""
