"""One worker process that runs a function under a time limit, and is killed and replaced when it overruns.

A thread cannot be stopped from outside, so a function that hangs needs a process of its own. On Linux the worker is forked:
lambdas, closures and functions typed into a notebook work as they are. Elsewhere it is spawned, and the function must be
importable by name; what cannot be sent to a new process is forked where the system can fork, and refused where it cannot.
Either way the function runs in a copy: what it changes in memory (a counter, a cache) stays in the worker.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Iterable
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from typing import Any

from chemvae.errors import SettingsError
from chemvae.parallel.tree import MARK, end_tree, new_mark
from chemvae.parallel.worker import leave_ending_to_parent, leave_with_parent

START_LIMIT_S = 120.0


class TimeLimitError(Exception):
    """The function did not return in time; its process is gone."""


class RemoteError(Exception):
    """The function raised, or its process died; the text says which."""


class TimedFunction:
    """Call ``function(item)`` in a worker process, for at most ``timeout_s`` seconds a call.

    The worker starts with the first call, is used again for the next and ends with this object or with the program.
    A worker that overruns is killed together with every process it started.

    Parameters
    ----------
    function : callable
        Of one argument; the argument and the value are pickled.
    timeout_s : float
        Seconds per call, > 0. Starting the worker is not counted.

    Raises
    ------
    SettingsError
        If the limit is not positive, or the function cannot be run in another process on this system.

    Examples
    --------
    >>> half = TimedFunction(lambda x: x / 2, timeout_s=20.0)
    >>> half(3.0)
    1.5
    >>> half.close()
    """

    def __init__(self, function: Callable[[Any], Any], timeout_s: float):
        if not timeout_s > 0:
            raise SettingsError(f"timeout_s must be > 0, got {timeout_s}")
        self.function, self.timeout_s = function, timeout_s
        self._method = start_method(function)
        self._process: BaseProcess | None = None
        self._pipe: connection.Connection[Any, Any] | None = None
        self._finalizer: weakref.finalize[..., TimedFunction] | None = None

    def __call__(self, item: Any) -> Any:
        """Return ``function(item)``.

        Raises
        ------
        TimeLimitError
            After ``timeout_s`` seconds.
        RemoteError
            With the type and text of what the function raised, or how its process died.
        """
        pipe = self._running()
        pipe.send(item)
        if not pipe.poll(self.timeout_s):
            self.close()
            raise TimeLimitError(f"timed out after {self.timeout_s:g} s")
        return self._receive()

    def close(self) -> None:
        """Kill the worker and all it started. A later call starts a new one."""
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._pipe = self._finalizer = None

    def _running(self) -> connection.Connection[Any, Any]:
        """The pipe to a worker that is alive."""
        if self._process is None or self._pipe is None or not self._process.is_alive():
            return self._start()
        return self._pipe

    def _receive(self) -> Any:
        assert self._process is not None and self._pipe is not None, "asked for a value before it was given an item"
        try:
            outcome, value = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5.0)
            code = self._process.exitcode
            self.close()
            raise RemoteError(f"the worker process died (exit code {code})") from None
        if outcome == "error":
            raise RemoteError(value)
        return value

    def _start(self) -> connection.Connection[Any, Any]:
        self.close()
        context: Any = multiprocessing.get_context(self._method)  # typeshed's BaseContext has no Process
        pipe, theirs = context.Pipe()
        mark = new_mark()
        inherited = pipe if self._method == "fork" else None
        process = context.Process(target=_serve, args=(self.function, theirs, inherited, mark), daemon=True)
        self._pipe, self._process = pipe, process
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside idle torch threads: the child uses one thread
            process.start()
        theirs.close()
        self._finalizer = weakref.finalize(self, _end, process, pipe, mark)
        if not pipe.poll(START_LIMIT_S):
            self.close()
            raise RemoteError(f"the worker process did not start within {START_LIMIT_S:g} s")
        self._receive()
        return pipe


class TimedWorker(TimedFunction):
    """A worker that is given an item now and asked for its value later, so that several work side by side.

    Examples
    --------
    >>> half = TimedWorker(lambda x: x / 2, timeout_s=20.0)
    >>> half.begin(3.0)
    >>> [worker.finish() for worker in TimedWorker.next_done([half])]
    [(1.5, '')]
    >>> half.close()
    """

    def begin(self, item: Any) -> None:
        """Hand over an item; the clock starts when the worker is up."""
        self.problem = ""
        try:
            self._running().send(item)
        except (RemoteError, OSError) as error:
            self.problem = str(error) or "the worker process died"
        self.began = time.perf_counter()
        self.due = self.began + self.timeout_s

    def finish(self) -> tuple[Any, str]:
        """Return the value, or None and what happened to the worker."""
        try:
            if self.problem:
                return None, self.problem
            if self._pipe is not None and self._pipe.poll(0):
                return self._receive(), ""
        except RemoteError as error:
            return None, str(error)
        self.close()
        return None, str(TimeLimitError(f"timed out after {self.timeout_s:g} s"))

    @staticmethod
    def next_done(workers: Iterable[TimedWorker]) -> list[TimedWorker]:
        """Wait until some have an answer, a problem, or no time left."""
        if failed := [worker for worker in workers if worker.problem]:
            return failed
        left_s = min(worker.due for worker in workers) - time.perf_counter()
        pipes = [worker._pipe for worker in workers if worker._pipe is not None]
        ready = connection.wait(pipes, None if math.isinf(left_s) else max(left_s, 0.0))
        now = time.perf_counter()
        return [worker for worker in workers if worker._pipe in ready or now >= worker.due]


def start_method(function: Callable) -> str:
    """Choose "fork" or "spawn" for a function on this system.

    Raises
    ------
    SettingsError
        If the function can only be forked and the system cannot fork.

    Examples
    --------
    >>> start_method(abs) in ("fork", "spawn")
    True
    """
    available = multiprocessing.get_all_start_methods()
    if sys.platform.startswith("linux") and "fork" in available:
        return "fork"
    try:
        pickle.dumps(function)
        return "spawn"
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if "fork" in available:
            return "fork"
        raise SettingsError(
            f"{function!r} cannot be run with a time limit on this system, because it cannot be sent to another process. "
            "Define it at the top of a module, put it into a program (CommandOracle), or leave timeout_s out."
        ) from error


def _serve(function: Callable, pipe: Any, inherited: Any, mark: str) -> None:
    """Answer calls until the parent is gone. Runs in the worker; a forked one holds a copy of the parent's end of the pipe."""
    if hasattr(os, "setsid"):
        os.setsid()  # a group of its own: killed as one, and deaf to Ctrl-C in the parent's terminal
    os.environ[MARK] = mark
    if inherited is not None:
        inherited.close()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # a forked OpenMP pool never wakes up
    leave_with_parent()
    leave_ending_to_parent()
    pipe.send(("ok", "ready"))
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(function, item))


def _answer(function: Callable, item: Any) -> tuple[str, Any]:
    try:
        value = function(item)
        pickle.dumps(value)
        return "ok", value
    except BaseException as error:  # whatever a user's function raises is its answer: the reason of a failed score
        return "error", describe_error(error)


def describe_error(error: BaseException, limit: int = 300) -> str:
    """Return an exception as one line of text: its type and the first line it says.

    Examples
    --------
    >>> describe_error(ValueError("no such atom"))
    'ValueError: no such atom'
    """
    lines = _text_of(error).strip().splitlines()
    text = type(error).__name__ + (f": {lines[0]}" if lines else "")
    return text[:limit]


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # whatever a foreign class makes of it
        return ""


def _end(process: Any, pipe: Any, mark: str) -> None:
    """Kill the worker with all it started, and wait until it is gone."""
    pipe.close()
    if process.pid is not None:
        end_tree(process.pid, mark)
    if process.is_alive():
        process.kill()
    process.join(5.0)
