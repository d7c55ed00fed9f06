"""chemvae library and chemvae search, as they are typed."""

import json

import pandas as pd
import pytest
from rdkit import Chem

from chemvae import library
from chemvae.errors import EXIT_FAILED, EXIT_NOTHING_USABLE, EXIT_USAGE
from tests.commands.conftest import small_molecules

NITRO = "[N+](=O)[O-]"


@pytest.fixture(scope="module")
def lib(tiny_run, table_csv, tmp_path_factory):
    """The library of the session's table."""
    path = tmp_path_factory.mktemp("libraries") / "LIB"
    library.build(table_csv, path, tiny_run, ["qed"], library.Reading(id_column="name"), library.Work(shard_rows=90))
    return path


def test_a_library_is_built_added_to_shown_and_verified(chemvae, tiny_run, table_csv, tmp_path):
    words = ["-m", tiny_run, "-o", "LIB", "--id-column", "name", "-p", "qed"]
    done = chemvae("library", "build", table_csv, *words)
    assert done.exit_code == 0 and f"{len(small_molecules()):,} molecules in 1 shards: LIB" in done.stderr
    (tmp_path / "more.csv").write_text("smiles\nCCCCCCO\nOCC\nC1CC\n")
    done = chemvae("library", "append", "LIB", "more.csv")
    assert done.exit_code == 0 and "more.csv: 1 new molecules of 3 rows, 1 known already; left out: ring 1" in done.stderr
    done = chemvae("library", "info", "LIB", "--json", "-")
    assert json.loads(done.stdout)["n_molecules"] == len(small_molecules()) + 1
    assert "MW (g/mol)" in chemvae("library", "info", "LIB").stderr
    assert chemvae("library", "verify", "LIB").exit_code == 0
    (tmp_path / "LIB" / "000001" / "points.npy").write_bytes(b"x")
    done = chemvae("library", "verify", "LIB", "--json", "problems.json")
    assert done.exit_code == EXIT_FAILED and "000001/points.npy" in done.stderr
    assert json.loads((tmp_path / "problems.json").read_text())["problems"]
    done = chemvae("search", "LIB", "--near", "CCO")
    assert done.exit_code == EXIT_FAILED and "Copy this shard again" in done.stderr


@pytest.mark.parametrize("name", ["hits.csv", "hits.tsv", "hits.parquet", "hits.sdf", "hits.svg"])
def test_hits_are_written_as_the_ending_says(chemvae, lib, tmp_path, name):
    near = ["--near", "OCCc1ccccc1", "-n", 7, "--where", "1<logP<3", "--without", NITRO]
    done = chemvae("search", lib, *near, "-o", name)
    assert done.exit_code == 0 and f"7 hits: {name}" in done.stderr
    table = library.search(lib, library.Query("OCCc1ccccc1", 7, where="1<logP<3", without=NITRO)).table
    if name.endswith(".sdf"):
        records = list(Chem.SDMolSupplier(str(tmp_path / name)))
        assert [Chem.MolToSmiles(one) for one in records] == table["smiles"].tolist()
        assert [one.GetProp("_Name") for one in records] == table["id"].tolist()
        assert [float(one.GetProp("distance")) for one in records] == pytest.approx(table["distance"].tolist())
    elif name.endswith(".svg"):
        assert (tmp_path / name).read_text().count("<svg") == 8
    else:
        read = pd.read_parquet if name.endswith(".parquet") else pd.read_csv
        kind = {} if name.endswith((".csv", ".parquet")) else {"sep": "\t"}
        found = read(tmp_path / name, **kind)
        assert found["smiles"].tolist() == table["smiles"].tolist() and table["logP"].between(1, 3).all()
    assert chemvae("search", lib, *near, "-o", name).exit_code == EXIT_FAILED
    assert chemvae("search", lib, *near, "-o", name, "--overwrite").exit_code == 0


def test_without_a_file_hits_are_csv_on_stdout(chemvae, lib):
    done = chemvae("search", lib, "--with", "c1ccccc1", "-n", 3)
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and len(lines) == 4 and lines[0].startswith("row,id,smiles,logP")
    done = chemvae("search", lib, "--where", "logP > 99")
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 1 and "0 hits" in done.stderr
    done = chemvae("search", lib, "--near", "CCO", "--space", "fingerprint", "-n", 2)
    assert done.stdout.splitlines()[0].startswith("row,id,smiles,similarity")


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--near", "C1CC"], EXIT_FAILED, "ring 1"),
        (["--near", "CCO", "--where", "import os"], EXIT_USAGE, "cannot be read as a condition"),
        (["--near", "CCO", "--where", "lgP<1"], EXIT_USAGE, "Did you mean 'logP'"),
        (["--near", "CCO", "--without", "C(("], EXIT_USAGE, "not a SMARTS"),
        (["--near", "CCO", "-n", "0"], EXIT_USAGE, "n must be >= 1"),
        (["--near", "CCO", "-o", "hits.doc"], EXIT_USAGE, "must end in"),
        (["--near", "CCO", "-m", "drug"], EXIT_USAGE, "another model"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(chemvae, lib, words, code, said):
    done = chemvae("search", lib, *words)
    assert done.exit_code == code and said in done.stderr and "Traceback" not in done.stderr


def test_no_library_and_no_molecule_are_told(chemvae, tiny_run, tmp_path):
    done = chemvae("search", "nowhere", "--near", "CCO")
    assert done.exit_code == EXIT_FAILED and "chemvae library build FILES -o nowhere" in done.stderr
    (tmp_path / "bad.csv").write_text("smiles\nC1CC\nCC(\n")
    done = chemvae("library", "build", "bad.csv", "-m", tiny_run, "-o", "LIB")
    assert done.exit_code == EXIT_NOTHING_USABLE and not (tmp_path / "LIB").exists()
    assert chemvae("library", "build", "missing.csv", "-m", tiny_run, "-o", "LIB").exit_code == EXIT_FAILED
    assert not (tmp_path / "LIB").exists()


def test_python_searches_with_the_words_of_the_command(chemvae, lib, tmp_path):
    import chemvae as package

    found = package.search(lib, "OCCc1ccccc1", 4, where="logP<3", having="c1ccccc1", out=tmp_path / "a.csv")
    chemvae("search", lib, "--near", "OCCc1ccccc1", "-n", 4, "--where", "logP<3", "--with", "c1ccccc1", "-o", "b.csv")
    assert len(found) == 4 and (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    assert package.library.info(lib)["n_molecules"] == len(small_molecules())
