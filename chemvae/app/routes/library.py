"""The map of the library."""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chemvae.app.refusals import NotFoundError
from chemvae.app.routes.shared import State

router = APIRouter(prefix="/api", tags=["library"])


@router.get("/map")
async def map(request: Request, state: State) -> Response:
    """What the map component draws; 202 with the job that makes it while there is none yet."""
    shown = state.shown
    if shown.map_file is None or not shown.map_file.is_file():
        if shown.making is not None:
            return JSONResponse({"job": shown.making}, 202)
        raise NotFoundError("There is no map: no library is open. Upload a table and make one of it.")
    facts = shown.map_file.stat()
    body, etag = await asyncio.to_thread(_read, shown.map_file, facts.st_mtime_ns)
    headers = {"etag": etag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers={**headers, "content-encoding": "gzip"})


@lru_cache(maxsize=2)
def _read(path: Path, changed: int) -> tuple[bytes, str]:
    body = path.read_bytes()
    return body, f'"{hashlib.sha256(body).hexdigest()[:20]}"'
