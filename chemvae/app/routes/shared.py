"""What all routes need: the state of their server."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from chemvae.app.state import AppState


def state_of(request: Request) -> AppState:
    """The state of the server that a request came to."""
    return request.app.state.chemvae


State = Annotated[AppState, Depends(state_of)]
