"""chemvae data: list, show, prepare, check."""

import json

import pandas as pd

from chemvae.data.catalog.locate import DATASETS

MESSY = "smiles,y\nOCC,1\nCCO,2\nC1CC,3\nCCN,high\n,4\nCCCl,5\n"


def test_list_names_every_set(chemvae):
    lines = chemvae("data", "list").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == list(DATASETS)


def test_show_prints_the_card_whatever_the_case(chemvae):
    shown = chemvae("data", "show", "ZINC250K").stdout
    assert "239,455" in shown and "sha256" in shown and "logP" in shown


def test_check_lists_each_offending_line_on_stdout(chemvae, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY)
    found = chemvae("data", "check", "messy.csv", "-p", "y")
    assert found.exit_code == 0, found.output
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert [(line[0], line[1]) for line in lines] == [
        ("line 3", "duplicate"),
        ("line 4", "not a molecule"),
        ("line 5", "label is not a number"),
        ("line 6", "empty cell"),
    ]
    assert "ring 1" in lines[1][3] and "usable" in found.stderr


def test_check_as_json(chemvae, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY)
    found = json.loads(chemvae("data", "check", "messy.csv", "--json", "-").stdout)
    assert (found["n_rows"], found["n_valid"], found["n_distinct"]) == (6, 4, 3)
    assert found["counts"] == {"duplicate": 1, "not a molecule": 1, "empty cell": 1}


def test_check_with_a_model_finds_symbols_it_cannot_write(chemvae, tiny_run):
    found = chemvae("data", "check", "-", "-m", tiny_run, stdin="CCO\nC[Si](C)C\n")
    assert "unknown symbol" in found.stdout


def test_prepare_leaves_a_clean_folder_and_a_list_of_what_is_missing(chemvae, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY)
    found = chemvae("data", "prepare", "messy.csv", "-p", "y", "--compute", "qed")
    assert found.exit_code == 0, found.output
    folder = tmp_path / "data" / "messy"
    table = pd.read_parquet(folder / "data.parquet")
    assert table["smiles"].tolist() == ["CCO", "CCN", "CCCl"] and {"y", "qed", "split"} <= set(table.columns)
    assert len(pd.read_csv(folder / "dropped.csv")) == 3
    assert "chemvae train data/messy -p y -p qed" in found.stderr.replace("\\", "/")
    assert chemvae("data", "check", "data/messy").exit_code == 0


def test_prepare_does_not_write_over_a_folder(chemvae, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY)
    assert chemvae("data", "prepare", "messy.csv", "-o", "out").exit_code == 0
    found = chemvae("data", "prepare", "messy.csv", "-o", "out")
    assert found.exit_code == 1 and "--overwrite" in found.stderr


def test_a_set_of_the_catalog_from_a_copy(chemvae, tmp_path):
    columns = "compound,smiles,log10_solubility_mol_per_L,esol_predicted_log10_solubility"
    (tmp_path / "copy.csv").write_text(f"{columns}\nethanol,CCO,1.1,0.9\nether,CCOCC,0.0,0.1\n")
    found = chemvae("data", "prepare", "esol", "--from", "copy.csv", "-o", "out")
    assert found.exit_code == 0, found.output
    assert len(pd.read_parquet(tmp_path / "out" / "data.parquet")) == 2


def test_learning_is_suggested_from_as_many_labels_as_it_takes():
    from chemvae.commands.data import FEWEST_LABELS
    from chemvae.qsar.model import FEWEST

    assert FEWEST_LABELS == FEWEST
