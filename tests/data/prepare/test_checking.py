"""The list of what is wrong with which line."""

import pandas as pd
import pytest

from chemvae.data.prepare.checking import check
from chemvae.errors import NothingUsableError


def test_offences_carry_row_line_reason_and_detail(tmp_path):
    (tmp_path / "a.csv").write_text('smiles,y\nCCO,1\n"C1CC",2\nOCC,high\n,3\nCC,4,5\nC[Si],\n')
    report = check(tmp_path / "a.csv", properties=["y"], symbol_check=lambda s: "holds 'Si'" if "Si" in s else None)
    found = [(o.row, o.line, o.reason) for o in report.offences]
    assert found == [
        (2, 3, "not a molecule"),
        (3, 4, "duplicate"),
        (3, 4, "label is not a number"),
        (4, 5, "empty cell"),
        (5, 6, "broken row"),
        (6, 7, "unknown symbol"),
    ]
    assert report.counts["duplicate"] == 1 and not report.is_clean
    assert (report.n_rows, report.n_valid, report.n_distinct) == (6, 2, 1)
    assert report.n_missing == {"y": 1}


def test_lines_count_line_breaks_inside_cells(tmp_path):
    (tmp_path / "a.csv").write_text('smiles\n"CCO\n"\n"CC\n"\nC1\n')
    assert [(o.row, o.line) for o in check(tmp_path / "a.csv").offences] == [(3, 6)]


def test_a_clean_table_is_clean():
    report = check(pd.DataFrame({"smiles": ["C", "CC.O"], "y": [1, 2]}), properties=["Y"])
    assert report.is_clean and report.n_fragments == 1 and report.longest == 4


def test_the_list_is_bounded_and_the_counts_are_not():
    report = check(["C"] + ["C1"] * 1500)
    assert report.counts["not a molecule"] == 1500 and len(report.offences) == 1000


def test_what_cannot_be_checked_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("smiles\n")
    with pytest.raises(NothingUsableError, match="holds no rows"):
        check(tmp_path / "a.csv")
    with pytest.raises(NothingUsableError, match="no column 'y'"):
        check(["C"], properties=["y"])
