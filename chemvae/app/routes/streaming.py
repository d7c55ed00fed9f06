"""Server-sent events of a job."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from chemvae.app.jobs.events import END
from chemvae.app.state import AppState

QUIET = b": still here\n\n"


async def stream(state: AppState, name: str, after: int | None) -> AsyncIterator[bytes]:
    """What a job says until it ends, as lines of the format.

    Parameters
    ----------
    state : AppState
    name : str
        Of the job.
    after : int or None
        The last event that is known; None tells the whole state first.
    """
    state.n_streams += 1
    try:
        events = state.queue.events(state.queue.find(name))
        done = after
        if done is None:
            done = len(events)
            for kind, data in _whole(state, name):
                yield _line(done, kind, data)
            if not state.queue.find(name).is_open:
                return
        async for event in events.follow(done):
            if event is None:
                yield QUIET
                continue
            is_open = state.queue.find(name).is_open
            if event["event"] == END and is_open:
                continue  # of a time before it was gone on with
            yield _line(event["id"], event["event"], event["data"])
            if event["event"] == END:
                return
    finally:
        state.n_streams -= 1


def _whole(state: AppState, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The state of a job as events: progress with the whole trace, the best molecule, and its end."""
    job = state.queue.find(name)
    events = state.queue.events(job)
    trace = [point for told in events.of("progress") for point in told.get("trace") or ()]
    found: list[tuple[str, dict[str, Any]]] = [("progress", {**job.progress, "state": job.state, "trace": trace})]
    found += [("molecule", one) for one in events.of("molecule")[-1:]]
    return found if job.is_open else [*found, (END, {"state": job.state, "reason": job.reason})]


def _line(number: int, kind: str, data: dict[str, Any]) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()
