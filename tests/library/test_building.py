"""A library holds each molecule once, whatever ended the building of it, and says where each came from."""

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from chemvae import library
from chemvae.chem.properties import compute_table
from chemvae.errors import ChemVAEError, InterruptedRunError, NothingUsableError, SettingsError
from chemvae.library import building
from chemvae.library.manifest import read_manifest
from chemvae.progress import CancelToken
from tests.library.conftest import SMILES, files_of


def table_of(path):
    """Rows of all shards, as anybody reads them."""
    return pd.concat([pd.read_parquet(one) for one in sorted(path.glob("*/table.parquet"))], ignore_index=True)


def test_every_molecule_is_there_once_in_order_with_its_values(lib, lib_model):
    table, manifest = table_of(lib), read_manifest(lib)
    assert (
        len(manifest.shards) >= 4 and table["smiles"].tolist() == SMILES and table["row"].tolist() == list(range(len(SMILES)))
    )
    names = list(manifest.settings.properties)
    assert {"logP", "MW", "qed"} <= set(names)
    np.testing.assert_allclose(table[names], compute_table(SMILES, names))
    points = np.concatenate([np.load(one) for one in sorted(lib.glob("*/points.npy"))])
    np.testing.assert_allclose(points, lib_model.encode(SMILES), atol=1e-5)


def test_codes_take_a_byte_for_each_dimension(lib, lib_model):
    codes = [np.load(one) for one in sorted(lib.glob("*/codes.npy"))]
    assert {one.dtype for one in codes} == {np.dtype(np.int8)}
    assert sum(one.nbytes for one in codes) == len(SMILES) * lib_model.latent_dim


def test_duplicates_and_what_is_no_molecule_are_left_out_and_counted(csv, tmp_path, lib_model, work):
    reading = library.Reading(id_column="name")
    library.build(csv, tmp_path / "lib", lib_model, ["assay"], reading, work)
    (source,) = library.info(tmp_path / "lib")["sources"]
    assert (source["n_rows"], source["n_kept"], source["n_known"]) == (len(SMILES) + 3, len(SMILES), 2)
    assert list(source["left_out"].values()) == [1] and source["is_complete"]
    table = table_of(tmp_path / "lib")
    assert table["id"].tolist() == [f"m{i}" for i in range(len(SMILES))] and table["assay"].isna().tolist().count(True) == 1
    assert table["assay"][7] == 7.0


def test_what_is_added_twice_is_there_once(lib_model, tmp_path, work):
    path = tmp_path / "lib"
    library.build(SMILES[:100], path, lib_model, work=work)
    for _ in range(2):
        library.append(path, SMILES[50:], lib_model, work=work)
    assert table_of(path)["smiles"].tolist() == SMILES and library.verify(path) == []
    other_way_round = [f"{one}" for one in reversed(SMILES)]
    assert library.append(path, other_way_round, lib_model, work=work).n_rows == len(SMILES)


@pytest.mark.parametrize("n_shards", [0, 1, 3])
def test_a_build_that_was_ended_goes_on_and_makes_the_same_files(csv, tmp_path, lib_model, work, n_shards, monkeypatch):
    """The process is gone without a word after so many shards; what lies around of the next one is of no account."""
    whole, cut, write = tmp_path / "whole", tmp_path / "cut", building.write_shard
    library.build(csv, whole, lib_model, work=work)

    def dying(library_path, name, *rest):
        if int(name) == n_shards:
            (library_path / name).mkdir()
            (library_path / name / "codes.npy").write_bytes(b"half")
            raise SystemExit
        return write(library_path, name, *rest)

    monkeypatch.setattr(building, "write_shard", dying)
    with pytest.raises(SystemExit):
        library.build(csv, cut, lib_model, work=work)
    monkeypatch.setattr(building, "write_shard", write)
    assert len(list(cut.glob("*/table.parquet"))) == n_shards
    library.build(csv, cut, lib_model, work=work)
    assert files_of(cut) == files_of(whole)
    before = files_of(cut)
    library.build(csv, cut, lib_model, work=work)
    assert files_of(cut) == before, "a complete build has nothing to do"


def test_what_is_cancelled_is_saved_and_gone_on_with(csv, tmp_path, lib_model):
    path, work = tmp_path / "lib", library.Work(shard_rows=64)
    token = CancelToken()
    with pytest.raises(InterruptedRunError, match="saved in"):
        library.build(
            csv, path, lib_model, work=work, progress=lambda now: token.cancel() if now.done > 100 else None, cancel=token
        )
    n_saved = read_manifest(path).n_rows
    assert 64 <= n_saved < len(SMILES) and not library.info(path)["is_complete"]
    library.build(csv, path, lib_model, work=work)
    assert sorted(table_of(path)["smiles"]) == sorted(SMILES) and library.info(path)["is_complete"]


def test_a_full_disk_loses_nothing_that_was_there(csv, tmp_path, lib_model, work, monkeypatch):
    path, save = tmp_path / "lib", np.save

    def full(file, array):
        if "000002" in str(file):
            raise OSError(28, "No space left on device")
        save(file, array)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(ChemVAEError, match="No space left"):
        library.build(csv, path, lib_model, work=work)
    monkeypatch.setattr(np, "save", save)
    assert read_manifest(path).n_rows == 128 and library.verify(path) == []
    library.build(csv, path, lib_model, work=work)
    assert table_of(path)["smiles"].tolist() == SMILES


def test_another_table_or_other_settings_are_no_continuation(csv, tmp_path, lib_model, work):
    path = tmp_path / "lib"
    library.build(csv, path, lib_model, work=work)
    with pytest.raises(ChemVAEError, match="other settings.*append"):
        library.build(csv, path, lib_model, ["qed"], work=work)
    csv.write_text("smiles\nCCO\n")
    with pytest.raises(ChemVAEError, match="other tables.*append"):
        library.build(csv, path, lib_model, work=work)


def test_two_sheets_of_one_book_are_two_sources(tmp_path, lib_model, work):
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        for name, part in (("a", SMILES[:10]), ("b", SMILES[10:20])):
            pd.DataFrame({"smiles": part}).to_excel(book, sheet_name=name, index=False)
    sheets = [f"{tmp_path / 'book.xlsx'}:{name}" for name in "ab"]
    assert library.build(sheets, tmp_path / "lib", lib_model, work=work).n_rows == 20


def test_names_that_a_library_needs_itself_are_refused(csv, tmp_path, lib_model):
    with pytest.raises(SettingsError, match="distance"):
        library.build(csv, tmp_path / "lib", lib_model, ["Distance"])


def test_a_table_without_a_molecule_leaves_nothing_behind(tmp_path, lib_model):
    with pytest.raises(NothingUsableError):
        library.build(pd.DataFrame({"smiles": ["C1CC", "x"]}), tmp_path / "lib", lib_model)
    assert not (tmp_path / "lib").exists()


def test_a_model_in_memory_must_be_given_again_and_another_is_refused(lib, vocabulary):
    from tests.conftest import make_model

    with pytest.raises(SettingsError, match="give that model"):
        library.append(lib, ["CCO"])
    other = make_model(vocabulary, ("logP",))
    with pytest.raises(SettingsError, match="built with another model"):
        library.search(lib, library.Query("CCO"), other)


def test_two_workers_build_what_one_does(csv, tmp_path, lib_model):
    for jobs in (1, 2):
        library.build(csv, tmp_path / f"{jobs}", lib_model, work=library.Work(jobs, shard_rows=128))
    one, two = table_of(tmp_path / "1"), table_of(tmp_path / "2")
    pd.testing.assert_frame_equal(one, two)


def test_others_read_it_without_us(lib):
    table = pyarrow.parquet.read_table(lib / "000000" / "table.parquet")
    assert table.schema.field("smiles").type == "string" and table.schema.field("logP").type == "double"
    duckdb = pytest.importorskip("duckdb", reason="duckdb comes with the extra 'library'")
    query = f"SELECT smiles FROM '{lib}/*/table.parquet' WHERE logP > 1 AND logP < 2 ORDER BY row"
    logp = compute_table(SMILES, ["logP"])["logP"]
    expected = [one for one, value in zip(SMILES, logp, strict=True) if 1 < value < 2]
    assert [row[0] for row in duckdb.sql(query).fetchall()] == expected and expected
