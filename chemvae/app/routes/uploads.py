"""Routes about files that are given."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, File, UploadFile
from starlette.datastructures import UploadFile as AnyUpload

from chemvae.app.refusals import is_full
from chemvae.app.routes.shared import State
from chemvae.app.sentences import without_paths
from chemvae.app.state import AppState
from chemvae.app.uploads import TABLE, ending_of, find_upload, list_uploads
from chemvae.disk.files import remove, write_atomically
from chemvae.errors import ChemVAEError, InputError

router = APIRouter(prefix="/api", tags=["uploads"])
CHECK_S = 600.0
LISTED = ("id", "name", "rows", "usable", "distinct", "columns", "smiles_column")
"""What the list of uploads says of each."""
Given = Annotated[UploadFile, File()]


@router.post("/uploads", status_code=201)
async def upload(state: State, file: Given) -> dict[str, Any]:
    """Keep a file, and say what is wrong with which line of it."""
    state.project.check_room()
    name = Path((file.filename or "").replace("\\", "/")).name[-200:]
    ending = ending_of(name)
    key = state.project.new("uploads")
    path = state.project.place("uploads", key) / f"{TABLE}{ending}"
    try:
        await keep(state, file, path)
        about = {"path": str(path), "name": name, "most_rows": state.settings.limits.rows}
        return await state.reading.ask("check_upload", timeout_s=CHECK_S, **about)
    except ChemVAEError as error:
        await asyncio.to_thread(remove, path.parent)
        if is_full(error.__cause__):
            raise
        raise InputError(without_paths(str(error), state.project.path, str(path), name)) from None
    except BaseException:
        await asyncio.to_thread(remove, path.parent)
        raise


async def keep(state: AppState, file: AnyUpload, path: Path) -> None:
    """Put a file that was given in its place, whole."""
    if not file.size:
        raise InputError(f"'{(file.filename or 'the file')[-60:]}' is empty. Give a table of molecules.")
    await asyncio.to_thread(write_atomically, path, lambda temporary: _copy(file.file, temporary))


def _copy(source: BinaryIO, path: Path) -> None:
    source.seek(0)
    with path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


@router.get("/uploads")
async def uploads(state: State) -> dict[str, Any]:
    """Every file that was given, the newest first; :func:`facts` says what was found in one."""
    found = await asyncio.to_thread(list_uploads, state.project.path)
    return {"uploads": [{name: facts.get(name) for name in LISTED} for facts in found]}


@router.get("/uploads/{name}")
async def facts(state: State, name: str) -> dict[str, Any]:
    """What the check of an upload found."""
    return (await asyncio.to_thread(find_upload, state.project.path, name)).facts
