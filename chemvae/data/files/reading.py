"""Read tables of molecules in pieces: CSV, TSV, SMI, SDF and Parquet, plain or compressed, from a file or standard input.

Cells come as they stand in the file; nothing is parsed as chemistry here. A file of millions of rows needs the memory of
one piece. What cannot be read is one sentence in an :class:`~chemvae.errors.InputError`.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import json
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import pandas as pd
from rdkit import rdBase

from chemvae.data.files.columns import SMILES_NAMES, looks_headerless
from chemvae.data.files.numbers import DECIMAL
from chemvae.data.files.sdf import read_sdf_records
from chemvae.data.files.streams import decompress, find_encoding, peek
from chemvae.errors import InputError

CHUNK_ROWS = 4096
STDIN = "-"
DECIMAL_OF = {",": ".", ";": ","}  # what a separator says of decimal signs; a tab says nothing
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".smi": "smi",
    ".smiles": "smi",
    ".ism": "smi",
    ".sdf": "sdf",
    ".sd": "sdf",
    ".mol": "sdf",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "",
    "": "",
}
COMPRESSIONS = (".gz", ".zst")
METADATA_KEY = b"chemvae"
_PARQUET_MAGIC = b"PAR1"


@dataclass
class Chunk:
    """Some consecutive rows, as they stand in the source."""

    frame: pd.DataFrame
    """Raw cells; text for text formats. The index is the record number, 1 for the first row after the header."""
    lines: list[int] | None = None
    """The line of the file on which each record ends, for text formats."""
    problems: dict[int, str] = field(default_factory=dict)
    """Record number -> what is wrong with the row itself (too many cells, unreadable SDF record)."""
    is_canonical: bool = False
    """Whether chemvae itself wrote the SMILES in canonical form with this RDKit."""
    cleaned: dict[str, list[str]] = field(default_factory=dict)
    """Column of SMILES -> :func:`chemvae.chem.descriptors.clean_text` of each cell, where the reader knows it already."""


def read_records(
    source: str | Path | BinaryIO, chunk_rows: int = CHUNK_ROWS, smiles_column: str | None = None
) -> Iterator[Chunk]:
    """Stream a table in chunks of raw rows.

    Parameters
    ----------
    source : path, "-" for standard input, or a binary stream
        The ending says the format (``.csv .tsv .smi .sdf .parquet``, each with ``.gz`` or ``.zst``); without one the
        content does.
    chunk_rows : int
        Rows per chunk.
    smiles_column : str, optional
        Helps to recognise the header of a table without an ending.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged, not text, or of an unknown format.
    MissingExtraError
        If ``.zst`` is read and zstandard is not installed.

    Examples
    --------
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


def check_exists(path: Path) -> None:
    """Raise InputError, naming files with a similar name, unless ``path`` is a file."""
    if path.is_file():
        return
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a table. Name a file in it (a prepared folder holds data.parquet).")
    if not path.parent.is_dir():
        raise InputError(f"There is no file {path}: the folder {path.parent} does not exist.")
    siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    near = difflib.get_close_matches(path.name, siblings, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else " Check the spelling, or see 'chemvae data list'."
    raise InputError(f"There is no file {path}.{hint}")


def _read(source: str | Path | BinaryIO, name: str, chunk_rows: int, smiles_column: str | None) -> Iterator[Chunk]:
    path = Path(source) if isinstance(source, (str, Path)) and str(source) != STDIN else None
    suffix = split_suffix(path)[0] if path else ""
    if path:
        check_exists(path)
        if suffix not in FORMATS:
            known = " ".join(key for key, value in FORMATS.items() if value)
            raise InputError(f"{name}: files ending in '{suffix}' are not read. Save it as one of {known}.")
    stream = path.open("rb") if path else (sys.stdin.buffer if isinstance(source, (str, Path)) else source)
    try:
        yield from _read_stream(stream, path, name, FORMATS[suffix], chunk_rows, smiles_column)
    finally:
        if path:
            stream.close()


def _read_stream(stream, path, name, kind, chunk_rows, smiles_column) -> Iterator[Chunk]:
    head, stream = peek(decompress(*peek(stream)))
    if not head:
        raise InputError(f"{name} is empty.")
    kind = kind or ("parquet" if head.startswith(_PARQUET_MAGIC) else "")
    if kind == "parquet":
        plain_file = path if path and not split_suffix(path)[1] else None
        yield from _read_parquet(stream, plain_file, name, chunk_rows)
        return
    text = io.TextIOWrapper(stream, encoding=find_encoding(head, name), errors="replace", newline="")
    kind, delimiter = _sniff(kind, head, smiles_column)
    if kind == "sdf":
        yield from _read_sdf(text, chunk_rows)
    elif kind == "smi":
        yield from _chunks(_smi_rows(text), ["smiles", "name"], chunk_rows, drop_empty="name")
    else:
        yield from _read_csv(text, delimiter, chunk_rows)


def _sniff(kind: str, head: bytes, smiles_column: str | None) -> tuple[str, str]:
    """Decide between table, list of SMILES and SDF from the head, where the ending did not, and find the delimiter."""
    text = head.decode("utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", errors="replace").lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = "\t" if kind == "tsv" else max(",;\t|", key=first.count)
    if kind in ("sdf", "smi"):
        return kind, ""
    if kind:
        return "csv", delimiter if first.count(delimiter) else ","
    if "M  END" in text or "$$$$" in text:
        return "sdf", ""
    names = {*SMILES_NAMES, *([smiles_column.lower()] if smiles_column else [])}
    cells = {cell.strip().strip('"').lower() for cell in first.split(delimiter)}
    return ("csv", delimiter) if first.count(delimiter) and cells & names else ("smi", "")


def _read_parquet(stream: BinaryIO, path: Path | None, name: str, chunk_rows: int) -> Iterator[Chunk]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path if path else io.BytesIO(stream.read())) as file:
            is_canonical = _was_written_canonical((file.schema_arrow.metadata or {}).get(METADATA_KEY))
            first_row = 1
            for batch in file.iter_batches(batch_size=chunk_rows):
                batch.validate(full=True)  # damaged text would otherwise fail later, when a cell is looked at
                frame = batch.to_pandas()
                frame.index = pd.RangeIndex(first_row, first_row + len(frame), name="row")
                first_row += len(frame)
                yield Chunk(frame, is_canonical=is_canonical)
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, TypeError) as error:  # the last three from damaged metadata
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(f"{name} is not a readable Parquet file ({reason}). Write it again.") from error


def _was_written_canonical(metadata: bytes | None) -> bool:
    """Whether the SMILES were written canonical by this version of RDKit (canonical forms change between versions)."""
    return metadata is not None and json.loads(metadata).get("rdkit") == rdBase.rdkitVersion


def _read_sdf(text: io.TextIOBase, chunk_rows: int) -> Iterator[Chunk]:
    records = enumerate(read_sdf_records(text), start=1)
    while block := list(islice(records, chunk_rows)):
        rows = pd.Index([row for row, _ in block], name="row")
        frame = pd.DataFrame([record.cells for _, record in block], index=rows).fillna("")
        problems = {row: record.problem for row, record in block if record.problem}
        yield Chunk(frame, [record.line for _, record in block], problems)


def _smi_rows(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """One SMILES per line and, after a blank or tab, an optional name; a header line and # comments are skipped."""
    is_first = True
    for number, line in enumerate(text, start=1):
        fields = line.strip().split(None, 1)
        if not fields or line.startswith("#"):
            continue
        if not (is_first and fields[0].lower() in SMILES_NAMES):
            yield number, fields + [""] * (2 - len(fields))
        is_first = False


def _read_csv(text: Iterable[str], delimiter: str, chunk_rows: int) -> Iterator[Chunk]:
    reader = csv.reader((line.replace("\0", "") if "\0" in line else line for line in text), delimiter=delimiter)
    rows = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    top = list(islice(rows, 33))
    if not top:
        return
    header = top[0][1]
    if looks_headerless(header, [row for _, row in top[1:]]):
        columns = [f"column_{i + 1}" for i in range(len(header))]
        chunks = _chunks(chain(top, rows), columns, chunk_rows)
    else:
        chunks = _chunks(chain(top[1:], rows), _unique_names(header), chunk_rows)
    for chunk in chunks:
        if delimiter in DECIMAL_OF:
            chunk.frame.attrs[DECIMAL] = DECIMAL_OF[delimiter]
        yield chunk


def _unique_names(header: list[str]) -> list[str]:
    """Name nameless columns by position and tell equal names apart."""
    copies: Counter[str] = Counter()
    names: dict[str, None] = {}
    for position, cell in enumerate(header, start=1):
        base = name = cell.strip() or f"column_{position}"
        while name in names:
            copies[base] += 1
            name = f"{base}.{copies[base]}"
        names[name] = None
    return list(names)


def _chunks(
    rows: Iterator[tuple[int, list[str]]], columns: list[str], chunk_rows: int, drop_empty: str | None = None
) -> Iterator[Chunk]:
    """Collect (line, cells) into chunks; short rows are padded, long ones noted as a problem."""
    first_row, width = 1, len(columns)
    while block := list(islice(rows, chunk_rows)):
        numbers = pd.RangeIndex(first_row, first_row + len(block), name="row")
        problems = {
            number: f"it has {len(cells)} cells where the header names {width}"
            for number, (_, cells) in zip(numbers, block, strict=True)
            if len(cells) > width
        }
        padded = [cells if len(cells) == width else cells[:width] + [""] * (width - len(cells)) for _, cells in block]
        frame = pd.DataFrame(padded, columns=columns, index=numbers, dtype=object)
        if drop_empty and first_row == 1 and not frame[drop_empty].any():
            columns, width, frame = [columns[0]], 1, frame[[columns[0]]]
            rows = ((line, cells[:1]) for line, cells in rows)
        yield Chunk(frame, [line for line, _ in block], problems)
        first_row += len(block)
