"""A search's folder: what may begin, what goes on, and that nothing is lost when a new search fails to begin."""

import json
import os

import pandas as pd
import pytest

from chemvae.design.search_folder import SearchFolder, check_sheet, is_unfilled
from chemvae.design.search_settings import SearchSettings
from chemvae.errors import BusyFolderError, ChemVAEError, InputError, SettingsError
from chemvae.tables import write_table


@pytest.fixture
def held(tmp_path):
    """A folder with the record and the settings of a search."""
    folder = SearchFolder(tmp_path / "hits")
    folder.path.mkdir()
    folder.record.write_text(json.dumps({"format": 1, "batch_size": 7}) + "\n")
    folder.settings.write_text(json.dumps({"maximize": ["qed"], "seed": 5, "budget": 20, "a word of tomorrow": 1}))
    return folder


def test_a_new_search_needs_an_empty_place_or_leave_to_replace(held, tmp_path):
    with pytest.raises(ChemVAEError, match="--resume.*--overwrite"):
        held.start({"seed": 1})
    assert held.start({"seed": 1}, overwrite=True) == SearchSettings(seed=1)
    assert SearchFolder(tmp_path / "new").start({}) == SearchSettings()


def test_going_on_keeps_what_was_asked_but_for_what_is_changed(held, tmp_path):
    assert held.resume({"budget": 40}) == SearchSettings(maximize=["qed"], seed=5, budget=40, batch=7)
    assert held.resume({"batch": 9}).batch == 9
    with pytest.raises(ChemVAEError, match="no search to go on with"):
        SearchFolder(tmp_path / "new").resume({})
    held.settings.write_text("{")
    with pytest.raises(InputError, match="say the flags of the search again"):
        held.resume({})


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}


def test_what_was_there_stays_until_the_new_search_is_whole(held):
    held.path.joinpath("notes.txt").write_text("mine")
    held.path.joinpath("pareto.csv").write_text("of the old search")
    before, place = contents(held.path), held.path
    with pytest.raises(ZeroDivisionError), held.opened(SearchSettings(), replace=True):
        assert not held.exists() and held.read_settings()["seed"] == 0 and contents(place) == before
        raise ZeroDivisionError
    assert contents(held.path) == before and len(list(held.path.iterdir())) == len(before)
    with held.opened(SearchSettings(seed=9), replace=True):
        held.record.write_text("new")
        assert contents(place) == before
    assert held.record.read_text() == "new" and held.read_settings()["seed"] == 9
    assert sorted(path.name for path in held.path.iterdir()) == ["history.jsonl", "notes.txt", "settings.json"]


def test_what_a_failed_replacement_has_paid_for_is_gone_on_with(held, caplog):
    before = contents(held.path)
    with pytest.raises(ZeroDivisionError), held.opened(SearchSettings(seed=9, batch=3), replace=True):
        held.record.write_text('{"format": 1}\n{"call": 1}\n')
        raise ZeroDivisionError
    assert contents(held.path) == before and "paid for is kept for --resume" in caplog.text
    with pytest.raises(ChemVAEError, match="already holds a search"):
        held.start({})
    assert held.resume({}) == SearchSettings(seed=9, batch=3)
    with held.opened(SearchSettings(seed=9)):
        assert held.record.read_text().count("call") == 1
    assert held.record.read_text().count("call") == 1 and len(list(held.path.iterdir())) == 2


def test_two_searches_in_one_folder_are_one_too_many(held):
    with held.opened(SearchSettings()), pytest.raises(BusyFolderError, match=f"written by process {os.getpid()}"):
        with SearchFolder(held.path).opened(SearchSettings(), replace=True):
            pass
    with SearchFolder(held.path).opened(SearchSettings()):
        pass


def test_settings_are_written_once_a_search_begins_and_read_back(tmp_path):
    folder, settings = SearchFolder(tmp_path / "new"), SearchSettings(minimize=["SAS"], method={"name": "auto"}, start=["CCO"])
    with folder.opened(settings):
        folder.record.write_text(json.dumps({"format": 1}) + "\n")
    assert folder.resume({}) == settings


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_that_may_be_filled_in_is_not_written_over(tmp_path, ending):
    sheet = tmp_path / f"next.{ending}"
    table = pd.DataFrame({"id": ["m1", "m2"], "batch": [1, 1], "smiles": ["CCO", "CCN"], "pIC50": ["", ""]})
    write_table(table, sheet)
    assert is_unfilled(sheet)
    check_sheet(sheet)
    write_table(table.assign(pIC50=["5.1", ""]), sheet)
    with pytest.raises(ChemVAEError, match="results may be filled in"):
        check_sheet(sheet)
    check_sheet(sheet, results=sheet)
    check_sheet(tmp_path / "other.csv")
    with pytest.raises(SettingsError, match="must end in"):
        check_sheet(tmp_path / "next.docx")
