"""encode, predict, decode: a row for every row, in order, with what the table held."""

import io

import numpy as np
import pandas as pd
import pytest

from chemvae import api

MIXED = "id,smiles,logP,note\na,OCC,1,first\nb,C1CC,2,\nc,CCCN,3,007\nd,[Ru],4,x\ne,,5,y\n"


@pytest.fixture(scope="module")
def model(tiny_run):
    return api.load(tiny_run, "cpu")


@pytest.fixture
def mixed(tmp_path):
    (tmp_path / "mixed.csv").write_text(MIXED)
    return tmp_path / "mixed.csv"


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype={"note": str}, keep_default_na=False, na_values={"z_0": [""], "distance": [""]})


def test_encode_keeps_every_row_with_its_columns_and_says_why_one_is_empty(chemvae, tiny_run, model, mixed):
    found = table(chemvae("encode", mixed, "-m", tiny_run).stdout)
    assert found["id"].tolist() == list("abcde")
    assert found["smiles"].tolist() == ["OCC", "C1CC", "CCCN", "[Ru]", ""]
    assert found["note"].tolist() == ["first", "", "007", "x", "y"]
    assert found["reason"].map(bool).tolist() == [False, True, False, True, True]
    assert found["z_0"].isna().tolist() == [False, True, False, True, True]
    z = found.loc[[0, 2], [f"z_{i}" for i in range(model.latent_dim)]].to_numpy(np.float32)
    np.testing.assert_allclose(z, model.encode(["CCO", "CCCN"]), rtol=1e-5, atol=1e-6)


def test_skip_leaves_bad_rows_out_and_counts_them(chemvae, tiny_run, mixed):
    found = chemvae("encode", mixed, "-m", tiny_run, "--on-invalid", "skip")
    assert table(found.stdout)["id"].tolist() == ["a", "c"]
    assert "3 of 5 rows" in found.stderr and "unknown symbol: 1" in found.stderr
    assert "A model that writes them all: chemvae train DATA --init" in found.stderr.replace("\n", " ")


@pytest.mark.parametrize("name", ["z.csv", "z.tsv", "z.csv.gz", "z.parquet", "z.npy"])
def test_a_point_survives_every_format(chemvae, tiny_run, model, table_csv, name):
    smiles = pd.read_csv(table_csv)["smiles"].head(20)
    smiles.to_csv("twenty.smi", index=False, header=False)
    assert chemvae("encode", "twenty.smi", "-m", tiny_run, "-o", name).exit_code == 0
    decoded = chemvae("decode", name, "-m", tiny_run)
    assert decoded.exit_code == 0, decoded.output
    found = table(decoded.stdout)
    column = "smiles" if name == "z.npy" else "smiles_decoded"
    expected = model.decode(model.encode(smiles.tolist()))
    assert found[column].tolist() == expected["smiles"].tolist()
    assert found["row"].tolist() == list(range(20))


def test_stdin_and_stdout(chemvae, tiny_run):
    found = chemvae("encode", "-", "-m", tiny_run, "-o", "-", stdin="CCO ethanol\nCCN\n")
    lines = found.stdout.splitlines()
    assert lines[0].startswith("smiles,name,z_0,") and lines[1].startswith("CCO,ethanol,")
    assert len(lines) == 3


def test_a_column_of_theirs_keeps_its_name_and_ours_gets_a_suffix(chemvae, tiny_run, model, mixed):
    found = table(chemvae("predict", mixed, "-m", tiny_run).stdout)
    assert found["logP"].tolist() == [1, 2, 3, 4, 5]
    assert {"logP_predicted", "logP_predicted_std", "qed", "qed_std", "distance", "reason"} <= set(found.columns)
    expected = model.predict(["CCO", "CCCN"])
    np.testing.assert_allclose(found.loc[[0, 2], "distance"], expected["distance"], rtol=1e-4)
    assert found["distance"].isna().tolist() == [False, True, False, True, True]


def test_predict_without_clash_has_the_names_of_python(chemvae, tiny_run, model):
    found = table(chemvae("predict", "-", "-m", tiny_run, "--on-invalid", "skip", stdin="CCO\n").stdout)
    assert found.columns.tolist() == ["smiles", *model.predict(["CCO"]).columns]


def test_a_salt_is_cleaned_for_the_model_and_kept_for_the_user(chemvae, tiny_run, model):
    found = table(chemvae("encode", "-", "-m", tiny_run, "--standardize", "salts", stdin="Cl.OCCC\n").stdout)
    assert found["smiles"].tolist() == ["Cl.OCCC"]
    np.testing.assert_allclose(found.filter(regex="^z_").to_numpy(), model.encode(["CCCO"]), rtol=1e-5, atol=1e-6)


def test_decode_draws_as_often_as_asked_and_repeats_with_a_seed(chemvae, tiny_run, mixed):
    chemvae("encode", mixed, "-m", tiny_run, "-o", "z.csv")
    words = ["decode", "z.csv", "-m", tiny_run, "--samples", 3, "--temperature", 1]
    first, again, other = (chemvae(*words, "--seed", seed).stdout for seed in (1, 1, 2))
    assert first == again != other
    found = table(first)
    assert found["row"].tolist() == sorted([0, 1, 2, 3, 4] * 3)
    assert found["id"].tolist() == sorted("abcde" * 3)
    lost = found[found["row"].isin([1, 3, 4])]
    assert not lost["valid"].any() and (lost["smiles_decoded"] == "").all()


def test_nothing_is_written_over_unless_asked(chemvae, tiny_run, mixed, tmp_path):
    (tmp_path / "z.csv").write_text("precious")
    refused = chemvae("encode", mixed, "-m", tiny_run, "-o", "z.csv")
    assert refused.exit_code == 1 and "--overwrite" in refused.stderr
    assert (tmp_path / "z.csv").read_text() == "precious"
    assert chemvae("encode", mixed, "-m", tiny_run, "-o", "z.csv", "--overwrite").exit_code == 0
    assert (tmp_path / "z.csv").read_text().startswith("id,smiles")


def test_an_unknown_ending_is_refused_before_any_work(chemvae, mixed):
    found = chemvae("encode", mixed, "-m", "no-such-model", "-o", "z.docx")
    assert found.exit_code == 2 and ".parquet" in found.stderr


def test_one_molecule_works_everywhere(chemvae, tiny_run, tmp_path):
    (tmp_path / "one.smi").write_text("CCCO\n")
    for words in (["encode", "one.smi"], ["predict", "one.smi"], ["map", "one.smi"]):
        found = chemvae(*words, "-m", tiny_run)
        assert found.exit_code == 0, found.output


@pytest.mark.parametrize("words", [["--best-of", 4], ["--beam", 3], ["--mask-syntax"], ["--beam", 2, "--mask-syntax"]])
def test_help_in_decoding_keeps_rows_and_columns_and_loses_no_molecule(chemvae, tiny_run, table_csv, words):
    pd.read_csv(table_csv)["smiles"].head(40).to_csv("forty.smi", index=False, header=False)
    chemvae("encode", "forty.smi", "-m", tiny_run, "-o", "z.npy")
    plain, helped = (table(chemvae("decode", "z.npy", "-m", tiny_run, *extra).stdout) for extra in ([], words))
    assert helped.columns.tolist() == plain.columns.tolist() and helped["row"].tolist() == list(range(40))
    assert helped["valid"].sum() >= plain["valid"].sum() > 0


def test_decoding_helps_that_contradict_each_other_are_refused(chemvae, tiny_run):
    found = chemvae("decode", "z.npy", "-m", tiny_run, "--best-of", 4, "--beam", 2, "-n", 3)
    assert found.exit_code == 2 and "choose one" in found.stderr and "Traceback" not in found.output


def test_new_properties_come_with_intervals_and_say_how_far_to_trust_them(chemvae, tiny_run, table_csv):
    measured = pd.read_csv(table_csv)
    measured.assign(heat=measured["smiles"].str.len() + measured["logP"]).iloc[:120].to_csv("measured.csv", index=False)
    measured[["name", "smiles"]].iloc[110:130].to_csv("mine.csv", index=False)
    found = chemvae("predict", "mine.csv", "--fit", "measured.csv", "-p", "heat", "-m", tiny_run)
    assert found.exit_code == 0, found.output
    answers = table(found.stdout)
    assert answers.columns.tolist() == ["name", "smiles", "heat", "heat_std", "heat_low", "heat_high", "similarity", "reason"]
    truth = (measured["smiles"].str.len() + measured["logP"]).to_numpy()[110:130]
    assert np.abs(answers["heat"] - truth).mean() < 0.5 * truth.std()
    assert "learned from 120 molecules" in found.stderr and "without its scaffold" in found.stderr
    assert "10 rows hold molecules that were learned from" in found.stderr


def test_flags_of_predict_that_do_not_fit_together(chemvae, tiny_run, mixed):
    for words, said in (
        (["-p", "logP"], "--fit TABLE"),
        (["--fit", mixed], "-p logP"),
        (["--fit", mixed, "-p", "logP", "--computed"], "leave out --fit"),
    ):
        found = chemvae("predict", mixed, "-m", tiny_run, *words)
        assert found.exit_code == 2 and said in found.stderr
    few = chemvae("predict", mixed, "-m", tiny_run, "--fit", mixed, "-p", "logP")
    assert few.exit_code == 3 and "at least 20" in few.stderr
