"""What a server is started with, and the limits of what may be asked of it."""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass, field
from pathlib import Path

from chemvae.errors import SettingsError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def version() -> str:
    """Of the chemvae that is installed; "0" where it is used without being installed."""
    try:
        return importlib.metadata.version("chemvae")
    except importlib.metadata.PackageNotFoundError:
        return "0"


@dataclass(frozen=True)
class Limits:
    """The most of everything that comes from outside."""

    upload_bytes: int = 200 << 20
    body_bytes: int = 2 << 20
    """Of a request that is no upload."""
    molecules: int = 10_000
    """In one request."""
    rows: int = 1_000_000
    """Of an upload."""
    jobs: int = 500
    """Waiting or running at once."""
    budget: int = 100_000
    """Calls of one search."""
    minutes: int = 7 * 24 * 60
    """Of one job."""
    streams: int = 200
    """Clients that follow jobs at once."""
    seconds: float = 120.0
    """Within which a request must have come in, but for uploads, which have ten times as long."""


@dataclass(frozen=True)
class ServeSettings:
    """How ``chemvae serve`` runs; fields as it has flags.

    Raises
    ------
    SettingsError
        If one is out of range.
    """

    project: Path = Path("chemvae-project")
    """The folder that everything is kept in; made if it is not there."""
    library: str | None = None
    """A library, or a table to make one of; the project's own by default."""
    model: str | None = None
    """Shipped name or run folder; the library's own, else the shipped one by default."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes a free one."""
    workers: int = 0
    """Jobs at once; 0 takes one per core, four at most."""
    memory_limit: float | None = None
    """GiB that one job may take; None takes half of the machine's memory."""
    token: str | None = None
    """What a browser must show when the server listens to other machines; drawn where none is given."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        complaints = [] if 0 <= self.port < 65_536 else [f"port must be from 0 to 65535, got {self.port}"]
        complaints += [] if self.workers >= 0 else [f"workers must be >= 0, got {self.workers}"]
        if self.memory_limit is not None and not self.memory_limit > 0:
            complaints.append(f"memory_limit must be > 0 GiB, got {self.memory_limit}")
        if self.token is not None and len(self.token) < 16:
            complaints.append("a token must have 16 characters or more")
        if complaints:
            raise SettingsError(complaints)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def n_workers(self) -> int:
        """Jobs at once."""
        return self.workers or min(os.cpu_count() or 1, 4)

    @property
    def memory_bytes(self) -> int | None:
        """Bytes that one job may take; None where that is not known."""
        if self.memory_limit is not None:
            return int(self.memory_limit * (1 << 30))
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        except (AttributeError, ValueError, OSError):
            return None
