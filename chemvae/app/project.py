"""A project: a folder of ordinary files that the command line can open too; nothing outside it is written or handed out.

``jobs/ID/`` (what was asked, the events, the log, and what came of it: the folder of an ``optimize`` job is a search that
``chemvae optimize -o jobs/ID --resume`` goes on with), ``uploads/ID/``, ``campaigns/NAME/`` (searches that a laboratory
measures for), ``libraries/NAME/``, ``maps/KEY/``, and ``jobs.sqlite``, the index of the jobs.
"""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path

from chemvae.app.refusals import FullDiskError, NotFoundError
from chemvae.disk.files import refusals_explained, remove
from chemvae.errors import InputError

ROOMS = ("jobs", "uploads", "campaigns", "libraries", "maps")
PASSING = (".export-", ".results-")
"""Beginnings of names of folders that are there while something is handed over."""
UPLOAD_FACTS = "upload.json"
LEAST_FREE = 50 << 20
"""Bytes that must be free for something new to be begun."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()+-]{0,63}")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class Project:
    """A project's folder.

    Parameters
    ----------
    path : Path
        Made if it is not there.

    Raises
    ------
    ChemVAEError
        If it cannot be made or written to.
    """

    def __init__(self, path: Path):
        self.path = Path(path).absolute()
        with refusals_explained(self.path):
            for room in ROOMS:
                (self.path / room).mkdir(parents=True, exist_ok=True)
        self.path = self.path.resolve()

    @property
    def index(self) -> Path:
        """The index of jobs."""
        return self.path / "jobs.sqlite"

    def tidy(self) -> None:
        """Remove what a server that was killed has left half made: exports, results and uploads on their way."""
        for one in self.path.iterdir():
            if one.name.startswith(PASSING):
                remove(one)
        for one in (self.path / "uploads").iterdir():
            if one.is_dir() and not (one / UPLOAD_FACTS).exists():
                remove(one)

    def place(self, room: str, name: str, *parts: str) -> Path:
        """The path of something in the project, which need not be there yet.

        Raises
        ------
        InputError
            If a name is not one that a file here can have.
        NotFoundError
            If a link leads out of the project.
        """
        path = self.path / room / safe_name(name)
        for part in parts:
            path = path / safe_name(part)
        if not path.resolve().is_relative_to(self.path):
            raise NotFoundError(f"'{name}' leads out of the project, and is not followed.")
        return path

    def existing(self, room: str, name: str, *parts: str) -> Path:
        """The same of something that is there.

        Raises
        ------
        NotFoundError
            If it is not.
        """
        path = self.place(room, name, *parts)
        if not path.exists():
            raise NotFoundError(f"There is no '{'/'.join((name, *parts))}' in {room} of this project.")
        return path

    def listed(self, room: str) -> list[str]:
        """Names of the folders of a room, in order."""
        return sorted(one.name for one in (self.path / room).iterdir() if one.is_dir() and _NAME.fullmatch(one.name))

    def new(self, room: str) -> str:
        """The name of a new folder of a room, which is made."""
        name = secrets.token_hex(6)
        with refusals_explained(self.path / room):
            (self.path / room / name).mkdir()
        return name

    def check_room(self) -> None:
        """Refuse to begin something where the disk is full.

        Raises
        ------
        FullDiskError
        """
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            raise FullDiskError(
                f"The disk of the project '{self.path.name}' is full ({free >> 20} MiB free). Free space and ask again; "
                "nothing is lost."
            )


def safe_name(name: str) -> str:
    """A name that a file may have anywhere, as it is.

    Raises
    ------
    InputError
        For any other.

    Examples
    --------
    >>> safe_name("round 2")
    'round 2'
    >>> safe_name("../etc")
    Traceback (most recent call last):
    chemvae.errors.InputError: ...
    """
    if not _NAME.fullmatch(name) or name.endswith((".", " ")) or _RESERVED.fullmatch(name):
        raise InputError(
            f"'{name[:40]}' cannot be a name here. Use up to 64 letters, digits, blanks and ._()+-, first a letter or digit."
        )
    return name
