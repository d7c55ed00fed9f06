"""From data to molecules with labels: nothing lost silently, nothing mixed up."""

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.data.prepare.sources import ReadingOptions
from chemvae.data.prepare.tables import iter_rows, load_table, read_rows
from chemvae.errors import InputError, InvalidMoleculeError, NothingUsableError, SettingsError, UnknownNameError

ROWS = [
    ("a", "OCC", "1.0", "2", "train"),
    ("b", "C1CC", "9", "9", "train"),
    ("c", "C(C)N", "", "high", "valid"),
    ("d", "", "5", "5", "test"),
    ("e", "c1ccccc1", "nan", "-1e1", "test"),
    ("f", "CCO", "4", "4", "train"),
]
FRAME = pd.DataFrame(ROWS, columns=["key", "SMILES", "gap", "logP", "split"])


@pytest.fixture
def path(tmp_path):
    FRAME.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_labels_stay_with_their_molecules(path):
    table = load_table(path, properties=["logp", "gap"], id_column="key")
    assert table.smiles == ["CCO", "CCN", "c1ccccc1", "CCO"]
    assert table.property_names == ["logP", "gap"]
    np.testing.assert_array_equal(table.labels, [[2, 1], [np.nan, np.nan], [-10, np.nan], [4, 4]])
    assert table.ids == ["a", "c", "e", "f"] and table.rows.tolist() == [1, 3, 5, 6]
    assert table.split.tolist() == ["train", "valid", "test", "train"]


def test_everything_dropped_is_counted_with_its_reason(path):
    table = load_table(path, properties=["gap", "logP"])
    assert table.n_rows == 6 and len(table) == 4
    assert dict(table.dropped) == {"not a molecule": 1, "empty cell": 1}
    assert [(d.row, d.smiles, d.detail) for d in table.dropped_rows][0] == (2, "C1CC", "ring 1 is opened and never closed")
    assert table.n_missing == {"gap": 2, "logP": 1} and table.n_not_numeric == {"gap": 0, "logP": 1}


def test_units_come_from_the_table_of_properties_or_are_open(path):
    assert load_table(path, properties=["logP", "gap"]).units == {"logP": "1", "gap": ""}


def test_the_same_from_file_frame_series_and_list(path):
    expected = load_table(path).smiles
    assert load_table(FRAME).smiles == expected
    assert load_table(FRAME["SMILES"]).smiles == expected
    assert load_table(FRAME["SMILES"].tolist()).smiles == expected
    assert load_table(str(path)).smiles == expected


def test_missing_cells_of_a_frame_are_missing(path):
    frame = pd.DataFrame({"smiles": ["CCO", None, pd.NA, float("nan")], "y": [1, None, 2, 3]})
    table = load_table(frame, properties=["y"])
    assert table.smiles == ["CCO"] and table.dropped["empty cell"] == 3


def test_keep_leaves_every_row_in_place(path):
    table = load_table(path, properties=["gap"], on_invalid="keep")
    assert table.smiles[1] == "C1CC" and len(table) == 6
    assert table.valid.tolist() == [True, False, True, False, True, True]
    assert not table.dropped


def test_error_stops_at_the_first_with_its_row(path):
    with pytest.raises(InvalidMoleculeError, match=r"'C1CC' \(row 2\)"):
        load_table(path, on_invalid="error")


def test_processes_agree_with_one(tmp_path):
    smiles = ["C" * (1 + i % 7) + "O" for i in range(1300)] + ["C1"]
    pd.DataFrame({"smiles": smiles, "y": range(len(smiles))}).to_csv(tmp_path / "many.csv", index=False)
    one, two = (load_table(tmp_path / "many.csv", properties=["y"], jobs=jobs) for jobs in (1, 2))
    assert one.smiles == two.smiles and one.dropped == two.dropped == {"not a molecule": 1}
    np.testing.assert_array_equal(one.labels, two.labels)


def test_limit_counts_rows(path):
    assert load_table(path, limit=3).n_rows == 3
    assert len(read_rows(path, limit=2)[0]) == 2


def test_standardise_as_asked():
    data = ["[Na+].CC(=O)[O-]"]
    assert load_table(data).smiles == [canonicalize(data[0])]
    assert load_table(data, standardize="neutral").smiles == ["CC(=O)O"]


def test_a_symbol_check_turns_away_with_its_words():
    table = load_table(["CCO", "C[Si](C)C"], symbol_check=lambda smiles: "holds 'Si'" if "Si" in smiles else None)
    assert table.smiles == ["CCO"] and table.dropped_rows[0].detail == "holds 'Si'"


def test_all_rows_come_back_unchanged(path):
    frame, column = read_rows(path)
    assert column == "SMILES"
    assert frame.to_numpy().tolist() == [list(row) for row in ROWS]
    pieces = [piece for piece, _ in iter_rows(path, chunk_rows=4)]
    assert [len(piece) for piece in pieces] == [4, 2]


def test_frame_of_a_table_round_trips(path):
    table = load_table(path, properties=["gap"], id_column="key")
    again = load_table(table.frame(), properties=["gap"], id_column="id")
    assert again.smiles == table.smiles and again.ids == table.ids
    np.testing.assert_array_equal(again.labels, table.labels)


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("smiles,y\n", {}, "holds no rows"),
        ("smiles,y\nC1CC,1\nQ,2\n", {}, "no valid SMILES in column 'smiles' .2 rows.*ring 1"),
        ("smiles,y\nCCO,1\n", {"properties": ["z"]}, "no column 'z'.*smiles, y"),
        ("smiles,name\nCCO,alcohol\n", {"properties": ["name"]}, "holds no number .line 2, 'alcohol' is no number"),
        ("smiles,y\nCCO,\nCC,nan\n", {"properties": ["y"]}, "all its cells are empty"),
        ('smiles,y\nCCO,"1,5"\n', {"properties": ["y"]}, "decimals with a point"),
        ("smiles,y\nCCO,1\n", {"smiles_column": "mol"}, "no column 'mol'"),
        ("a,b\n1,2\n", {}, "no valid SMILES in any column"),
    ],
)
def test_nothing_usable_is_one_sentence(tmp_path, content, settings, words):
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(NothingUsableError, match=words) as caught:
        load_table(tmp_path / "bad.csv", **settings)
    assert "bad.csv" in str(caught.value) and caught.value.exit_code == 3


def test_odd_split_words_are_refused_where_the_column_is_a_split():
    frame = pd.DataFrame({"smiles": ["C", "CC"], "split": ["train", "holdout"]})
    with pytest.raises(InputError, match="'holdout' .1."):
        load_table(frame)
    with pytest.raises(InputError, match="train, valid or test"):
        load_table(frame.replace("train", "x"), split_column="split")


def test_a_column_that_happens_to_be_called_split_is_ignored():
    frame = pd.DataFrame({"smiles": ["C", "CC"], "split": ["yes", "no"]})
    assert load_table(frame).split is None


def test_mistaken_names_are_explained():
    with pytest.raises(SettingsError, match="skip, keep, error"):
        load_table(["C"], on_invalid="drop")
    with pytest.raises(SettingsError, match="none, salts, neutral"):
        load_table(["C"], standardize="charge")


def test_one_molecule_is_enough():
    table = load_table(["C" * 480])
    assert table.smiles == ["C" * 480] and table.labels.shape == (1, 0)
    assert issubclass(UnknownNameError, KeyError)


def test_options_in_one_and_by_name_mean_the_same(path):
    spec = ReadingOptions(properties=["gap"], id_column="key", limit=3)
    one, two = load_table(path, spec), load_table(path, properties=["gap"], id_column="key", limit=3)
    pd.testing.assert_frame_equal(one.frame(), two.frame())
    assert one.n_rows == two.n_rows == 3
    assert load_table(path, spec, limit=2).n_rows == 2 and spec.limit == 3
    with pytest.raises(UnknownNameError, match="'propertys'. Did you mean 'properties'"):
        load_table(path, propertys=["gap"])
    with pytest.raises(SettingsError, match="'SMILES' is no ReadingOptions"):
        load_table(path, "SMILES")


def test_labels_that_are_no_numbers_are_said_in_one_line_with_examples(tmp_path, caplog):
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nCC,1\nCO,>5\nCN,high\nCF,\nCCC,2 nM\nCCO,3-4\nCCN,2\n", encoding="utf-8")
    table = load_table(path, properties=["y"])
    assert table.n_not_numeric == {"y": 4} and table.n_missing == {"y": 5}
    (said,) = [record.getMessage() for record in caplog.records if "no numbers" in record.getMessage()]
    assert "4 cells of 'y'" in said and "line 3, '>5' is a bound" in said and "line 4, 'high'" in said and "and 1 more" in said
