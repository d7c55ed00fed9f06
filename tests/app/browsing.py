"""A server in a process of its own and a page of it in headless Chromium, for the browser tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BROWSER = os.environ.get("CHEMVAE_BROWSER") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking"]
PATIENCE_MS = 300_000
"""Two cores may be shared with other tests."""


class Server:
    """``chemvae serve`` of a project, as a user starts it.

    Parameters
    ----------
    project : Path
    *options : str
        As on the command line.
    """

    def __init__(self, project: Path, *options: str):
        self.project, self.options, self.address = project, options, ""
        self._process: subprocess.Popen[str] | None = None

    def start(self, port: int = 0) -> str:
        """Start it; its address, once it listens."""
        command = [sys.executable, "-m", "chemvae", "serve", "--port", str(port), "--project", str(self.project), *self.options]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
        )
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if line.startswith("Open http"):
                self.address = line.split()[1].rstrip("/")
                return self.address
        raise AssertionError(f"chemvae serve ended: {said}")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.rsplit(":", 1)[1])

    def kill(self) -> None:
        """End it and its workers at once, as a crash does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None

    def answer(self, path: str) -> bytes:
        """What it answers to a GET."""
        with urllib.request.urlopen(self.address + path, timeout=60) as response:
            return response.read()


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Headless Chromium, through playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as engine:
        started = engine.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


def until(page: Any, condition: str, arg: Any = None) -> None:
    """Wait for a condition: a JavaScript function. (The page's own policy forbids what playwright does for this.)"""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(condition, arg):
        assert time.monotonic() < deadline, f"not true after {PATIENCE_MS / 1000:.0f} s: {condition}"
        page.wait_for_timeout(100)


class Visit:
    """A page of the app; what it says in the console and what it asks others for is kept in ``troubles``."""

    def __init__(self, browser: Any, address: str, width: int = 1280, height: int = 800, scheme: str = "light"):
        self.address, self.troubles = address, []
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", self._check_request)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._check_message)

    def _check_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.troubles.append(request.url)

    def _check_message(self, message: Any) -> None:
        """A refusal is an answer, and a server that was killed does not answer: the browser notes both as errors."""
        expected = "Failed to load resource" in message.text
        if message.type in ("error", "warning") and not expected:
            self.troubles.append(message.text)

    def open(self) -> Any:
        """Go to the app and wait for its map."""
        self.page.goto(self.address)
        self.page.wait_for_selector(".chemvae-map[data-structures]")
        return self.page

    def overflow(self) -> int:
        """CSS pixels by which the page is wider than the window."""
        return self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
