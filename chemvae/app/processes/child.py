"""The outside of a process beside the server: started, spoken to, limited and ended from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from chemvae.app.processes.lines import LONGEST_LINE
from chemvae.errors import ChemVAEError

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")}
PACKAGE = Path(__file__).parents[2]
"""The folder of chemvae."""


class Child:
    """A Python process that runs a module of ours and speaks lines of JSON.

    Parameters
    ----------
    module : str
        Its ``main`` is run.
    settings : mapping
        Its first message.
    """

    def __init__(self, module: str, settings: dict[str, Any]):
        self.module, self.settings = module, settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, in a group of its own, and send it its settings."""
        own_group: dict[str, Any] = {"start_new_session": True} if os.name != "nt" else {}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _program(self.module), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **ONE_THREAD}, limit=LONGEST_LINE, cwd=self.settings.get("folder"), **own_group,
        )  # fmt: skip
        await self.send(self.settings)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process, which must have been started."""
        assert self._process is not None, "spoken to before it was started"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message; to one that is gone nothing is sent."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            await self.process.stdin.drain()

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """What it says, until it ends."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            yield json.loads(line)

    def kill(self) -> None:
        """End it with all it started, at once."""
        if not self.is_running:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "nt":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self.process.wait()


def _program(module: str) -> str:
    """What runs a module of ours, found beside ours, and not in the folder it works in, which may hold anything."""
    return f"import sys; sys.path[0] = {str(PACKAGE.parent)!r}; from {module} import main; main()"


class Desk:
    """A process that answers questions one after the other, with the model loaded once; started again if it dies.

    Parameters
    ----------
    settings : mapping
        As :mod:`chemvae.app.processes.desk` reads them.
    """

    def __init__(self, settings: dict[str, Any]):
        self._settings = dict(settings)
        self._news: set[asyncio.Task[None]] = set()
        self._child: Child | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count()
        self._starting = asyncio.Lock()
        self._listener: asyncio.Task[None] | None = None

    async def ask(self, question: str, timeout_s: float = 120.0, **about: Any) -> Any:
        """Ask, and wait for the answer.

        Raises
        ------
        ChemVAEError
            With what the desk complains of, or that it did not answer in time.
        """
        child = await self._running()
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await child.send({"number": number, "question": question, "about": about})
            return await asyncio.wait_for(future, timeout_s)
        except asyncio.TimeoutError:
            child.kill()  # whoever else waits is told so; the next question finds a fresh one
            raise ChemVAEError(f"This took more than {timeout_s:g} s and was given up. Try a smaller molecule.") from None
        finally:
            self._waiting.pop(number, None)

    async def _running(self) -> Child:
        async with self._starting:
            if self._child is None or not self._child.is_running:
                self._child = Child("chemvae.app.processes.desk", self._settings)
                await self._child.start()
                self._listener = asyncio.create_task(self._listen(self._child))
            return self._child

    async def _listen(self, child: Child) -> None:
        async for message in child.messages():
            future = self._waiting.get(message["number"])
            if future is None or future.done():
                continue
            if "error" in message:
                future.set_exception(ChemVAEError(message["error"]))
            else:
                future.set_result(message["answer"])
        await child.wait()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ChemVAEError("What answers questions ended unexpectedly and starts again. Ask again."))

    def change(self, settings: dict[str, Any]) -> None:
        """Answer by other settings from the next question on; the process is told."""
        self._settings |= settings
        if self._child is not None and self._child.is_running:
            self._news.add(task := asyncio.ensure_future(self._child.send({"settings": self._settings})))
            task.add_done_callback(self._news.discard)

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
