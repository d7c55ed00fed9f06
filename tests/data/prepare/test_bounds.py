"""Bounds among labels are written with their molecule: those of rows that were turned away are not, whatever the reason."""

import csv

import pandas as pd

from chemvae.data.files.rows import Chunk
from chemvae.data.prepare.bounds import BoundsFile
from chemvae.data.prepare.cleaning import Clean

FRAME = pd.DataFrame(
    {"name": ["a", "b", "c", None], "y": [">10", "<2", "<=3", ">1e-3"], "x": ["1", "< 5", "2", "high"]},
    index=pd.RangeIndex(1, 5),
)
CLEANS = [Clean("CCO"), Clean(None, "not a molecule"), Clean("CCN"), Clean("CC")]


def written(folder, id_column=None, problems=None, lines=(2, 3, 4, 5)):
    with BoundsFile(folder, id_column) as bounds:
        bounds.add(Chunk(FRAME, list(lines) if lines else None, problems or {}), CLEANS, ["y", "x", "not there"])
    rows = list(csv.reader(bounds.path.open(newline=""))) if bounds.path.exists() else None
    return rows, dict(bounds.counts)


def test_each_bound_stands_with_its_row_line_molecule_side_and_limit(tmp_path):
    rows, counts = written(tmp_path)
    assert rows[0] == ["row", "line", "smiles", "property", "bound", "limit"]
    assert rows[1:] == [
        ["1", "2", "CCO", "y", ">", "10"],
        ["3", "4", "CCN", "y", "<", "3"],
        ["4", "5", "CC", "y", ">", "0.001"],
    ]
    assert counts == {"y": 3}  # the bound of what is no molecule is none


def test_a_row_with_a_problem_of_its_own_has_no_bound(tmp_path):
    rows, counts = written(tmp_path, problems={3: "it has 9 cells where the header names 3"})
    assert [row[2] for row in rows[1:]] == ["CCO", "CC"] and counts == {"y": 2}


def test_the_user_s_own_name_stands_behind_and_is_empty_where_there_is_none(tmp_path):
    rows, _ = written(tmp_path, "name")
    assert [row[-1] for row in rows] == ["id", "a", "c", ""]


def test_a_source_without_lines_leaves_them_empty(tmp_path):
    assert {row[1] for row in written(tmp_path, lines=None)[0][1:]} == {""}


def test_where_no_row_is_left_there_is_no_file(tmp_path):
    assert written(tmp_path, problems=dict.fromkeys((1, 3, 4), "too long")) == (None, {})
