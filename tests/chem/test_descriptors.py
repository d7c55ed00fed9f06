"""Columns of many molecules: the values of the single functions, from one reading, remembered exactly."""

import logging
from dataclasses import replace

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from chemvae.chem import descriptors
from chemvae.chem.descriptor_cache import descriptor_folder
from chemvae.chem.descriptors import CLEANED, SCAFFOLD, compute_many, read_text, stream_columns
from chemvae.chem.fingerprints import morgan, scaffold
from chemvae.chem.molecules import STANDARDIZE_MODES, parse, standardize
from chemvae.chem.properties import PROPERTIES, compute
from chemvae.errors import SettingsError, UnknownNameError

NAMES = ["logP", "qed", "SAS"]
ODD = ["C1CC", "", "[Na+].CC(=O)[O-]", "OCC", " CCN ", "CÅ"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))
    monkeypatch.setattr(descriptors, "LEAST_REMEMBERED", 10)
    monkeypatch.setattr(descriptors, "WINDOW", 16)
    return descriptor_folder()


@pytest.fixture
def calls(monkeypatch):
    """How often each property's function ran in this process."""
    counts = dict.fromkeys(PROPERTIES, 0)

    def counted(prop):
        def function(mol):
            counts[prop.name] += 1
            return prop.function(mol)

        return replace(prop, function=function)

    for name, prop in list(PROPERTIES.items()):
        monkeypatch.setitem(PROPERTIES, name, counted(prop))
    return counts


def made(n: int, start: int = 0) -> list[str]:
    """Different small molecules."""
    return ["N" + "C" * (i % 7) + "O" * (i // 7 % 2) + "C(F)" * (i // 14) + "C" for i in range(start, start + n)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_values_are_those_of_the_single_functions(molecules, jobs):
    smiles = [*molecules, *ODD, float("nan"), *made(20)]
    for _ in range(2):  # computed, then remembered
        found = compute_many(smiles, ["logp", "QED", "SAS"], fingerprint="morgan", jobs=jobs)
        expected = [[compute(name, one) for name in NAMES] for one in smiles]
        np.testing.assert_array_equal(found.properties.to_numpy(), expected)
        assert found.properties.columns.tolist() == NAMES
        bits = np.unpackbits(found.fingerprints, axis=1, bitorder="little")
        for row, wanted in zip(bits, morgan(smiles), strict=True):
            assert np.flatnonzero(row).tolist() == ([] if wanted is None else list(wanted.GetOnBits()))


@pytest.mark.parametrize("mode", STANDARDIZE_MODES)
def test_cleaned_texts_and_scaffolds_are_those_of_the_single_functions(molecules, mode):
    smiles = [*molecules, *ODD]
    for _ in range(2):
        (found,) = stream_columns([smiles], [CLEANED[mode], SCAFFOLD])
        cleaned = [read_text(text, value) for text, value in zip(smiles, found[CLEANED[mode]], strict=True)]
        assert [one for one, _ in cleaned] == [standardize(text, mode) for text in smiles]
        assert "ring 1" in cleaned[len(molecules)][1] and "empty" in cleaned[len(molecules) + 1][1]
        assert [read_text("", value)[0] for value in found[SCAFFOLD]] == [scaffold(text) for text in smiles]


def test_what_was_computed_is_not_computed_again(calls):
    smiles = made(30)
    first = compute_many(smiles, NAMES)
    assert [calls[name] for name in NAMES] == [30] * 3
    again = compute_many(smiles[::-1], NAMES)
    assert [calls[name] for name in NAMES] == [30] * 3
    assert again.properties[::-1].reset_index(drop=True).equals(first.properties)


def test_only_what_is_missing_is_computed(calls):
    compute_many(made(30), ["logP", "SAS"])
    found = compute_many(made(40, start=10), ["logP", "qed", "TPSA"])  # 20 molecules and one column in common
    assert (calls["logP"], calls["qed"], calls["TPSA"], calls["SAS"]) == (30 + 20, 40, 40, 30)
    assert found.properties["logP"].tolist() == [compute("logP", one) for one in made(40, start=10)]
    before = dict(calls)
    compute_many(made(50), ["logP"])
    assert calls == before


def test_few_molecules_are_not_kept_and_the_cache_can_be_left_out(calls, cache):
    for _ in range(2):
        compute_many(made(9), ["logP"])
        compute_many(made(30), ["logP"], cache=False)
    assert calls["logP"] == 2 * 39 and not cache.exists()


def test_private_molecules_leave_no_trace(calls, cache, monkeypatch):
    monkeypatch.setenv("CHEMVAE_PRIVATE", "1")
    for _ in range(2):
        compute_many(made(40), ["logP"])
    assert calls["logP"] == 80 and not cache.exists()


def test_one_reading_serves_all_columns(monkeypatch):
    read = []
    monkeypatch.setattr(descriptors, "parse", lambda text: read.append(text) or parse(text))
    compute_many(made(30), NAMES, fingerprint="morgan")
    assert read == made(30)


def test_a_damaged_file_is_computed_again_with_one_warning(cache, calls, caplog):
    first = compute_many(made(30), NAMES)
    (path,) = cache.glob("*.parquet")
    for damage in (lambda content: content[: len(content) // 2], _flip_a_value, lambda _: b"", lambda _: b"PAR1" * 9):
        caplog.clear()
        path.write_bytes(damage(path.read_bytes()))
        before = calls["qed"]
        with caplog.at_level(logging.WARNING):
            again = compute_many(made(30), NAMES)
        assert again.properties.equals(first.properties) and calls["qed"] == before + 30
        assert len(caplog.records) == 1 and "computed again" in caplog.text
        (path,) = cache.glob("*.parquet")


def _flip_a_value(content: bytes) -> bytes:
    column = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).metadata.row_group(0).column(2)
    place = column.data_page_offset + column.total_compressed_size - 5  # at the end of its page
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "file"))
    found = compute_many(made(30), ["MW"])
    assert found.properties["MW"].notna().all() and "cannot be kept" in caplog.text


def test_an_interrupted_stream_keeps_what_was_computed(calls):
    blocks = [made(20), made(20, start=20), made(20, start=40)]
    stream = stream_columns(iter(blocks), ["logP"])
    next(stream)
    stream.close()
    done = calls["logP"]
    assert 20 <= done < 60
    compute_many(made(20), ["logP"])
    assert calls["logP"] == done


def test_blocks_are_taken_as_they_are_needed():
    taken = []

    def blocks():
        for i in range(100):
            taken.append(i)
            yield made(12, start=i)

    next(stream_columns(blocks(), ["MW"]))
    assert len(taken) <= 4


def test_nothing_in_nothing_out_and_wrong_names():
    assert list(stream_columns([], ["MW"])) == [] and list(stream_columns([["C"], []], [])) == [{}, {}]
    empty = compute_many([], ["MW"], fingerprint="morgan")
    assert empty.properties.shape == (0, 1) and empty.fingerprints.shape == (0, 256)
    with pytest.raises(UnknownNameError, match="property"):
        compute_many(["C"], ["beauty"])
    with pytest.raises(SettingsError, match="morgan"):
        compute_many(["C"], fingerprint="maccs")
