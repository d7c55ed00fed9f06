"""What is taken away holds what a person wants of it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("fastapi", reason="comes with the extra 'app'")

from chemvae.app.desk.exports import export

ROWS = [{"smiles": "CCO", "score": 1.5, "x": 0.25, "y": -3.0}, {"smiles": "CCN", "score": 1.0, "x": 0.5, "y": 2.0}]


def test_a_shortlist_has_no_columns_that_only_the_map_needs(tmp_path: Path):
    assert export(str(tmp_path), "csv", [1, 0], str(tmp_path / "a.csv"), ROWS) == 2
    table = pd.read_csv(tmp_path / "a.csv")
    assert table.columns.tolist() == ["smiles", "score"] and table["smiles"].tolist() == ["CCN", "CCO"]


def test_a_script_still_learns_where_the_map_draws_a_molecule(tmp_path: Path):
    export(str(tmp_path), "json", None, str(tmp_path / "a.json"), ROWS)
    assert json.loads((tmp_path / "a.json").read_text()) == ROWS
