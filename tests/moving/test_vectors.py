"""Directions that were planted are found, and the scores are what they say."""

import numpy as np
import pandas as pd
import pytest

from chemvae.errors import NothingUsableError, SettingsError, UnknownNameError
from chemvae.moving.labelled import LabelledCodes, labelled_codes, split_name
from chemvae.moving.vectors import RIDGES, _area_under_roc, _regression, fit_vector
from tests.conftest import MOLECULES


def planted(model, n=300, noise=0.0, is_class=False):
    """Codes of a plane: y = 2 + 3 u . x, or whether that is above 2."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, model.latent_dim)).astype(np.float32)
    u = np.zeros(model.latent_dim)
    u[1], u[4] = 0.6, -0.8
    y = 2 + 3 * z @ u + noise * rng.normal(size=n)
    return u, LabelledCodes("y", z, (y > 2).astype(float) if is_class else y, is_class, "a plane")


@pytest.mark.parametrize("method", ["auto", "regression", "mean"])
def test_a_planted_direction_is_found(tiny_model, method):
    u, labelled = planted(tiny_model, n=2000)
    vector = fit_vector(tiny_model, labelled, method)
    assert float(vector.direction.double().numpy() @ u) > (0.98 if method == "mean" else 0.9999)
    assert np.linalg.norm(vector.direction) == pytest.approx(1.0, abs=1e-6)
    if method != "mean":
        assert (vector.slope, vector.offset) == (pytest.approx(3, rel=0.02), pytest.approx(2, abs=0.05))
        np.testing.assert_allclose(vector.estimate(tiny_model, labelled.z), labelled.values, atol=0.1)
        assert vector.score > 0.999 and "R^2 1.00" in vector.sentence()


def test_a_class_is_told_from_the_others_by_the_difference_of_means(tiny_model):
    u, labelled = planted(tiny_model, n=2000, is_class=True)
    vector = fit_vector(tiny_model, labelled)
    assert vector.method == "mean" and float(vector.direction.double().numpy() @ u) > 0.98
    assert 0.98 < vector.score <= 1.0 and "ROC" in vector.sentence()


def test_a_direction_of_noise_has_no_score(tiny_model):
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(200, tiny_model.latent_dim)), rng.normal(size=200)
    assert abs(fit_vector(tiny_model, LabelledCodes("y", z, y, False, "noise")).score) < 0.15
    assert 0.35 < fit_vector(tiny_model, LabelledCodes("y", z, (y > 0) * 1.0, True, "noise")).score < 0.65


def test_the_penalty_is_that_of_the_least_leave_one_out_error():
    """The closed form against ridge regressions that are fitted anew without each molecule."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 12))
    y = x[:, 0] + 2 * rng.normal(size=30)

    def ridge(x, y, penalty):
        centred = x - x.mean(axis=0)
        w = np.linalg.solve(centred.T @ centred + penalty * np.eye(12), centred.T @ (y - y.mean()))
        return w, y.mean() - x.mean(axis=0) @ w

    errors = []
    for penalty in 30 * RIDGES:
        left = [np.delete(np.arange(30), i) for i in range(30)]
        fits = [ridge(x[kept], y[kept], penalty) for kept in left]
        errors.append(np.mean([(y[i] - x[i] @ w - b) ** 2 for i, (w, b) in enumerate(fits)]))
    best = 30 * RIDGES[int(np.argmin(errors))]
    np.testing.assert_allclose(_regression(x, y), ridge(x, y, best)[0], rtol=1e-6)


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(3)
    score, is_in = rng.integers(0, 5, 40).astype(float), rng.random(40) > 0.5
    pairs = np.sign(score[is_in][:, None] - score[~is_in][None]) / 2 + 0.5
    assert _area_under_roc(score, is_in) == pytest.approx(pairs.mean())


def table(**columns):
    return pd.DataFrame({"smiles": MOLECULES * 2, **{name: list(values) * 2 for name, values in columns.items()}})


def test_labels_come_from_the_table_s_column_or_are_computed(tiny_model):
    numbers = np.arange(len(MOLECULES), dtype=float)
    found = labelled_codes(tiny_model, "activity", table(activity=numbers))
    assert found.values.tolist() == list(numbers) * 2 and not found.is_class
    np.testing.assert_array_equal(found.z, tiny_model.encode(MOLECULES * 2))
    computed = labelled_codes(tiny_model, "hbd", table(activity=numbers))
    assert computed.name == "HBD" and computed.values[0] == 1.0  # ethanol


def test_a_class_is_named_by_its_column_and_value(tiny_model):
    kinds = ["acid" if "C(=O)O" in text else "other" for text in MOLECULES]
    found = labelled_codes(tiny_model, "kind=acid", table(kind=kinds))
    assert found.is_class and found.values.tolist() == [float(kind == "acid") for kind in kinds * 2]
    flags = [float(kind == "acid") for kind in kinds]
    assert labelled_codes(tiny_model, "flag", table(flag=flags)).is_class
    assert labelled_codes(tiny_model, "flag = 1", table(flag=flags)).values.tolist() == flags * 2
    assert split_name("a=b=c") == ("a", "b=c")


def test_what_no_direction_can_be_learned_from_is_said(tiny_model):
    kinds = ["acid"] * len(MOLECULES)
    with pytest.raises(NothingUsableError, match="holds no number; name a class of it: kind=VALUE"):
        labelled_codes(tiny_model, "kind", table(kind=kinds))
    with pytest.raises(NothingUsableError, match="no row of the column 'kind' is 'base'; there are: acid"):
        labelled_codes(tiny_model, "kind=base", table(kind=kinds))
    with pytest.raises(NothingUsableError, match="nothing points along it"):
        labelled_codes(tiny_model, "kind=acid", table(kind=kinds))
    with pytest.raises(NothingUsableError, match="a direction needs 20 or more"):
        labelled_codes(tiny_model, "y", pd.DataFrame({"smiles": ["CCO", "CC(=O)O"], "y": [1, 2]}))
    with pytest.raises(UnknownNameError, match="Did you mean 'activity'"):
        labelled_codes(tiny_model, "activty", table(activity=range(len(MOLECULES))))
    with pytest.raises(SettingsError, match="give the table with --fit"):
        labelled_codes(tiny_model, "kind=acid")
    with pytest.raises(SettingsError, match="keeps no training codes"):
        labelled_codes(tiny_model, "logP")
    with pytest.raises(UnknownNameError, match="method"):
        fit_vector(tiny_model, planted(tiny_model)[1], "guess")
