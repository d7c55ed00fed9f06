"""A page in headless Chromium, asked over the browser's own pipe: real time, and nothing but the browser to install."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

START = """import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]  # out of the way of 3 and 4
for end, number in zip(ends, (3, 4)):  # the numbers that the browser looks for
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One tab; each command waits for its own answer (Chrome DevTools Protocol: JSON, ended by a zero byte)."""

    def __init__(self, to_browser: int, from_browser: int, timeout_s: float = 120.0):
        self._write, self._read, self.timeout_s = to_browser, from_browser, timeout_s
        self._number, self._buffer = 0, b""
        tab = self.command("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.command("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]

    _session: str | None = None

    def command(self, method: str, **params: Any) -> dict:
        """Send a command, return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + self.timeout_s
        while (answer := json.loads(self._next(deadline))).get("id") != self._number:
            pass  # an event
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _next(self, deadline: float) -> bytes:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser did not answer")
            more = os.read(self._read, 1 << 16)
            if not more:
                raise EOFError("the browser ended")
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return message

    def wait_for(self, expression: str) -> Any:
        """Evaluate JavaScript until it is true; return the value."""
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            result = self.command("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
            if result.get("value"):
                return result["value"]
            time.sleep(0.1)
        raise TimeoutError(f"not true after {self.timeout_s:.0f} s: {expression}")


@contextlib.contextmanager
def opened(browser: str, flags: Sequence[str], address: str) -> Iterator[Page]:
    """Start the browser, go to an address, and end the browser afterwards."""
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    ends = [str(theirs_in), str(theirs_out)]
    command = [sys.executable, "-c", START, *ends, browser, "--headless", "--disable-gpu", "--remote-debugging-pipe", *flags]
    with contextlib.ExitStack() as afterwards:
        for end in (ours_out, ours_in):
            afterwards.callback(os.close, end)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), **quiet)
        os.close(theirs_in)
        os.close(theirs_out)
        afterwards.callback(started.wait, 30)
        afterwards.callback(started.kill)
        page = Page(ours_out, ours_in)
        page.command("Page.navigate", url=address)
        yield page
