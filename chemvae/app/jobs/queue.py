"""The queue: jobs wait, run in a process each, are followed, cancelled and, after whatever ended the server, gone on with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from chemvae.app.jobs.events import END, Events
from chemvae.app.jobs.index import CANCELLED, DONE, FAILED, QUEUED, RUNNING, Job, JobIndex
from chemvae.app.processes.child import Child
from chemvae.app.processes.endings import say_ending
from chemvae.app.project import Project
from chemvae.app.refusals import BusyError, ConflictError, NotFoundError
from chemvae.app.sentences import without_paths
from chemvae.errors import ChemVAEError

logger = logging.getLogger(__name__)

MOST_TRIES = 5
"""Of a job that was running each time the server ended: it may be what ends it."""
CANCELLING = "cancelling"
"""Of a job's progress: it was asked to end, and has not done so yet."""
GRACE_S = 180.0
"""For a job that is asked to end, until its process is killed."""


class JobQueue:
    """The jobs of a project, and the processes that work on them.

    Parameters
    ----------
    project : Project
    worker : mapping
        Settings of a worker, as :mod:`chemvae.app.processes.worker` reads them.
    n_workers : int
        Jobs at once.
    most : int
        Jobs that may wait or run.
    """

    def __init__(self, project: Project, worker: Mapping[str, Any], n_workers: int, most: int):
        self.project, self.worker, self.n_workers, self.most = project, dict(worker), n_workers, most
        self.index = JobIndex(project.index)
        self._jobs = {job.id: job for job in self.index.all()}
        self._events: dict[str, Events] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._children: dict[str, Child] = {}
        self._spare: Child | None = None
        self._cancelled: set[str] = set()
        self._is_closing = False
        self.listeners: list[Callable[[Job], Awaitable[None]]] = []
        """Told of each job that has ended."""

    # -------------------------------------------------------------------------------------------- what is asked of it

    def start(self) -> None:
        """Go on with what was waiting or running when the server ended."""
        for job in list(self._jobs.values()):
            if job.state == RUNNING and job.tries >= MOST_TRIES:
                self._end(job, FAILED, f"It was running each of the {job.tries} times that the server ended. Ask for it again.")
            elif job.state == RUNNING:
                self._change(job, state=QUEUED)
        self._pump()

    def all(self) -> list[Job]:
        """Every job, the oldest first."""
        return list(self._jobs.values())

    def find(self, name: str) -> Job:
        """A job by its id.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        if name not in self._jobs:
            raise NotFoundError(f"There is no job '{name[:40]}' in this project.")
        return self._jobs[name]

    def events(self, job: Job) -> Events:
        """What a job has said and says."""
        if job.id not in self._events:
            self._events[job.id] = Events(self.project.place("jobs", job.id))
        return self._events[job.id]

    def submit(self, kind: str, title: str, settings: dict[str, Any]) -> Job:
        """Queue a new job.

        Raises
        ------
        BusyError
            If too many wait already.
        FullDiskError
            If the disk is full.
        """
        n_open = sum(job.is_open for job in self._jobs.values())
        if n_open >= self.most:
            raise BusyError(f"{n_open} jobs wait or run already, and no more are taken. Cancel some, or wait.")
        self.project.check_room()
        job = self.index.add(kind, title, settings)
        self.project.place("jobs", job.id).mkdir(parents=True, exist_ok=True)
        self._jobs[job.id] = job
        self._pump()
        return self._jobs[job.id]

    def resume(self, job: Job) -> Job:
        """Go on with a job that was cancelled or has failed.

        Raises
        ------
        ConflictError
            If it waits, runs or is done.
        """
        if job.state not in (CANCELLED, FAILED):
            raise ConflictError(f"Job '{job.id}' is {job.state}; only what was cancelled or has failed can be gone on with.")
        self._change(job, state=QUEUED, ended=None, reason="", tries=0)
        self._pump()
        return self._jobs[job.id]

    async def cancel(self, job: Job) -> Job:
        """End a job: at once where it waits, with what it has where it runs.

        Raises
        ------
        ConflictError
            If it has ended.
        """
        if not job.is_open:
            raise ConflictError(f"Job '{job.id}' is {job.state} already.")
        if job.state == QUEUED:
            self._end(job, CANCELLED, "cancelled before it began")
        elif job.id not in self._cancelled:
            self._cancelled.add(job.id)
            self._hear(job, "progress", {CANCELLING: True})
            if (child := self._children.get(job.id)) is not None:  # else it is asked as soon as it has its job
                await self._ask_to_end(child)
        return self._jobs[job.id]

    @staticmethod
    async def _ask_to_end(child: Child) -> None:
        """Let a process end with what it has, or without where that takes too long."""
        await child.send({"cancel": True})
        asyncio.get_running_loop().call_later(GRACE_S, child.kill)

    def rename(self, job: Job, title: str) -> Job:
        """Call a job something else in the list."""
        return self._change(job, title=title)

    def forget(self, job: Job) -> None:
        """Take a job that has ended out of the list.

        Raises
        ------
        ConflictError
            If it waits or runs.
        """
        if job.is_open:
            raise ConflictError(f"Job '{job.id}' is {job.state}. Cancel it first.")
        self.index.remove(job)
        del self._jobs[job.id]
        self._events.pop(job.id, None)

    async def close(self) -> None:
        """End all processes; what was running is gone on with when the server starts again."""
        self._is_closing = True
        for child in (*self._children.values(), *([self._spare] if self._spare else [])):
            child.kill()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self.index.close()

    # -------------------------------------------------------------------------------------------- how it works

    def _pump(self) -> None:
        """Start what can be started."""
        waiting = [job for job in self._jobs.values() if job.state == QUEUED and job.id not in self._running]
        for job in waiting[: max(self.n_workers - len(self._running), 0)]:
            job = self._change(job, state=RUNNING, started=job.started or time.time(), tries=job.tries + 1)
            self._running[job.id] = asyncio.create_task(self._run(job))

    async def _run(self, job: Job) -> None:
        """Let a process do a job, and write down how it ended."""
        state, reason = FAILED, ""
        try:
            state, reason = await self._work(job)
        except ChemVAEError as error:
            reason = str(error)
        except Exception:
            logger.exception("job %s", job.id)
            reason = "The server could not follow it. Ask for it again."
        finally:
            self._children.pop(job.id, None)
            self._running.pop(job.id, None)
            self._cancelled.discard(job.id)
        if not self._is_closing:
            self._end(self._jobs[job.id], state, reason)
            await self._tell(self._jobs[job.id])
            self._pump()
            await self.keep_spare()

    async def _tell(self, job: Job) -> None:
        """Tell those who wait for jobs; what they complain of is no part of the job."""
        for listener in self.listeners:
            try:
                await listener(job)
            except ChemVAEError as error:
                logger.error("after job %s: %s", job.id, error)

    async def _work(self, job: Job) -> tuple[str, str]:
        """The state and the reason that a job's process ended with."""
        child = await self._take_child()
        self._children[job.id] = child
        folder = self.project.place("jobs", job.id)
        folder.mkdir(parents=True, exist_ok=True)
        await child.send({"job": {"id": job.id, "kind": job.kind, "settings": job.settings, "folder": str(folder)}})
        if job.id in self._cancelled:
            await self._ask_to_end(child)
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self.keep_spare()))
        found: dict[str, Any] | None = None
        try:
            async for message in child.messages():
                if END in message:
                    found = message[END]
                else:
                    self._hear(job, message["event"], message["data"])
        finally:
            child.kill()
        code = await child.wait()
        if found is None and job.id in self._cancelled:
            return CANCELLED, f"cancelled: it did not end by itself within {GRACE_S:g} s"
        return (found["state"], found["reason"]) if found else say_ending(code, folder)

    def _hear(self, job: Job, kind: str, data: dict[str, Any]) -> None:
        """Take in what a job says."""
        if kind == "progress":
            known = self._jobs[job.id].progress
            shown = {name: value for name, value in data.items() if name != "trace"}
            self._jobs[job.id] = replace(self._jobs[job.id], progress={**known, **shown})
        self.events(job).add(kind, data)

    async def _take_child(self) -> Child:
        spare, self._spare = self._spare, None
        if spare is not None and spare.is_running:
            return spare
        child = Child("chemvae.app.processes.worker", self.worker)
        await child.start()
        return child

    async def keep_spare(self) -> None:
        """Have a process ready with the model loaded, where another job could begin: it then begins at once."""
        is_wanted = len(self._running) < self.n_workers and not self._is_closing
        if is_wanted and (self._spare is None or not self._spare.is_running):
            self._spare = Child("chemvae.app.processes.worker", self.worker)
            await self._spare.start()

    def change_workers(self, settings: Mapping[str, Any]) -> None:
        """Start workers with other settings from now on."""
        self.worker |= settings
        if self._spare is not None:
            self._spare.kill()
            self._spare = None

    def _change(self, job: Job, **changes: Any) -> Job:
        self._jobs[job.id] = changed = self.index.change(job, **changes)
        return changed

    def _end(self, job: Job, state: str, reason: str) -> None:
        """Write down and tell how a job ended; a full disk does not keep it from ending."""
        job = replace(job, progress={name: value for name, value in job.progress.items() if name != CANCELLING})
        named = {"source": job.settings.get("source", ""), "name": job.settings.get("source_name", "")}
        reason = without_paths(reason, self.project.path, **named)
        try:
            self._change(job, state=state, reason=reason, ended=time.time())
        except ChemVAEError as error:
            logger.error("%s", error)
            self._jobs[job.id] = replace(
                job, state=FAILED if state == DONE else state, reason=f"{reason} {error}".strip(), ended=time.time()
            )
        with contextlib.suppress(ChemVAEError):
            self.events(job).add(END, {"state": self._jobs[job.id].state, "reason": self._jobs[job.id].reason})
