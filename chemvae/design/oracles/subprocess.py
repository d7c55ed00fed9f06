"""External programs as oracles: starting them, listening to them, and ending them with all they started."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from chemvae.design.oracles.base import DEFAULT_NAME, Oracle
from chemvae.design.oracles.pools import ENGINES, Chunk, Scored
from chemvae.errors import SettingsError
from chemvae.parallel import count_jobs


class ThreadWorkerPool:
    """Threads, for an oracle that starts programs: it must have ``stop()``, which ends those that run."""

    def __init__(self, oracle: Any, jobs: int):
        self.oracle, self.jobs = oracle, count_jobs(jobs)

    def chunk_size(self, n: int) -> int:
        """Molecules a program gets at a time."""
        return self.oracle.chunk_size or max(math.ceil(n / self.jobs), 1)

    def work(self, waiting: deque[Chunk]) -> Iterator[Scored]:
        """Yield each molecule with its score as it is done."""
        answers: queue.SimpleQueue[Scored | BaseException | None] = queue.SimpleQueue()
        threads = [threading.Thread(target=self._serve, args=(waiting, answers), daemon=True) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        left = len(threads)
        try:
            while left:
                answer = answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                if answer is None:
                    left -= 1
                else:
                    yield answer
        finally:
            waiting.clear()
            while any(thread.is_alive() for thread in threads):
                if left:
                    self.oracle.stop()  # again and again: a program may just be starting
                for thread in threads:
                    thread.join(0.1)

    def _serve(self, waiting: deque[Chunk], answers: queue.SimpleQueue) -> None:
        """Score chunks until there are none; the end, or what went wrong, is an answer too."""
        problem = None
        try:
            while chunk := _take(waiting):
                for text, score in zip(chunk, self.oracle.run(chunk), strict=False):  # short where it was stopped
                    answers.put(([text], [score]))
        except BaseException as error:
            problem = error
        answers.put(problem)

    def close(self) -> None:
        """Nothing is left over."""


def _take(waiting: deque[Chunk]) -> Chunk | None:
    try:
        return waiting.popleft()
    except IndexError:  # another thread was quicker
        return None


class ProgramOracle(Oracle):
    """What oracles that are programs share. With ``jobs`` that many programs run side by side.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell is involved.
    names : sequence of str
        Of the values it gives.
    timeout_s : float, optional
        Seconds for a molecule.

    Raises
    ------
    SettingsError
        If the program is not found.
    """

    keeps_limit = True
    pools = {**ENGINES, "local": ThreadWorkerPool}
    of_this_process = (*Oracle.of_this_process, "_running")

    def __init__(self, command: Sequence[str], names: Sequence[str] = (DEFAULT_NAME,), timeout_s: float | None = None):
        self.command, self.names, self.timeout_s = list(command), tuple(names), timeout_s
        if not self.command or shutil.which(self.command[0]) is None:
            raise SettingsError(
                f"the oracle's program {' '.join(self.command[:1]) or '(none)'!r} was not found; give its full path"
            )
        self.label = " ".join(self.command)

    def evaluate(self, smiles: Sequence[str]) -> np.ndarray:
        """Run the program on the molecules: [N, P]."""
        return np.array([score.values for score in self.run(smiles)])

    def stop(self) -> None:
        """End the programs that run, wherever they were started; what waited for them gets nothing."""
        for program in list(self._running):
            program.stopped = True
            program.end()

    @contextmanager
    def _start(self, command: Sequence[str], text: str) -> Iterator[Program]:
        """Run a program for the block."""
        with Program(command, text) as program:
            self._running.add(program)
            try:
                yield program
            finally:
                self._running.discard(program)

    @cached_property
    def _running(self) -> set[Program]:
        return set()


class Program:
    """One start of a program, in a group of its own: it is given a text, and its lines are read as they come.

    Examples
    --------
    >>> import sys
    >>> with Program([sys.executable, "-c", "print(input() + '!')"], "hello") as program:
    ...     program.next_line(time.perf_counter() + 60.0)
    'hello!\\n'
    """

    def __init__(self, command: Sequence[str], text: str):
        self.command, self.text = list(command), text
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.timed_out = self.stopped = False
        self.stray = ""  # what it said that nobody asked
        self.asked = time.perf_counter()

    def __enter__(self) -> Program:
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        for work in (self._write, self._read):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.process.wait()
        self.errors.close()

    def end(self) -> None:
        """Kill it, and all it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()

    def next_line(self, deadline: float | None) -> str | None:
        """Wait for a line until ``deadline`` (of ``time.perf_counter``); None at the end of its output, or of the time."""
        try:
            return self.lines.get(timeout=None if deadline is None else max(deadline - time.perf_counter(), 0.0))
        except queue.Empty:
            self.timed_out = True
            return None

    def exit_code(self) -> int | None:
        """Its exit code, or None if it goes on although its output has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1.0)
        return self.process.poll()

    def problem(self, timeout_s: float | None) -> str:
        """Say in words why no further answer came."""
        if self.timed_out:
            return f"timed out after {timeout_s:g} s"
        code = self.exit_code()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        why = said[-1][:200] if said else self.stray
        return f"the program ended without an answer (exit code {code})" + (f": {why}" if why else "")

    def _write(self) -> None:
        with contextlib.suppress(BrokenPipeError, OSError, ValueError):
            self.process.stdin.write(self.text)
            self.process.stdin.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self.process.stdout:
                self.lines.put(line)
        self.lines.put(None)
