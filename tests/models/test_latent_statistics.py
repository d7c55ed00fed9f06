"""What a model knows of its training latents: quantiles are quantiles, and 1 is the distance of a typical molecule."""

import numpy as np
import pytest
import torch

from chemvae.models.latent_statistics import N_REFERENCES, LatentStatistics

Z = torch.randn(1_500, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 2.0, 0.5, 1.0, 3.0]) + 1.0
LOG_DENSITY = -Z.square().sum(dim=1)


@pytest.fixture(scope="module")
def fitted():
    return LatentStatistics(5).fit(Z, LOG_DENSITY)


def test_only_a_fitted_one_says_so(fitted):
    assert fitted.is_fitted and not LatentStatistics(5).is_fitted


def test_mean_and_spread_are_those_of_the_latents(fitted):
    np.testing.assert_allclose(fitted.mean, Z.numpy().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(fitted.std, Z.numpy().std(axis=0), rtol=1e-5)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.95])
def test_thresholds_leave_out_the_share_that_they_say(fitted, share):
    assert float((LOG_DENSITY > fitted.density_threshold(share)).float().mean()) == pytest.approx(1 - share, abs=0.002)
    assert float((Z.norm(dim=1) < fitted.norm_cap(share)).float().mean()) == pytest.approx(share, abs=0.002)


def test_a_new_draw_is_typical_and_a_far_one_is_as_many_times_farther(fitted):
    new = torch.randn(400, 5, generator=torch.Generator().manual_seed(1)) * fitted.std + fitted.mean
    assert 0.8 < float(fitted.distance(new).median()) < 1.3
    far = fitted.mean + 1_000.0
    distance = torch.cdist(far[None], Z).topk(5, largest=False).values.mean()
    assert float(fitted.distance(far[None])) == pytest.approx(float(distance / fitted.typical_distance), rel=1e-4)


def test_references_are_training_latents_each_once_and_as_many_as_there_is_room_for(fitted):
    known = fitted._known_references()
    assert len(known) == len(Z) and len(known.unique(dim=0)) == len(Z)
    many = LatentStatistics(2).fit(torch.randn(N_REFERENCES + 100, 2), torch.zeros(N_REFERENCES + 100))
    assert len(many._known_references()) == N_REFERENCES


def test_few_and_equal_latents_have_a_distance_all_the_same():
    for z in (torch.ones(1, 3), torch.ones(2, 3), torch.ones(40, 3)):
        found = LatentStatistics(3).fit(z, torch.zeros(len(z)))
        assert found.is_fitted and float(found.typical_distance) > 0
        assert bool(found.distance(z).isfinite().all())


def test_a_second_fit_leaves_nothing_of_the_first():
    found = LatentStatistics(5).fit(Z, LOG_DENSITY).fit(Z[:7], LOG_DENSITY[:7])
    assert len(found._known_references()) == 7
