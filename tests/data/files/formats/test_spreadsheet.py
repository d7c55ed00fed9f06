"""Workbooks in and out."""

import datetime

import openpyxl
import pandas as pd
import pytest

from chemvae.data.files.reading import read_records
from chemvae.data.files.writing import concat
from chemvae.data.prepare.tables import read_rows
from chemvae.errors import InputError
from chemvae.tables import write_table


def read(path) -> pd.DataFrame:
    return concat([chunk.frame for chunk in read_records(path)])


def test_what_is_written_is_read_back_and_nothing_is_a_formula(tmp_path):
    day = datetime.datetime(2026, 5, 3)
    frame = pd.DataFrame(
        {"smiles": ["CCO", "CC"], "note": ["=1+1", "@x"], "y": [0.1, float("nan")], "n": [1, 2], "day": [day, day]}
    )
    write_table(frame, tmp_path / "a.xlsx")
    found = read(tmp_path / "a.xlsx")
    assert (
        found["note"].tolist() == ["=1+1", "@x"] and found["y"].tolist() == [0.1, None] and found["day"].tolist() == [day, day]
    )
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert {cell.data_type for cell in sheet["B"]} <= {"s", "inlineStr"}


def test_mixed_columns_of_a_sheet_can_be_written_as_parquet(tmp_path):
    frame = pd.DataFrame({"smiles": ["CCO", "CC", "C"], "y": [1, "x", None]}, dtype=object)
    write_table(frame, tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet")["y"].tolist()[:2] == ["1", "x"]


@pytest.fixture
def book(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.title = "Notes"
    workbook.active.append(["nothing here"])
    for title, smiles in (("First", "CCO"), ("Second 2", "CCN")):
        sheet = workbook.create_sheet(title)
        sheet.append(["smiles", "y"])
        sheet.append([smiles, 1])
    workbook.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


@pytest.mark.parametrize(("asked", "smiles"), [("", "CCO"), (":First", "CCO"), (":Second 2", "CCN"), (":second 2", "CCN")])
def test_a_sheet_is_read_by_its_name(book, asked, smiles):
    frame, column = read_rows(f"{book}{asked}")
    assert frame[column].tolist() == [smiles]


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(book):
    with pytest.raises(InputError, match="no sheet 'Third'. Its sheets: Notes, First, Second 2"):
        read_rows(f"{book}:Third")


def test_a_file_whose_own_name_holds_a_colon_is_that_file(book):
    other = book.with_name("book.xlsx:First")
    try:
        other.write_bytes(book.read_bytes())
    except OSError:
        pytest.skip("no colons in names here")
    with pytest.raises(InputError, match="not read"):  # its ending is none that is known
        read_rows(str(other))
