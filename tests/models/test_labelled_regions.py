"""Beyond the molecules a property was learned from its predictions are worth less; none is credited beyond the labels."""

import copy

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.design.goals import Goal
from chemvae.design.oracles.simple import PredictorOracle
from chemvae.design.oracles.uncertain import cautious
from chemvae.models.labelled_regions import FEWEST, LabelledRegions
from chemvae.models.predictor import PropertyPredictor
from chemvae.models.storage import fingerprint, load_model, save_model
from chemvae.runs import RunFolder
from chemvae.training.posthoc.finish import finish
from tests.conftest import MOLECULES


def test_the_excess_is_the_squared_distance_beyond_the_radius():
    torch.manual_seed(0)
    z = torch.randn(20_000, 3)
    regions = LabelledRegions(1, 3).fit(z, z, torch.zeros(len(z), 1))
    chi2 = torch.distributions.Chi2(torch.tensor(3.0))
    assert chi2.cdf(regions.radius).item() == pytest.approx(0.99, abs=0.003)
    far = torch.tensor([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [0.0, 12.0, 0.0]])
    expected = (far.square().sum(dim=1) / regions.radius - 1).clamp(min=0)
    torch.testing.assert_close(regions.excess(far)[:, 0], expected, rtol=0.05, atol=0)


def test_each_property_has_the_region_of_its_own_labels():
    torch.manual_seed(0)
    z = torch.cat([torch.randn(500, 2) - 20, torch.randn(500, 2) + 20])
    labels = torch.full((1000, 3), torch.nan, dtype=torch.float64)
    labels[:500, 0], labels[500:, 1], labels[: FEWEST - 1, 2] = 1.0, torch.linspace(2.0, 5.0, 500).double(), 7.0
    regions = LabelledRegions(3, 2).fit(z, z, labels)
    excess = regions.excess(torch.tensor([[-20.0, -20.0], [20.0, 20.0]]))
    assert excess[0, 0] == excess[1, 1] == 0 and excess[1, 0] > 10 and excess[0, 1] > 10
    assert excess[:, 2].tolist() == [0, 0], "too few labels make no region"
    assert regions.label_ranges() == [(1.0, 1.0), (2.0, 5.0), (-np.inf, np.inf)]


def test_only_the_interval_grows_and_only_outside():
    torch.manual_seed(0)
    plain = PropertyPredictor(3, 8, 2)
    plain.fit_scale(torch.randn(100, 2) * torch.tensor([1.0, 50.0]))
    known = copy.deepcopy(plain)
    z = torch.randn(2000, 3)
    known.regions.fit(z, z, torch.stack([torch.zeros(2000), torch.full((2000,), torch.nan)], dim=1))
    for points, grows in ((0.1 * z[:50], False), (20.0 * z[:50], True)):
        (mean, std), (same_mean, wider) = plain(points), known(points)
        assert torch.equal(mean, same_mean) and torch.equal(std[:, 1], wider[:, 1])
        excess = known.regions.excess(points)[:, 0]
        torch.testing.assert_close(wider[:, 0], (std[:, 0].square() + excess * plain.label_std[0].float() ** 2).sqrt())
        assert bool((excess > 0).any()) == grows


def test_intervals_cover_ninety_percent_with_the_regions_in_place():
    torch.manual_seed(0)
    predictor = PropertyPredictor(3, 8, 1)
    z = torch.randn(6000, 3) * 1.5
    near = torch.randn(2000, 3)
    predictor.regions.fit(near, near, torch.zeros(2000, 1))
    mean, std = predictor(z)
    labels = mean.detach() + 3.0 * std.detach() * torch.randn(6000, 1)
    predictor.calibrate(z[:3000], labels[:3000])
    mean, std = predictor(z[3000:])
    inside = ((labels[3000:] - mean).abs() <= 1.6449 * std).float().mean()
    assert 0.87 < float(inside) < 0.93


def test_gradients_reach_the_standard_deviation_outside_and_stay_finite():
    z = torch.randn(100, 3)
    predictor = PropertyPredictor(3, 8, 1)
    predictor.regions.fit(z, z, torch.zeros(100, 1))
    far = (10 * torch.ones(1, 3)).requires_grad_()
    predictor(torch.cat([far, torch.zeros(1, 3)]))[1].sum().backward()
    assert far.grad.isfinite().all() and (far.grad > 0).any()


def test_a_property_that_lost_its_labels_has_no_region_any_more():
    z = torch.randn(200, 2)
    regions = LabelledRegions(1, 2).fit(z, z, torch.zeros(200, 1))
    assert regions.is_fitted and not regions.fit(z, z, torch.full((200, 1), torch.nan)).is_fitted


def test_the_range_is_that_of_all_labels_not_of_the_few_a_region_is_told_from(tiny_model, vocabulary, monkeypatch):
    monkeypatch.setattr("chemvae.training.posthoc.finish.REGION_MOLECULES", 2)
    monkeypatch.setattr("chemvae.models.labelled_regions.FEWEST", 2)
    labels = np.stack([np.linspace(1.0, 3.0, len(MOLECULES)), np.linspace(-5.0, 0.0, len(MOLECULES))], axis=1)
    data = SmilesDataset(MOLECULES, vocabulary, labels)
    finish(tiny_model, data, data, None)
    assert tiny_model.label_ranges() == [(1.0, 3.0), (-5.0, 0.0)]


@pytest.fixture
def finished(tiny_model, vocabulary):
    """A model whose first property is known of all twenty molecules, the second of none but three."""
    labels = np.full((len(MOLECULES), 2), np.nan)
    labels[:, 0], labels[:3, 1] = np.linspace(1.0, 3.0, len(MOLECULES)), 0.0
    data = SmilesDataset(MOLECULES, vocabulary, labels)
    finish(tiny_model, data, data, None)
    return tiny_model


def test_training_ends_with_a_region_for_each_property_that_has_labels(finished):
    regions = finished.predictor.regions
    assert regions.radius[0] > 0 and regions.radius[1] == 0
    assert regions.label_ranges()[0] == (1.0, 3.0)


def test_a_run_keeps_the_regions(finished, tmp_path):
    save_model(finished, RunFolder(tmp_path / "run"))
    again = load_model(RunFolder(tmp_path / "run"))
    far = 30 * torch.ones(1, finished.latent_dim)
    torch.testing.assert_close(again.predictor(far), finished.predictor(far))
    assert fingerprint(again) == fingerprint(finished)
    (tmp_path / "run" / "labels.safetensors").unlink()
    without = load_model(RunFolder(tmp_path / "run"))
    assert without.predictor(far)[1][0, 0] < 0.5 * finished.predictor(far)[1][0, 0] and fingerprint(without) != fingerprint(
        again
    )


def test_as_a_goal_no_prediction_is_credited_beyond_the_labels(finished):
    oracle = cautious(PredictorOracle(finished, "logP"), [Goal("logP")])
    assert oracle.label_ranges() == [(1.0, 3.0)] and "nothing credited beyond the labels" in oracle.label
    finished.predictor.label_mean[0] = 100.0  # predicts far beyond them now
    mean, std = oracle.estimate(["CCO"])
    assert mean[0, 0] > 50
    assert oracle.evaluate(["CCO"])[0, 0] < 3.0
