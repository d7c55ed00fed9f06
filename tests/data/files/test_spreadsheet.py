"""Workbooks in and out."""

import datetime

import openpyxl
import pandas as pd

from chemvae.data.files.reading import read_records
from chemvae.data.files.writing import concat
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
