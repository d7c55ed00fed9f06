"""Routes about jobs: ask for one, follow it, end it, take away what came of it."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, Field, StringConstraints
from starlette.background import BackgroundTask

from chemvae.app.jobs.index import Job
from chemvae.app.jobs.requests import LONGEST_NAME, Smiles, checked
from chemvae.app.refusals import BusyError, NotFoundError
from chemvae.app.routes.shared import State
from chemvae.app.routes.streaming import stream
from chemvae.app.safety import REPORT_POLICY
from chemvae.app.state import AppState
from chemvae.app.uploads import find_upload
from chemvae.disk.files import remove
from chemvae.errors import InputError

router = APIRouter(prefix="/api", tags=["jobs"])
EXPORT_S = 300.0
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8", "sdf": "chemical/x-mdl-sdfile", "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


class JobRequest(BaseModel):
    """A job that is asked for."""

    kind: str = Field(max_length=40)
    settings: dict[str, Any] = Field(default_factory=dict)


class JobTitle(BaseModel):
    """What a job is to be called."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]


@router.post("/jobs", status_code=201)
async def ask(state: State, what: JobRequest) -> dict[str, Any]:
    """Queue a job; the answer is its id."""
    settings = checked(what.kind, what.settings, state.settings.limits)
    if "upload" in settings:
        upload = await asyncio.to_thread(find_upload, state.project.path, settings["upload"])
        settings |= {"source": str(upload.path), "source_name": upload.facts["name"]}
        _check_columns(settings, upload.facts)
    if what.kind == "library":
        job = state.shown.make_of(settings["source"], upload.facts["name"])
        return {"id": job.id if job else None}
    found = await state.front.ask("check_job", kind=what.kind, settings=settings)
    return {"id": state.queue.submit(what.kind, found["title"], found["settings"]).id}


def _check_columns(settings: dict[str, Any], facts: dict[str, Any]) -> None:
    """Refuse columns that the upload does not have, or that hold no numbers."""
    numeric = {one["name"]: one["numeric"] for one in facts["columns"]}
    for name in [*settings.get("columns", ()), *filter(None, [settings.get("column")])]:
        if not numeric.get(name):
            there = ", ".join(one for one, is_number in numeric.items() if is_number) or "none"
            raise InputError(f"'{facts['name']}' has no column of numbers called '{name[:60]}'; there are: {there}.")


@router.get("/jobs")
async def jobs(state: State) -> dict[str, Any]:
    """Every job, the newest first."""
    return {"jobs": [job.told() for job in reversed(state.queue.all())]}


@router.get("/jobs/{name}")
async def one(state: State, name: str) -> dict[str, Any]:
    """A job, with what was asked for and the table so far."""
    job = state.queue.find(name)
    return {**job.told(), "settings": job.settings, "rows": await rows_of(state, job), "trace": trace_of(state, job)}


async def rows_of(state: AppState, job: Job) -> list[dict[str, Any]]:
    """The table of a job: what it wrote, else the molecules that it has told of (gone on with, it tells of them again)."""
    if job.is_open or not _folder(state, job).joinpath("table.csv").is_file():
        return list({one["smiles"]: one for one in reversed(state.queue.events(job).of("molecule"))}.values())[::-1]
    return await state.back.ask("rows_of", timeout_s=EXPORT_S, folder=str(_folder(state, job)))


def trace_of(state: AppState, job: Job) -> list[list[float]]:
    """Calls and the best score after each, as far as they were told."""
    return [point for told in state.queue.events(job).of("progress") for point in told.get("trace") or ()]


def _folder(state: AppState, job: Job) -> Path:
    return state.project.place("jobs", job.id)


@router.delete("/jobs/{name}")
async def cancel(state: State, name: str) -> dict[str, Any]:
    """End a job with what it has."""
    return (await state.queue.cancel(state.queue.find(name))).told()


@router.delete("/jobs/{name}/files", status_code=204)
async def forget(state: State, name: str) -> None:
    """Delete a job that has ended: its place in the list, and its folder with all that came of it."""
    job = state.queue.find(name)
    state.queue.forget(job)
    await asyncio.to_thread(remove, _folder(state, job))


@router.patch("/jobs/{name}")
async def rename(state: State, name: str, what: JobTitle) -> dict[str, Any]:
    """Call a job something else."""
    return state.queue.rename(state.queue.find(name), what.title).told()


@router.post("/jobs/{name}/resume")
async def resume(state: State, name: str) -> dict[str, Any]:
    """Go on with a job that was cancelled or has failed."""
    return state.queue.resume(state.queue.find(name)).told()


@router.get("/jobs/{name}/events")
async def events(state: State, name: str, request: Request, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """What a job says, as server-sent events: the state first, or what came after ``Last-Event-ID``."""
    job = state.queue.find(name)
    after = int(last_event_id) if last_event_id is not None and last_event_id.isdigit() else None
    told = state.queue.events(job)
    if after is not None and not job.is_open and after >= len(told):
        return Response(status_code=204)  # a browser asks no more
    if state.n_streams >= state.settings.limits.streams:
        raise BusyError("Too many clients follow jobs at once. Close some pages, and ask again.")
    return StreamingResponse(stream(state, name, after), media_type="text/event-stream", headers={"cache-control": "no-store"})


@router.get("/jobs/{name}/table.{ending}")
async def table(
    state: State,
    name: str,
    ending: Literal["csv", "sdf", "xlsx", "json"],
    rows: Annotated[str | None, Query(pattern=r"^[0-9]+(,[0-9]+)*$", max_length=100_000)] = None,
    smiles: Annotated[list[Smiles] | None, Query()] = None,
) -> FileResponse:
    """Take the table of a job away, or some of its rows, or some of its molecules as they stand there (``smiles``, repeated).

    Rows change their places while a job runs and when it ends: what a person has chosen is named by its molecules.
    """
    job = state.queue.find(name)
    chosen = None if rows is None else [int(one) for one in rows.split(",")]
    found = await rows_of(state, job) if job.is_open else None
    about = {"folder": str(_folder(state, job)), "ending": ending, "rows": chosen, "found": found, "smiles": smiles}
    return await handed_out(state, "export", f"{_words(job.title)}-{job.id}", ending, about)


async def handed_out(state: AppState, question: str, name: str, ending: str, about: dict[str, Any]) -> FileResponse:
    """A file that the desk writes now, and that is gone when it was sent."""
    state.project.check_room()
    place = await asyncio.to_thread(tempfile.mkdtemp, prefix=".export-", dir=state.project.path)
    path = Path(place) / f"export.{ending}"
    forget = BackgroundTask(shutil.rmtree, place, ignore_errors=True)
    try:
        await state.back.ask(question, timeout_s=EXPORT_S, out=str(path), **about)
    except BaseException:
        await forget()
        raise
    return FileResponse(path, filename=f"{name}.{ending}", media_type=MEDIA_TYPES[ending], background=forget)


def _words(title: str) -> str:
    """A title as part of a file's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:60] or "job"


@router.get("/jobs/{name}/report.html")
async def report(state: State, name: str) -> FileResponse:
    """The report of a search."""
    job = state.queue.find(name)
    path = _folder(state, job) / "report.html"
    if not path.is_file() or path.is_symlink():
        raise NotFoundError(f"Job '{job.id}' has no report (yet). Searches write one when they end.")
    return FileResponse(path, media_type="text/html", headers={"content-security-policy": REPORT_POLICY})


@router.get("/compare")
async def compare(state: State, a: str, b: str) -> dict[str, Any]:
    """Two jobs beside each other: traces, and the molecules of both and of one alone."""
    first, second = state.queue.find(a), state.queue.find(b)
    about: dict[str, Any] = {"first": str(_folder(state, first)), "second": str(_folder(state, second))}
    about |= {side: await rows_of(state, job) for side, job in (("a", first), ("b", second)) if job.is_open}
    found = await state.back.ask("compare", timeout_s=EXPORT_S, **about)
    told = [{**job.told(), "settings": job.settings, "trace": trace_of(state, job)} for job in (first, second)]
    return {"a": told[0], "b": told[1], **found}
