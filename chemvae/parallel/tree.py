"""End a process with all that it started, also what has left its group or session.

What a program starts inherits its environment, so a mark put there finds it again, whoever its parent is by now; what has
thrown its environment away is found as long as its parent lives. Both need ``/proc``; elsewhere the process group is all that
is ended.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from pathlib import Path

MARK = "CHEMVAE_STARTED_BY"
ROUNDS = 5  # what is just starting something else is found in the next
_PROC = Path("/proc")


def new_mark() -> str:
    """A mark for the environment of a process, under :data:`MARK`; the marks of those that started us are kept in it.

    Examples
    --------
    >>> new_mark() != new_mark()
    True
    """
    return f"{os.environ.get(MARK, '')}:{secrets.token_hex(8)}"


def end_tree(pid: int, mark: str) -> None:
    """Kill a process, its group, everything that descends from it, and everything with its mark.

    Parameters
    ----------
    pid : int
        Of a process that leads its group, or whose group is gone.
    mark : str
        From :func:`new_mark`.
    """
    for _ in range(ROUNDS):
        found = _family(pid, mark)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        for one in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        if not found:
            return


def _family(pid: int, mark: str) -> set[int]:
    """Processes that live, descend from one or carry its mark; itself not included."""
    parents = _parents()
    children: dict[int, list[int]] = {}
    for one, parent in parents.items():
        children.setdefault(parent, []).append(one)
    found = {one for one in parents if _carries(one, mark)}
    waiting = [pid, *found]
    while waiting:
        new = [one for one in children.get(waiting.pop(), []) if one not in found]
        found.update(new)
        waiting += new
    return found - {pid, os.getpid()}


def _parents() -> dict[int, int]:
    """Each process of ours that lives -> its parent; empty where there is no ``/proc``."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                found[int(folder.name)] = int(parent)
    return found


def _carries(pid: int, mark: str) -> bool:
    try:
        return f"{MARK}={mark}".encode() in (_PROC / str(pid) / "environ").read_bytes()
    except OSError:  # another user's, or gone
        return False
