"""Moves in latent space."""

import torch

from chemvae.design.optimizers.latent_region import LatentRegion
from tests.design.toys import ToyModel


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_perturbing_moves_about_twenty_dimensions_by_the_width():
    region = LatentRegion(ToyModel(100))
    region.norm_cap = float("inf")
    centres = torch.zeros(4000, 100)
    moved = region.perturb(centres, torch.full((4000,), 0.5), generator())
    assert abs(float((moved != 0).float().sum(dim=1).mean()) - 20.8) < 0.3
    assert abs(float(moved[moved != 0].std()) - 0.5) < 0.01
    assert (moved != 0).any(dim=1).all()


def test_a_region_with_anchors_explores_around_them_and_one_without_the_prior():
    anchor = torch.tensor([[2.0, 0.0, 0.0, 0.0]])
    near = LatentRegion(ToyModel(), anchor).explore(500, generator())
    anywhere = LatentRegion(ToyModel()).explore(500, generator())
    assert (near.mean(dim=0) - anchor[0]).abs().max() < 0.15 and anywhere.mean(dim=0).abs().max() < 0.15
    assert near.std(dim=0).max() < anywhere.std(dim=0).min()


def test_crossing_stays_between_the_parents():
    region = LatentRegion(ToyModel(8))
    first, second = torch.zeros(200, 8), torch.ones(200, 8)
    child = region.mix(first, second, generator())
    assert child.min() >= -1e-5 and child.max() <= 1 + 1e-5
    same = torch.randn(50, 8, generator=generator())
    torch.testing.assert_close(region.mix(same, same, generator()), same, atol=2e-2, rtol=0)


def test_an_unfitted_model_has_no_gates():
    model = ToyModel()
    model.latent_statistics.density_threshold = lambda quantile: float("nan")
    model.latent_statistics.norm_cap = lambda quantile: float("nan")
    region = LatentRegion(model)
    far = torch.full((1, 4), 1e3)
    assert region.contains(far).all() and torch.equal(region.cap(far), far)


def test_prior_draws_leave_the_global_state_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = LatentRegion(ToyModel()).draw(5, seed=1)
    assert torch.equal(torch.rand(2), expected) and torch.equal(first, LatentRegion(ToyModel()).draw(5, seed=1))
