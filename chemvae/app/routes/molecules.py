"""Routes about molecules and the library."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chemvae.app.routes.shared import State
from chemvae.app.settings import version
from chemvae.app.state import AppState

router = APIRouter(prefix="/api", tags=["molecules"])
FEW = 50
"""Molecules that are placed while others wait for a click."""
LONGEST_TEXT = 200_000
"""Characters: a molfile of a thousand atoms."""
LONGEST_SMILES = 2_000
Smiles = Annotated[str, Field(min_length=1, max_length=LONGEST_SMILES)]


class Text(BaseModel):
    """A text that means a molecule."""

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)


class Molecule(BaseModel):
    """One molecule."""

    smiles: Smiles


class Molecules(BaseModel):
    """Several molecules."""

    smiles: list[Smiles] = Field(max_length=10_000)


@router.get("/info")
async def info(state: State) -> dict[str, Any]:
    """What there is to choose from, and what is served."""
    limits, choices = state.settings.limits, await choices_of(state)
    return {
        "version": version(),
        "model": state.queue.worker["model"],
        "models": [state.queue.worker["model"]],
        **choices,
        "project": {"path_name": state.project.path.name},
        "limits": {
            "upload_bytes": limits.upload_bytes, "molecules": limits.molecules, "jobs": limits.jobs, "budget": limits.budget,
        },
    }  # fmt: skip


async def choices_of(state: AppState) -> dict[str, Any]:
    """Properties, oracles, methods and the library: asked once for each library."""
    library = str(state.shown.library)
    if state.choices.get("of") != library:
        state.choices = {"of": library, "found": await state.front.ask("choices", timeout_s=300.0)}
    return state.choices["found"]


@router.post("/read")
async def read(state: State, what: Text) -> dict[str, Any]:
    """The molecule that a text means: a SMILES, a name of the library, a molfile."""
    return await state.front.ask("read", text=what.text)


@router.post("/place")
async def place(state: State, what: Molecules) -> dict[str, Any]:
    """Where molecules lie on the library's map."""
    desk = state.front if len(what.smiles) <= FEW else state.back
    return await desk.ask("place", timeout_s=120.0, smiles=what.smiles)


@router.post("/card")
async def card(state: State, what: Molecule) -> dict[str, Any]:
    """Everything there is to say about one molecule."""
    return await state.front.ask("card", smiles=what.smiles)
