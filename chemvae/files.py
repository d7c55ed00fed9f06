"""Put files and folders in place so that a reader never sees half of one, whatever ends the writing."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chemvae.errors import ChemVAEError

_COUNTER = itertools.count()


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a finished file or folder its name, at once: a file of that name is replaced, a folder must be empty."""
    os.replace(temporary, path)


def temporary_name(path: Path) -> Path:
    """A name beside a path that nobody else takes, not even another thread."""
    return path.with_name(f"{path.name}.{os.getpid()}-{next(_COUNTER)}.tmp")


class Replacement:
    """A file or folder in the making, under a name of its own beside the one it is to have.

    In a ``with`` block, which is given the temporary path, it takes its name when the block ends well and vanishes if it does
    not; objects that write for longer call :meth:`finish` and :meth:`discard` themselves.

    Parameters
    ----------
    path : Path
        Left as it is until the new one is whole.
    sync : bool
        Flush the file to disk before it takes its name, so that not even a power cut leaves half of it.
    make_way : bool
        A folder of that name is removed, once the new one is whole.

    Attributes
    ----------
    temporary : Path
        In the same folder. Nothing is there yet.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with Replacement(path) as temporary:
    ...     _ = temporary.write_text("whole")
    ...     path.exists()
    False
    >>> path.read_text()
    'whole'
    """

    def __init__(self, path: Path, *, sync: bool = False, make_way: bool = False):
        self.path, self.sync, self.make_way = Path(path), sync, make_way
        self.temporary = temporary_name(self.path)

    def finish(self) -> None:
        """Give it its name."""
        if self.sync:
            with open(self.temporary, "rb+") as file:
                os.fsync(file.fileno())
        if self.make_way and self.path.is_dir():
            self._exchange(temporary_name(self.path))
        else:
            put_in_place(self.temporary, self.path)

    def _exchange(self, old: Path) -> None:
        put_in_place(self.path, old)
        try:
            put_in_place(self.temporary, self.path)
        except OSError:
            put_in_place(old, self.path)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what there is of it: nothing, once it is finished."""
        if self.temporary.is_dir():
            shutil.rmtree(self.temporary, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                self.temporary.unlink()

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.discard()


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Let ``write`` fill a temporary file, flush it to disk, and only then give it its name.

    Raises
    ------
    ChemVAEError
        If the disk is full or the folder not writable; what was there before is left untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with Replacement(path, sync=True) as temporary:
            write(temporary)
            temporary.chmod(0o644)  # some writers make files that only their owner can read
    except OSError as error:
        reason = error.strerror or error
        raise ChemVAEError(f"'{path}' could not be written: {reason}. Free space or choose another folder.") from error


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other programs that enter this folder so waiting; where folders cannot be locked, hope for the best."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
