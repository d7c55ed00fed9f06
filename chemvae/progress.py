"""What a long task says on its way, and how it is told to end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from chemvae.errors import CancelledError


@dataclass(frozen=True)
class Progress:
    """Where a task stands that goes through stages.

    Examples
    --------
    >>> Progress("encode", 512, 2048).share
    0.25
    """

    stage: str
    """What is being done, in a word."""
    done: int
    """Items of this stage that are done."""
    total: int | None = None
    """Items of this stage; None where that is not known."""

    @property
    def share(self) -> float | None:
        """Done of total, 0 to 1; None where the total is not known."""
        return None if self.total is None else self.done / self.total if self.total else 1.0


ProgressCallback = Callable[[Progress], None]
Step = Callable[[str, int, "int | None"], None]
"""Called by a task where it stands: the stage, items of it that are done, and how many it has."""


class CancelToken:
    """Asks a running task to end, from any thread; the task looks at it where it can end with what it has.

    Examples
    --------
    >>> token = CancelToken()
    >>> token.cancel("the page was closed")
    >>> token.is_cancelled, token.reason
    (True, 'the page was closed')
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def cancel(self, reason: str = "cancelled") -> None:
        """Ask for the end; the first reason stays."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise CancelledError if the end was asked for: for tasks that have nothing to show before they are done.

        Raises
        ------
        CancelledError
            With the reason.
        """
        if self.is_cancelled:
            raise CancelledError(self.reason)


def steps(progress: ProgressCallback | None = None, cancel: CancelToken | None = None) -> Step:
    """One callable for a task that says where it stands, and ends there with CancelledError if that was asked for.

    Examples
    --------
    >>> told = []
    >>> steps(told.append)("encode", 1, 2)
    >>> told
    [Progress(stage='encode', done=1, total=2)]
    """

    def step(stage: str, done: int, total: int | None = None) -> None:
        if progress is not None:
            progress(Progress(stage, done, total))
        if cancel is not None:
            cancel.check()

    return step
