"""Tables of chemvae's own come back as they were written, whatever the version of pandas."""

import numpy as np
import pandas as pd

from chemvae.disk.csv_tables import read_csv


def test_every_float_comes_back_to_its_last_bit(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"smiles": ["CCO"] * 500, "y": rng.normal(size=500) * 10.0 ** rng.integers(-290, 290, size=500)})
    table.loc[3, "y"] = np.nan
    table.to_csv(tmp_path / "one.csv", index=False)
    again = read_csv(tmp_path / "one.csv")
    np.testing.assert_array_equal(again["y"], table["y"])
    assert again["smiles"].tolist() == table["smiles"].tolist()
