"""An oracle that is another program: JSON lines in, JSON lines out."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

from chemvae.design.oracles.programs.program import Program, ProgramOracle
from chemvae.design.oracles.score import Score, is_usable

logger = logging.getLogger(__name__)

LONGEST_ID = 20


class CommandOracle(ProgramOracle):
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

    def run(self, smiles: Sequence[str]) -> Iterator[Score]:
        """Start the program as often as it takes and yield the scores in order."""
        open_rows = list(range(len(smiles)))
        done: dict[int, Score] = {}
        given = 0
        while open_rows:
            with self._start(self.command, _as_lines(smiles, open_rows)) as program:
                for row, score in self._listen(program, open_rows):
                    done[row] = score
                    while given in done:
                        yield done[given]
                        given += 1
                open_rows = [row for row in open_rows if row not in done]
                if program.stopped:
                    return
                if open_rows:
                    done[open_rows[0]] = self.failure(program.problem(self.timeout_s), self._waited_s(program))
                    open_rows = open_rows[1:]
            while given in done:
                yield done[given]
                given += 1

    def _listen(self, program: Program, rows: Sequence[int]) -> Iterator[tuple[int, Score]]:
        """Yield answers until all are there, the program ends, or one takes too long."""
        waiting = list(rows)
        while waiting:
            program.asked = time.perf_counter()
            answer = self._next_answer(program)
            if answer is None:
                return
            row = _as_row(answer.get("id", waiting[0]))
            if row not in rows:
                program.stray = f"it answered for the id {str(answer['id'])[:40]!r}, which it was not asked about"
            elif row in waiting:
                waiting.remove(row)
                yield row, self._as_score_of(answer, self._waited_s(program))

    def _next_answer(self, program: Program) -> dict[str, Any] | None:
        """The next JSON object, or None when the program has ended or took too long; other lines do not stop the clock."""
        deadline = None if self.timeout_s is None else program.asked + self.timeout_s
        while (line := program.next_line(deadline)) is not None:
            if (answer := _parse(line)) is not None:
                return answer
            program.stray = f"it wrote a line that is no JSON object: {line.strip()[:80]}" if line.strip() else program.stray
        return None

    @staticmethod
    def _waited_s(program: Program) -> float:
        return time.perf_counter() - program.asked

    def _as_score_of(self, answer: dict[str, Any], seconds: float) -> Score:
        values = tuple(_float(answer.get(name)) for name in self.names)
        missing = [name for name, value in zip(self.names, values, strict=True) if math.isnan(value)]
        reason = _as_said(answer.get("error") or answer.get("reason") or f"the program gave no number for {', '.join(missing)}")
        return Score(values, reason if missing else "", seconds)


def _as_row(said: Any) -> Any:
    """An id as it was given, also where the program wrote it as a text; True is no id, and neither is a number of a mile."""
    if isinstance(said, str) and said.strip().isdecimal() and len(said) < LONGEST_ID:
        return int(said)
    return None if isinstance(said, bool) else said


def _as_said(reason: Any) -> str:
    try:
        return str(reason)
    except (ValueError, RecursionError):  # a number of a mile, a list nested too deep
        return f"a {type(reason).__name__} that cannot be shown"


def _as_lines(smiles: Sequence[str], rows: Sequence[int]) -> str:
    return "".join(json.dumps({"id": row, "smiles": smiles[row]}) + "\n" for row in rows)


def _parse(line: str) -> dict[str, Any] | None:
    """Read one line of output; None for anything but a JSON object."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):  # nested too deep
        answer = None
    if not isinstance(answer, dict):
        logger.debug("The oracle's program wrote a line that is no JSON object: %s", line.strip()[:200])
        return None
    return answer


def _float(value: Any) -> float:
    try:
        number = float(value) if not isinstance(value, (str, bool)) else math.nan
    except (TypeError, ValueError, OverflowError):
        return math.nan
    return number if is_usable(number) else math.nan
