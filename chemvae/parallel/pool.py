"""Map work over nothing, over processes or over Ray, in order, behind one call.

Workers are spawned (never forked: torch and OpenMP do not survive that), run one thread each, ignore Ctrl-C so that the
parent decides, and leave when the parent is gone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import spawn
from pathlib import Path
from typing import Any, TypeVar

from chemvae.errors import ChemVAEError, SettingsError
from chemvae.parallel.ray import RayAnswer, RayPool
from chemvae.registry import find

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Value = TypeVar("Value")

WAITING_PER_WORKER = 3
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Run the block with so many CPU threads inside torch's operations (0: leave it), then as before.

    Small operations are better off with one: several threads meet at the end of every operation, and a busy neighbour lets
    all of them wait each time.
    """
    import torch  # a second that --help does not need

    before = torch.get_num_threads()
    if threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def map_ordered(function: Callable[[Item], Value], items: Iterable[Item], jobs: int = 1, chunk: int = 64) -> list[Value]:
    """Apply ``function`` to every item and return the values in order.

    Parameters
    ----------
    function : callable
        With ``jobs > 1`` it must be importable by name (a module-level function or a partial of one).
    items : iterable
    jobs : int
        Worker processes; 1 works in this one, 0 or less takes one per core.
    chunk : int
        Items sent to a worker at a time.

    Raises
    ------
    SettingsError
        If the function cannot be sent to another process, or ``chunk`` < 1.
    ChemVAEError
        If a worker dies.

    Examples
    --------
    >>> map_ordered(str.upper, ["a", "b"])
    ['A', 'B']
    """
    return list(stream_ordered(function, items, jobs=jobs, chunk=chunk))


def stream_ordered(function: Callable[[Item], Value], items: Iterable[Item], jobs: int = 1, chunk: int = 64) -> Iterator[Value]:
    """Like :func:`map_ordered`, one value at a time: only a few chunks are ever in memory.

    Examples
    --------
    >>> from itertools import count, islice
    >>> list(islice(stream_ordered(abs, count(-2)), 4))
    [2, 1, 0, 1]
    """
    if chunk < 1:
        raise SettingsError(f"chunk must be >= 1, got {chunk}")
    jobs = count_jobs(jobs)
    if jobs == 1 or not _can_spawn():
        return map(function, items)
    _check_sendable(function)  # now, not when the first value is asked for
    return _stream_from_pool(function, iter(items), jobs, chunk)


def count_jobs(jobs: int) -> int:
    """Turn 0 or a negative number into one worker per core this process may use."""
    if jobs > 0:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Answer:
    """What a worker will have made of a block."""

    def __init__(self, future: Future | RayAnswer):
        self._future = future

    def done(self) -> bool:
        """Whether :meth:`result` answers at once."""
        return self._future.done()

    def result(self) -> list:
        """Wait for the values, in the order of the block; raises what the function raised, ChemVAEError if the worker died."""
        with _dying_explained():
            return self._future.result()

    def cancel(self) -> None:
        """Say that nobody waits for it: what has not begun will not begin."""
        self._future.cancel()


class Workers:
    """Processes that apply one function to the items of blocks; with one job the calling process does it, at once.

    Parameters
    ----------
    function : callable
        With ``jobs > 1`` it must be importable by name (a module-level function or a partial of one).
    jobs : int
        Processes; 1 none, 0 or less one per core.
    light : bool
        The workers do not read the main program again: they start sooner and need no ``if __name__ == "__main__":``, but
        know nothing that it defines. For functions of chemvae on plain values.
    yielding : bool
        The workers leave the cores to whatever else wants them (their niceness rises by 10): for work beside a computation
        that is worse at waiting.
    engine : str
        Of :data:`ENGINES`: "local" processes, or "ray", where 0 jobs or less take every core of the cluster, and ``function``
        may be anything. See :class:`chemvae.parallel.ray.RayPool`.

    Raises
    ------
    SettingsError
        If the function cannot be sent to another process.
    MissingExtraError
        If Ray is asked for and not installed.

    Examples
    --------
    >>> with Workers(str.upper) as workers:
    ...     workers.submit(["a", "b"]).result()
    ['A', 'B']
    """

    def __init__(
        self,
        function: Callable[[Item], Value],
        jobs: int = 1,
        light: bool = False,
        yielding: bool = False,
        engine: str = "local",
    ):
        self.function = function
        self._pool, self.jobs = find(ENGINES, engine, "engine")[1](function, jobs, light, yielding)

    def start(self) -> None:
        """Start all processes now, and let them import what the function needs, instead of at the first blocks."""
        if self._pool is not None:
            with _dying_explained():
                for _ in range(self.jobs):
                    self._pool.submit(_apply, self.function, [])

    def submit(self, block: Sequence[Item]) -> Answer:
        """Hand over a block of items."""
        if self._pool is None:
            return Answer(_done(self.function, block))
        with _dying_explained():
            return Answer(self._pool.submit(_apply, self.function, list(block)))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _local_pool(function: Callable, jobs: int, light: bool, yielding: bool) -> tuple[ProcessPoolExecutor | None, int]:
    """A pool and its size; none where the calling process does the work."""
    jobs = count_jobs(jobs)
    if jobs == 1 or not _can_spawn(light):
        return None, 1
    _check_sendable(function)
    context = _LightContext() if light else multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, context, _start_worker, (10 if yielding else 0,)), jobs


def _ray_pool(function: Callable, jobs: int, light: bool, yielding: bool) -> tuple[RayPool, int]:
    pool = RayPool(jobs, count_jobs(jobs))
    return pool, pool.jobs


ENGINES = {"local": _local_pool, "ray": _ray_pool}
"""Where workers are."""


def _done(function: Callable, block: Sequence) -> Future:
    future: Future = Future()
    try:
        future.set_result(_apply(function, block))
    except Exception as error:
        future.set_exception(error)
    return future


@contextmanager
def _dying_explained() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise ChemVAEError(
            "A worker process died. If memory ran out, use fewer --jobs; if this is a script, put its calls under "
            "`if __name__ == '__main__':` so that workers can import it."
        ) from error


class _LightProcess(multiprocessing.context.SpawnProcess):
    @staticmethod
    def _Popen(process):
        with _main_left_out():
            return multiprocessing.context.SpawnProcess._Popen(process)


class _LightContext(multiprocessing.context.SpawnContext):
    """Spawned processes that do not import the main program."""

    Process = _LightProcess


_PREPARING = threading.Lock()


@contextmanager
def _main_left_out() -> Iterator[None]:
    """While the block runs, processes that this thread spawns are not told where the main program lies."""
    with _PREPARING:
        ordinary, owner = spawn.get_preparation_data, threading.get_ident()

        def prepare(name: str) -> dict:
            facts = ordinary(name)
            if threading.get_ident() == owner:
                facts = {key: value for key, value in facts.items() if not key.startswith("init_main")}
            return facts

        spawn.get_preparation_data = prepare
        try:
            yield
        finally:
            spawn.get_preparation_data = ordinary


def _stream_from_pool(function: Callable, items: Iterator, jobs: int, chunk: int) -> Iterator:
    waiting: deque[Answer] = deque()
    with Workers(function, jobs) as workers:
        while True:
            while len(waiting) < jobs * WAITING_PER_WORKER and (block := list(islice(items, chunk))):
                waiting.append(workers.submit(block))
            if not waiting:
                return
            yield from waiting.popleft().result()


def _apply(function: Callable, block: Sequence) -> list:
    return [function(item) for item in block]


def _check_sendable(function: Any) -> None:
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"{function!r} cannot be sent to worker processes: define it at the top of a module, or use jobs=1"
        ) from error


def _can_spawn(light: bool = False) -> bool:
    """Whether workers can be started from here, and could import the main module again where they must."""
    if multiprocessing.current_process().daemon:  # a worker of someone else's pool may not have children
        return False
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if light or main is None or getattr(sys.modules["__main__"], "__spec__", None) is not None or Path(main).exists():
        return True
    logger.warning("Worker processes cannot read %s again (a program from standard input?): working in one process.", main)
    return False


def _start_worker(niceness: int = 0) -> None:
    """One thread, deaf to Ctrl-C, gone with the parent. Runs before the work's own modules are imported."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
