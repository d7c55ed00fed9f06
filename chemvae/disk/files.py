"""Put files and folders in place so that a reader never sees half of one, whatever ends the writing."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chemvae.errors import ChemVAEError

_RANDOM_BYTES = 8
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
_SYSTEM_ERROR = re.compile(r"os error (\d+)")


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a finished file or folder its name, at once: a file of that name is replaced, a folder must be empty."""
    os.replace(temporary, path)


def temporary_name(path: Path) -> Path:
    """A name beside a path that nobody else takes or foresees."""
    return path.with_name(f"{path.name}.{secrets.token_hex(_RANDOM_BYTES)}.tmp")


def clear_leftovers(path: Path) -> None:
    """Put in order what a killed writer of this file or folder has left; only for who alone may write there.

    What was half made goes; what was put aside for a new one comes back if that did not appear.
    """
    for old in _of_ours(path, "old"):
        if path.exists():
            remove(old)
        else:
            put_in_place(old, path)
    for left in _of_ours(path, "tmp"):
        remove(left)


def _of_ours(path: Path, ending: str) -> list[Path]:
    """Files and folders beside a path that have names which only this module gives."""
    ours = re.compile(re.escape(path.name) + rf"\.[0-9a-f]{{{2 * _RANDOM_BYTES}}}\.{ending}")
    return [one for one in path.parent.iterdir() if ours.fullmatch(one.name)] if path.parent.is_dir() else []


def _swap(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; False where the system cannot (renameat2 of Linux can)."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of linux/fs.h
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):  # an older C library
        return False
    return rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there and can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


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
        In the same folder, a random name. Nothing is there before :meth:`create`.

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
        self._mode: int | None = None

    def create(self) -> Path:
        """Make the temporary file, which nobody may have made before, with the rights that any new file gets here."""
        handle = os.open(self.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        self._mode = stat.S_IMODE(os.fstat(handle).st_mode)
        os.close(handle)
        return self.temporary

    def finish(self) -> None:
        """Give it its name."""
        if self.sync:
            with open(self.temporary, "rb+") as file:
                os.fsync(file.fileno())
        if self._mode is not None and stat.S_IMODE(self.temporary.stat().st_mode) != self._mode:
            self.temporary.chmod(self._mode)  # some writers put a file of their own there
        if self.make_way and self.path.is_dir():
            self._exchange()
        else:
            put_in_place(self.temporary, self.path)

    def _exchange(self) -> None:
        """Let two folders change names: at once where the system can, else the old one is kept aside meanwhile."""
        if self.temporary.is_dir() and _swap(self.temporary, self.path):
            return  # discarding the temporary removes the old one
        old = self.path.with_name(f"{self.path.name}.{secrets.token_hex(_RANDOM_BYTES)}.old")
        put_in_place(self.path, old)
        try:
            put_in_place(self.temporary, self.path)
        except OSError:
            put_in_place(old, self.path)
            raise
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what there is of it: nothing, once it is finished."""
        remove(self.temporary)

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

    What is no file of the disk (a terminal, a pipe, ``/dev/null``) is not replaced: it is written to.

    Raises
    ------
    ChemVAEError
        If the disk is full or the folder not writable; what was there before is left untouched.
    """
    with refusals_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if _is_stream(path):
            _write_through(path, write)
            return
        replacement = Replacement(path, sync=True)
        with replacement:
            write(replacement.create())


def _is_stream(path: Path) -> bool:
    """Whether a path names something that is written to and not replaced: a device, a pipe, what /dev/stdout leads to."""
    if path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return True
    return path.exists() and not path.is_file() and not path.is_dir()


def _write_through(path: Path, write: Callable[[Path], Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, path.name)
        write(whole)
        with whole.open("rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)


@contextlib.contextmanager
def refusals_explained(path: Path, *, only_space: bool = False) -> Iterator[None]:
    """Say in a sentence what the system refused while a file or folder was written in the block.

    Parameters
    ----------
    path : Path
        What was written.
    only_space : bool
        Explain only that there is no more room: the block does other things than writing, too.

    Raises
    ------
    ChemVAEError
        For an OSError, and for what libraries make of one in a language of their own.
    """
    around = sys.exc_info()[1]
    try:
        yield
    except ChemVAEError:
        raise
    except Exception as error:
        refusal = _find_refusal(error, around)
        if refusal is None or (only_space and refusal.errno not in _NO_ROOM):
            raise
        reason = refusal.strerror or f"the disk took only part of it ({refusal})"
        raise ChemVAEError(f"'{path}' could not be written: {reason}. Free space or choose another folder.") from error


def _find_refusal(error: BaseException | None, around: BaseException | None) -> OSError | None:
    """The error of the system behind an exception of whatever library, if there is one."""
    while error is not None and error is not around:
        if isinstance(error, OSError):
            return error
        if number := _SYSTEM_ERROR.search(str(error)):
            return OSError(int(number[1]), os.strerror(int(number[1])))
        error = error.__cause__ or error.__context__
    return None


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
