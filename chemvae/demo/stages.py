"""The stages of a demo: each is announced, and its time taken."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

log = logging.getLogger(__name__)


class Staged:
    """What a demo has found, with the wall time of each of its stages."""

    n_stages: ClassVar[int]
    seconds: dict[str, float]
    """Stage -> wall time."""

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Announce a stage and take its time."""
        log.info("%d/%d %s", len(self.seconds) + 1, self.n_stages, words)
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)
