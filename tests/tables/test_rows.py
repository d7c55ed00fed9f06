"""Which rows can be used, and what becomes of the others."""

import pandas as pd
import pytest

from chemvae import tables
from chemvae.data.files.numbers import read_numbers
from chemvae.data.prepare.tables import read_rows
from chemvae.errors import InvalidMoleculeError, NothingUsableError, SettingsError, UnknownTokenError


def test_large_tables_are_told_apart_from_their_blocks(tiny_model):
    smiles = ["CCO", "C1CC", "c1ccccc1", "CC(=O)O"] * 1500
    seen = []
    found = tables.encode_table(tiny_model, smiles, progress=seen.append)
    assert len(found) == 6000 and seen[-1] == 6000 and seen == sorted(seen)
    pd.testing.assert_frame_equal(found.iloc[:4], found.iloc[5996:].reset_index(drop=True))


@pytest.mark.parametrize(("cells", "error"), [(["CCO", "C1CC"], InvalidMoleculeError), (["CCO", "[U]"], UnknownTokenError)])
def test_error_stops_at_the_first_bad_row(tiny_model, cells, error):
    with pytest.raises(error):
        tables.encode_table(tiny_model, cells, on_invalid="error")
    assert len(tables.encode_table(tiny_model, cells, on_invalid="skip")) == 1


def test_nothing_usable_is_an_error_whatever_was_asked(tiny_model):
    for on_invalid in ("keep", "skip"):
        with pytest.raises(NothingUsableError, match="None of the 2 rows"):
            tables.predict_table(tiny_model, ["C1CC", "x"], on_invalid=on_invalid)
    with pytest.raises(SettingsError, match="keep, skip, error"):
        tables.predict_table(tiny_model, ["CCO"], on_invalid="guess")


def test_numbers_of_a_table_are_read_as_everywhere_dates_and_truth_values_are_none():
    table = pd.DataFrame({"y": ["−1.5", "2,000.5"], "t": [True, False], "day": ["2024-01-01", ""], "bound": ["1", ">2"]})
    read = tables.with_numbers(table)
    assert read["y"].tolist() == [-1.5, 2000.5] and list(read.columns) == list(table.columns)
    for name in ("t", "day", "bound"):
        assert read[name].tolist() == table[name].tolist(), name


def test_decimal_commas_are_written_as_points_so_that_a_table_of_ours_reads_the_same(tiny_model, tmp_path):
    (tmp_path / "eu.csv").write_text("smiles;y;z\nCCO;1,500;a\nCCN;>2,25;1,5\nCCCl;10,125;\nCCC;-1.000,5;\n")
    for ending in (".csv", ".tsv"):
        tables.write_table(tables.predict_table(tiny_model, tmp_path / "eu.csv"), tmp_path / f"p{ending}")
        again, _ = read_rows(tmp_path / f"p{ending}")
        assert read_numbers(again["y"]).values.tolist()[::2] == [1.5, 10.125] and again["z"].tolist()[:2] == ["a", "1,5"]
        assert read_numbers(again["y"]).bounds == {1: (">", 2.25)} and read_numbers(again["y"]).values[3] == -1000.5
