"""Files and folders that are there whole or not at all."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
from rdkit import rdBase

from chemvae.data.files.reading import METADATA_KEY, read_records
from chemvae.data.files.writing import ParquetWriter, as_columns, concat, new_folder
from chemvae.errors import BusyFolderError, InputError

TYPES = {"smiles": "text", "y": "number"}


def test_pieces_make_one_file_with_the_types_asked_for(tmp_path):
    path = tmp_path / "new" / "data.parquet"
    with ParquetWriter(path, TYPES) as writer:
        writer.write({"y": [1.5, np.nan], "smiles": ["CCO", "C"]})  # in any order
        writer.write({"smiles": ["CC"], "y": [3]})
    frame = pd.read_parquet(path)
    assert frame.columns.tolist() == ["smiles", "y"] and frame["smiles"].tolist() == ["CCO", "C", "CC"]
    np.testing.assert_array_equal(frame["y"], [1.5, np.nan, 3.0])


def test_the_file_says_what_made_it_and_is_then_known_to_be_canonical(tmp_path):
    path = tmp_path / "data.parquet"
    with ParquetWriter(path, TYPES, {"standardize": "none"}) as writer:
        writer.write({"smiles": ["CCO"], "y": [1.0]})
    note = json.loads(pyarrow.parquet.read_schema(path).metadata[METADATA_KEY])
    assert note == {"rdkit": rdBase.rdkitVersion, "standardize": "none"}
    assert all(chunk.is_canonical for chunk in read_records(path))


def test_no_row_is_still_a_table(tmp_path):
    with ParquetWriter(tmp_path / "data.parquet", TYPES):
        pass
    assert pd.read_parquet(tmp_path / "data.parquet").columns.tolist() == ["smiles", "y"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "data.parquet"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), ParquetWriter(path, TYPES) as writer:
        writer.write({"smiles": ["CCO"], "y": [1.0]})
        assert path.read_bytes() == b"old"  # a reader sees it until all is written
        raise ZeroDivisionError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_folder_appears_when_all_of_it_is_there(tmp_path):
    out = tmp_path / "a" / "out"
    with new_folder(out) as folder:
        (folder / "card.json").write_text("{}")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["card.json"] and list(out.parent.iterdir()) == [out]


def test_a_folder_whose_making_failed_is_none(tmp_path):
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "out") as folder:
        (folder / "half").write_text("x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_replaced_whole_and_kept_where_its_successor_fails(tmp_path):
    out = tmp_path / "out"
    for name in ("card.json", "first"):
        out.mkdir(exist_ok=True)
        (out / name).write_text("1")
    with pytest.raises(InputError, match="--overwrite"), new_folder(out):
        pass
    with pytest.raises(ZeroDivisionError), new_folder(out, overwrite=True):
        raise ZeroDivisionError
    assert sorted(path.name for path in out.iterdir()) == ["card.json", "first"]
    with new_folder(out, overwrite=True) as folder:
        (folder / "card.json").write_text("2")
    assert [path.read_text() for path in out.iterdir()] == ["2"] and list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["thesis.txt", "folder/thesis.txt"])
def test_what_is_no_prepared_set_is_never_replaced(tmp_path, name):
    precious = tmp_path / "out" / name
    precious.parent.mkdir(parents=True)
    precious.write_text("x")
    for path in (tmp_path / "out", precious):
        with pytest.raises(InputError, match="not a prepared data set"), new_folder(path, overwrite=True):
            pass
    assert precious.read_text() == "x"


def test_rows_become_columns_and_chunks_one_frame():
    assert as_columns([], ["smiles"]) == {"smiles": []}
    pieces = [pd.DataFrame({"a": [i]}, index=[i]) for i in (1, 2)]
    assert concat(iter(pieces)).index.tolist() == [1, 2] and len(concat([])) == 0


def test_two_programs_that_make_one_folder_are_one_too_many(tmp_path):
    with new_folder(tmp_path / "out") as folder:
        (folder / "card.json").touch()
        with pytest.raises(BusyFolderError, match="written by process"), new_folder(tmp_path / "out", overwrite=True):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
