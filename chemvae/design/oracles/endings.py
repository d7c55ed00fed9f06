"""Foreign code that ends the whole program: inside a search it ends its own call."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDINGS = ("_exit", "abort")
_LOCK = threading.RLock()
_inside: dict[int, int] = {}  # threads that run foreign code -> how deep
_real: dict[str, Callable[..., Any]] = {}


class EndOfProgramError(SystemExit):
    """Foreign code has called what ends a program at once, without a word and without anything being saved."""


@contextmanager
def survived() -> Iterator[None]:
    """Let ``os._exit`` and ``os.abort``, called in the block by this thread, raise :class:`EndOfProgramError`.

    In other threads, and in processes that the block forks, they do what they always do. What ends a process from outside of
    Python (a crash in a library, a signal) is not survived: give the oracle a time limit or workers, and it has a process
    of its own.

    Examples
    --------
    >>> with survived():
    ...     os._exit(3)
    Traceback (most recent call last):
    chemvae.design.oracles.endings.EndOfProgramError: it called os._exit(3)
    """
    if multiprocessing.parent_process() is not None:
        yield  # a worker may end: whoever started it says so, and starts another
        return
    me = threading.get_ident()
    with _LOCK:
        if not _inside:
            _install(os.getpid())
        _inside[me] = _inside.get(me, 0) + 1
    try:
        yield
    finally:
        with _LOCK:
            _inside[me] -= 1
            if not _inside[me]:
                del _inside[me]
            if not _inside:
                _restore()


def _install(owner: int) -> None:
    for name in ENDINGS:
        _real[name] = getattr(os, name)
        setattr(os, name, _raising(name, _real[name], owner))


def _restore() -> None:
    for name, real in _real.items():
        setattr(os, name, real)


def _raising(name: str, real: Callable[..., Any], owner: int) -> Callable[..., Any]:
    def ending(*args: Any) -> Any:
        if os.getpid() == owner and threading.get_ident() in _inside:
            raise EndOfProgramError(f"it called os.{name}({', '.join(map(str, args))})")
        return real(*args)

    return ending
