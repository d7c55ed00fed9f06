"""What the routes share: the project, the queue of jobs and the desks that answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from chemvae.app.jobs.queue import JobQueue
from chemvae.app.processes.child import Desk
from chemvae.app.project import Project
from chemvae.app.settings import ServeSettings
from chemvae.app.shown import Shown


@dataclass
class AppState:
    """One server."""

    settings: ServeSettings
    project: Project
    queue: JobQueue
    front: Desk
    """Answers clicks."""
    back: Desk
    """Answers what takes seconds: tables and exports."""
    reading: Desk
    """Looks through uploads, which takes minutes where they are large."""
    shown: Shown
    """The library that is shown, and its map."""
    n_streams: int = 0
    """Clients that follow jobs now."""
    choices: dict[str, Any] = field(default_factory=dict)
    """What the desk said of properties, oracles, methods and the library."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What is asked for once."""
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    """By what is written to."""
