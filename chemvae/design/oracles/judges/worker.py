"""Judges that live in a Python of their own: one worker process for each, started once, that is asked in batches.

What a judge depends on need not fit what we depend on, so it may be installed in another environment. Its script (in the
folder ``scripts`` beside this file) imports nothing of ours: it writes one JSON line when it is ready, reads a JSON line for
each question and writes one for its answer. It ends when its input does, and so with this program, however that ends.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, cast

from chemvae.errors import ChemVAEError, MissingExtraError, SettingsError
from chemvae.parallel.tree import MARK, end_tree, new_mark

SCRIPTS = Path(__file__).parent / "scripts"
_running: dict[tuple[int, str, tuple[str, ...]], JudgeWorker] = {}


@dataclass(frozen=True)
class JudgePackage:
    """A package that judges, and where it may be installed."""

    package: str
    """As it is installed."""
    module: str
    """As it is imported."""
    extra: str
    """Of ours, that brings it."""
    script: str
    """Of the folder ``scripts``, that asks it."""

    @property
    def variable(self) -> str:
        """The environment variable that names another Python which has it."""
        return f"CHEMVAE_{self.extra.upper()}_PYTHON"

    def python(self, purpose: str) -> str:
        """The Python to run it with: the one that the variable names, else this one if the package is installed here.

        Raises
        ------
        SettingsError
            If the variable names no program.
        MissingExtraError
            If it is not set, and the package is not installed.
        """
        named = os.environ.get(self.variable)
        if named:
            if (found := shutil.which(named)) is None:
                raise SettingsError(f"{self.variable} names {named!r}, which is no program; give the full path of a Python")
            return found
        if find_spec(self.module) is None:
            where = f"{self.package} (here, or in the environment whose Python {self.variable} names)"
            raise MissingExtraError(where, self.extra, purpose)
        return sys.executable

    def worker(self, purpose: str, *arguments: str) -> JudgeWorker:
        """The worker of this process: started at the first call, the same one after it unless it has died."""
        python = self.python(purpose)
        key = os.getpid(), python, (self.script, *arguments)
        if key not in _running or not _running[key].is_alive:
            _running[key] = JudgeWorker([python, str(SCRIPTS / self.script), *arguments], self.package)
        return _running[key]


class JudgeWorker:
    """A process that answers questions, a JSON line each.

    Parameters
    ----------
    command : list of str
    package : str
        That it needs, for what is said when it cannot start.

    Attributes
    ----------
    facts : dict
        What it said when it was ready.

    Raises
    ------
    ChemVAEError
        If it ends before it is ready, with the last line that it said.
    """

    def __init__(self, command: list[str], package: str):
        self.package, mark = package, new_mark()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  (read when it has died)
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, encoding="utf-8",
            env={**os.environ, MARK: mark, "PYTHONPATH": ""}, start_new_session=True,
        )  # fmt: skip
        self._questions, self._answers = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        self.close = weakref.finalize(self, _end, self._process, mark)
        self.facts = self._answer()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer to a question, both in JSON types.

        Raises
        ------
        ChemVAEError
            If it has an error to tell, or has died.
        """
        try:
            self._questions.write(json.dumps(question) + "\n")
            self._questions.flush()
        except OSError:
            raise ChemVAEError(self._problem()) from None
        try:
            return self._answer()
        except KeyboardInterrupt:
            self.close()  # its answer would be taken for that to the next question
            raise

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise ChemVAEError(self._problem())
        answer = json.loads(line)
        if "error" in answer:
            raise ChemVAEError(f"{self.package} says: {answer['error']}")
        return answer

    def _problem(self) -> str:
        self._process.wait()
        self._said.seek(0)
        lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1].strip()[:300]}" if lines else ""
        return f"The process that runs {self.package} has ended (exit code {self._process.returncode}){last}"


def _end(process: subprocess.Popen, mark: str) -> None:
    end_tree(process.pid, mark)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
