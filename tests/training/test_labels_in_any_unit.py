"""Training, storing and predicting labels in any unit and at any offset."""

import numpy as np
import pandas as pd
import pytest

import chemvae
from chemvae.errors import InputError

ENDS = ("O", "N", "F", "Cl", "Br", "C(=O)O", "c1ccccc1")
MOLECULES = ["C" * i + end for i in range(1, 11) for end in ENDS]
SIZES = np.array([len(one) for one in MOLECULES], dtype=float)
QUICK = {"preset": "tiny", "epochs": 2, "batch_size": 16, "min_kl": 0.0, "min_active_units": 0.0}
UNITS = [(1.0, 0.0), (7e-4, -384.0), (1e-15, 0.0), (1e15, 0.0), (1e38, 0.0), (1.0, 1e7)]


def trained(unit, offset, **options):
    table = pd.DataFrame({"smiles": MOLECULES, "y": unit * SIZES + offset})
    return chemvae.train(table, ["y"], **QUICK, **options)


@pytest.fixture(scope="module")
def plain():
    return trained(1.0, 0.0).predict(MOLECULES)["y"].to_numpy()


@pytest.mark.parametrize(("unit", "offset"), UNITS[1:])
def test_the_correlation_of_predictions_with_labels_is_the_same_in_any_unit(plain, unit, offset, tmp_path):
    model = trained(unit, offset, out=tmp_path / "run")
    found = model.predict(MOLECULES)
    assert found["y"].nunique() == len(np.unique(plain))
    expected = np.corrcoef(plain, SIZES)[0, 1]
    assert np.corrcoef((found["y"] - offset) / unit, SIZES)[0, 1] == pytest.approx(expected, abs=1e-3)
    again = chemvae.load(tmp_path / "run")
    pd.testing.assert_frame_equal(again.predict(MOLECULES), found, check_exact=True)
    table = chemvae.predict(MOLECULES, again, out=tmp_path / "said.csv")
    np.testing.assert_array_equal(table["y"], found["y"])
    np.testing.assert_allclose(
        pd.read_csv(tmp_path / "said.csv")["y"] / unit, found["y"] / unit, rtol=0, atol=1e-4 * SIZES.std()
    )


@pytest.mark.parametrize(("unit", "offset"), UNITS[1:])
def test_new_properties_are_learned_alike_in_any_unit(tiny_model, unit, offset, tmp_path):
    tables = [pd.DataFrame({"smiles": MOLECULES, "y": a * SIZES + b}) for a, b in ((1.0, 0.0), (unit, offset))]
    plain, other = (chemvae.predict(MOLECULES[::5], tiny_model, fit=table, properties="y") for table in tables)
    np.testing.assert_allclose((other["y"] - offset) / unit, plain["y"], rtol=1e-4)
    np.testing.assert_allclose(other["y_std"] / unit, plain["y_std"], rtol=1e-4)


def test_a_label_that_cannot_be_learned_is_refused_with_its_row_and_value(tiny_model):
    table = pd.DataFrame({"smiles": MOLECULES, "y": SIZES})
    table.loc[4, "y"] = 1e305
    with pytest.raises(InputError, match=r"row 5: 'y' is 1e\+305"):
        chemvae.train(table, ["y"], **QUICK)
    with pytest.raises(InputError, match=r"row 5: 'y' is 1e\+305"):
        chemvae.predict(["CCO"], tiny_model, fit=table, properties="y")
