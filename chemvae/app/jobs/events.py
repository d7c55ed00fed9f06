"""What a job says on its way: numbered events in a file beside its results, and told to whoever listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chemvae.disk.files import refusals_explained

FILE = "events.jsonl"
END = "end"
Event = dict[str, Any]
"""``id`` (from 1), ``event`` (progress, molecule, end), ``data``."""


class Events:
    """The events of one job; those of before stay when it is gone on with.

    Parameters
    ----------
    folder : Path
        Of the job.
    """

    def __init__(self, folder: Path):
        self.path = folder / FILE
        self._events: list[Event] = _read(self.path)
        self._changed = asyncio.Event()

    def add(self, kind: str, data: dict[str, Any]) -> Event:
        """Write an event down, and tell it.

        Raises
        ------
        ChemVAEError
            If the disk is full; those who listen are told all the same.
        """
        event = {"id": len(self._events) + 1, "event": kind, "data": data}
        self._events.append(event)
        self._changed.set()
        self._changed = asyncio.Event()
        with refusals_explained(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
        return event

    def __len__(self) -> int:
        return len(self._events)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of one kind."""
        return [event["data"] for event in self._events if event["event"] == kind]

    async def follow(self, after: int, patience_s: float = 15.0) -> AsyncIterator[Event | None]:
        """Events after a number, as they come; None where nothing has come for a while."""
        done = max(after, 0)
        while True:
            changed = self._changed
            while done < len(self._events):
                done += 1
                yield self._events[done - 1]
            try:
                await asyncio.wait_for(changed.wait(), patience_s)
            except asyncio.TimeoutError:
                yield None


def _read(path: Path) -> list[Event]:
    """The events of a file; a last line that was cut off is left out, and the file with it."""
    if not path.is_file():
        return []
    found: list[Event] = []
    with path.open("rb+") as file:
        whole = 0
        for line in file:
            try:
                event = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                event = None
            if event is None:
                break
            found.append(event)
            whole += len(line)
        file.truncate(whole)
    return found
