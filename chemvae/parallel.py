"""Map work over nothing or over processes, in order, behind one call.

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
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from chemvae.errors import ChemVAEError, SettingsError

logger = logging.getLogger(__name__)
Item = TypeVar("Item")
Value = TypeVar("Value")

WAITING_PER_WORKER = 3
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


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
    _check_sendable(function)
    return _stream_from_pool(function, iter(items), jobs, chunk)


def count_jobs(jobs: int) -> int:
    """Turn 0 or a negative number into one worker per core this process may use."""
    if jobs > 0:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stream_from_pool(function: Callable, items: Iterator, jobs: int, chunk: int) -> Iterator:
    context = multiprocessing.get_context("spawn")
    waiting: deque = deque()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker) as pool:
        try:
            while True:
                while len(waiting) < jobs * WAITING_PER_WORKER and (block := list(islice(items, chunk))):
                    waiting.append(pool.submit(_apply, function, block))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ChemVAEError(
                "A worker process died. If memory ran out, use fewer --jobs; if this is a script, put its calls under "
                "`if __name__ == '__main__':` so that workers can import it."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _apply(function: Callable, block: list) -> list:
    return [function(item) for item in block]


def _check_sendable(function: Any) -> None:
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"{function!r} cannot be sent to worker processes: define it at the top of a module, or use jobs=1"
        ) from error


def _can_spawn() -> bool:
    """Whether a spawned worker could import the main module again; a program read from stdin cannot be."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main is None or getattr(sys.modules["__main__"], "__spec__", None) is not None or Path(main).exists():
        return True
    logger.warning("Worker processes cannot read %s again (a program from standard input?): working in one process.", main)
    return False


def _start_worker() -> None:
    """One thread, deaf to Ctrl-C, gone with the parent. Runs before the work's own modules are imported."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
