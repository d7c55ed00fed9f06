"""Prepared folders: what is in them, what was dropped and why, and that memory does not grow with the rows."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.data.prepare.checking import check
from chemvae.data.prepare.preparation import load_table, prepare
from chemvae.data.prepare.sources import ReadingOptions
from chemvae.data.splits import hash_split, scaffold_split
from chemvae.errors import InputError, NothingUsableError, SettingsError, UnknownNameError

RAW = pd.DataFrame(
    {
        "key": list("abcdefg"),
        "smiles": ["OCC", "CCO", "C1CC", "", "[Na+].CC(=O)[O-]", "c1ccccc1O", "Oc1ccccc1"],
        "y": ["1", "2", "3", "4", "", "6", "7"],
        "note": ["x"] * 7,
    }
)


@pytest.fixture
def raw(tmp_path):
    RAW.to_csv(tmp_path / "raw.csv", index=False)
    return tmp_path / "raw.csv"


def test_equal_molecules_become_one_with_the_median_of_their_labels(raw, tmp_path):
    report = prepare(raw, tmp_path / "out", id_column="key", standardize="none")
    frame = pd.read_parquet(tmp_path / "out" / "data.parquet")
    assert frame["smiles"].tolist() == [canonicalize(s) for s in ("CCO", "[Na+].CC(=O)[O-]", "c1ccccc1O")]
    np.testing.assert_array_equal(frame["y"], [1.5, np.nan, 6.5])
    assert frame["id"].tolist() == ["a", "e", "f"]
    assert report.dropped == {"duplicate": 2, "not a molecule": 1, "empty cell": 1}
    assert (report.n_rows, report.n_kept, report.n_missing) == (7, 3, {"y": 1})


def test_every_dropped_row_is_listed(raw, tmp_path):
    prepare(raw, tmp_path / "out")
    dropped = pd.read_csv(tmp_path / "out" / "dropped.csv", keep_default_na=False)
    assert dropped["row"].tolist() == [2, 3, 4, 7]
    assert dropped["reason"].tolist() == ["duplicate", "not a molecule", "empty cell", "duplicate"]
    assert dropped["smiles"].tolist() == ["CCO", "C1CC", "", "Oc1ccccc1"]
    assert "ring 1" in dropped["detail"][1]


def test_nothing_is_lost_of_rows_that_are_dropped_or_merged(tmp_path):
    (tmp_path / "raw.csv").write_text(
        "name,smiles,y,z\na,CCO,1,\nb,OCC,>9,\nc,C1CC,7,8\nd,C(O)C,3,\n\ne,CCO,8,6\nf,CN,<2,1\ng,NC,>4,\n", encoding="utf-8"
    )
    report = prepare(tmp_path / "raw.csv", tmp_path / "out", properties=["y", "z"], id_column="name")
    frame = pd.read_parquet(tmp_path / "out" / "data.parquet")
    assert frame["id"].tolist() == ["a", "f"] and report.n_merged == 2
    np.testing.assert_array_equal(frame[["y", "z"]], [[3.0, 6.0], [np.nan, 1.0]])  # medians; a bound beside numbers is left out
    merged = pd.read_csv(tmp_path / "out" / "merged.csv", keep_default_na=False, dtype=str).set_index(["smiles", "property"])
    assert merged.loc[("CCO", "y")].tolist() == ["3", "3", "1", "8", "1 3 8", ">9", "a; b; d; e"]
    assert merged.loc[("CN", "y")].tolist() == ["", "0", "", "", "", "<2 >4", "f; g"]
    dropped = pd.read_csv(tmp_path / "out" / "dropped.csv", keep_default_na=False, dtype=str)
    assert dropped[["name", "y", "z"]].to_numpy().tolist() == [
        ["b", ">9", ""], ["c", "7", "8"], ["d", "3", ""], ["e", "8", "6"], ["g", ">4", ""]
    ]  # fmt: skip
    assert report.n_missing == {"y": 1, "z": 0}
    offences = {offence.row: str(offence.line) for offence in check(tmp_path / "raw.csv").offences}
    assert dict(zip(dropped["row"].astype(int), dropped["line"], strict=True)) == offences
    assert "median" in (tmp_path / "out" / "card.md").read_text()


def test_names_of_molecules_are_kept_without_being_asked_for_and_are_no_labels(tmp_path):
    raw = "Compound ID,smiles,pIC50\n17,CCO,5.5\n18,OCC,6.5\n19,C1CC,7\n20,CCN,8\n"
    (tmp_path / "raw.csv").write_text(raw, encoding="utf-8")
    report = prepare(tmp_path / "raw.csv", tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out" / "data.parquet")["id"].tolist() == ["17", "20"]
    assert list(report.properties) == ["pIC50"] == list(check(tmp_path / "raw.csv", properties=None).n_missing)
    assert pd.read_csv(tmp_path / "out" / "dropped.csv")["Compound ID"].tolist() == [18, 19]
    again = prepare(tmp_path / "out", tmp_path / "again")
    assert again.n_kept == 2 and pd.read_parquet(tmp_path / "again" / "data.parquet")["id"].tolist() == ["17", "20"]


def test_a_column_that_is_asked_for_as_a_label_is_no_name(tmp_path):
    frame = pd.DataFrame({"smiles": ["CCO", "CCN"], "CID": [1.0, 2.0]})
    report = prepare(frame, tmp_path / "out", properties=["cid"])
    assert list(report.properties) == ["CID"] and "id" not in pd.read_parquet(tmp_path / "out" / "data.parquet")


def test_prepare_names_the_line_that_check_names(tmp_path, caplog):
    (tmp_path / "raw.csv").write_text("smiles,y\nCCO,1\n\nCCN,high\nCCC,2\n", encoding="utf-8")
    prepare(tmp_path / "raw.csv", tmp_path / "out", properties=["y"])
    (found,) = check(tmp_path / "raw.csv", properties=["y"]).offences
    assert found.line == 4 and "a cell of 'y' is no number and counts as missing: line 4, 'high'" in caplog.text


def test_a_bound_in_a_single_row_is_kept_with_its_molecule_and_check_tells_the_same(tmp_path):
    rows = "name,smiles,y,note\na,OCC,>9,x\nb,CCC,1.5,\n\nc,C1CC,<2,\nd,CN,≤ 4.5,\ne,CCO,8,\nf,CCN,high,\n"
    (tmp_path / "raw.csv").write_text(rows, encoding="utf-8")
    report = prepare(tmp_path / "raw.csv", tmp_path / "out", properties=["y"], id_column="name")
    kept = pd.read_csv(tmp_path / "out" / "bounds.csv", dtype=str)
    assert kept.columns.tolist() == ["row", "line", "smiles", "property", "bound", "limit", "id"]
    assert kept.to_numpy().tolist() == [["1", "2", "CCO", "y", ">", "9", "a"], ["4", "6", "CN", "y", "<", "4.5", "d"]]
    assert report.n_bounds == {"y": 2} and "no labels, in bounds.csv: 2" in (tmp_path / "out" / "card.md").read_text()
    found = check(tmp_path / "raw.csv", properties=["y"], standardize=None)
    told = {(str(one.row), str(one.line)) for one in found.offences if one.reason == "label is a bound"}
    assert told == {("1", "2"), ("3", "5"), ("4", "6")}, "check names the bound of what is no molecule, too"
    assert found.counts["label is not a number"] == 1 and found.n_distinct == report.n_kept == 4


def test_without_bounds_there_is_no_file_of_them(raw, tmp_path):
    assert prepare(raw, tmp_path / "out").n_bounds == {} and not (tmp_path / "out" / "bounds.csv").exists()


def test_a_column_of_numbers_and_bounds_is_one_of_labels_and_check_looks_at_the_same(tmp_path):
    frame = pd.DataFrame(
        {"smiles": ["C", "CC.Cl", "CCC"], "y": [">9", "1", "2"], "series": ["a", "b", "1"], "split": ["train"] * 3}
    )
    report = prepare(frame, tmp_path / "out")
    assert list(report.properties) == ["y"] == list(check(frame, properties=None).n_missing) and report.n_bounds == {"y": 1}
    found = check(frame, properties=None, standardize=None)
    assert (found.n_distinct, found.n_fragments) == (report.n_kept, 1) == (3, 1)
    repeated = pd.DataFrame({"smiles": ["CC.Cl", "CC"]})
    assert (
        check(repeated, standardize=None).counts["duplicate"] == prepare(repeated, tmp_path / "two").dropped["duplicate"] == 1
    )


def test_rows_in_equal_rows_kept_plus_dropped(raw, tmp_path):
    report = prepare(raw, tmp_path / "out")
    assert report.n_rows == report.n_kept + sum(report.dropped.values())
    card = json.loads((tmp_path / "out" / "card.json").read_text())
    assert card["n_kept"] == report.n_kept and card["dropped"] == report.dropped
    text = (tmp_path / "out" / "card.md").read_text()
    assert "- dropped, duplicate: 2" in text and "| y |" in text


def test_a_user_s_table_is_freed_of_salts_unless_told_otherwise(raw, tmp_path):
    assert prepare(raw, tmp_path / "a").standardize == "salts"
    assert "CC(=O)[O-]" in pd.read_parquet(tmp_path / "a" / "data.parquet")["smiles"].tolist()
    prepare(raw, tmp_path / "b", standardize="neutral")
    assert "CC(=O)O" in pd.read_parquet(tmp_path / "b" / "data.parquet")["smiles"].tolist()


def test_columns_of_numbers_are_kept_unless_named(raw, tmp_path):
    assert list(prepare(raw, tmp_path / "a").properties) == ["y"]
    assert list(prepare(raw, tmp_path / "b", properties=()).properties) == []
    with pytest.raises(NothingUsableError, match="no column 'z'"):
        prepare(raw, tmp_path / "c", properties=["z"])
    assert not (tmp_path / "c").exists()


def test_splits_follow_their_rule(raw, tmp_path):
    for rule, function in (("hash", hash_split), ("scaffold", scaffold_split)):
        prepare(raw, tmp_path / rule, split=rule)
        frame = pd.read_parquet(tmp_path / rule / "data.parquet")
        assert frame["split"].tolist() == [function(smiles) for smiles in frame["smiles"]]
    prepare(raw, tmp_path / "none", split="none")
    assert "split" not in pd.read_parquet(tmp_path / "none" / "data.parquet")


def test_a_split_column_is_kept_and_its_odd_words_dropped(tmp_path):
    frame = pd.DataFrame({"smiles": ["C", "CC", "CCC"], "split": ["test", "Validation", "holdout"]})
    report = prepare(frame, tmp_path / "out")
    assert report.splits == {"valid": 1, "test": 1} and report.dropped == {"unknown split name": 1}
    assert prepare(frame, tmp_path / "hash", split="hash").n_kept == 3


def test_computed_properties_are_added(raw, tmp_path):
    prepare(raw, tmp_path / "out", compute=["logp"])
    frame = pd.read_parquet(tmp_path / "out" / "data.parquet")
    assert frame["logP"].tolist() == [compute("logP", smiles) for smiles in frame["smiles"]]
    with pytest.raises(UnknownNameError, match="property"):
        prepare(raw, tmp_path / "b", compute=["beauty"])


def test_a_prepared_folder_is_data_and_preparing_it_again_changes_nothing(raw, tmp_path):
    first = prepare(raw, tmp_path / "out", id_column="key")
    table = load_table(tmp_path / "out", properties=["y"], id_column="id")
    assert len(table) == first.n_kept and table.split is not None
    second = prepare(tmp_path / "out", tmp_path / "again", id_column="id", standardize="none")
    assert second.n_kept == first.n_kept and not second.dropped
    pd.testing.assert_frame_equal(*(pd.read_parquet(tmp_path / name / "data.parquet") for name in ("out", "again")))


def test_processes_make_the_same_folder(tmp_path):
    smiles = ["C" * (1 + i % 40) + "OC" * (i % 60) for i in range(1500)]
    for jobs in (1, 2):
        prepare(smiles, tmp_path / str(jobs), jobs=jobs)
    for name in ("data.parquet", "dropped.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@pytest.mark.parametrize("split", ["hash", "scaffold"])
def test_the_second_time_nothing_is_computed(split, tmp_path, monkeypatch):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("chemvae.chem.descriptors.LEAST_REMEMBERED", 10)
    smiles = ["OC" + "C" * i for i in range(40)] + ["", "CCO", "OC1CC1"]
    first = prepare(smiles, tmp_path / "1", compute=["logP", "rings"], split=split, standardize="none")
    for function in ("parse", "standardize", "compute_values"):
        monkeypatch.setattr(f"chemvae.chem.descriptors.{function}", None)  # would fail if it was called
    assert prepare(smiles, tmp_path / "2", compute=["logP", "rings"], split=split, standardize="none") == first
    for name in ("data.parquet", "dropped.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    with pytest.raises(NothingUsableError, match="no usable molecule.*the first, 'C1'"):
        prepare(["C1", "Q"], tmp_path / "out", smiles_column="smiles")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_replaced_only_if_allowed_and_only_prepared_ones(raw, tmp_path):
    prepare(raw, tmp_path / "out")
    with pytest.raises(InputError, match="--overwrite"):
        prepare(raw, tmp_path / "out")
    assert prepare(raw, tmp_path / "out", standardize="none", overwrite=True).standardize == "none"
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="not a prepared data set"):
        prepare(raw, tmp_path / "precious", overwrite=True)
    assert (tmp_path / "precious" / "thesis.txt").exists()


def test_wrong_settings_are_named(raw, tmp_path):
    with pytest.raises(SettingsError, match="auto, hash, scaffold, none"):
        prepare(raw, tmp_path / "out", split="random")
    with pytest.raises(SettingsError, match="none, salts, neutral"):
        prepare(raw, tmp_path / "out", standardize="all")


PEAK = """
import resource, sys
from chemvae.data.prepare.preparation import prepare
prepare(sys.argv[1], sys.argv[2], standardize="none")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_memory_does_not_grow_with_the_rows(tmp_path):
    peaks, sizes = [], (4_000, 34_000)
    for n_rows in sizes:
        path = tmp_path / f"{n_rows}.smi"
        path.write_text("".join(f"{write_in_base_five(i)} {i}\n" for i in range(n_rows)))
        env = {**os.environ, "CHEMVAE_CACHE": str(tmp_path / f"cache{n_rows}")}
        command = [sys.executable, "-c", PEAK, path, tmp_path / f"out{n_rows}"]
        out = subprocess.run(command, capture_output=True, text=True, env=env)
        assert out.returncode == 0, out.stderr
        peaks.append(int(out.stdout) * 1024)
    assert (peaks[1] - peaks[0]) / (sizes[1] - sizes[0]) < 200  # bytes per row; a set of the SMILES would take about 150


def write_in_base_five(number: int) -> str:
    """A chain molecule that is different for every number."""
    chain = ""
    while number:
        number, digit = divmod(number, 5)
        chain += ("C", "N", "O", "S", "C(F)")[digit]
    return f"Cl{chain}Br"


def test_options_in_one_and_by_name_mean_the_same(raw, tmp_path):
    spec = ReadingOptions(id_column="key", standardize="none", properties=["y"])
    first = prepare(raw, tmp_path / "a", spec)
    assert prepare(raw, tmp_path / "b", id_column="key", standardize="none", properties=["y"]) == first
    pd.testing.assert_frame_equal(*(pd.read_parquet(tmp_path / name / "data.parquet") for name in "ab"))
    with pytest.raises(UnknownNameError, match="'id_colum'. Did you mean 'id_column'"):
        prepare(raw, tmp_path / "c", id_colum="key")


def test_limit_and_symbol_check_hold_here_too(raw, tmp_path):
    def no_ring(smiles):
        return "holds 'c'" if "c" in smiles else None

    report = prepare(raw, tmp_path / "out", standardize="none", limit=6, symbol_check=no_ring)
    assert report.n_rows == 6 and sum(report.dropped.values()) == 4
    assert pd.read_parquet(tmp_path / "out" / "data.parquet")["smiles"].tolist() == ["CCO", canonicalize("[Na+].CC(=O)[O-]")]


def test_a_table_of_many_columns_keeps_each_with_its_own_numbers(tmp_path):
    names = [f"c{i}" for i in range(3000)]
    rows = [",".join([smiles, *(str(i * factor) for i in range(3000))]) for smiles, factor in (("CCO", 1), ("CCN", 2))]
    (tmp_path / "wide.csv").write_text("\n".join([",".join(["smiles", *names]), *rows]))
    report = prepare(tmp_path / "wide.csv", tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out/data.parquet").set_index("smiles")
    assert list(report.properties) == names
    assert table.loc["CCO", names].tolist() == list(range(3000)) and table.loc["CCN", "c2999"] == 5998
