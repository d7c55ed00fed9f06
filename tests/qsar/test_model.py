"""A Gaussian process on new properties: closed forms against direct ones, RDKit's similarity, and a property it can learn."""

import numpy as np
import pytest
import torch

from chemvae.chem.properties import compute_table
from chemvae.data.catalog.locate import load_dataset
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.qsar.features import DESCRIPTORS, Features, Scaling
from chemvae.qsar.kernel import Kernel
from chemvae.qsar.model import HALF_WIDTH, PropertyModel, conformal_quantile, group, leave_out, similarity_kept


@pytest.fixture(scope="module")
def library():
    return load_dataset("virtual-drugs", limit=220)["smiles"].tolist()


def scaled(model, smiles):
    features = Features.of(model, smiles)
    return Scaling.fit(features)(features)


def test_scaling_takes_mean_and_spread_away_and_gaps_to_the_mean(tiny_model, molecules):
    features = Features.of(tiny_model, [*molecules, "[Ru]"])  # the vocabulary cannot write the last
    assert features.z[-1].isnan().all()
    done = Scaling.fit(features)(features)
    torch.testing.assert_close(done.z[:-1].mean(dim=0), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(done.z[:-1].square().mean(dim=0), torch.ones(6, dtype=torch.float64))
    assert (done.z[-1] == 0).all() and done.descriptors.isfinite().all() and done.descriptors.shape[1] == len(DESCRIPTORS)


@pytest.mark.parametrize("parts", [("z",), ("counts",), ("descriptors",), ("z", "counts", "descriptors")])
def test_the_kernel_is_one(tiny_model, molecules, parts):
    a = scaled(tiny_model, molecules)
    kernel = Kernel(parts)
    covariance = kernel(a, a)
    torch.testing.assert_close(covariance, covariance.T)
    torch.testing.assert_close(covariance.diagonal(), kernel.variance(a), rtol=1e-5, atol=1e-5)
    assert torch.linalg.eigvalsh(covariance)[0] > -1e-6


def test_fitting_raises_the_marginal_likelihood_and_finds_the_noise(tiny_model, library):
    a = scaled(tiny_model, library)
    generator = torch.Generator().manual_seed(0)
    truth = a.descriptors[:, :2] @ torch.tensor([0.6, -0.4], dtype=torch.float64)
    y = truth + 0.3 * torch.randn(len(a), generator=generator, dtype=torch.float64)
    kernel = Kernel(("descriptors",)).fit(a, y)
    assert 0.2 < float(kernel.noise.sqrt()) < 0.4


def test_leaving_a_group_out_is_conditioning_on_the_rest():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(9, 9))
    covariance = torch.from_numpy(root @ root.T + np.eye(9))
    y = torch.from_numpy(rng.normal(size=9))
    groups = torch.tensor([0, 0, 1, 2, 2, 2, 0, 3, 1])
    inverse = torch.linalg.inv(covariance)
    error, std = leave_out(inverse, inverse @ y, groups)
    for i in range(9):
        rest = groups != groups[i]
        gain = torch.linalg.solve(covariance[rest][:, rest], covariance[rest, i])
        assert abs(float(gain @ y[rest] - y[i] - error[i])) < 1e-9
        assert abs(float(covariance[i, i] - gain @ covariance[rest, i] - std[i] ** 2)) < 1e-9


def test_no_group_holds_more_than_a_fifth():
    rng = np.random.default_rng(0)
    groups = group([""] * 60 + [f"ring {i % 8}" for i in range(40)], rng)
    assert np.bincount(groups).max() <= 20 and len(set(groups[60:])) == 8
    assert not set(groups[:60]) & set(groups[60:]) and len(set(groups[:60])) == 3


def test_conformal_intervals_cover_what_they_promise():
    rng = np.random.default_rng(0)
    covered = [(rng.random(400) <= conformal_quantile(rng.random(60), np.ones(60))).mean() for _ in range(300)]
    assert 0.895 < np.mean(covered) < 0.92  # at least 0.9, and at most 1 / 61 more


def test_a_new_group_is_covered_when_groups_weigh_the_same():
    rng = np.random.default_rng(1)
    sizes = np.array([200, *[4] * 40])  # one large easy group beside forty hard ones
    groups = np.repeat(np.arange(41), sizes)
    covered = {True: [], False: []}
    for _ in range(300):
        hardness = np.where(np.arange(41) == 0, 0.1, 1.0)[groups]
        scores = hardness * np.abs(rng.normal(size=len(groups)))
        new = np.abs(rng.normal(size=200))
        for weighed in covered:
            weights = 1 / sizes[groups] if weighed else np.ones(len(groups))
            covered[weighed].append((new <= conformal_quantile(scores, weights)).mean())
    assert np.mean(covered[False]) < 0.85 and 0.88 < np.mean(covered[True]) < 0.92


def test_a_property_of_the_structure_is_learned_with_honest_intervals(tiny_model, library):
    y = compute_table(library, ["SAS"])["SAS"].to_numpy()  # none of the descriptors
    fitted = PropertyModel(tiny_model).fit(library[:160], y[:160])
    found = fitted.predict(library[160:])
    error = found["mean"] - y[160:]
    assert np.sqrt((error**2).mean()) < 0.6 * y.std()
    assert 0.75 <= ((y[160:] >= found["low"]) & (y[160:] <= found["high"])).mean() <= 1.0
    np.testing.assert_allclose(found["high"] - found["low"], 2 * HALF_WIDTH * found["std"])
    again = PropertyModel(tiny_model).fit(library[:160], y[:160]).predict(library[160:])
    np.testing.assert_array_equal(found, again)


def test_the_unit_of_the_labels_does_not_matter(tiny_model, library):
    y = compute_table(library[:60], ["TPSA"])["TPSA"].to_numpy()
    one = PropertyModel(tiny_model).fit(library[:50], y[:50]).predict(library[50:60])
    other = PropertyModel(tiny_model).fit(library[:50], 1000 * y[:50] - 7).predict(library[50:60])
    np.testing.assert_allclose(other["mean"], 1000 * one["mean"] - 7, rtol=1e-6)
    np.testing.assert_allclose(other["std"], 1000 * one["std"], rtol=1e-6)


def test_the_error_of_scaffolds_left_out_is_told_in_the_unit_of_the_labels(tiny_model, library):
    y = compute_table(library[:40], ["MW"])["MW"].to_numpy()
    one, thousand = (PropertyModel(tiny_model).fit(library[:40], unit * y).left_out_rmse for unit in (1.0, 1000.0))
    assert thousand == pytest.approx(1000 * one, rel=1e-6) and 0 < one < 2 * y.std()


@pytest.mark.parametrize("unit", [1e-170, 1e-15, 2e-10, 1e15, 1e200])
def test_labels_in_any_unit_are_learned_alike(tiny_model, library, unit):
    y = compute_table(library[:60], ["TPSA"])["TPSA"].to_numpy()
    plain = PropertyModel(tiny_model).fit(library[:50], y[:50]).predict(library[50:60])
    other = PropertyModel(tiny_model).fit(library[:50], unit * (y[:50] - 384)).predict(library[50:60])
    np.testing.assert_allclose(other["mean"] / unit + 384, plain["mean"], rtol=1e-6)
    np.testing.assert_allclose(other["low"] / unit + 384, plain["low"], rtol=1e-6)


def test_repeated_molecules_are_averaged_and_missing_labels_left_out(tiny_model, library):
    y = np.arange(40.0)
    plain = PropertyModel(tiny_model).fit(library[:40], y)
    smiles, labels = [*library[:40], library[0], library[41]], np.array([*y, 2.0, np.nan])
    labels[0] = -2.0
    np.testing.assert_allclose(
        PropertyModel(tiny_model).fit(smiles, labels).predict(library[50:55]), plain.predict(library[50:55])
    )


def test_what_the_vocabulary_cannot_write_is_predicted_all_the_same(tiny_model, library):
    fitted = PropertyModel(tiny_model).fit(library[:40], np.arange(40.0))
    assert np.isfinite(fitted.predict(["[Ru]", "CCO"])).all(axis=None)


def test_what_cannot_be_learned_is_said(tiny_model, library):
    with pytest.raises(NothingUsableError, match="Only 19"):
        PropertyModel(tiny_model).fit(library[:20], [np.nan, *range(19)])
    with pytest.raises(NothingUsableError, match="All 30 labels are 3"):
        PropertyModel(tiny_model).fit(library[:30], [3.0] * 30)
    with pytest.raises(SettingsError, match="parts"):
        PropertyModel(tiny_model, ("z", "bits"))


def test_what_is_unlike_every_molecule_or_outside_the_labels_is_said(tiny_model, library):
    y = compute_table(library[:60], ["MW"])["MW"].to_numpy()
    fitted = PropertyModel(tiny_model).fit(library[:60], y)
    assert (fitted.label_low, fitted.label_high) == (y.min(), y.max()) and 0 < fitted.reach < 1
    usual, strange = fitted.reservations([library[1], "[Ru]"])
    assert usual == "" and "unlike every labelled molecule" in strange
    (large,) = fitted.reservations(["C" * 100])
    assert f"outside the labels ({y.min():.4g} to {y.max():.4g})" in large


def test_the_reach_is_that_of_the_calibration():
    similarity = torch.tensor([[1.0, 0.9, 0.3], [0.9, 1.0, 0.4], [0.3, 0.4, 1.0]])
    assert similarity_kept(similarity, torch.tensor([0, 0, 1]), share=1.0) == pytest.approx(0.3)  # within a scaffold: no matter
    assert similarity_kept(similarity, torch.tensor([0, 1, 2]), share=0.0) == pytest.approx(0.9)


def test_molecules_are_standardised_as_those_learned_from(tiny_model, library):
    fitted = PropertyModel(tiny_model, standardize="neutral").fit([*library[:40], "[Na+].CC(=O)[O-]"], np.arange(41.0))
    assert fitted.smiles[-1] == "CC(=O)O"
    found = fitted.predict(["CC(=O)[O-].[K+]", "CC(=O)O"])
    np.testing.assert_allclose(found.iloc[0], found.iloc[1], rtol=1e-6)
