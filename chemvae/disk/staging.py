"""Several files of a folder that appear together: what was there stays until the new ones are whole, and then goes at once."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from chemvae.disk import files
from chemvae.disk.files import alone_in, refusals_explained


class Stage:
    """What is to take the place of a folder's files, in the making inside that folder: all of it at once, or nothing.

    The folder stays as it is while files gather in :attr:`making`. :meth:`finish` gives them to the folder by one renaming,
    from which on :meth:`find` sees the new ones; what it then moves may be ended at any moment and is gone on with by
    :meth:`settle`. Whatever else lies in the folder is left alone.

    Parameters
    ----------
    folder : Path
    name : str
        Tells it from other stages of the folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a").write_text("old"), (folder / "b").write_text("old")
    >>> stage = Stage(folder)
    >>> stage.begin()
    >>> _ = (stage.making / "a").write_text("new")
    >>> stage.find("a").read_text()
    'old'
    >>> stage.finish(obsolete=["a", "b"])
    >>> stage.find("a").read_text(), sorted(path.name for path in folder.iterdir())
    ('new', ['a'])
    """

    OBSOLETE = ".obsolete"

    def __init__(self, folder: Path, name: str = ""):
        self.folder = Path(folder)
        self.making = self.folder / f".{name}unfinished"
        self._whole = self.folder / f".{name}whole"

    def begin(self) -> None:
        """Make an empty place for the new files; what an earlier attempt left there is gone."""
        shutil.rmtree(self.making, ignore_errors=True)
        self.making.mkdir(parents=True)

    def discard(self) -> None:
        """Give the new files up."""
        shutil.rmtree(self.making, ignore_errors=True)

    def find(self, name: str) -> Path:
        """Where the folder's file of this name is: what is whole counts, moved or not."""
        waiting = self._whole / name
        return waiting if waiting.exists() else self.folder / name

    def finish(self, obsolete: Iterable[str] = ()) -> None:
        """Put the new files in place; of the old ones those named ``obsolete`` go, unless there is a new one of the name."""
        gone = [name for name in obsolete if not (self.making / name).exists()]
        (self.making / self.OBSOLETE).write_text("\n".join(gone), encoding="utf-8")
        files.put_in_place(self.making, self._whole)
        self.settle()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left of what :meth:`finish` does."""
        return not self._whole.exists()

    def settle(self) -> None:
        """End what :meth:`finish` began, where a crash has ended it."""
        if self.is_settled:
            return
        note = self._whole / self.OBSOLETE
        for name in note.read_text(encoding="utf-8").split("\n") if note.exists() else ():
            if name:
                files.remove(self.folder / name)
        for new in [one for one in self._whole.iterdir() if one != note]:
            if new.is_dir():
                files.remove(self.folder / new.name)
            files.put_in_place(new, self.folder / new.name)
        shutil.rmtree(self._whole)


@contextlib.contextmanager
def all_at_once(folder: Path, name: str) -> Iterator[Path]:
    """Give a place for several files, which appear in the folder when the block ends well: all of them, or none.

    Parameters
    ----------
    folder : Path
        Made if it is not there. One program at a time is in the block; others wait.
    name : str
        Of the files together, such as "report".

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with all_at_once(folder, "report") as place:
    ...     _ = (place / "report.json").write_text("{}")
    >>> [path.name for path in folder.iterdir()]
    ['report.json']
    """
    with refusals_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stage = Stage(folder, f"{name}-")
        with alone_in(folder):
            try:
                stage.settle()
                stage.begin()
                yield stage.making
                stage.finish()
            finally:
                stage.discard()
