"""One writer to a folder: a lock that says who holds it, and that nobody has to remove after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chemvae.disk.files import refusals_explained
from chemvae.errors import BusyFolderError

PATIENCE_S = 3.0
_FAR = 1 << 30  # the byte that Windows locks: beyond what others read


@contextlib.contextmanager
def held(folder: Path | str, *, beside: bool = False) -> Iterator[None]:
    """Let no other program write into a folder while the block runs.

    The system ends the lock with the program that holds it, however that ends. Where files cannot be locked, the process that
    the lock names is looked for instead.

    Parameters
    ----------
    folder : Path
        Made if it is not there, and then removed if it is empty in the end.
    beside : bool
        The folder is not made: it will appear whole, so the lock lies beside it.

    Raises
    ------
    BusyFolderError
        If another program (or thread) works there, naming it.
    ChemVAEError
        If the folder cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> with held(folder), held(folder):
    ...     pass
    Traceback (most recent call last):
    chemvae.errors.BusyFolderError: ...
    """
    folder = Path(folder)
    path = folder.with_name(f".{folder.name}.lock") if beside else folder / ".lock"
    was_there = folder.exists()
    handle = _take(folder, path)
    try:
        yield
    finally:
        _let_go(path, handle)
        if not beside and not was_there:
            with contextlib.suppress(OSError):  # it holds something
                folder.rmdir()


def _take(folder: Path, path: Path) -> int:
    """Wait for a holder that is gone, not for one that is alive."""
    deadline = time.monotonic() + PATIENCE_S
    while (handle := _try(folder, path)) is None:
        holder = _read_holder(path)
        late = time.monotonic() > deadline
        if _is_alive(holder) or (late and not holder):
            raise BusyFolderError(folder, holder)
        if late:  # only what the dead one has left behind, such as a process of its oracle, holds it still
            _unlink(path)
            deadline = time.monotonic() + PATIENCE_S
        time.sleep(0.02)
    return handle


def _try(folder: Path, path: Path) -> int | None:
    """The lock's open file, with this process named in it; None if somebody has it."""
    with refusals_explained(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:  # its last holder has just removed the folder
            return None
        if not _lock(handle, path) or not _is_still(handle, path):
            os.close(handle)
            return None
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(_myself()).encode())
    return handle


def _lock(handle: int, path: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return _lock_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return not _is_alive(_read_holder(path))


def _lock_on_windows(handle: int) -> bool:
    import msvcrt

    try:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # names that only Windows has
        os.lseek(handle, 0, os.SEEK_SET)
    except OSError:
        return False
    return True


def _is_still(handle: int, path: Path) -> bool:
    """Whether the file that was locked is the one of that name: its last holder may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False


def _let_go(path: Path, handle: int) -> None:
    if _is_still(handle, path):
        _unlink(path)
    os.close(handle)
    if os.name == "nt":
        _unlink(path)  # an open file cannot be removed there


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _myself() -> dict[str, Any]:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "began": _began(os.getpid()), "command": command[:200]}
    return facts | {"since": time.strftime("%Y-%m-%d %H:%M:%S")}


def _read_holder(path: Path) -> dict[str, Any]:
    """Who the lock names; nothing if it names nobody (yet)."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_alive(holder: dict[str, Any]) -> bool:
    """Whether the process runs that a lock names; one of another machine is believed."""
    pid = holder.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    if holder.get("host") != socket.gethostname() or os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        pass
    return holder.get("began") == _began(pid)


def _began(pid: int) -> str | None:
    """When a process was started, in ticks of this machine, by which two of one number are told apart; None if not known."""
    try:
        state, *facts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return "gone" if state == "Z" else facts[18]
