"""What the server shows: the library that was asked for, the project's own, or molecules drawn from the model; and its map."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chemvae.app.jobs.index import DONE, Job
from chemvae.app.jobs.queue import JobQueue
from chemvae.app.plain import library_word
from chemvae.app.processes.child import Desk
from chemvae.app.project import Project
from chemvae.disk.files import refusals_explained
from chemvae.errors import InputError, command_line

MANIFEST, REMEMBERED = "manifest.json", "project.json"
MAP, PROJECTOR = "map.json.gz", "projector.safetensors"
N_SAMPLED = 1_000
MAKING = ("library", "sample", "map")
"""Kinds of job that make what is shown."""


def read_library_facts(folder: Path) -> dict[str, Any] | None:
    """Model, size and completeness of a library; None where there is none."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {
            "model": content["settings"]["model"],
            "rows": sum(shard["n_rows"] for shard in content["shards"]),
            "is_complete": all(source["is_complete"] for source in content["sources"]),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_library(asked: str | None) -> None:
    """Refuse what is to be shown and is not there.

    Raises
    ------
    InputError
        For a folder without a library, and for a file that does not exist; names of the catalog are looked up later.
    """
    if asked is None:
        return
    path = Path(asked)
    if path.is_dir() and read_library_facts(path) is None:
        raise InputError(
            f"'{asked}' holds no library. Build one with: {command_line('library', 'build', 'FILES', '-o', asked)}"
        )
    if not path.exists() and (path.suffix or len(path.parts) > 1):
        raise InputError(f"There is no '{asked}'. Give a library, a table, or a name of `chemvae data list`.")


def remembered_library(project: Project) -> str | None:
    """The library that a project showed last, if it is still there."""
    try:
        found = json.loads((project.path / REMEMBERED).read_text(encoding="utf-8"))["library"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) and read_library_facts(Path(found)) is not None else None


@dataclass
class Shown:
    """The library that is shown, and what makes it.

    Parameters
    ----------
    project, queue
    front, back : Desk
        Told when the library changes.
    """

    project: Project
    queue: JobQueue
    front: Desk
    back: Desk
    library: Path | None = None
    map_file: Path | None = None
    """Where its map is or will be."""

    @property
    def making(self) -> str | None:
        """The job that makes what is shown next, if one does."""
        return next((job.id for job in self.queue.all() if job.kind in MAKING and job.is_open), None)

    def begin(self, asked: str | None) -> None:
        """Show what was asked for when the server was started, or what was shown last, or molecules drawn from the model."""
        self.queue.listeners.append(self.ended)
        asked = asked or remembered_library(self.project)
        if asked is None:
            self._draw()
            return
        folder = Path(asked)
        if folder.is_dir():
            self.show(folder)
        else:
            self.make_of(str(folder.resolve()) if folder.exists() else asked, folder.name)

    def _draw(self) -> None:
        """Show molecules drawn from the model, and draw them first where that was not done."""
        out = self.project.place("libraries", f"drawn from {self._model_word()}")
        facts = read_library_facts(out)
        if facts is not None and facts["is_complete"]:
            self.show(out)
        elif self.making is None:
            settings = {"n": N_SAMPLED, "source": str(out.with_name(f"{out.name}.csv")), "out": str(out)}
            self.queue.submit("sample", f"{N_SAMPLED:,} molecules drawn from the model", settings)

    def make_of(self, source: str, name: str) -> Job | None:
        """Make a library of a table in the project, unless it was made already."""
        words = re.sub(r"[^A-Za-z0-9 _()+-]+", "-", name.split(".")[0]).strip("-_ ()+")[:48] or "library"
        stamp = _stamp(Path(source))
        out = self.project.place("libraries", f"{words}{f'-{stamp}' if stamp else ''}")
        facts = read_library_facts(out)
        if facts is not None and facts["is_complete"]:
            self.show(out)
            return None
        there = self._open_job("out", str(out))
        return there or self.queue.submit(
            "library", f"Library of {name}"[:120], {"source": source, "source_name": name, "out": str(out)}
        )

    def _open_job(self, name: str, value: str) -> Job | None:
        """The job that makes this already: one that was running when the server ended is gone on with."""
        found = (one for one in self.queue.all() if one.kind in MAKING and one.is_open and one.settings.get(name) == value)
        return next(found, None)

    def show(self, folder: Path) -> None:
        """Show a library, and make its map if it has none."""
        self.library = folder.resolve()
        key = hashlib.sha256((self.library / MANIFEST).read_bytes() + self._model().encode()).hexdigest()[:16]
        out = self.project.place("maps", key)
        self.map_file = out / MAP
        self._tell(out / PROJECTOR)
        self._remember(self.library)
        if not self.map_file.is_file() and self._open_job("out", str(out)) is None:
            self.queue.submit("map", f"Map of {library_word(folder)}"[:120], {"library": str(self.library), "out": str(out)})

    async def ended(self, job: Job) -> None:
        """Go on when a job has made what is to be shown next."""
        if job.state == DONE and job.kind in ("library", "sample"):
            self.show(Path(job.settings["out"]))
        elif job.state == DONE and job.kind == "map" and self.map_file is not None:
            self._tell(self.map_file.with_name(PROJECTOR))

    def _tell(self, projector: Path) -> None:
        """Let desks and workers know library and map: those that run now end when they have answered."""
        about = {"library": str(self.library), "projector": str(projector)}
        for desk in (self.front, self.back):
            desk.change(about)
        self.queue.change_workers(about)

    def _model(self) -> str:
        return str(self.queue.worker["model"])

    def _model_word(self) -> str:
        return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(self._model()).name).strip("-")[:40] or "the model"

    def _remember(self, folder: Path) -> None:
        path = self.project.path / REMEMBERED
        with refusals_explained(path):
            path.write_text(json.dumps({"library": str(folder)}), encoding="utf-8")


def _stamp(path: Path) -> str:
    """A few letters that change with a file; empty for what is none, such as a set of the catalog."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return hashlib.sha256(f"{path}|{facts.st_size}|{facts.st_mtime_ns}".encode()).hexdigest()[:6]
