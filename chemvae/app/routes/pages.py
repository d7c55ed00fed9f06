"""The page, and the files that it is made of."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from chemvae.app.assets import TYPES, Asset, find_asset, packed
from chemvae.app.refusals import NotFoundError
from chemvae.app.routes.shared import State
from chemvae.app.safety import COOKIE, PAGE_POLICY
from chemvae.app.settings import version
from chemvae.app.state import AppState

router = APIRouter(include_in_schema=False)
MAP_SCRIPT = "map/map.js"
A_YEAR_S = 365 * 24 * 3600


@router.get("/")
async def page(request: Request, state: State) -> Response:
    """The app; a token in the address moves into a cookie, out of sight."""
    if token := request.query_params.get("token"):
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=A_YEAR_S)
        return answer
    return HTMLResponse(_render(), headers={"content-security-policy": PAGE_POLICY})


def _render() -> str:
    import jinja2

    loader = jinja2.PackageLoader("chemvae.app", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template("page.html").render(version=version(), token="")


async def map_script(state: AppState) -> Asset:
    """The map's scripts as one file, which the desk has put together."""
    if "script" not in state.kept:
        text = await state.front.ask("map_script", timeout_s=300.0)
        state.kept["script"] = await asyncio.to_thread(packed, text.encode(), TYPES["js"])
    return state.kept["script"]


@router.get("/static/{name:path}")
async def static(name: str, request: Request, state: State) -> Response:
    """A file of the page."""
    asset = await map_script(state) if name == MAP_SCRIPT else await asyncio.to_thread(find_asset, name)
    if asset is None:
        raise NotFoundError(f"There is no file '{name[:80]}'.")
    headers = {"etag": asset.etag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    if asset.is_compressed:
        headers["content-encoding"] = "gzip"
    return Response(asset.body, media_type=asset.media_type, headers=headers)
