"""Hostile tables, through every command that reads one: nothing silent, no traceback, rows in are rows out."""

from __future__ import annotations

import gzip
import io
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import zstandard
from rdkit import Chem

from chemvae import tables
from chemvae.data.prepare.checking import check
from chemvae.data.prepare.preparation import prepare
from chemvae.data.prepare.tables import load_table
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import ChemVAEError
from tests.conftest import MOLECULES, make_model
from tests.faults.fault import Fault, chemvae_here

SMILES = ["CCO", "CCN", "CC(=O)Nc1ccc(O)cc1", "c1ccccc1O"]
ROWS = [(smiles, f"{i}.5") for i, smiles in enumerate(SMILES)]
COMMANDS = ("data check {}", "data prepare {} -o {}.out", "encode {}", "predict {}", "train {} -o {}.run --preset tiny")


@dataclass(frozen=True)
class Hostile:
    """A table with something odd about it."""

    name: str
    file: str
    """Its file name; the ending matters."""
    make: bytes | Callable[[Path], Any]
    """What is in it, or what writes it."""
    rows: int = len(SMILES)
    """Rows it has; 0 if it is to be refused."""
    usable: int | None = None
    """Rows with a molecule; None for all."""
    said: tuple[str, ...] = ()
    """Words that must be told: in the refusal, in the log, or as the reason of a row."""
    label: bool = False
    """Whether its column y is read as labels too."""
    short: bool = True


@cache
def model() -> Any:
    """A model with random weights that can write every molecule used here."""
    return make_model(Vocabulary.from_smiles([*MOLECULES, *SMILES])).eval()


def csv(sep: str = ",", end: str = "\n", head: tuple[str, ...] = ("smiles", "y"), rows: Any = ROWS) -> str:
    """A plain table in text."""
    return end.join(sep.join(row) for row in [head, *rows]) + end


def sdf(*smiles: str, **items: str) -> str:
    """Records with data items."""
    data = "".join(f"> <{name}>\n{value}\n\n" for name, value in items.items())
    return "".join(f"{Chem.MolToMolBlock(Chem.MolFromSmiles(one))}{data}$$$$\n" for one in smiles)


def frame(**columns: Any) -> pd.DataFrame:
    """The usual molecules with other columns."""
    return pd.DataFrame({"smiles": SMILES, **columns})


def parquet(table: pd.DataFrame, index: bool = False) -> bytes:
    """A table as the bytes of a Parquet file."""
    stream = io.BytesIO()
    table.to_parquet(stream, index=index)
    return stream.getvalue()


def twice_named() -> bytes:
    """A Parquet file with two columns of one name."""
    import pyarrow
    import pyarrow.parquet

    stream = io.BytesIO()
    arrays = [pyarrow.array(SMILES), pyarrow.array([1.0, 2.0, 3.0, 4.0]), pyarrow.array([5.0, 6.0, 7.0, 8.0])]
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, names=["smiles", "y", "y"]), stream)
    return stream.getvalue()


def xlsx(*sheets: tuple[str, list[list[Any]]], hidden: str = "", merged: str = "") -> bytes:
    """A workbook of sheets, each a title and its rows."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if title == hidden:
            sheet.sheet_state = "hidden"
    if merged:
        book[sheets[0][0]].merge_cells(merged)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def sheet(*y: Any) -> list[list[Any]]:
    """The usual molecules with other labels."""
    return [["smiles", "y"], *([smiles, value] for smiles, value in zip(SMILES, y or (1, 2, 3, 4), strict=True))]


BLOCK = sdf("Cc1ccccc1")
LIST = BLOCK.replace(" C   0", " L   0", 1).replace("M  END", "M  ALS   1  2 F N   O   \nM  END")
RGROUP = BLOCK.replace(" C   0", " R#  0", 1).replace("M  END", "M  RGP  1   1   1\nM  END")
PLAIN = csv()
PARQUET = parquet(frame(y=[1.0, 2.0, 3.0, 4.0]))
BOOK = xlsx(("a", sheet()))
GZIP, ZSTD = (
    gzip.compress(PLAIN.encode() * 2000, mtime=0),
    zstandard.ZstdCompressor(write_checksum=True).compress(PLAIN.encode() * 2000),
)
MANY = csv(rows=[("CCO", "1")] * 12_000)
REFUSED = 0

TABLES = [
    Hostile("an empty file", "a.csv", b"", REFUSED, said=("is empty",)),
    Hostile("a header alone", "a.csv", b"smiles,y\n", REFUSED, said=("no rows",)),
    Hostile("blank lines alone", "a.csv", b"\n\n \n", REFUSED, said=("no rows",)),
    Hostile("comments alone", "a.csv", b"# a\n# b\n", REFUSED, said=("no rows",)),
    Hostile("a byte order mark", "a.csv", PLAIN.encode("utf-8-sig"), label=True),
    Hostile("UTF-16", "a.csv", PLAIN.encode("utf-16"), label=True),
    Hostile("UTF-16 that does not say so", "a.csv", PLAIN.encode("utf-16-be"), label=True),
    Hostile("Latin-1", "a.csv", csv(head=("smiles", "größe")).encode("latin-1")),
    Hostile("two encodings", "a.csv", MANY.encode() + "CCN,µ\n".encode("latin-1"), 12_001, said=("Latin-1",)),
    Hostile("a NUL at the top", "a.csv", b"smi\0les,y\nCCO,1\n", REFUSED, said=("binary",)),
    Hostile("a NUL further down", "a.csv", MANY.encode() + b"CC\0N,1\n", 12_001, said=("NUL",)),
    Hostile("line ends of Windows", "a.csv", csv(end="\r\n").encode(), label=True),
    Hostile("line ends of old Macs", "a.csv", csv(end="\r").encode(), label=True),
    Hostile("line ends within quotes", "a.csv", csv(rows=[(s, f'"a\nb {y}"') for s, y in ROWS]).encode()),
    Hostile("a quotation mark left open", "a.csv", PLAIN.encode() + b'"CCO,1\nCCN,2\nCCC,3\n', REFUSED, said=("quotation",)),
    Hostile("rows within quotes", "a.csv", b'smiles,y\nCCO,"1\nCCN,2\nCCC,3\nCCF,4"\nCCCl,5\n', 2, said=("quotation",)),
    Hostile("two columns of one name", "a.csv", csv(head=("smiles", "y", "y"), rows=[(*r, "1") for r in ROWS]).encode(),
            said=("more than once", "y.1")),
    Hostile("no header", "a.csv", csv(head=ROWS[0], rows=ROWS[1:]).encode(), said=("column_1",)),
    Hostile("no header, and no molecule first", "a.csv", csv(head=("C1CC", "9"), rows=ROWS).encode(), 5, 4, ("column_1",
            "ring 1")),
    Hostile("rows that are too long", "a.csv", PLAIN.encode() + b"CCC,1,2\n", 5, 4, ("3 cells where the header names 2",)),
    Hostile("rows that are too short", "a.csv", b"smiles,y,z\nCCO\nCCN,1\nCCC,1,2\nCCF,,\n", 4, label=True),
    Hostile("one column", "a.csv", csv(head=("smiles",), rows=[(s,) for s in SMILES]).encode()),
    Hostile("blanks around names and cells", "a.csv", csv(" , ", head=(" smiles ", " y ")).encode(), label=True),
    Hostile("decimal commas", "a.csv", csv(";").replace(".", ",").encode(), label=True),
    Hostile("commas in the names of a table of tabs", "a.csv", csv("\t", head=("smiles", "y, mean, nM")).encode()),
    Hostile("bars between cells", "a.csv", csv("|").encode(), label=True),
    Hostile("commas in a table of tabs by name", "a.tsv", PLAIN.encode(), label=True),
    Hostile("a separator at the end of every row", "a.csv", csv(rows=[(*row, "") for row in ROWS]).encode(), label=True),
    Hostile("a line sep=", "a.csv", ("sep=;\n" + csv(";")).encode(), label=True),
    Hostile("comments at the top", "a.csv", ("# exported\n#\n" + PLAIN).encode(), said=("comments",), label=True),
    Hostile("comments between rows", "a.csv", (PLAIN + "# half\nCCF,7\n").encode(), 5, said=("comments",)),
    Hostile("a commented header", "a.csv", ("#" + PLAIN).encode(), label=True),
    Hostile("titles above the header", "a.csv", ("Assay 7,\n\n" + PLAIN).encode(), said=("Assay 7",), label=True),
    Hostile("row names without a header", "a.tsv", csv("\t", rows=[(str(i), *r) for i, r in enumerate(ROWS)]).encode(),
            label=True),
    Hostile("empty rows between others", "a.csv", csv(rows=[ROWS[0], ("", ""), *ROWS[1:], ("", "")]).encode(), 5, 4,
            ("empty",)),
    Hostile("an empty column first", "a.csv", csv(head=("", "smiles", "y"), rows=[("", *r) for r in ROWS]).encode(),
            label=True),
    Hostile("answers N and Y before the molecules", "a.csv", csv(head=("hit", "structure"), rows=[("NY"[i % 2], s) for i, s in
            enumerate(SMILES)]).encode(), said=("'structure'", "'hit'")),
    Hostile("elements before the molecules", "a.csv", csv(head=("element", "drug"), rows=zip("CNOS", SMILES,
            strict=True)).encode(),
           
            said=("'drug'", "'element'")),
    Hostile("names in a column called smiles", "a.csv", csv(head=("smiles", "structure"),
            rows=zip("ABDE", SMILES, strict=True)).encode(),
            said=("'structure'", "No cell of 'smiles'")),
    Hostile("no molecules", "a.csv", b"a,b\n1,x\n2,y\n", REFUSED, said=("no valid SMILES", "a, b")),
    Hostile("a huge cell", "a.csv", csv(rows=[*ROWS, ("CCF", "0 1 " * 60_000)]).encode(), 5),
    Hostile("a huge molecule", "a.csv", csv(rows=[*ROWS, ("C" * 20_000, "1")]).encode(), 5, 4, ("20,000 characters",)),
    Hostile("branches without end", "a.csv", csv(rows=[*ROWS, ("C(" * 900, "1")]).encode(), 5, 4, ("parenthesis",)),
    Hostile("a line without end", "a.csv", b"smiles\n" + b"C" * 33_000_000, REFUSED, said=("32,000,000",), short=False),
    Hostile("a hundred thousand columns", "a.csv", csv(head=("smiles", *(f"x{i}" for i in range(100_000))),
            rows=[(s, *(["1"] * 100_000)) for s in SMILES]).encode(), short=False),
    Hostile("binary data", "a.csv", bytes(range(256)) * 9, REFUSED, said=("binary",)),
    Hostile("a picture", "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", REFUSED, said=("binary",)),
    Hostile("a page", "a.csv", b"<html>\n<body>\n<p>x, y</p>\n</body>\n</html>", REFUSED, said=("SMILES",)),
    Hostile("a workbook called .csv", "a.csv", BOOK, label=True),
    Hostile("a Parquet file called .csv", "a.csv", PARQUET, label=True),
    Hostile("a text called .parquet", "a.parquet", PLAIN.encode(), REFUSED, said=("Parquet",)),
    Hostile("a text called .xlsx", "a.xlsx", PLAIN.encode(), REFUSED, said=(".xlsx",)),
    Hostile("an ending nobody reads", "a.docx", b"x", REFUSED, said=(".docx", ".csv")),
    Hostile("a folder", "a.csv", Path.mkdir, REFUSED, said=("folder",)),
    Hostile("a link in a circle", "a.csv", lambda path: path.symlink_to(path), REFUSED, said=("a.csv",)),
    Hostile("a link to nothing", "a.csv", lambda path: path.symlink_to("gone"), REFUSED, said=("no file",)),
    Hostile("no file", "a.csv", lambda path: path.with_name("b.csv").touch(), REFUSED, said=("Did you mean b.csv",)),
    Hostile("a name that is too long", "a" * 300 + ".csv", lambda path: None, REFUSED, said=("too long",)),
    Hostile("nothing, for ever", "a.csv", lambda path: path.symlink_to("/dev/null"), REFUSED, said=("is empty",)),
    Hostile("a pipe", "a.csv", lambda path: pipe(path, PLAIN.encode()), label=True),
    Hostile("an SDF from a pipe", "a.sdf", lambda path: pipe(path, sdf(*SMILES, y="1").encode()), label=True),
    Hostile("a gzip file cut off", "a.csv.gz", GZIP[:-20], REFUSED, said=("cut-off",)),
    Hostile("a gzip file damaged within", "a.csv.gz", GZIP[:40] + bytes(60) + GZIP[100:], REFUSED, said=("damaged",)),
    Hostile("a gzip file of a gzip file", "a.csv.gz", gzip.compress(GZIP, mtime=0), REFUSED, said=("binary",)),
    Hostile("a zstd file cut off", "a.csv.zst", ZSTD[:-9], REFUSED, said=("cut-off",)),
    Hostile("a zstd file damaged within", "a.csv.zst", ZSTD[:30] + b"\xff" * 9 + ZSTD[39:], REFUSED, said=("damaged",)),
    Hostile("a text called .gz", "a.csv.gz", PLAIN.encode(), label=True),
    Hostile("a list with commas", "a.smi", csv(head=("SMILES", "ID")).encode()),
    Hostile("a list with a header of three names", "a.smi", csv(" ", head=("smiles", "id", "y"), rows=[(s, "a", y) for s,
            y in ROWS])
            .encode(), label=True),
    Hostile("CXSMILES", "a.smi", b"C[C@H](O)CC |o1:1| one\nCCN two\n*CC |$_R1;;$|\n", 3, 2, ("CXSMILES",)),
    Hostile("atom maps", "a.csv", b"smiles\n[CH3:1][CH2:2][OH:3]\nCCN\n", 2, said=("atom map",)),
    Hostile("names that begin late", "a.smi", b"CCO\n" * 5000 + b"CCN two\n", 5001, said=("line 5,001",)),
    Hostile("a table called .txt", "a.txt", csv(head=("Drug", "y")).encode(), label=True),
    Hostile("an item that comes late", "a.sdf", (sdf("CCO") * 4200 + sdf("CCN", y="1.5")).encode(), 4201,
            label=True, short=False),
    Hostile("an item that comes second", "a.sdf", (sdf("CCO") + sdf("CCN", y="1.5")).encode(), 2, label=True),
    Hostile("an item twice in a record", "a.sdf", sdf("CCO").replace("$$$$", "> <y>\n1\n\n> <y>\n2\n\n$$$$").encode(), 1,
            label=True),
    Hostile("a list of elements for an atom", "a.sdf", (LIST + sdf("CCO")).encode(), 2, 1, ("several elements",)),
    Hostile("an R-group", "a.sdf", (RGROUP + sdf("CCO")).encode(), 2, 1, ("R-group",)),
    Hostile("a damaged record", "a.sdf", (sdf("CCO") + "x\n\n\n 99 x\nM  END\n$$$$\n" + sdf("CCN")).encode(), 3, 2, ("block",)),
    Hostile("a record without atoms", "a.sdf",
            ("x\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n$$$$\n" + BLOCK).encode(),
            2, 1, ("empty",)),
    Hostile("a record that ends early", "a.sdf", (sdf("CCO") + BLOCK[:150]).encode(), 2, 1, ("block",)),
    Hostile("a record of a million atoms", "a.sdf",
            (sdf("CCO") + "x\n\n\n  0  0  0     0  0            999 V3000\nM  V30 BEGIN CTAB\n"
            "M  V30 COUNTS 1000000 0 0 0 0\nM  END\n$$$$\n").encode(), 2, 1, ("1,000,000",)),
    Hostile("a Parquet file cut off", "a.parquet", PARQUET[:-30], REFUSED, said=("Parquet",)),
    Hostile("a Parquet file with bits flipped", "a.parquet", PARQUET[:60] + b"\xff" * 40 + PARQUET[100:], REFUSED,
            said=("Parquet",)),
    Hostile("dates for labels in Parquet", "a.parquet", parquet(frame(y=pd.to_datetime(["2024-01-05"] * 3 + [None]))),
            said=("date",), label=True),
    Hostile("truth values for labels in Parquet", "a.parquet", parquet(frame(y=[True, False, None, True])),
            said=("true or false",), label=True),
    Hostile("lists for labels in Parquet", "a.parquet", parquet(frame(y=[[1.0], [2.0], [3.0], [4.0]])), said=("no number",),
            label=True),
    Hostile("SMILES as bytes", "a.parquet", parquet(pd.DataFrame({"smiles": [s.encode() for s in SMILES]}))),
    Hostile("SMILES as an index", "a.parquet", parquet(frame(y=[1.0, 2.0, 3.0, 4.0]).set_index("smiles"), index=True),
            label=True),
    Hostile("two columns of one name in Parquet", "a.parquet", twice_named(), said=("more than once",), label=True),
    Hostile("no rows in Parquet", "a.parquet", parquet(frame().head(0)), REFUSED, said=("no rows",)),
    Hostile("a sheet", "a.xlsx", BOOK, label=True),
    Hostile("formulas without values", "a.xlsx", xlsx(("a", sheet("=1+1", "=2", 3, 4))),
            said=("formula", "not saved"), label=True),
    Hostile("error cells", "a.xlsx", xlsx(("a", sheet("#DIV/0!", "#REF!", 3, 4))), said=("error cell",), label=True),
    Hostile("dates in a sheet", "a.xlsx", xlsx(("a", sheet(pd.Timestamp("2026-05-03"), 2, 3, 4))), said=("date",), label=True),
    Hostile("truth values in a sheet", "a.xlsx", xlsx(("a", sheet(True, 2, 3, 4))), said=("true or false",), label=True),
    Hostile("merged cells", "a.xlsx", xlsx(("a", sheet()), merged="A2:A3"), 4, 3, ("merged", "A2:A3")),
    Hostile("a hidden sheet first", "a.xlsx", xlsx(("old", sheet()), ("new", sheet()[:3]), hidden="old"), 2,
            said=("'new'", "old (hidden)")),
    Hostile("a cover before the table", "a.xlsx", xlsx(("cover", [["Assay 7"], ["by us", 3]]), ("data", sheet())),
            said=("'data'", "cover"), label=True),
    Hostile("empty rows and columns around a sheet", "a.xlsx", xlsx(("a", [[], [], *([None, *row] for row in sheet()),
            []])), label=True),
    Hostile("a title in a sheet", "a.xlsx", xlsx(("a", [["Assay 7"], [], *sheet()])), said=("Assay 7",), label=True),
    Hostile("a workbook without rows", "a.xlsx", xlsx(("a", [])), REFUSED, said=("no rows",)),
    Hostile("a workbook cut off", "a.xlsx", BOOK[:2000], REFUSED, said=(".xlsx",)),
    Hostile("a workbook damaged within", "a.xlsx", BOOK[:900] + bytes(500) + BOOK[1400:], REFUSED, said=(".xlsx",)),
    Hostile("an old workbook, or one with a password", "a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), REFUSED,
            said=("password",)),
    Hostile("bounds for labels", "a.csv", csv(rows=zip(SMILES, [">10", "<1", "2", "3"], strict=True)).encode(),
            said=("2 censored",), label=True),
    Hostile("formulas for labels", "a.csv", csv(rows=zip(SMILES, ["=A1", "#N/A", "2", "3"], strict=True)).encode(),
            said=("formula",), label=True),
    Hostile("units in labels", "a.csv", csv(rows=zip(SMILES, ["5 nM", "6", "2", "3"], strict=True)).encode(),
            said=("units",), label=True),
    Hostile("salts", "a.csv", b"smiles\n[Na+].CC(=O)[O-]\nCCO\n", 2, 1, ("--standardize salts",)),
]  # fmt: skip


def pipe(path: Path, content: bytes) -> None:
    """A named pipe that is written to once, in another thread."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(content), daemon=True).start()


def place(table: Hostile, folder: Path) -> Path:
    """Put the table into a folder."""
    path = folder / table.file
    if isinstance(table.make, bytes):
        path.write_bytes(table.make)
    else:
        table.make(path)
    return path


@contextmanager
def listening() -> Iterator[list[str]]:
    """What is logged meanwhile."""
    heard: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())
    logger, level = logging.getLogger("chemvae"), logging.getLogger("chemvae").level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield heard
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def by_check(path: Path, table: Hostile) -> tuple[int, int | None, list[str]]:
    """Rows, usable ones and reasons, as ``data check`` finds them."""
    found = check(path, properties=["y"] if table.label else [])
    return found.n_rows, None, [f"{one.reason}: {one.detail}" for one in found.offences]


def by_prepare(path: Path, table: Hostile) -> tuple[int, int | None, list[str]]:
    """The same of ``data prepare``: each row is kept or dropped."""
    out = path.parent / "out"
    found = prepare(path, out, split="none")
    dropped = pd.read_csv(out / "dropped.csv")
    assert found.n_rows == found.n_kept + sum(found.dropped.values()) and len(dropped) == sum(found.dropped.values())
    return found.n_rows, None, dropped["detail"].fillna("").tolist()


def by_encode(path: Path, table: Hostile) -> tuple[int, int | None, list[str]]:
    """The same of ``encode``."""
    found = tables.encode_table(model(), path)
    return len(found), int(found["z_0"].notna().sum()), found["reason"].tolist()


def by_predict(path: Path, table: Hostile) -> tuple[int, int | None, list[str]]:
    """The same of ``predict``."""
    found = tables.predict_table(model(), path)
    return len(found), int(found["logP_std"].notna().sum()), found["reason"].tolist()


def by_train(path: Path, table: Hostile) -> tuple[int, int | None, list[str]]:
    """The same of what ``train`` reads; labels that hold no number at all are refused, which is told."""
    try:
        found = load_table(path, properties=["y"] if table.label else [])
    except ChemVAEError as error:
        if not table.rows or not table.label or "holds no number" not in str(error):
            raise
        return table.rows, None, [str(error)]
    return found.n_rows, None, [row.detail for row in found.dropped_rows]


DOORS = (by_check, by_prepare, by_encode, by_predict, by_train)


def act(table: Hostile, folder: Path) -> list[str]:
    """Read it through every door; findings are what was lost or not said."""
    path = place(table, folder)
    found = []
    for door in DOORS:
        if _is_pipe(table) and door is not DOORS[0]:
            place(table, folder)
        found += [f"{door.__name__}: {one}" for one in _pass(door, path, table)]
    return found + _unsaid(path, table)


def _pass(door: Callable[..., Any], path: Path, table: Hostile) -> list[str]:
    try:
        rows, usable, _ = door(path, table)
    except ChemVAEError as error:
        lines = str(error).count("\n")
        return [f"refused: {error}"] if table.rows else ["more than one line"] * bool(lines)
    if not table.rows:
        return ["it went by in silence"]
    expected = table.rows if table.usable is None else table.usable
    wrong = [f"{rows} rows of {table.rows}"] * (rows != table.rows)
    return wrong + [f"{usable} usable rows instead of {expected}"] * (usable not in (None, expected))


def _unsaid(path: Path, table: Hostile) -> list[str]:
    """Words that no door told."""
    if not table.said:
        return []
    with listening() as heard:
        for door in (by_encode, by_train):
            try:
                heard += door(path, table)[2]
            except ChemVAEError as error:
                heard.append(str(error))
    told = " ".join(heard).lower()
    return [f"not said: {word}; but: {told[-300:]}" for word in table.said if word.lower() not in told]


def by_command_line(folder: Path) -> list[str]:
    """Every table through every command, as a user types it."""
    found = []
    for number, table in enumerate(TABLES):
        place(table, (own := folder / str(number)).mkdir() or own) if not _is_pipe(table) else None
        for line in () if _is_pipe(table) else COMMANDS:
            ending = chemvae_here(*(word.format(folder / str(number) / table.file) for word in line.split()))
            found += [f"{table.name}, {line}: {ending.rude}"] if ending.rude else []
            if not table.rows and ending.code == 0:
                found.append(f"{table.name}, {line}: it went by in silence")
    return found


def _is_pipe(table: Hostile) -> bool:
    return "pipe" in table.name


def not_allowed(folder: Path) -> list[str]:
    """A file that its owner keeps to themselves."""
    path = place(TABLES[4], folder)
    with mock.patch.object(Path, "open", side_effect=PermissionError(13, "Permission denied")):
        return _pass(by_encode, path, Hostile("", "", b"", REFUSED))


def bad_disk(folder: Path) -> list[str]:
    """A file whose bytes cannot be read."""
    path = folder / "a.csv"
    path.symlink_to("/proc/self/mem")
    return _pass(by_encode, path, Hostile("", "", b"", REFUSED))


def thrice(folder: Path) -> list[str]:
    """A table of predictions is predicted twice more: no name twice, and none has changed."""
    table = pd.DataFrame({"smiles": SMILES, "distance": [7.0] * 4})
    for _ in range(3):
        table = tables.predict_table(model(), table)
    found = [] if table.columns.is_unique else ["a name stands there twice"]
    return found + (["what was there has changed"] if table["distance"].tolist() != [7.0] * 4 else [])


FAULTS = [
    *(Fault(table.name, lambda folder, table=table: act(table, folder), short=table.short) for table in TABLES),
    Fault("a file one may not read", not_allowed),
    Fault("a disk that does not answer", bad_disk),
    Fault("a table of predictions, predicted again", thrice),
    Fault("all tables by the command line", by_command_line, short=False),
]
