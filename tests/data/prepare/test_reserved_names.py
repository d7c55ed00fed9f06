"""Labels called as columns that a prepared set has of its own."""

import pandas as pd
import pytest

from chemvae.data.prepare.preparation import prepare
from chemvae.errors import InputError

TABLE = pd.DataFrame({"structure": ["CCO", "CCN", "CCC"], "key": ["a", "b", "c"], "id": [1, 2, 3], "split": [1.0, 2.0, 3.0]})


def test_numbers_of_such_names_are_not_taken_for_labels(tmp_path):
    report = prepare(TABLE, tmp_path / "out", id_column="key", split="hash")
    assert report.properties == {} and pd.read_parquet(tmp_path / "out" / "data.parquet")["id"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["split", "id"])
def test_such_labels_are_refused_in_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match=f"'{name}'.*Rename"):
        prepare(TABLE, tmp_path / "out", id_column="key", split="hash", properties=[name])
