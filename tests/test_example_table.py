"""The table that comes with the checkout, to try commands with: of our own making, and what it says of itself is true."""

import hashlib
from pathlib import Path

import pandas as pd

from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute_table

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "data" / "example.csv"
WITHOUT = ("m041", "m107", "m166")  # labels may be missing


def made() -> pd.DataFrame:
    """The molecules of virtual-drugs' sample, with an activity that rises with logP and rings and falls with size and donors.

    A quarter of a unit of scatter comes from the hash of the SMILES, so that no model learns it.
    """
    smiles = pd.read_csv(ROOT / "data" / "virtual-drugs" / "sample.csv")["smiles"].map(canonicalize)
    facts = compute_table(smiles.tolist(), ["logP", "MW", "HBD", "rings"])
    scatter = smiles.map(lambda text: int(hashlib.sha1(text.encode()).hexdigest()[:8], 16) / 2**32 - 0.5)
    activity = 5.0 + 0.5 * facts["logP"] + 0.4 * facts["rings"] - 0.004 * facts["MW"] - 0.3 * facts["HBD"] + 0.5 * scatter
    table = pd.DataFrame({"id": [f"m{i:03d}" for i in range(1, len(smiles) + 1)], "smiles": smiles})
    table["activity"] = activity.round(2).where(~table["id"].isin(WITHOUT))
    return table


def test_it_is_what_its_recipe_makes():
    pd.testing.assert_frame_equal(pd.read_csv(TABLE), made(), check_dtype=False, atol=0.011)


def test_it_has_enough_labels_to_learn_from_and_some_gaps():
    table = pd.read_csv(TABLE)
    assert table["smiles"].is_unique and 100 <= len(table) <= 200 and table["activity"].isna().sum() == len(WITHOUT)
