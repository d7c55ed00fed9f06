"""Files of a project of the app that were cut off or damaged: a sentence, or what is whole is taken and the rest said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.faults.fault import Fault

N_CUTS = 40
EVENTS = 12
UPLOAD = "0123456789ab"


def refused(act: Callable[[], Any], *words: str) -> list[str]:
    """Findings of what was to be refused with one sentence that holds these words."""
    from chemvae.errors import ChemVAEError

    try:
        told = act()
    except ChemVAEError as error:
        sentence = str(error)
        missing = [word for word in words if word not in sentence]
        return [f"'{sentence}' does not say {word}" for word in missing] + (["several lines"] if "\n" in sentence else [])
    return [f"it was taken: {str(told)[:60]}"]


def cut_events(folder: Path) -> list[str]:
    """The record of what a job has said ends anywhere: all whole events are there, and the next one has the next number."""
    from chemvae.app.jobs.events import FILE, Events

    events = Events(folder)
    for i in range(EVENTS):
        events.add("progress", {"done": i})
    whole, found = (folder / FILE).read_bytes(), []
    for cut in random.Random(0).sample(range(len(whole) + 1), N_CUTS):
        (folder / FILE).write_bytes(whole[:cut])
        again, n = Events(folder), whole[:cut].count(b"\n")
        if [one["done"] for one in again.of("progress")][:n] != list(range(n)) or len(again) not in (n, n + 1):
            found.append(f"cut at byte {cut}: {len(again)} events of {n}")
        elif again.add("end", {})["id"] != len(Events(folder)):
            found.append(f"cut at byte {cut}: the next event has another number")
    return found


def garbled_index(folder: Path) -> list[str]:
    """The index of jobs is no database."""
    from chemvae.app.jobs.index import JobIndex

    path = folder / "jobs.sqlite"
    path.write_bytes(random.Random(1).randbytes(20_000))
    return refused(lambda: JobIndex(path), "jobs.sqlite", "move it away")


def index_of_tomorrow(folder: Path) -> list[str]:
    """The index has columns that nobody knows here."""
    import sqlite3

    from chemvae.app.jobs.index import JobIndex

    path = folder / "jobs.sqlite"
    index = JobIndex(path)
    index.add("optimize", "a search", {"budget": 5})
    index.close()
    with sqlite3.connect(path) as base:
        base.execute("ALTER TABLE jobs ADD COLUMN tomorrow TEXT")
    (job,) = JobIndex(path).all()
    return [] if job.settings == {"budget": 5} else ["the job is not what it was"]


def killed_between_row_and_name(folder: Path) -> list[str]:
    """A job was queued, and the server killed before the job had its name: it is not there, and the next one is."""
    import sqlite3

    from chemvae.app.jobs.index import JobIndex

    path = folder / "jobs.sqlite"
    JobIndex(path).close()
    with sqlite3.connect(path) as base:
        base.execute(
            "INSERT INTO jobs (kind, title, settings, state, made, progress) VALUES ('x', '', '{}', 'queued', 0, '{}')"
        )
    index = JobIndex(path)
    job = index.add("edit", "", {})
    return [] if [one.id for one in index.all()] == [job.id] else ["a job without a name is listed"]


def damaged_table(folder: Path) -> list[str]:
    """The table of a job holds bytes that are no text."""
    from chemvae.app.desk.exports import TABLE, rows_of

    (folder / TABLE).write_bytes(b"\xff\xfe\x00" * 50)
    return refused(lambda: rows_of(str(folder)), TABLE)


def no_table(folder: Path) -> list[str]:
    """A job was ended before it had a table."""
    from chemvae.app.desk.exports import rows_of

    return [] if rows_of(str(folder)) == [] else ["rows from nowhere"]


def damaged_upload(folder: Path) -> list[str]:
    """What is known of an upload is cut off anywhere."""
    from chemvae.app.uploads import FACTS, find_upload

    place = folder / "uploads" / UPLOAD
    place.mkdir(parents=True)
    (place / "table.csv").write_text("smiles\nCCO\n")
    whole = json.dumps({"id": UPLOAD, "name": "t.csv", "rows": 1})
    found = []
    for cut in range(len(whole)):
        (place / FACTS).write_text(whole[:cut])
        found += [f"cut at {cut}: {one}" for one in refused(lambda: find_upload(folder, UPLOAD), "Upload the file again")]
    return found


def damaged_campaign(folder: Path) -> list[str]:
    """What a campaign asks for is cut off."""
    from chemvae.app.desk.campaigns import SETTINGS, stand_of

    (folder / SETTINGS).write_text('{"goals": [')
    return refused(lambda: stand_of(folder), "no campaign")


def damaged_memory_of_the_library(folder: Path) -> list[str]:
    """What the project showed last cannot be read, or is gone: nothing is remembered."""
    from chemvae.app.project import Project
    from chemvae.app.shown import REMEMBERED, remembered_library

    project, found = Project(folder), []
    for text in ("", "{", "[]", '{"library": 3}', '{"library": "gone"}', "null", '"x"'):
        (project.path / REMEMBERED).write_text(text)
        found += [f"{text}: remembered"] if remembered_library(project) is not None else []
    return found


def damaged_library(folder: Path) -> list[str]:
    """The folder that is to be shown holds a manifest of something else."""
    from chemvae.app.shown import MANIFEST, check_library

    found = []
    for text in ("", "{", "[]", '{"settings": 3}', "null"):
        (folder / MANIFEST).write_text(text)
        found += refused(lambda: check_library(str(folder)), "holds no library")
    return found


def killed_on_the_way(folder: Path) -> list[str]:
    """The server is killed while it hands a file out and takes one in: the halves go, what is whole stays."""
    from chemvae.app.project import Project
    from chemvae.app.uploads import FACTS

    project = Project(folder)
    halves = [project.path / ".export-x", project.path / ".results-y", project.path / "uploads" / "aaaaaaaaaaaa"]
    whole = project.path / "uploads" / UPLOAD
    for one in (*halves, whole):
        one.mkdir()
        (one / "table.csv").write_text("smiles\n")
    (whole / FACTS).write_text("{}")
    Project(folder).tidy()
    return [f"{one.name} is left" for one in halves if one.exists()] + ([] if whole.exists() else ["an upload is gone"])


FAULTS = [
    Fault("the record of what a job said is cut off anywhere", cut_events),
    Fault("the index of jobs is no database", garbled_index),
    Fault("the index of jobs is of a later version", index_of_tomorrow),
    Fault("the server is killed while it queues a job", killed_between_row_and_name),
    Fault("the table of a job is no text", damaged_table),
    Fault("a job has no table yet", no_table),
    Fault("what is known of an upload is cut off anywhere", damaged_upload),
    Fault("what a campaign asks for is cut off", damaged_campaign),
    Fault("what the project showed last cannot be read", damaged_memory_of_the_library),
    Fault("the server is killed while files are handed over", killed_on_the_way),
    Fault("the library that is to be shown is none", damaged_library),
]
