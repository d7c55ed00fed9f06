"""What a long task says on its way, and how it is told to end: by a token of another thread, or by a signal of the system."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType

from chemvae.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, CancelledError

ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))
"""What a cluster sends at its time limit or to make room, and a terminal that is closed: all mean end, and save first."""
Handler = Callable[[int, "FrameType | None"], None]


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


# signals -------------------------------------------------------------------------------------------------------------------


class TerminatedError(KeyboardInterrupt):
    """One of :data:`ENDING_SIGNALS` has come: what Ctrl-C ends ends now, in the same way."""


class HeardSignal:
    """The first ending signal that came, if one did.

    Examples
    --------
    >>> HeardSignal().exit_code
    130
    """

    number: int | None = None

    @property
    def exit_code(self) -> int:
        """Of an interrupted program: 143 after one of :data:`ENDING_SIGNALS`, else 130."""
        return EXIT_INTERRUPTED if self.number in (None, signal.SIGINT) else EXIT_TERMINATED


@contextlib.contextmanager
def signals_raise() -> Iterator[HeardSignal]:
    """Let the first of :data:`ENDING_SIGNALS` raise TerminatedError in the block; those after it must not disturb the saving.

    What the user had the system ignore (``nohup``) stays ignored. In other threads than the main one nothing changes.
    """
    heard = HeardSignal()

    def end(number: int, frame: FrameType | None) -> None:
        if heard.number is None:
            heard.number = number
            raise TerminatedError(signal.Signals(number).name)

    with signal_handlers(dict.fromkeys(ENDING_SIGNALS, end)):
        yield heard


@contextlib.contextmanager
def signal_handlers(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Handle signals in the block, and as before after it; an ignored hangup stays so, and only the main thread can.

    After a signal a terminal that is gone is written to no more: every word would be an error, and nothing would be saved.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    terminals = [number for number in (1, 2) if _is_terminal(number)]

    def handle(number: int, frame: FrameType | None) -> None:
        for one in terminals:
            if not _is_terminal(one):
                _silence(one)
        handlers[number](number, frame)

    ignored = {number for number in handlers if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN}
    before = {number: signal.signal(number, handle) for number in handlers if number not in ignored}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False


def _silence(number: int) -> None:
    """Let what is written to this file go nowhere."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
