"""Workbooks that we write: pictures lie over their rows, what is to be filled in is seen, and all of it is read back."""

import zipfile

import openpyxl
import pandas as pd
import pytest

from chemvae.data.files.formats.workbook import TO_FILL_IN, write_xlsx
from chemvae.data.prepare.tables import load_table, read_rows
from chemvae.errors import InputError
from chemvae.tables import write_table, writing

FRAME = pd.DataFrame({"id": ["m1", "m2", "m3"], "smiles": ["CCO", "C1CC", "c1ccccc1"], "pIC50": "", "y": [1.5, None, 3.0]})


def test_molecules_are_drawn_over_their_own_cells_and_the_header_stays(tmp_path):
    write_table(FRAME, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [cell.value for cell in sheet[1]] == ["drawing", "id", "smiles", "pIC50", "y"] and sheet.freeze_panes == "A2"
    assert [(image.anchor._from.row, image.anchor._from.col) for image in sheet._images] == [(1, 0), (3, 0)], "row 3 is none"
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        pictures = [book.read(name) for name in book.namelist() if name.endswith(".png")]
    assert len(pictures) == 2 and all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert sheet.auto_filter.ref == "A1:E4" and sheet.cell(1, 1).fill.fgColor.rgb == "FF2B5C8A"


def test_a_column_to_fill_in_is_coloured_and_no_other(tmp_path):
    write_table(FRAME, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    colours = [sheet.cell(2, j).fill.fgColor.rgb for j in range(1, 6)]
    assert [j for j, colour in enumerate(colours) if colour == "FF" + TO_FILL_IN["bg_color"][1:].upper()] == [3]


def test_what_was_drawn_is_read_back_without_the_drawings(tmp_path):
    write_table(FRAME.assign(pIC50=[6.5, None, 7.0]), tmp_path / "a.xlsx")
    frame, column = read_rows(tmp_path / "a.xlsx")
    assert list(frame) == list(FRAME) and column == "smiles" and frame["id"].tolist() == ["m1", "m2", "m3"]
    table = load_table(tmp_path / "a.xlsx", properties=["pIC50"])
    assert table.smiles == ["CCO", "c1ccccc1"] and table.labels[:, 0].tolist() == [6.5, 7.0]
    write_table(frame, tmp_path / "b.xlsx")
    again, _ = read_rows(tmp_path / "b.xlsx")
    pd.testing.assert_frame_equal(again, frame)


def test_a_column_of_the_user_s_called_drawing_stays(tmp_path):
    write_xlsx(pd.DataFrame({"smiles": ["CCO", "CC"], "drawing": ["see page 3", None]}), tmp_path / "a.xlsx")
    assert read_rows(tmp_path / "a.xlsx")[0]["drawing"].tolist()[0] == "see page 3"


def test_tables_without_molecules_or_with_very_many_have_no_drawings(tmp_path, monkeypatch):
    write_table(pd.DataFrame({"y": [1.0, 2.0]}), tmp_path / "none.xlsx")
    monkeypatch.setattr(writing, "MOST_DRAWN", 2)
    write_table(FRAME, tmp_path / "many.xlsx")
    for name in ("none", "many"):
        sheet = openpyxl.load_workbook(tmp_path / f"{name}.xlsx").active
        assert not sheet._images and sheet.cell(1, 1).value != "drawing"


def test_what_no_sheet_can_hold_is_said(tmp_path):
    with pytest.raises(InputError, match="32,767 characters"):
        write_xlsx(pd.DataFrame({"a": ["x" * 40_000]}), tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="1,048,576 rows"):
        write_xlsx(pd.DataFrame({"a": range(1_048_576)}), tmp_path / "a.xlsx")
