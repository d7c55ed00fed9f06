"""The index of jobs: one row each in SQLite, so that a server that was killed knows what it was doing."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chemvae.errors import ChemVAEError

QUEUED, RUNNING, DONE, FAILED, CANCELLED = STATES = ("queued", "running", "done", "failed", "cancelled")
OPEN = (QUEUED, RUNNING)
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, title TEXT,
settings TEXT, state TEXT, made REAL, started REAL, ended REAL, reason TEXT, progress TEXT, tries INTEGER DEFAULT 0)"""


@dataclass(frozen=True)
class Job:
    """A job as the index knows it."""

    id: str
    kind: str
    title: str
    settings: dict[str, Any]
    state: str = QUEUED
    made: float = field(default_factory=time.time)
    """Seconds since 1970, as are the next two."""
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    """Why it ended as it did; empty where there is nothing to say."""
    progress: dict[str, Any] = field(default_factory=dict)
    tries: int = 0
    """How often its process has been started."""

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN

    def told(self) -> dict[str, Any]:
        """What is told of it in the list of jobs."""
        names = ("id", "kind", "title", "state", "made", "started", "ended", "progress", "reason")
        return {name: getattr(self, name) for name in names}


class JobIndex:
    """The index, open.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ChemVAEError
        If it cannot be read or written.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(_TABLE)
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def add(self, kind: str, title: str, settings: dict[str, Any]) -> Job:
        """A new job, queued."""
        made = time.time()
        values = (kind, title, json.dumps(settings), QUEUED, made, "", "{}")
        cursor = self._do(
            "INSERT INTO jobs (kind, title, settings, state, made, reason, progress) VALUES (?, ?, ?, ?, ?, ?, ?)", values
        )
        job = Job(f"{cursor.lastrowid:04d}-{kind}", kind, title, settings, made=made)
        self._do("UPDATE jobs SET id = ? WHERE number = ?", (job.id, cursor.lastrowid))
        return job

    def change(self, job: Job, **changes: Any) -> Job:
        """Write down what has changed of a job, and return it as it is now."""
        job = replace(job, **changes)
        values = (job.title, job.state, job.started, job.ended, job.reason, json.dumps(job.progress), job.tries, job.id)
        self._do("UPDATE jobs SET title=?, state=?, started=?, ended=?, reason=?, progress=?, tries=? WHERE id=?", values)
        return job

    def remove(self, job: Job) -> None:
        """Take a job out; its id is not given again."""
        self._do("DELETE FROM jobs WHERE id = ?", (job.id,))

    def all(self) -> list[Job]:
        """Every job, the oldest first."""
        names = ("id", "kind", "title", "settings", "state", "made", "started", "ended", "reason", "progress", "tries")
        rows = self._do(f"SELECT {', '.join(names)} FROM jobs WHERE id IS NOT NULL ORDER BY number").fetchall()
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [
            Job(**{**one, "settings": json.loads(one["settings"]), "progress": json.loads(one["progress"])}) for one in found
        ]

    def _do(self, command: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._base.execute(command, values)
        except sqlite3.Error as error:
            raise self._refusal(error) from None

    def _refusal(self, error: sqlite3.Error) -> ChemVAEError:
        return ChemVAEError(
            f"The index of jobs '{self.path}' cannot be used ({error}). Free space if the disk is full; if the file is damaged "
            "move it away: the jobs' folders beside it hold all results."
        )

    def close(self) -> None:
        """Close the file."""
        self._base.close()
