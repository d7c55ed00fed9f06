"""Tables on disk."""

import numpy as np
import pandas as pd
import pytest

from chemvae import tables
from chemvae.errors import ChemVAEError

ROWS = pd.DataFrame({"who": ["a", "b", "c"], "smiles": ["OCC", "C1CC", "c1ccccc1"], "logP": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.tsv.zst", "t.parquet"])
def test_tables_are_read_back_as_written(tmp_path, name):
    frame = pd.DataFrame({"smiles": ["CCO", "CC"], "z_0": np.array([0.1, np.nan], np.float32)})
    tables.check_output(tmp_path / name)
    tables.write_table(frame, tmp_path / name)
    sep = {"sep": "\t"} if ".tsv" in name else {}
    read = pd.read_parquet(tmp_path / name) if name.endswith("parquet") else pd.read_csv(tmp_path / name, **sep)
    pd.testing.assert_frame_equal(read.astype({"z_0": np.float32}), frame, check_dtype=False)
    with pytest.raises(ChemVAEError, match="--overwrite"):
        tables.check_output(tmp_path / name)
    tables.check_output(tmp_path / name, overwrite=True)


def test_a_table_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(ChemVAEError, match="could not be written"):
        tables.write_table(ROWS, tmp_path / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
