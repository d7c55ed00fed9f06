"""Read tables of molecules in pieces: CSV, TSV, SMI, SDF, Parquet and XLSX, plain or compressed, from a file or standard input.

Cells come as they stand in the file; nothing is parsed as chemistry here. A file of millions of rows needs the memory of
one piece (XLSX: of the file). What cannot be read is one sentence in an :class:`~chemvae.errors.InputError`.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import logging
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chemvae.data.files.formats import parquet, spreadsheet
from chemvae.data.files.formats.delimited import read_csv, read_smi
from chemvae.data.files.formats.parquet import METADATA_KEY, read_parquet
from chemvae.data.files.formats.sdf import read_sdf
from chemvae.data.files.formats.spreadsheet import read_xlsx
from chemvae.data.files.layout import find_layout
from chemvae.data.files.rows import CHUNK_ROWS, Chunk
from chemvae.data.files.streams import LATIN, decompress, find_encoding, peek, spooled
from chemvae.data.files.textlines import TextLines
from chemvae.errors import InputError

__all__ = [
    "CHUNK_ROWS", "COMPRESSIONS", "FORMATS", "METADATA_KEY", "STDIN", "Chunk", "check_exists", "is_there", "read_records",
    "source_name", "split_suffix",
]  # fmt: skip

logger = logging.getLogger(__name__)

STDIN = "-"
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".smi": "smi",
    ".smiles": "smi",
    ".ism": "smi",
    ".cxsmiles": "smi",
    ".sdf": "sdf",
    ".sd": "sdf",
    ".mol": "sdf",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".txt": "",
    "": "",
}
COMPRESSIONS = (".gz", ".zst")
_SHEET = re.compile(r"(.*\.xls[xm](?:\.gz|\.zst)?):([^/\\]+)", re.IGNORECASE | re.DOTALL)


def read_records(
    source: str | Path | BinaryIO, chunk_rows: int = CHUNK_ROWS, smiles_column: str | None = None
) -> Iterator[Chunk]:
    """Stream a table in chunks of raw rows.

    Parameters
    ----------
    source : path, "-" for standard input, or a binary stream
        The ending says the format (``.csv .tsv .smi .sdf .parquet .xlsx``, each with ``.gz`` or ``.zst``); without one the
        content does. A path may be a pipe. ``book.xlsx:Sheet2`` reads the sheet of that name.
    chunk_rows : int
        Rows per chunk; fewer where there are thousands of columns.
    smiles_column : str, optional
        Helps to recognise the header of a table without an ending.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, not text, or of an unknown format.
    MissingExtraError
        If ``.zst`` is read and zstandard is not installed, or ``.xlsx`` and openpyxl is not.

    Examples
    --------
    >>> import io
    >>> chunks = list(read_records(io.BytesIO(b"CCO ethanol\\nc1ccccc1 benzene\\n")))
    >>> chunks[0].frame["name"].tolist(), chunks[0].frame.index.tolist()
    (['ethanol', 'benzene'], [1, 2])
    """
    name = source_name(source)
    try:
        yield from _read(source, name, chunk_rows, smiles_column)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name} is a damaged or cut-off compressed file ({error}). Fetch or write it again.") from error
    except csv.Error as error:
        raise InputError(f"{name} is not a readable table ({error}). Is a quotation mark left open?") from error
    except UnicodeError as error:
        raise InputError(f"{name} is not text in the encoding it begins with ({error}). Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}. Check the file and who may read it.") from error


def source_name(source: object) -> str:
    """Name a source for messages."""
    if isinstance(source, (str, Path)):
        return "standard input" if str(source) == STDIN else str(source)
    return str(getattr(source, "name", "the input"))


def split_suffix(path: str | Path) -> tuple[str, str]:
    """Split a file name's ending into format and compression.

    Examples
    --------
    >>> split_suffix("zinc.csv.gz"), split_suffix("a.SDF"), split_suffix("b")
    (('.csv', '.gz'), ('.sdf', ''), ('', ''))
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    return (suffixes[-1] if suffixes else ""), compression


def split_sheet(path: Path) -> tuple[Path, str]:
    """Tell a workbook from the sheet that is named behind it, as in ``book.xlsx:Sheet2``; "" for none.

    Examples
    --------
    >>> book, sheet = split_sheet(Path("book.xlsx:Assay 7"))
    >>> book.name, sheet, split_sheet(Path("a.csv"))[1]
    ('book.xlsx', 'Assay 7', '')
    """
    match = _SHEET.fullmatch(str(path))
    return (Path(match[1]), match[2]) if match and not is_there(path) else (path, "")


def check_exists(path: Path) -> None:
    """Raise InputError, naming files with a similar name, unless ``path`` is something that can be read."""
    if is_there(path) and not path.is_dir():
        return
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a table. Name a file in it (a prepared folder holds data.parquet).")
    if not path.parent.is_dir():
        raise InputError(f"There is no file {path}: the folder {path.parent} does not exist.")
    siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    near = difflib.get_close_matches(path.name, siblings, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " Check the spelling, or see 'chemvae data list'."
    raise InputError(f"There is no file {path}.{hint}")


def is_there(path: Path) -> bool:
    """Whether there is anything of that name; InputError where it cannot be known: a name too long, links in a circle."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)[:200]} cannot be read: {reason}. Check its path.") from error
    return True


def _read(source: str | Path | BinaryIO, name: str, chunk_rows: int, smiles_column: str | None) -> Iterator[Chunk]:
    path, sheet = split_sheet(Path(source)) if isinstance(source, (str, Path)) and str(source) != STDIN else (None, "")
    suffix = split_suffix(path)[0] if path else ""
    if path is not None:
        check_exists(path)
        is_pipe = not path.is_file()
        if suffix not in FORMATS and not is_pipe:
            known = " ".join(key for key, value in FORMATS.items() if value)
            raise InputError(f"{name}: files ending in '{suffix}' are not read. Save it as one of {known}.")
        stream: BinaryIO = path.open("rb")
        path = None if is_pipe else path
    else:
        stream = sys.stdin.buffer if isinstance(source, (str, Path)) else source
    try:
        yield from _read_stream(stream, path, name, FORMATS.get(suffix, ""), chunk_rows, smiles_column, sheet)
    finally:
        if stream is not source and stream is not sys.stdin.buffer:
            stream.close()


def _read_stream(
    stream: BinaryIO, path: Path | None, name: str, kind: str, chunk_rows: int, smiles_column: str | None, sheet: str
) -> Iterator[Chunk]:
    """Read an open stream; ``path`` is where the same bytes lie, if they lie anywhere."""
    head, stream = peek(decompress(*peek(stream)))
    if not head:
        raise InputError(f"{name} is empty.")
    kind = _kind_by_content(head, kind)
    if kind == "parquet":
        yield from read_parquet(stream, path if path and not split_suffix(path)[1] else None, name, chunk_rows)
        return
    if kind == "xlsx":
        yield from read_xlsx(stream, name, chunk_rows, sheet)
        return
    if sheet:
        raise InputError(f"{name} is no workbook, so that it has no sheet '{sheet}'. Name the file alone.")
    encoding = find_encoding(head, name)
    if encoding == LATIN:
        logger.warning("%s is no UTF-8 and is read as Latin-1; look at its letters with accents, or save it as UTF-8.", name)
    layout = find_layout(kind, head.decode(encoding, errors="replace"), smiles_column)
    if layout.kind == "sdf":
        with spooled(stream) as rewound:
            yield from read_sdf(rewound, encoding, name, chunk_rows)
        return
    lines = TextLines(stream, encoding, name)
    yield from read_smi(lines, chunk_rows) if layout.kind == "smi" else read_csv(lines, layout.delimiter, chunk_rows)


def _kind_by_content(head: bytes, kind: str) -> str:
    """Parquet and XLSX are known by their first bytes, whatever the file is called."""
    if head.startswith(parquet.MAGIC):
        return "parquet"
    if head.startswith(spreadsheet.OLD_MAGIC) or (head.startswith(spreadsheet.MAGIC) and b"xl/" in head):
        return "xlsx"
    return kind
