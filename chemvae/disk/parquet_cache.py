"""What was computed, kept in Parquet files: checked when it is read, whole when it appears, and one rule for damage.

What can be computed again is: a damaged file is removed with a warning, one that cannot be written is done without. What was
paid for is never touched: such a file is refused with a sentence, and failing to write one is an error.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from chemvae.disk.files import Replacement, write_atomically
from chemvae.errors import InputError

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

NOTES = b"chemvae:written"
T = TypeVar("T")


class ParquetCache:
    """One Parquet file.

    Parameters
    ----------
    path : Path
        Need not exist.
    again : str, optional
        What is done if the file is lost, as in "the set is read anew". Without it the file's content was paid for.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow
    >>> cache = ParquetCache(Path(tempfile.mkdtemp()) / "a.parquet", "it is counted again")
    >>> cache.read() is None
    True
    >>> cache.write(pyarrow.table({"n": [1, 2]}))
    >>> cache.read()["n"].to_pylist()
    [1, 2]
    """

    def __init__(self, path: Path, again: str | None = None):
        self.path, self.again = Path(path), again
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> pyarrow.Table | None:
        """Read all of it; None if it is not there, or was of no use."""
        self._seen = self._stamp()
        return self.attempt(_read_whole)

    def attempt(self, read: Callable[[Path], T]) -> T | None:
        """Return what ``read`` makes of the file; None if it is not there (any more), or was of no use.

        Raises
        ------
        InputError
            If it is damaged or cannot be read, and its content was paid for.
        """
        try:
            return read(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:  # whatever a damaged file makes the reader raise
            self.give_up(error)
            return None

    def give_up(self, error: Exception) -> None:
        """Do what is due after an error of reading; a file that the system does not hand out is no damaged one."""
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        state, refused = f"is damaged or no Parquet file ({reason})", False
        if isinstance(error, OSError) and error.errno is not None:
            state, refused = f"cannot be read ({error.strerror})", True
        if self.again is None:
            raise InputError(f"{self.path} {state}. Move it away, or give another file.") from None
        logger.warning("%s in the cache %s: %s.", self.path, state, self.again)
        if not refused:
            self.remove()

    def remove(self) -> None:
        """Delete the file, if that can be done."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError:  # another process reads it, on Windows
            logger.debug("%s could not be removed", self.path)

    def has_changed(self) -> bool:
        """Whether another program has put a file there since this one last read or wrote it."""
        return self._stamp() not in (None, self._seen)

    def write(self, table: pyarrow.Table) -> None:
        """Put a table in its place, whole and flushed to disk.

        Raises
        ------
        ChemVAEError
            If the disk is full or the folder not writable.
        """
        import pyarrow.parquet

        noted = table.replace_schema_metadata({**(table.schema.metadata or {}), **_notes(table.schema, table.num_rows)})
        write_atomically(self.path, lambda path: pyarrow.parquet.write_table(noted, path, write_page_checksum=True))
        self._seen = self._stamp()

    def writer(self, **options: Any) -> CacheWriter:
        """Return a writer of a new file, piece by piece; options are those of ``pyarrow.parquet.ParquetWriter``."""
        return CacheWriter(self, options)

    def _stamp(self) -> tuple[int, int, int] | None:
        """What changes when a file is replaced; None where there is none."""
        try:
            facts = self.path.stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns, facts.st_size


class CacheWriter:
    """A file in the making, which takes its place when it is closed.

    What goes wrong (a folder that cannot be written, cells that no column can hold) costs a warning and the file, nothing else.

    Parameters
    ----------
    cache : ParquetCache
        Of what can be computed again.
    options : dict
        Of ``pyarrow.parquet.ParquetWriter``.
    """

    def __init__(self, cache: ParquetCache, options: dict[str, Any]):
        self.cache, self.options = cache, options
        self._replacement = Replacement(cache.path)
        self._file: Any = None
        self._failed, self._rows = False, 0

    def write(self, make_table: Callable[[], pyarrow.Table], group_rows: int | None = None) -> None:
        """Append a table in row groups of at most so many rows; after a failure it is not even made."""
        if not self._failed:
            self._try(lambda: self._append(make_table(), group_rows))

    def close(self, *, keep: bool = True) -> bool:
        """Give the file its name, or throw it away; return whether it is there now."""
        is_whole = keep and self._file is not None
        if self._file is not None:
            self._try(self._finish)
        if is_whole and not self._failed:
            self._try(self._replacement.finish)
        self._replacement.discard()
        return is_whole and not self._failed

    def _append(self, table: pyarrow.Table, group_rows: int | None) -> None:
        import pyarrow.parquet

        if self._file is None:
            self.cache.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = pyarrow.parquet.ParquetWriter(
                self._replacement.create(), table.schema, compression="zstd", write_page_checksum=True, **self.options
            )
        self._file.write_table(table.cast(self._file.schema), row_group_size=group_rows)
        self._rows += table.num_rows

    def _finish(self) -> None:
        self._file.add_key_value_metadata(_notes(self._file.schema, self._rows))
        self._file.close()

    def _try(self, step: Callable[[], Any]) -> None:
        import pyarrow

        try:
            step()
        except (OSError, pyarrow.ArrowException) as error:
            if not self._failed:
                logger.warning("%s cannot be kept (%s); next time %s.", self.cache.path, error, self.cache.again)
            self._failed = True


def _read_whole(path: Path) -> pyarrow.Table:
    """A table whose every page and value was checked: half a table must not be handed on."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
        check_notes(file)
        table = file.read()
    table.validate(full=True)
    return table


def check_notes(file: pyarrow.parquet.ParquetFile) -> None:
    """Compare what a file says of its rows and columns with what was noted when it was written; pages have checksums, this not.

    Raises
    ------
    ValueError
        If they differ. Nothing was noted by earlier versions.
    """
    noted = (file.metadata.metadata or {}).get(NOTES)
    sizes = sum(file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups))
    found = {_notes(file.schema_arrow, n)[NOTES] for n in (file.metadata.num_rows, sizes)}
    if noted is not None and found != {noted}:
        raise ValueError("its rows and columns are not those that were written")


def _notes(schema: pyarrow.Schema, rows: int) -> dict[bytes, bytes]:
    """What is noted of a table beside its pages."""
    columns = ", ".join(f"{field.name} {field.type}" for field in schema)
    return {NOTES: f"{rows} rows of {columns}".encode()}
