"""External programs as oracles: starting them, listening to them, and ending them with all they started."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO

import numpy as np

from chemvae.design.oracles.base import DEFAULT_NAME, Oracle
from chemvae.design.oracles.pools import ENGINES, Chunk, Scored
from chemvae.errors import SettingsError
from chemvae.parallel import count_jobs
from chemvae.parallel.tree import MARK, end_tree, new_mark

LONGEST_LINE = 1 << 20  # characters
MOST_OUTPUT = 1 << 28  # characters of one start
LEAST_COST = 256  # characters that a line counts for at least: empty ones take time too
MOST_WAITING = 10_000  # lines read and not looked at yet
LONGEST_SAID = 1_000
LONGEST_WAIT_S = 1e8  # what the system's clocks can be asked to wait


class ThreadWorkerPool:
    """Threads, for an oracle that starts programs: it must have ``stop()``, which ends those that run."""

    def __init__(self, oracle: ProgramOracle, jobs: int):
        self.oracle, self.jobs = oracle, count_jobs(jobs)

    def chunk_size(self, n: int) -> int:
        """Molecules a program gets at a time."""
        return self.oracle.chunk_size or max(math.ceil(n / self.jobs), 1)

    def work(self, waiting: deque[Chunk]) -> Generator[Scored, None, None]:
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

    Attributes
    ----------
    complaint : str
        The last line that one of the programs wrote to its standard error; "" while there is none.
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
        program = Program(command, text)
        try:
            with program:
                self._running.add(program)
                yield program
        finally:
            self._running.discard(program)
            self._said = program.said or self._said

    _said = ""

    @property
    def complaint(self) -> str:  # type: ignore[override]  # what its programs say: nobody sets it
        """The last line on standard error, of a program that runs or of the last one that has ended."""
        return next((program.said for program in list(self._running) if program.said), self._said)

    @cached_property
    def _running(self) -> set[Program]:
        return set()


class Program:
    """One start of a program, in a group of its own: it is given a text, and its lines are read as they come.

    What it writes is read up to a bound: a line without end, or no end of lines, is a trouble like an early end. A program that
    cannot be started has that trouble from the beginning.

    Examples
    --------
    >>> import sys
    >>> with Program([sys.executable, "-c", "print(input() + '!')"], "hello") as program:
    ...     program.next_line(time.perf_counter() + 60.0)
    'hello!\\n'
    """

    def __init__(self, command: Sequence[str], text: str):
        self.command, self.text, self.mark = list(command), text, new_mark()
        self.lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self.timed_out = self.stopped = self._is_over = False
        self.trouble = ""  # why no more is read of it
        self.stray = ""  # what it said that nobody asked
        self.said = ""  # the last line on its standard error
        self.asked = time.perf_counter()
        self.process: subprocess.Popen | None = None
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Program:
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PYTHONUNBUFFERED": "1", MARK: self.mark},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.trouble = f"it could not be started ({getattr(error, 'strerror', None) or error})"
            self.lines.put(None)
            return self
        pipes = ((self._write, self.process.stdin), (self._read, self.process.stdout), (self._listen, self.process.stderr))
        self._threads = [threading.Thread(target=work, args=(pipe,), daemon=True) for work, pipe in pipes]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if self.process is not None:
            self.process.wait()
        for thread in self._threads:
            thread.join(0.5)  # all have ended, unless something that escaped holds a pipe open

    def end(self) -> None:
        """Kill it, and all it started."""
        self._is_over = True
        if self.process is not None:
            end_tree(self.process.pid, self.mark)
            self.process.kill()

    def next_line(self, deadline: float | None) -> str | None:
        """Wait for a line until ``deadline`` (of ``time.perf_counter``); None at the end of its output, or of the time."""
        left_s = None if deadline is None else min(max(deadline - time.perf_counter(), 0.0), LONGEST_WAIT_S)
        try:
            return self.lines.get(timeout=left_s)
        except queue.Empty:
            self.timed_out = True
            return None

    def exit_code(self) -> int | None:
        """Its exit code; None if it goes on although its output has ended, or never began."""
        if self.process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1.0)
        return self.process.poll()

    def problem(self, timeout_s: float | None) -> str:
        """Say in words why no further answer came."""
        if self.timed_out:
            return f"timed out after {timeout_s:g} s"
        if self.trouble:
            return f"the program gave no answer: {self.trouble}"
        code = self.exit_code()
        self._threads[-1].join(1.0)  # what it said last may still be on its way
        why = self.said[:200] or self.stray
        return f"the program ended without an answer (exit code {code})" + (f": {why}" if why else "")

    def _write(self, stdin: IO[str]) -> None:
        with contextlib.suppress(BrokenPipeError, OSError, ValueError):
            stdin.write(self.text)
            stdin.close()

    def _read(self, stdout: IO[str]) -> None:
        """Hand on its lines until they end, or there is no end of them."""
        left = MOST_OUTPUT
        with contextlib.suppress(OSError, ValueError):
            while line := stdout.readline(LONGEST_LINE):
                left -= max(len(line), LEAST_COST)
                if len(line) == LONGEST_LINE and not line.endswith("\n"):
                    self.trouble = f"it wrote a line of more than {LONGEST_LINE:,} characters"
                elif left < 0:
                    self.trouble = f"it wrote more than {MOST_OUTPUT:,} characters, or too many lines"
                if self.trouble or not self._hand_on(line):
                    break
        while not self._hand_on(None):  # whoever listens must learn of the end, and what it was ended before is of no use
            with contextlib.suppress(queue.Empty):
                self.lines.get_nowait()

    def _hand_on(self, line: str | None) -> bool:
        """Give a line to whoever listens; false where there is no room and the program was ended."""
        while True:
            try:
                self.lines.put(line, timeout=0.2)
                return True
            except queue.Full:
                if self._is_over:
                    return False

    def _listen(self, stderr: IO[str]) -> None:
        """Keep the last line of its complaints, so that no number of them fills memory or disk."""
        with contextlib.suppress(OSError, ValueError):
            while line := stderr.readline(LONGEST_LINE):
                self.said = line.strip()[:LONGEST_SAID] or self.said
