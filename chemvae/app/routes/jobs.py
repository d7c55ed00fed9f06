"""Routes about jobs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from chemvae.app.routes.shared import State

router = APIRouter(prefix="/api", tags=["jobs"])


@router.get("/jobs")
async def jobs(state: State) -> dict[str, Any]:
    """Every job, the newest first."""
    return {"jobs": [job.told() for job in reversed(state.queue.all())]}
