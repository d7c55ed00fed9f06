"""The molecule that an oracle is at work on in this process: what is said and done if that ends the process.

A function that crashes in a library takes the whole program with it, and nothing in the program can say so. A small process
beside it does; and a note beside the record lets the search, when it is gone on with, count how often a molecule has ended it.
Once may be an accident, so it is asked again; the second time it has failed.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from chemvae.design.oracles import Oracle

ENDED = "the program ended twice while it was being scored"
MOST_ENDS = 2
WATCHER = """
import sys
last = ""
for line in sys.stdin:
    last = line.strip()
if last:
    sys.stderr.write("\\nchemvae: the program has ended while its oracle was at work on " + last + ". " + sys.argv[1] + "\\n")
"""
GO_ON = "What was scored before is on record; --resume (in Python: the same call again) goes on from there."
GIVE_A_PATH = "With history_path, or out, a search can be gone on with."


class InFlight:
    """Notes which molecule is asked for, as long as the oracle is foreign code that runs in this process.

    Parameters
    ----------
    oracle : Oracle
    record : Path or None
        Of the search.
    """

    def __init__(self, oracle: Oracle, record: Path | None):
        self.oracle = oracle
        self._path = None if record is None else record.with_name(f"{record.name}.asked")
        self._watcher: subprocess.Popen | None = None
        self._before, self._ends = self._read()

    def has_ended_us(self, smiles: str) -> bool:
        """Whether a molecule has ended the program as often as it may."""
        return smiles == self._before and self._ends >= MOST_ENDS

    def note(self, smiles: str) -> None:
        """A molecule is asked for now; "" when the answer is there."""
        if not self.oracle.runs_here:
            return
        if smiles and self._watcher is None:
            self._watch()
        self._tell(f"{smiles}\n")
        ends = 1 + self._ends if smiles == self._before else 1
        self._write({"smiles": smiles, "ends": ends} if smiles else {})

    def close(self) -> None:
        """All is well."""
        if self._watcher is None:
            return
        self._tell("\n")
        with contextlib.suppress(OSError):
            if self._watcher.stdin is not None:
                self._watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._watcher.wait(2.0)
        self._watcher = None
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _watch(self) -> None:
        advice = GIVE_A_PATH if self._path is None else GO_ON
        command = [sys.executable, "-I", "-S", "-c", WATCHER, advice]
        self._watcher = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, start_new_session=True)

    def _tell(self, text: str) -> None:
        """Write to the watcher, if there is one: it only serves to say more."""
        if self._watcher is not None and self._watcher.stdin is not None:
            with contextlib.suppress(OSError):
                self._watcher.stdin.write(text)
                self._watcher.stdin.flush()

    def _read(self) -> tuple[str, int]:
        """The molecule that ended the program the last time, and how often it has; nothing if none did."""
        if self._path is None:
            return "", 0
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return str(found["smiles"]), int(found["ends"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return "", 0

    def _write(self, facts: dict[str, object]) -> None:
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.write_text(json.dumps(facts), encoding="utf-8")
