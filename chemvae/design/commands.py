"""An oracle that is another program: JSON lines in, JSON lines out."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chemvae.design.oracles import DEFAULT_NAME, Oracle, Score
from chemvae.errors import SettingsError

logger = logging.getLogger(__name__)


class CommandOracle(Oracle):
    """Scores molecules with an external program that reads and writes one JSON object per line.

    The program is started once per batch and receives ``{"id": 0, "smiles": "CCO"}`` a line, then the end of its input. For
    each it writes ``{"id": 0, "score": 1.5}``, or ``{"id": 0, "error": "why not"}``; an oracle with several names expects
    them as keys. Answers may come in any order; one without ``id`` belongs to the first molecule still open. Other lines on
    standard output are ignored. Programs should flush after each line: the time limit runs from answer to answer.

    When the program overruns or ends early, the first molecule still open is the failure, with that reason, and the program
    is started again for those after it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell is involved.
    names : sequence of str
        Keys of the values in an answer.
    timeout_s : float, optional
        Seconds from one answer to the next.

    Raises
    ------
    SettingsError
        If the program is not found.

    Examples
    --------
    >>> import sys
    >>> program = "import sys, json\\nfor l in sys.stdin: print(json.dumps({'score': len(json.loads(l)['smiles'])}))"
    >>> CommandOracle([sys.executable, "-c", program])(["CCO", "CC"])
    array([3., 2.])
    """

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

    def stream(self, smiles: Sequence[str]) -> Iterator[tuple[str, Score]]:
        """Score a whole batch with one start of the program; the time limit is kept here, not by a worker process."""
        new = [text for text in dict.fromkeys(smiles) if self.recall(text) is None]
        for text, score in zip(new, self.run(new), strict=True):
            self.remember(text, score)
            yield text, score

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Start the program as often as it takes and yield the scores in order."""
        open_rows = list(range(len(smiles)))
        done: dict[int, Score] = {}
        given = 0
        while open_rows:
            problem = ""
            with _Program(self.command, [(i, smiles[i]) for i in open_rows]) as program:
                for row, score in self._listen(program, open_rows):
                    done[row] = score
                    while given in done:
                        yield done[given]
                        given += 1
                problem = program.problem(self.timeout_s)
            open_rows = [row for row in open_rows if row not in done]
            if open_rows:
                done[open_rows[0]] = self.failure(problem, program.waited_s)
                open_rows = open_rows[1:]
            while given in done:
                yield done[given]
                given += 1

    def _listen(self, program: _Program, rows: Sequence[int]) -> Iterator[tuple[int, Score]]:
        """Yield answers until all are there, the program ends, or one takes too long."""
        waiting = list(rows)
        while waiting:
            answer = program.next_answer(self.timeout_s)
            if answer is None:
                return
            row = answer.get("id", waiting[0])
            if row in waiting:
                waiting.remove(row)
                yield row, self._as_answer(answer, program.waited_s)

    def _as_answer(self, answer: dict[str, Any], seconds: float) -> Score:
        values = [_float(answer.get(name)) for name in self.names]
        reason = str(answer.get("error") or answer.get("reason") or "")
        if any(math.isnan(value) for value in values):
            missing = ", ".join(name for name, value in zip(self.names, values, strict=True) if math.isnan(value))
            return Score(tuple(values), reason or f"the program gave no number for {missing}", seconds)
        return Score(tuple(values), "", seconds)


def _parse(line: str) -> dict[str, Any] | None:
    """Read one line of output; None for anything but a JSON object."""
    try:
        answer = json.loads(line)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        logger.debug("The oracle's program wrote a line that is no JSON object: %s", line.strip()[:200])
        return None
    return answer


def _float(value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, (str, bool)) else math.nan
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


class _Program:
    """One start of the program: its process, and a thread that reads its lines."""

    def __init__(self, command: Sequence[str], molecules: Sequence[tuple[int, str]]):
        self.command = list(command)
        self.text = "".join(json.dumps({"id": i, "smiles": text}) + "\n" for i, text in molecules)
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.waited_s = 0.0
        self.timed_out = False

    def __enter__(self) -> _Program:
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
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def next_answer(self, timeout_s: float | None) -> dict[str, Any] | None:
        """Return the next JSON object, or None when the program has ended or took longer than ``timeout_s`` seconds."""
        started = time.perf_counter()
        try:
            while True:
                left_s = None if timeout_s is None else max(started + timeout_s - time.perf_counter(), 0.0)
                line = self.lines.get(timeout=left_s)
                answer = None if line is None else _parse(line)
                if line is None or answer is not None:
                    return answer
        except queue.Empty:
            self.timed_out = True
            return None
        finally:
            self.waited_s = time.perf_counter() - started

    def problem(self, timeout_s: float | None) -> str:
        """Say in words why no further answer came."""
        if self.timed_out:
            return f"timed out after {timeout_s:g} s"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1.0)
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        code = self.process.poll()
        return f"the program ended without an answer (exit code {code})" + (f": {said[-1][:200]}" if said else "")

    def _write(self) -> None:
        with contextlib.suppress(BrokenPipeError, OSError, ValueError):
            self.process.stdin.write(self.text)
            self.process.stdin.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self.process.stdout:
                self.lines.put(line)
        self.lines.put(None)
