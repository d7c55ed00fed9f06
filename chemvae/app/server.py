"""The server: the application, put together, and the loop that serves it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chemvae.app.jobs.queue import JobQueue
from chemvae.app.processes.child import Desk
from chemvae.app.project import Project
from chemvae.app.refusals import status_of
from chemvae.app.sentences import without_paths
from chemvae.app.settings import ServeSettings, version
from chemvae.app.shown import Shown, check_library, read_library_facts, remembered_library
from chemvae.app.state import AppState
from chemvae.errors import ChemVAEError, InputError, MissingExtraError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

USUAL_MODEL = "drug"


def make_app(settings: ServeSettings) -> FastAPI:
    """The application of a project: what listens, the queue of jobs and the desks start and end with it.

    Raises
    ------
    MissingExtraError
        Without the extra ``app``.
    ChemVAEError
        If the project cannot be opened.
    """
    try:
        from fastapi import FastAPI
    except ImportError:
        raise MissingExtraError("fastapi", "app", "The app") from None
    from chemvae.app.routes import campaigns, jobs, library, molecules, pages, uploads

    app = FastAPI(title="chemvae", version=version(), lifespan=_lifespan, docs_url=None, redoc_url=None,
                  openapi_url="/api/openapi.json")  # fmt: skip
    app.state.chemvae = _open(settings)
    for routes in (molecules, library, jobs, uploads, campaigns, pages):
        app.include_router(routes.router)
    _explain_errors(app)
    return app


def _open(settings: ServeSettings) -> AppState:
    """Open a project, and see by what model it is served."""
    check_library(settings.library)
    project = Project(settings.project)
    project.tidy()
    about: dict[str, Any] = {
        "model": model_of(settings, project), "library": None, "projector": None, "project": str(project.path),
        "folder": str(project.path / "jobs"), "memory_bytes": settings.memory_bytes,
    }  # fmt: skip
    queue = JobQueue(project, about, settings.n_workers, settings.limits.jobs)
    front, back, reading = Desk(about), Desk(about), Desk(about)
    return AppState(settings, project, queue, front, back, reading, Shown(project, queue, front, back))


def model_of(settings: ServeSettings, project: Project) -> str:
    """The model that is named, else that of the library, else the shipped one; a run folder by its whole path.

    Raises
    ------
    InputError
        If there is none.
    """
    library = settings.library or remembered_library(project)
    facts = read_library_facts(Path(library)) if library else None
    name = settings.model or (facts or {}).get("model") or USUAL_MODEL
    if Path(name).name == name and resources.files("chemvae").joinpath(f"weights/{name}").is_dir():
        return name
    if not (Path(name) / "config.json").is_file():
        raise InputError(f"'{name}' is no model: it is neither shipped nor a run folder. Name one with --model.")
    return str(Path(name).resolve())


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state: AppState = app.state.chemvae
    state.queue.start()
    state.shown.begin(state.settings.library)
    warm = asyncio.create_task(_warm_up(state))
    try:
        yield
    finally:
        warm.cancel()
        for desk in (state.front, state.back, state.reading):
            desk.close()
        await state.queue.close()


async def _warm_up(state: AppState) -> None:
    """Have the desk and a worker ready before the first click."""
    with contextlib.suppress(ChemVAEError):  # whoever asks is told
        await state.front.ask("ready", timeout_s=300.0)
        await state.queue.keep_spare()


def _explain_errors(app: FastAPI) -> None:
    """Let every error be one sentence."""
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse
    from starlette.exceptions import HTTPException

    from chemvae.app.jobs.requests import say_complaint

    @app.exception_handler(ChemVAEError)
    async def refuse(request: Request, error: ChemVAEError) -> JSONResponse:
        project = app.state.chemvae.project.path
        return JSONResponse({"error": without_paths(str(error), project)}, status_of(error))

    @app.exception_handler(RequestValidationError)
    async def correct(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": f"{'; '.join(say_complaint(one) for one in error.errors()[:5])}."}, 422)

    @app.exception_handler(HTTPException)
    async def say(request: Request, error: HTTPException) -> JSONResponse:
        words = {404: "There is nothing here.", 405: "This cannot be done here."}
        return JSONResponse({"error": words.get(error.status_code, str(error.detail))}, error.status_code)

    @app.exception_handler(Exception)
    async def admit(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": f"This should not have happened: {type(error).__name__}. Please report it."}, 500)
