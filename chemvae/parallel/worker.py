"""What goes on inside a worker process: how it begins, what it does with a block, and when it leaves."""

from __future__ import annotations

import copyreg
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from chemvae.errors import ChemVAEError
from chemvae.progress import ENDING_SIGNALS

ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",  # bytes: a worker that grows is left alone, what it keeps may be wanted
}
"""What a worker of the pool finds set when it starts: numpy and torch read it once, while they are imported."""
WATCH_S = 0.5
FUNCTIONS_KEPT = 4


def begin(niceness: int = 0) -> None:
    """Ignore Ctrl-C and the like, which the parent decides about, give way to others, and leave when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_ending_to_parent()
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # held back while this process was started
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    leave_with_parent()


def leave_ending_to_parent() -> None:
    """Do nothing about signals that ask for the end: the parent hears them too, saves, and ends this process.

    They are not ignored, since programs that are started from here would ignore them too.
    """
    for number in ENDING_SIGNALS:
        signal.signal(number, _go_on)


def _go_on(number: int, frame: object) -> None:
    pass


def leave_with_parent() -> None:
    """Have this process end soon after the one that started it, however that one ended."""
    threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if os.name == "nt":
        parent.join()  # a handle; a process there keeps the number of a parent that is gone
    else:
        while os.getppid() == parent.pid:  # loky's processes have no pipe from their parent that they could wait for
            time.sleep(WATCH_S)
    os._exit(1)


def apply(function: Callable, block: Sequence) -> list:
    """Apply a function to the items of a block."""
    return [function(item) for item in block]


def apply_packed(packed: bytes, block: Sequence) -> list:
    """Apply a pickled function to the items of a block; what it keeps from one block it finds again at the next."""
    try:
        return apply(_unpack(packed), block)
    except Exception as error:
        if _make_sendable(error):
            raise
        raise ChemVAEError(f"{type(error).__name__}: {error}") from error


@lru_cache(FUNCTIONS_KEPT)
def _unpack(packed: bytes) -> Callable:
    return pickle.loads(packed)


def _make_sendable(error: Exception) -> bool:
    """See to it that an exception arrives at the other end as it is, even if its ``__init__`` wants more than its text."""
    if not _arrives(error):
        copyreg.pickle(type(error), _reduce_error)
    return _arrives(error)


def _arrives(error: Exception) -> bool:
    import cloudpickle  # loky has imported it; Ray has its own

    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:  # whatever it holds may say no in its own way
        return False
    return True


def _reduce_error(error: Exception) -> tuple:
    return _make_error, (type(error), error.args, vars(error))


def _make_error(kind: type[Exception], args: tuple, facts: dict) -> Exception:
    error = kind.__new__(kind, *args)  # without __init__, which may want other arguments than the text it keeps
    error.args = args
    vars(error).update(facts)
    return error
