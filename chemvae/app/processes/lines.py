"""The inside of a process beside the server: lines of JSON come in on standard input, and go out on standard output.

When the input ends, the server is gone, however it ended, and so is this process at once: what it was working on lies on disk.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from chemvae.app.plain import as_json
from chemvae.progress import CancelToken

LONGEST_LINE = 64 << 20
"""Bytes of one message: a table of a hundred thousand molecules fits."""


class Lines:
    """The two ends of the conversation with the server; what libraries print goes to standard error instead."""

    def __init__(self) -> None:
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        os.dup2(2, 1)
        nowhere = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nowhere, 0)
        os.close(nowhere)
        self._lock = threading.Lock()
        self._inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self.token = CancelToken()
        """Cancelled when the server says so."""
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; a server that is gone ends this process."""
        line = json.dumps(as_json(message), allow_nan=False).encode() + b"\n"
        with self._lock:
            try:
                while line:
                    line = line[self._out.write(line) or 0 :]
            except OSError:
                leave()

    def read(self) -> Iterator[dict[str, Any]]:
        """Messages as they come."""
        while True:
            yield self._inbox.get()

    def _listen(self) -> None:
        """Take in what is said, beside whatever else is done; the end of the input is the end of the server, and of this."""
        while line := self._in.readline(LONGEST_LINE):
            message = json.loads(line)
            if message.get("cancel"):
                self.token.cancel()
            else:
                self._inbox.put(message)
        leave()


def leave() -> None:
    """End this process at once, whatever its other threads do."""
    sys.stderr.flush()
    os._exit(0)
