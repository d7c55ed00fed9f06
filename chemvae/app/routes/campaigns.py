"""Routes about campaigns that a laboratory measures for."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any, Union

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile

from chemvae.app.jobs.requests import Campaign, read_settings, say_complaint
from chemvae.app.project import safe_name
from chemvae.app.refusals import ConflictError
from chemvae.app.routes.jobs import handed_out
from chemvae.app.routes.shared import State
from chemvae.app.routes.uploads import keep
from chemvae.app.sentences import without_paths
from chemvae.app.state import AppState
from chemvae.app.uploads import ending_of, find_upload
from chemvae.disk.files import write_atomically
from chemvae.errors import ChemVAEError, InputError

router = APIRouter(prefix="/api/campaigns", tags=["campaigns"])
SETTINGS = "campaign.json"
LONG_S = 300.0
Cell = Union[str, float, int, None]  # noqa: UP007  # pydantic reads it on Python 3.10 too


class CampaignRequest(BaseModel):
    """A campaign that is begun."""

    name: str = Field(max_length=64)
    settings: dict[str, Any] = Field(default_factory=dict)
    upload: str | None = Field(None, max_length=64)
    """Of molecules that were measured already."""


class Results(BaseModel):
    """What was measured, typed in."""

    model_config = ConfigDict(extra="forbid")
    rows: list[dict[str, Cell]] = Field(max_length=10_000)


class More(BaseModel):
    """How many molecules are asked for next."""

    n: int | None = Field(None, ge=1, le=1_000)


@router.get("")
async def campaigns(state: State) -> dict[str, Any]:
    """How every campaign stands."""
    names = [one for one in state.project.listed("campaigns") if (_folder(state, one) / SETTINGS).is_file()]
    told = await state.back.ask("campaigns", folders=[str(_folder(state, one)) for one in names])
    return {"campaigns": [{**one, "job": job_of(state, one["name"])} for one in told]}


def _folder(state: AppState, name: str) -> Path:
    return state.project.place("campaigns", name)


def job_of(state: AppState, name: str) -> str | None:
    """The job that looks for a campaign's next batch now."""
    found = [one for one in state.queue.all() if one.kind == "campaign" and one.is_open and one.settings["name"] == name]
    return found[0].id if found else None


@router.post("", status_code=201)
async def begin(state: State, what: CampaignRequest) -> dict[str, Any]:
    """Begin a campaign; its first batch is looked for at once."""
    name = safe_name(what.name.strip())
    folder = _folder(state, name)
    if folder.exists():
        raise ConflictError(f"There is a campaign '{name}' already. Choose another name.")
    asked = read_settings(Campaign, what.settings, state.settings.limits)
    found = await state.front.ask("check_job", kind="campaign", settings=asked)
    state.project.check_room()
    known = None if what.upload is None else await asyncio.to_thread(_measured, state, what.upload, asked)
    settings = {**found["settings"], "name": name, "campaign": str(folder)}
    await asyncio.to_thread(_write, folder, settings)
    about = {"folder": str(folder), "path": known}
    taken = {} if known is None else await state.back.ask("take_results", timeout_s=LONG_S, **about)
    return {"name": name, "job": state.queue.submit("campaign", f"{name}: first batch", settings).id, **taken}


def _measured(state: AppState, upload: str, asked: dict[str, Any]) -> str:
    """The file of an upload that holds what a campaign measures."""
    found = find_upload(state.project.path, upload)
    there = {one["name"].lower() for one in found.facts["columns"]}
    for name in asked["measured"]:
        if name.lower() not in there:
            listed = ", ".join(one["name"] for one in found.facts["columns"])
            raise InputError(f"'{found.facts['name']}' has no column '{name[:60]}' to learn from; its columns: {listed}.")
    return str(found.path)


def _write(folder: Path, settings: dict[str, Any]) -> None:
    write_atomically(folder / SETTINGS, lambda path: path.write_text(json.dumps(settings), encoding="utf-8"))


def _read(state: AppState, name: str) -> dict[str, Any]:
    path = state.project.existing("campaigns", name, SETTINGS)
    return {**json.loads(path.read_text(encoding="utf-8")), "campaign": str(path.parent)}


@router.get("/{name}/batch")
async def batch(state: State, name: str) -> dict[str, Any]:
    """The molecules that wait to be measured."""
    folder = state.project.existing("campaigns", name)
    return {"rows": await state.back.ask("batch", folder=str(folder)), "job": job_of(state, name)}


@router.get("/{name}/batch.xlsx")
async def sheet(state: State, name: str) -> FileResponse:
    """The same as a workbook to fill in."""
    folder = state.project.existing("campaigns", name)
    return await handed_out(state, "write_sheet", f"{safe_name(name)}-batch", "xlsx", {"folder": str(folder)})


@router.get("/{name}/results")
async def told(state: State, name: str) -> dict[str, Any]:
    """All results that were taken; one that is told again is corrected."""
    return await state.back.ask("told", folder=str(state.project.existing("campaigns", name)))


@router.post("/{name}/results")
async def results(state: State, name: str, request: Request) -> dict[str, Any]:
    """Take what was measured: a file, or rows with ``id`` and ``value``; each row that cannot be understood is named."""
    folder = state.project.existing("campaigns", name)
    async with state.locks.setdefault(f"campaign {name}", asyncio.Lock()):
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await state.back.ask("take_results", timeout_s=LONG_S, folder=str(folder), rows=await _rows(request))
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InputError("There is no file in what was sent. Send it as 'file'.")
            with tempfile.TemporaryDirectory(prefix=".results-", dir=state.project.path) as place:
                path = Path(place) / f"results{ending_of(file.filename or '')}"
                await keep(state, file, path)
                try:
                    return await state.back.ask("take_results", timeout_s=LONG_S, folder=str(folder), path=str(path))
                except ChemVAEError as error:
                    named = Path(file.filename or "").name
                    raise InputError(without_paths(str(error), state.project.path, str(path), named)) from None


async def _rows(request: Request) -> list[dict[str, Cell]]:
    try:
        return Results.model_validate_json(await request.body()).rows
    except ValidationError as error:
        raise InputError(f"{say_complaint(error.errors()[0])}. Send rows with id and value.") from None


@router.post("/{name}/next", status_code=202)
async def next_batch(state: State, name: str, what: More) -> dict[str, Any]:
    """Look for the next batch, by all that was measured."""
    settings = await asyncio.to_thread(_read, state, name)
    if (running := job_of(state, name)) is not None:
        raise ConflictError(f"The next batch of '{name}' is looked for already (job '{running}'). Wait for it.")
    if what.n is not None:
        settings["batch"], settings["diverse"] = what.n, None
    return {"job": state.queue.submit("campaign", f"{name}: next batch", settings).id}
