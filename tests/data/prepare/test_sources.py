"""Whatever a user calls data is one stream of rows, and its SMILES are cleaned once."""

from dataclasses import replace

import pandas as pd
import pytest

from chemvae.data.files.reading import Chunk
from chemvae.data.prepare.cleaning import EMPTY, INVALID, UNKNOWN_SYMBOL
from chemvae.data.prepare.preparation import prepare
from chemvae.data.prepare.sources import ReadingOptions, clean_pieces, open_source
from chemvae.errors import InputError, NothingUsableError, SettingsError

SMILES = ["OCC", "C1CC", "", "c1ccccc1", "CCO"]


def rows(source) -> list[list]:
    return [row for chunk in source.chunks for row in chunk.frame.to_numpy().tolist()]


def cleaned(chunks, **settings):
    pieces = clean_pieces(chunks, "smiles", settings.pop("mode", "none"), settings.pop("jobs", 1), **settings)
    return [clean for _, cleans in pieces for clean in cleans]


@pytest.fixture
def path(tmp_path):
    pd.DataFrame({"smiles": SMILES, "y": range(5)}).to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_files_lists_series_and_frames_hold_the_same_molecules(path):
    frame = pd.DataFrame({"smiles": SMILES})
    sources = [open_source(data) for data in (SMILES, tuple(SMILES), frame["smiles"], frame, str(path), path)]
    assert all([row[0] for row in rows(source)] == SMILES for source in sources)
    assert sources[0].name == "the data" and sources[-1].name == str(path)


def test_a_list_is_put_in_the_column_asked_for():
    source = open_source(SMILES, smiles_column="mol")
    assert next(source.chunks).frame.columns.tolist() == ["mol"] and source.smiles_column == "mol"


def test_a_prepared_folder_is_its_table_and_known_to_be_canonical(path, tmp_path):
    prepare(path, tmp_path / "out", standardize="none")
    chunks = list(open_source(tmp_path / "out").chunks)
    assert [text for chunk in chunks for text in chunk.frame["smiles"]] == ["CCO", "c1ccccc1"]
    assert all(chunk.is_canonical for chunk in chunks)


def test_a_catalog_name_brings_its_columns_and_units():
    source = open_source("virtual-drugs", limit=3)
    assert source.name == "virtual-drugs" and source.smiles_column == "smiles"
    assert source.units == {"logP": "1", "qed": "1", "SAS": "1"} and len(rows(source)) == 3


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 9])
def test_a_limit_cuts_chunks_where_it_falls(limit):
    source = open_source(SMILES, chunk_rows=2, limit=limit)
    chunks = list(source.chunks)
    assert [text for chunk in chunks for text in chunk.frame["smiles"]] == SMILES[:limit]
    assert [row for chunk in chunks for row in chunk.frame.index] == list(range(1, min(limit, 5) + 1))


def test_lines_and_known_outcomes_are_cut_with_the_rows(tmp_path):
    (tmp_path / "a.csv").write_text("smiles\nC\nCC\nCCC\n")
    (chunk,) = open_source(tmp_path / "a.csv", limit=2).chunks
    assert chunk.lines == [2, 3]


def test_what_cannot_be_opened_is_one_sentence(tmp_path):
    with pytest.raises(NothingUsableError, match="the data holds no rows"):
        list(open_source([]).chunks)
    with pytest.raises(InputError, match="Did you mean zinc250k"):
        open_source("zinc250")
    with pytest.raises(InputError, match="--from belongs to a catalog name"):
        open_source(tmp_path / "a.csv", tmp_path)
    with pytest.raises(InputError, match="two columns called 'y'"):
        list(open_source(pd.DataFrame([["C", 1, 2]], columns=["smiles", "y", "y"])).chunks)


def test_every_cell_has_its_outcome_in_order():
    found = cleaned(open_source(SMILES, chunk_rows=2).chunks)
    assert [clean.smiles for clean in found] == ["CCO", None, None, "c1ccccc1", "CCO"]
    assert [clean.reason for clean in found] == ["", INVALID, EMPTY, "", ""]
    assert cleaned(open_source(SMILES, chunk_rows=2).chunks, jobs=2) == found


def test_what_is_canonical_already_is_taken_as_it_is_but_only_unchanged():
    chunk = Chunk(pd.DataFrame({"smiles": ["OCC", ""]}), is_canonical=True)  # what the flag says is believed
    assert [clean.smiles for clean in cleaned([chunk])] == ["OCC", None]
    assert [clean.smiles for clean in cleaned([chunk], mode="salts")] == ["CCO", None]
    assert [clean.smiles for clean in cleaned([replace(chunk, is_canonical=False)])] == ["CCO", None]


def test_symbols_are_checked_whatever_is_known():
    def no_oxygen(smiles):
        return "holds 'O'" if "O" in smiles else None

    chunk = Chunk(pd.DataFrame({"smiles": ["CCO", "CC"]}), is_canonical=True)
    assert [clean.reason for clean in cleaned([chunk], symbol_check=no_oxygen)] == [UNKNOWN_SYMBOL, ""]


def test_options_are_checked_when_they_are_made():
    with pytest.raises(SettingsError, match="none, salts, neutral"):
        ReadingOptions(standardize="charge")
    assert rows(ReadingOptions(limit=2).open(SMILES, "none")) == [["OCC"], ["C1CC"]]
