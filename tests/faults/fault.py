"""What a fault is, how one is acted out, and what counts as lost, silent or rude."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ENDINGS = {0, 1, 2, 3, 130, 143}
"""The exit codes of the command line; any other is a crash."""


@dataclass(frozen=True)
class Ending:
    """How one command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def rude(self) -> str:
        """What a user should never see: a traceback, a crash, the sentence for errors nobody thought of; or nothing."""
        if "Traceback (most recent call last)" in self.stderr:
            return "a traceback"
        if "should not have happened" in self.stderr:
            return "an error nobody thought of"
        return "" if self.code in ENDINGS else f"exit code {self.code}"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, and what must be true afterwards.

    Attributes
    ----------
    name : str
        What goes wrong, in a few words; unique in its group.
    act : callable
        Given an empty folder, lets it go wrong and returns what was lost or went by in silence: a list of findings, empty where
        all is well. An exception is a finding too.
    short : bool
        Quick enough for every run of the tests.
    """

    name: str
    act: Callable[[Path], list[str]]
    short: bool = field(default=True, kw_only=True)

    def findings(self, folder: Path) -> list[str]:
        """Act it out."""
        try:
            return list(self.act(folder))
        except Exception as error:  # any exception is what we look for
            return [f"{type(error).__name__}: {error}"]


def chemvae(*words: object, cwd: Path, stdin: str | None = None, timeout_s: float = 300.0) -> Ending:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "chemvae", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout_s)
    return Ending(done.returncode, done.stdout, done.stderr)


def chemvae_here(*words: object) -> Ending:
    """Run the command line in this process: a hundred times quicker, and a crash ends this process too."""
    from typer.testing import CliRunner

    from chemvae.cli import app

    done = CliRunner().invoke(app, [str(word) for word in words])
    return Ending(done.exit_code, done.stdout, done.stderr)


def said(ending: Ending, *words: str) -> list[str]:
    """Findings of a command that was to refuse with one clear sentence that holds these words (without regard to case)."""
    found = [ending.rude] if ending.rude else []
    if ending.code == 0:
        found.append("it went by in silence")
    missing = [word for word in words if word.lower() not in ending.stderr.lower()]
    return found + ([f"not said: {', '.join(missing)}; but: {ending.stderr.strip()[-300:]}"] if missing else [])
