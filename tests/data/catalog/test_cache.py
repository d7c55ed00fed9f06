"""A set of the catalog is read and cleaned once; the second time the same chunks come from the cache."""

import gzip
import logging

import pandas as pd
import pytest

from chemvae.data.catalog import cache
from chemvae.data.catalog.cards import DATASETS
from chemvae.data.catalog.locate import load_dataset, locate, open_dataset
from chemvae.data.prepare.checking import check
from chemvae.data.prepare.preparation import prepare
from chemvae.data.prepare.tables import load_table

LINES = ["OCC,-5.0", "C1CC,1", ",2", "CCO,3,4", "CCN,", '"CC\n",7', " CCC ,8"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A local copy of freesolv with everything that can be wrong with a row."""
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CHEMVAE_DATA", raising=False)
    write(tmp_path, LINES)
    return tmp_path


def write(folder, lines):
    content = "\n".join(["smiles,dG_hyd_exp_kcal_per_mol", *lines, ""])
    (folder / DATASETS["freesolv"].local[0].name).write_bytes(gzip.compress(content.encode()))


def chunks(folder, **options):
    return list(open_dataset(locate("freesolv", folder), **{"chunk_rows": 3, "clean": True, **options}))


def kept_files(folder):
    return list((folder / "cache" / "read").glob("*")) if (folder / "cache" / "read").exists() else []


def test_the_second_reading_gives_the_same_chunks_without_chemistry(folder, monkeypatch):
    first = chunks(folder)
    monkeypatch.setattr(cache, "with_columns", None)  # would fail if it was called
    monkeypatch.setattr("chemvae.data.catalog.locate.read_records", None)
    second = chunks(folder)
    assert [len(chunk.frame) for chunk in second] == [3, 3, 1]
    for one, two in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one.frame, two.frame)
        assert (one.lines, one.problems, one.cleaned) == (two.lines, two.problems, two.cleaned)
    assert second[1].problems == {4: "it has 3 cells where the header names 2"}
    assert second[0].cleaned["smiles"][0] == "CCO" and "ring 1" in second[0].cleaned["smiles"][1]


def test_everything_made_from_it_is_the_same(folder):
    made = []
    for number in "12":
        report = prepare("freesolv", folder / number, source_path=folder)
        table = load_table("freesolv", source_path=folder, properties=["dG_hyd_exp_kcal_per_mol"])
        found = check("freesolv", source_path=folder)
        made.append((report, table.smiles, table.labels.tolist()[:1], dict(table.dropped), found.offences))
        assert len(kept_files(folder)) == 1
    assert made[0] == made[1] and made[0][1] == ["CCO", "CCN", "CC", "CCC"]
    for name in ("data.parquet", "dropped.csv"):
        assert (folder / "1" / name).read_bytes() == (folder / "2" / name).read_bytes()


def test_changed_files_are_read_anew(folder):
    chunks(folder)
    write(folder, ["CCCC,1"])
    assert [chunk.frame["smiles"].tolist() for chunk in chunks(folder)] == [["CCCC"]]


def test_only_what_was_read_to_its_end_is_kept(folder):
    stream = open_dataset(locate("freesolv", folder), chunk_rows=3, clean=True)
    next(stream)
    stream.close()
    chunks(folder, limit=2)
    load_dataset("freesolv", folder)
    load_table("freesolv", source_path=folder, standardize="salts")
    assert kept_files(folder) == []


def test_damage_costs_one_warning_and_one_reading(folder, caplog):
    first = chunks(folder)
    (path,) = kept_files(folder)
    path.write_bytes(path.read_bytes()[:-20])
    with caplog.at_level(logging.WARNING):
        assert [chunk.cleaned for chunk in chunks(folder)] == [chunk.cleaned for chunk in first]
    assert caplog.text.count("is damaged") == 1 and "read anew" in caplog.text
    assert kept_files(folder) == [path]


def test_a_cache_that_cannot_be_written_costs_a_warning(folder, monkeypatch, caplog):
    (folder / "file").write_text("")
    monkeypatch.setenv("CHEMVAE_CACHE", str(folder / "file"))
    assert sum(len(chunk.frame) for chunk in chunks(folder)) == len(LINES)
    assert "cannot be kept" in caplog.text
