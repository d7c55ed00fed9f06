"""Named data sets: where they are looked for, whose copy is read how, and what is made."""

import gzip
import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from chemvae.chem import descriptors
from chemvae.chem.molecules import canonicalize, standardize
from chemvae.chem.properties import compute
from chemvae.data.catalog import locate as catalog
from chemvae.data.catalog.cards import DATASETS, Upstream
from chemvae.data.catalog.locate import is_catalog_name, load_dataset, locate
from chemvae.data.prepare.preparation import prepare
from chemvae.data.prepare.tables import load_table
from chemvae.data.splits import hash_split
from chemvae.errors import InputError, UnknownNameError

UPSTREAM_ZINC = 'smiles,logP,qed,SAS\n"CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1\n",5.0506,0.702012,2.0841\n"OCC\n",1,2,3\n'


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """An empty cache, and a data folder that is not named yet."""
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CHEMVAE_DATA", raising=False)
    (tmp_path / "data").mkdir()
    return tmp_path


def write_local(folder, name, frame):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / DATASETS[name].local[0].name
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    return path


def freesolv(value):
    return pd.DataFrame({"smiles": ["CCO"], "dG_hyd_exp_kcal_per_mol": [value], "dG_hyd_calc_kcal_per_mol": [0], "name": ["x"]})


def test_the_publisher_s_zinc_is_computed_anew_and_split(places):
    path = places / "250k_rndm_zinc_drugs_clean_3.csv"
    path.write_text(UPSTREAM_ZINC)
    frame = load_dataset("zinc250k", path)
    assert frame.columns.tolist() == ["smiles", "logP", "qed", "SAS", "split"]
    assert frame["smiles"].tolist() == ["CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1", "OCC"]
    assert frame["qed"][1] == pytest.approx(0.731901, abs=1e-6)  # the publisher's older value is 0.702012
    assert frame["logP"].tolist() == [compute("logP", smiles) for smiles in frame["smiles"]]
    assert frame["split"].tolist() == [hash_split(canonicalize(smiles)) for smiles in frame["smiles"]]


def test_our_copy_of_zinc_is_taken_as_it_is(places):
    frame = pd.DataFrame({"smiles": ["OCC"], "logP": [9], "qed": [9], "SAS": [9], "split": ["test"]})
    write_local(places / "data", "zinc250k", frame)
    table = load_table("ZINC250k", properties=["qed"], source_path=places / "data")
    assert table.labels.tolist() == [[9.0]] and table.split.tolist() == ["test"] and table.smiles == ["CCO"]


def test_the_path_goes_before_chemvae_data_before_the_cache(places, monkeypatch):
    write_local(places / "cache" / "datasets", "freesolv", freesolv(3))
    values = [load_dataset("freesolv")["dG_hyd_exp_kcal_per_mol"][1]]
    write_local(places / "data", "freesolv", freesolv(2))
    monkeypatch.setenv("CHEMVAE_DATA", str(places / "data"))
    values.append(load_dataset("freesolv")["dG_hyd_exp_kcal_per_mol"][1])
    given = write_local(places / "given", "freesolv", freesolv(1))
    values.append(load_dataset("freesolv", given)["dG_hyd_exp_kcal_per_mol"][1])
    assert values == ["3", "2", "1"]


def test_a_changed_copy_is_read_with_a_warning(places, caplog):
    write_local(places / "data", "freesolv", freesolv(1))
    locate("freesolv", places / "data")
    assert "not the copy that the card of freesolv describes" in caplog.text


def test_publishers_columns_get_our_names_and_files_are_stacked(places):
    for part, smiles in (("train", "CCO"), ("val", "CCN"), ("test", "CCC")):
        (places / "data" / f"smiles_target_{part}.csv").write_text(f"smiles,energy_max_osc\n{smiles},3.5\n")
    frame = load_dataset("dyes", places / "data")
    assert frame["tddft_peak_eV"].tolist() == ["3.5"] * 3
    assert frame["split"].tolist() == ["train", "valid", "test"] and frame.index.tolist() == [1, 2, 3]


def test_older_properties_are_computed_anew_once_and_rows_without_a_molecule_have_none(places, monkeypatch):
    monkeypatch.setattr("chemvae.chem.descriptors.LEAST_REMEMBERED", 3)
    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "OCC", "C1CC"]
    rows = "".join(f'"{one}\n",9,9,9\n' for one in smiles)  # the publisher's cells end in a line break
    (places / "data" / DATASETS["zinc250k"].upstream[0].file_name).write_text(f"smiles,logP,qed,SAS\n{rows}")
    for _ in range(2):
        frame = load_dataset("zinc250k", places / "data")
        assert frame["smiles"].tolist() == smiles and frame["split"].tolist() == [hash_split(s) for s in (smiles[0], "CCO")] + [
            ""
        ]
        for name in ("logP", "qed", "SAS"):
            np.testing.assert_array_equal(frame[name], [compute(name, one) for one in smiles])
        monkeypatch.setattr("chemvae.chem.descriptors.compute_values", None)  # the second time it would fail


def test_a_publisher_s_molecules_are_cleaned_once(places, monkeypatch):
    cleaned = []
    monkeypatch.setattr(descriptors, "standardize", lambda text, mode: cleaned.append(text) or standardize(text, mode))
    path = places / "data" / DATASETS["zinc250k"].upstream[0].file_name
    path.write_text(UPSTREAM_ZINC + '"C1CC\n",1,2,3\n,1,2,3\n')
    report = prepare("zinc250k", places / "out", source_path=path)
    assert (report.n_rows, report.n_kept, report.dropped) == (4, 2, {"not a molecule": 1, "empty cell": 1})
    assert cleaned == ["CC(C)(C)c1ccc2occ(CC(=O)Nc3ccccc3F)c2c1", "OCC", "C1CC", ""]


def test_a_download_is_checked_read_and_not_repeated(places, monkeypatch):
    content = b"iupac,smiles,expt,calc\nethanol,CCO,-5.0,-4.9\n"
    calls = []

    def fake_fetch(url, target, sha256, progress):
        calls.append((url, sha256))
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        return target

    monkeypatch.setattr(catalog, "fetch", fake_fetch)
    assert load_dataset("freesolv")["name"].tolist() == ["ethanol"]
    assert load_dataset("freesolv")["dG_hyd_exp_kcal_per_mol"].tolist() == ["-5.0"]
    assert calls == [(DATASETS["freesolv"].upstream[0].url, DATASETS["freesolv"].upstream[0].sha256)]


def test_a_download_that_fails_says_what_to_do(places, monkeypatch):
    content = b"x"
    card = DATASETS["esol"]
    dead = Upstream("http://127.0.0.1:9/esol.csv", hashlib.sha256(content).hexdigest(), 1, card.upstream[0].columns)
    monkeypatch.setitem(DATASETS, "esol", replace(card, upstream=(dead,)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(InputError, match="could not be downloaded.*--from PATH"):
        load_dataset("esol")


def test_what_cannot_be_assembled_names_the_addresses(places):
    with pytest.raises(InputError, match="cannot assemble it.*OLED-MAMA.*--from PATH"):
        load_dataset("oled-measured")


def test_copies_that_are_not_copies_are_refused(places):
    (places / "other.csv").write_text("structure,y\nCCO,1\n")
    with pytest.raises(InputError, match="not a copy of esol: it lacks the columns.*it has: structure, y"):
        locate("esol", places / "other.csv")
    with pytest.raises(InputError, match="holds no copy of esol: looked for esol.csv.gz or delaney-processed.csv"):
        locate("esol", places / "data")
    with pytest.raises(InputError, match="There is no file"):
        locate("esol", places / "nowhere.csv")
    with pytest.raises(UnknownNameError, match="Did you mean 'zinc250k'"):
        locate("zinc250")


def test_a_file_of_that_name_goes_before_the_catalog(places, monkeypatch):
    monkeypatch.chdir(places)
    assert is_catalog_name("esol") and not is_catalog_name(places)
    (places / "esol").write_text("CCO\n")
    assert not is_catalog_name("esol") and load_table("esol").smiles == ["CCO"]


def test_made_sets_need_no_files_and_stop_at_the_limit(places):
    table = load_table("virtual-drugs", properties=["logP", "QED"], limit=20)
    assert len(table) == 20 and table.units == {"logP": "1", "qed": "1"} and table.labels.shape == (20, 2)
    assert table.labels[0, 0] == compute("logP", table.smiles[0])
    assert not (places / "cache").exists()


def test_made_sets_are_made_once(places, monkeypatch):
    from chemvae.data.virtual import enumeration

    first = list(enumeration.stream_library("virtual-drugs", DATASETS["virtual-drugs"].properties, limit=30))
    monkeypatch.setattr(enumeration, "stream_library", lambda *_, **__: iter(first))
    made = load_dataset("virtual-drugs")
    monkeypatch.setattr(enumeration, "stream_library", None)
    again = load_dataset("virtual-drugs")
    pd.testing.assert_frame_equal(made, again)
    assert load_table("virtual-drugs", limit=7).smiles == made["smiles"].tolist()[:7]
    assert [path.suffix for path in (places / "cache" / "made").iterdir()] == [".parquet"]


def test_minutes_of_making_say_how_far_they_are(places, monkeypatch, caplog):
    from dataclasses import replace

    from chemvae.data.catalog import made
    from chemvae.data.catalog.cards.base import Counts

    monkeypatch.setattr(made, "CHUNK_ROWS", 3)
    first = list(made.enumeration.stream_library("virtual-oleds", DATASETS["virtual-oleds"].properties, limit=10))
    monkeypatch.setattr(made.enumeration, "stream_library", lambda *_, **__: iter(first))
    caplog.set_level("INFO", "chemvae")
    list(made.made_chunks(replace(DATASETS["virtual-oleds"], counts=Counts(10, 10)), 100, None, jobs=1))
    told = [record.getMessage().split() for record in caplog.records if "are made" in record.getMessage()]
    assert [int(words[0]) for words in told] == [30, 60, 90, 100]
