"""Map work over nothing, over processes or over Ray, in order, behind one call.

Processes are loky's: started afresh (never forked: torch and OpenMP do not survive that) without running the main program
again, so that scripts need no ``if __name__ == "__main__":``, and sent any function, a lambda or a notebook's too. They run
one thread each, ignore Ctrl-C so that the parent decides, and leave when the parent is gone.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Protocol, TypeVar

from chemvae.errors import ChemVAEError, SettingsError
from chemvae.parallel.ray import RayAnswer, RayPool
from chemvae.parallel.worker import ENVIRONMENT, apply, apply_packed, begin
from chemvae.registry import find

if TYPE_CHECKING:
    import loky

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Value = TypeVar("Value")

WAITING_PER_WORKER = 3
YIELDING_NICENESS = 10
WORKERS_A_CORE, LEAST_CAP = 4, 16


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
        With ``jobs > 1`` it runs in copies: what it changes in memory (a counter, a cache) stays in each worker.
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
    jobs = count_workers(jobs)
    if jobs == 1 or not _may_have_children():
        return map(function, items)
    pack(function)  # complains now, not when the first value is asked for
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
        """Say that nobody waits for it: a Ray task is ended at once, local processes with their :class:`Workers`."""
        if isinstance(self._future, RayAnswer):
            self._future.cancel()


class Workers:
    """Processes that apply one function to the items of blocks; with one job the calling process does it, at once.

    Parameters
    ----------
    function : callable
        With ``jobs > 1`` it runs in copies, made once of what it is then; what it changes in memory stays in each worker.
    jobs : int
        Processes; 1 none, 0 or less one per core.
    yielding : bool
        The workers leave the cores to whatever else wants them (their niceness rises by 10): for work beside a computation
        that is worse at waiting.
    engine : str
        Of :data:`ENGINES`: "local" processes, or "ray", where 0 jobs or less take every core of the cluster. See
        :class:`chemvae.parallel.ray.RayPool`.

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

    def __init__(self, function: Callable[[Item], Value], jobs: int = 1, *, yielding: bool = False, engine: str = "local"):
        self.function = function
        self._pool = find(ENGINES, engine, "engine")[1](function, jobs, yielding)
        self.jobs = 1 if self._pool is None else self._pool.jobs

    def start(self) -> None:
        """Start all processes now, and let them import what the function needs, instead of at the first blocks."""
        if self._pool is not None:
            for _ in range(self.jobs):
                self.submit([])

    def submit(self, block: Sequence[Item]) -> Answer:
        """Hand over a block of items."""
        if self._pool is None:
            return Answer(_done(self.function, block))
        with _dying_explained():
            return Answer(self._pool.submit(self.function, list(block)))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, at once if they are at work: nobody waits for it any more."""
        if self._pool is not None:
            self._pool.shutdown()


class Pool(Protocol):
    """What does the work of :class:`Workers`."""

    jobs: int

    def submit(self, function: Callable, block: Sequence) -> Future | RayAnswer:
        """Have a function applied to the items of a block; a function is sent once, however many blocks follow."""

    def shutdown(self) -> None:
        """End what is not finished."""


class LocalPool:
    """Processes of this machine.

    Raises
    ------
    SettingsError
        If the function cannot be sent to another process.
    """

    def __init__(self, function: Callable, jobs: int, niceness: int = 0):
        self.jobs = jobs
        self._packed = {id(function): (function, pack(function))}  # functions, kept alive so that no other has their number
        self._futures: set[Future] = set()
        self._executor = _open_loky(jobs, niceness)

    def submit(self, function: Callable, block: Sequence) -> Future:
        """Have a function applied to the items of a block; a function is pickled once, however many blocks follow."""
        if id(function) not in self._packed:
            self._packed[id(function)] = function, pack(function)
        with _ctrl_c_held_back():  # it starts the processes
            future = self._executor.submit(apply_packed, self._packed[id(function)][1], block)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def shutdown(self) -> None:
        """End the processes: let idle ones leave, and kill them all, with the programs they run, where one is at work."""
        self._executor.shutdown(kill_workers=any(not future.done() for future in list(self._futures)))


def _open_loky(jobs: int, niceness: int) -> loky.ProcessPoolExecutor:
    """A new executor of loky's own. The copy of loky inside joblib would have each process import numpy first."""
    registered = multiprocessing.context._concrete_contexts  # type: ignore[attr-defined]  # private, typeshed leaves it out
    of_joblib = registered.get("loky")
    import loky  # a tenth of a second that one job does not need
    from loky.backend.context import LokyContext

    if of_joblib is not None:
        registered["loky"] = of_joblib  # both copies register under this name, and joblib looks its own up by it
    return loky.ProcessPoolExecutor(jobs, context=LokyContext(), initializer=begin, initargs=(niceness,), env=ENVIRONMENT)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Processes started in the block do not hear Ctrl-C before they are ready to ignore it; this one hears it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # a helper of the standard library whose own start would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def count_workers(jobs: int) -> int:
    """As many processes as were asked for, but no more than four for each core: more take memory and time, and bring nothing.

    Examples
    --------
    >>> count_workers(1), count_workers(10**6) == max(LEAST_CAP, WORKERS_A_CORE * count_jobs(0))
    (1, True)
    """
    asked, most = count_jobs(jobs), max(LEAST_CAP, WORKERS_A_CORE * count_jobs(0))
    if asked > most:
        log.warning("%d processes were asked for; %d are started, as this machine has %d cores.", asked, most, count_jobs(0))
    return min(asked, most)


def _local_pool(function: Callable, jobs: int, yielding: bool) -> LocalPool | None:
    """A pool; none where the calling process does the work."""
    jobs = count_workers(jobs)
    if jobs == 1 or not _may_have_children():
        return None
    return LocalPool(function, jobs, YIELDING_NICENESS if yielding else 0)


def _ray_pool(function: Callable, jobs: int, yielding: bool) -> RayPool:
    return RayPool(jobs, count_jobs(jobs))


ENGINES = {"local": _local_pool, "ray": _ray_pool}
"""Where workers are."""


def pack(function: Callable) -> bytes:
    """Pickle a function, by name if others can import it, else as it is.

    Raises
    ------
    SettingsError
        If it holds something that cannot leave this process.

    Examples
    --------
    >>> import pickle
    >>> pickle.loads(pack(lambda x: 2 * x))(3)
    6
    """
    import cloudpickle

    try:
        return cloudpickle.dumps(function)
    except Exception as error:  # whatever it holds may say no in its own way
        raise SettingsError(
            f"{function!r} cannot be sent to worker processes ({error}): leave out of it what belongs to this process, such as "
            "open files, locks and connections, or use jobs=1"
        ) from error


def _done(function: Callable, block: Sequence) -> Future:
    future: Future = Future()
    try:
        future.set_result(apply(function, block))
    except Exception as error:
        future.set_exception(error)
    return future


@contextmanager
def _dying_explained() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        if cause := error.__cause__:  # the process lives, but an item or a value could not be read at the other end
            reason = str(cause).strip().strip('"').strip().splitlines()[-1]
            raise ChemVAEError(f"What went to or came from a worker process could not be read: {reason}") from error
        raise ChemVAEError("A worker process died. If memory ran out, use fewer --jobs.") from error


def _stream_from_pool(function: Callable, items: Iterator, jobs: int, chunk: int) -> Iterator:
    waiting: deque[Answer] = deque()
    with Workers(function, jobs) as workers:
        while True:
            while len(waiting) < jobs * WAITING_PER_WORKER and (block := list(islice(items, chunk))):
                waiting.append(workers.submit(block))
            if not waiting:
                return
            yield from waiting.popleft().result()


def _may_have_children() -> bool:
    """Whether workers can be started from here; a worker of someone else's pool may not."""
    return not multiprocessing.current_process().daemon
