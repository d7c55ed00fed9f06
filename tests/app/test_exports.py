"""What is taken away holds what a person wants of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")

from chemvae.app.desk.exports import export
from chemvae.errors import InputError

ROWS = [{"smiles": "CCO", "score": 1.5, "x": 0.25, "y": -3.0}, {"smiles": "CCN", "score": 1.0, "x": 0.5, "y": 2.0}]


def test_a_shortlist_has_no_columns_that_only_the_map_needs(tmp_path: Path):
    assert export(str(tmp_path), "csv", [1, 0], str(tmp_path / "a.csv"), ROWS) == 2
    table = pd.read_csv(tmp_path / "a.csv")
    assert table.columns.tolist() == ["smiles", "score"] and table["smiles"].tolist() == ["CCN", "CCO"]


def test_a_script_still_learns_where_the_map_draws_a_molecule(tmp_path: Path):
    export(str(tmp_path), "json", None, str(tmp_path / "a.json"), ROWS)
    assert json.loads((tmp_path / "a.json").read_text()) == ROWS


def test_a_shortlist_holds_the_molecules_that_were_chosen_whatever_place_they_have_now(tmp_path: Path):
    twice = [ROWS[1], ROWS[0], {**ROWS[1], "score": 0.5}]
    assert export(str(tmp_path), "csv", None, str(tmp_path / "a.csv"), twice, smiles=["CCO", "CCN"]) == 2
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["smiles"].tolist() == ["CCO", "CCN"] and table["score"].tolist() == [1.5, 1.0]


def test_a_molecule_that_the_table_does_not_hold_is_named_and_nothing_else_is_exported_for_it(tmp_path: Path):
    with pytest.raises(InputError, match="no molecule 'CCF'"):
        export(str(tmp_path), "csv", None, str(tmp_path / "a.csv"), ROWS, smiles=["CCO", "CCF"])
    assert not (tmp_path / "a.csv").exists()
