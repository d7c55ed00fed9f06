"""Every error chemvae raises on purpose: a sentence saying what, where and what to do next, with the facts as attributes.

The command line prints the sentence without a traceback and exits with ``exit_code``.
"""

from __future__ import annotations

import shlex
from pathlib import Path

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOTHING_USABLE = 3
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


def command_line(*words: object) -> str:
    """A command as a message suggests it: chemvae and its words, each quoted where a shell would read it otherwise.

    Examples
    --------
    >>> command_line("train", "my data.csv", "-p", "pIC50 (uM)")
    "chemvae train 'my data.csv' -p 'pIC50 (uM)'"
    """
    return shlex.join(["chemvae", *map(str, words)])


class ChemVAEError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = EXIT_FAILED


class SettingsError(ChemVAEError, ValueError):
    """One or more settings are contradictory or out of range; all complaints are in one message."""

    exit_code = EXIT_USAGE

    def __init__(self, complaints: list[str] | str):
        self.complaints = [complaints] if isinstance(complaints, str) else list(complaints)
        super().__init__("; ".join(self.complaints))


class UnknownNameError(ChemVAEError, KeyError):
    """A name that a table does not hold."""

    exit_code = EXIT_USAGE

    def __init__(self, kind: str, name: str, choices: list[str], nearest: str | None = None, more: str = ""):
        self.kind, self.name, self.choices, self.nearest = kind, name, sorted(choices), nearest
        hint = f" Did you mean '{nearest}'?" if nearest else ""
        super().__init__(f"There is no {kind} called '{name}'.{hint} Choose one of: {', '.join(self.choices)}.{more}")

    def __str__(self) -> str:  # KeyError would print the repr
        return self.args[0]


class InputError(ChemVAEError):
    """A file or table that cannot be read as asked."""


class NothingUsableError(InputError):
    """The input was read, and nothing in it can be used: no valid molecule, or no usable label."""

    exit_code = EXIT_NOTHING_USABLE


class InvalidMoleculeError(InputError):
    """A molecule that RDKit cannot read, under ``--on-invalid error`` or where one molecule was asked for."""

    def __init__(self, smiles: str, reason: str, row: int | None = None):
        self.smiles, self.reason, self.row = smiles, reason, row
        where = "" if row is None else f" (row {row})"
        super().__init__(f"'{smiles}'{where} is not a valid molecule: {reason}. Correct it or leave it out.")


class UnknownTokenError(InputError):
    """A molecule holds a symbol that the vocabulary lacks."""

    def __init__(self, smiles: str, token: str, position: int, n_tokens: int):
        self.smiles, self.token, self.position, self.n_tokens = smiles, token, position, n_tokens
        super().__init__(
            f"'{smiles}' holds '{token}' at position {position}, which this vocabulary ({n_tokens} tokens) lacks. "
            "Drop the molecule, or train on data that contains the symbol (--vocabulary superset covers all SMILES)."
        )


class RunFolderError(ChemVAEError):
    """A run folder that is missing, incomplete or damaged."""

    def __init__(self, path: Path | str, problem: str, remedy: str):
        self.path, self.problem, self.remedy = Path(path), problem, remedy
        super().__init__(f"The run folder '{path}' {problem} {remedy}")


class BusyFolderError(ChemVAEError):
    """Another program writes into a folder."""

    def __init__(self, path: Path | str, holder: dict):
        self.path, self.holder = Path(path), holder
        who = f"process {holder.get('pid', '?')} on {holder.get('host', 'this machine')}"
        super().__init__(
            f"'{path}' is being written by {who} since {holder.get('since', 'a while')} ({holder.get('command', 'chemvae')}). "
            "Wait until it ends, or choose another folder."
        )


class CollapseError(ChemVAEError):
    """The posterior ignores the molecule: the latent space carries (almost) nothing."""


class MissingExtraError(ChemVAEError):
    """An optional dependency is needed."""

    def __init__(self, package: str, extra: str, purpose: str):
        self.package, self.extra, self.purpose = package, extra, purpose
        super().__init__(f"{purpose} needs {package}, which is not installed. Install it with: pip install 'chemvae[{extra}]'")


class InterruptedRunError(ChemVAEError):
    """The user or the system stopped a run; its state was saved first."""

    exit_code = EXIT_INTERRUPTED

    def __init__(self, sentence: str, exit_code: int = EXIT_INTERRUPTED):
        self.exit_code = exit_code
        super().__init__(sentence)


class LostWorkerError(ChemVAEError):
    """What worked elsewhere is gone, with its answer: what can be computed again may be asked for again."""


class CancelledError(ChemVAEError):
    """A task was asked to end before it had anything to show."""

    def __init__(self, reason: str = "cancelled"):
        super().__init__(f"Ended before it was done: {reason}. Nothing was written; run it again to have it.")
        self.reason = reason
