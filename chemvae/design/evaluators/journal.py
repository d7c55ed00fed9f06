"""A file that a campaign goes on from: a line of settings, then a line of JSON per event, each on the disk at once."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from chemvae.design.evaluators.fields import Fields
from chemvae.design.oracles.score import plain_reason
from chemvae.errors import ChemVAEError, InputError, SettingsError

logger = logging.getLogger(__name__)

FORMAT = 1
NOTED = ("kernels",)
"""Settings that may change between two sittings, which is said."""
PATIENCE_S = 3.0


class Journal:
    """Lines of JSON under a line of settings that must stay the same.

    A line is whole or it is not there: what a crash or ``kill -9`` has cut short is dropped when the file is opened again. One
    program at a time works with a record, where the system can lock files; the lock ends with :meth:`close` or the program.

    Parameters
    ----------
    path : path
        Made, with its folders, where there is none.
    settings : mapping
        What must be the same to go on; JSON types.

    Attributes
    ----------
    rows : list of (int, dict)
        The number of each line after the first, and what it holds, as found.

    Raises
    ------
    SettingsError
        If the record was made with other settings.
    InputError
        If the file is not a record.
    ChemVAEError
        If another program works with it.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new" / "record.jsonl"
    >>> Journal(path, {"seed": 0}).write({"call": 1})
    >>> Journal(path, {"seed": 0}).rows
    [(2, {'call': 1})]
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]):
        self.path = Path(path).absolute()  # an oracle may change the folder it works in
        self._owner = os.getpid()
        self.rows: list[tuple[int, dict[str, Any]]] = []
        _make_room(self.path)
        self._lock = _lock(self.path)
        try:
            self._open({"format": FORMAT, **settings})
        except ChemVAEError:
            self.close()
            raise

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a line, and return when it is on the disk; no NaN.

        Raises
        ------
        ChemVAEError
            If the disk is full or the folder not writable; what was written before is kept.
        """
        if os.getpid() != self._owner:
            os._exit(1)  # a copy of the program, which an oracle has forked and not ended: only one may write
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, allow_nan=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ChemVAEError(
                f"The record {self.path} cannot be written: {error.strerror or error}. What it holds is kept: make room, then "
                "go on with --resume (in Python: the same call again)."
            ) from error

    def close(self) -> None:
        """Let others work with the record."""
        if self._lock is not None:
            self._lock.close()

    def give_up(self) -> None:
        """Let others work with the record; one that holds nothing but its settings binds nobody to them, and goes."""
        if not self.rows and self.path.read_bytes().count(b"\n") <= 1:
            self.path.unlink()
        self.close()

    def read_rows(self, take: Callable[[Fields], None]) -> None:
        """Hand each line after the first to a function, which raises ValueError for what it cannot understand.

        Raises
        ------
        InputError
            That names the line. The record is closed then.
        """
        for number, row in self.rows:
            try:
                take(Fields(row))
            except (ValueError, OverflowError) as error:
                self.close()
                raise self.damaged(number, error) from error

    def damaged(self, number: int, why: object) -> InputError:
        """The error for a line that cannot be understood."""
        return InputError(
            f"{self.path} is damaged in line {number} ({why}). Put back a whole copy, or keep its first {number - 1} lines, "
            "and go on from there; or choose another path."
        )

    def _open(self, header: Mapping[str, Any]) -> None:
        lines = self._whole_lines()
        if not lines:
            self.write(header)
            return
        self._check(self._parse(lines[0], 1), header)
        self.rows = [(number, self._parse(line, number)) for number, line in enumerate(lines[1:], start=2)]

    def _check(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        for key in [key for key in NOTED if key in found and found[key] != wanted.get(key, found[key])]:
            logger.warning("%s was begun with other %s (%s, now %s): new rounds differ from an uninterrupted search's.",
                           self.path, key, _brief(found[key]), _brief(wanted[key]))  # fmt: skip
        if not isinstance(found["format"], int) or isinstance(found["format"], bool):
            raise self.damaged(1, f"its format is {found['format']!r}, and no whole number")
        changed = [key for key in wanted if key not in NOTED and found.get(key) != wanted[key]]
        if changed:
            raise SettingsError(
                f"the record {self.path} was made with another {', '.join(changed)} "
                f"({found.get(changed[0])!r}, now {wanted[changed[0]]!r}); use the same settings to go on, or another path"
            )

    def _whole_lines(self) -> list[str]:
        """Read the record, and cut off a last line that was not finished."""
        try:
            text = self.path.read_bytes()
            end = text.rfind(b"\n") + 1
            if end < len(text):
                with self.path.open("r+b") as file:
                    file.truncate(end)
            return text[:end].decode("utf-8").split("\n")[:-1]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} cannot be read as a record of a search ({error}); choose another path") from error

    def _parse(self, line: str, number: int) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):  # nested too deep
            row = None
        if number > 1 and not isinstance(row, dict):
            raise self.damaged(number, f"it is '{plain_reason(line[:60])}'")
        if number == 1 and (not isinstance(row, dict) or "format" not in row):
            raise InputError(
                f"{self.path} is not a record of a search: line 1 is '{plain_reason(line[:60])}'. Choose another path."
            )
        return row


def _brief(value: Any) -> str:
    """A group of facts in a few words."""
    facts = value.values() if isinstance(value, dict) else [value]
    return " ".join(str(one)[:12] for one in facts if one not in (None, []))


def _make_room(path: Path) -> None:
    """Make the folder of a record, and see that nothing but a file stands where it is to be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is no file, so it is no record of a search. Move it away, or choose another path.")
    except OSError as error:
        raise ChemVAEError(f"{path} cannot be a record ({error.strerror or error}). Choose another path.") from error


def _lock(path: Path) -> BinaryIO | None:
    """Keep other programs from a record, as long as the file returned is open; None where files cannot be locked.

    What a killed program leaves behind, such as a worker of its oracle, may hold the lock for a moment longer.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        file = path.open("ab")
    except OSError as error:
        raise ChemVAEError(f"The record {path} cannot be opened ({error.strerror or error}). Choose another folder.") from error
    started = time.monotonic()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() - started > PATIENCE_S:
                file.close()
                raise ChemVAEError(
                    f"Another program is working with {path}. Wait until it ends, or choose another folder."
                ) from None
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return file
