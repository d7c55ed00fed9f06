"""Noise moves codes towards a density and leaves that density as it is; priors say on which spaces they are one."""

import pytest
import torch

from chemvae.models.posteriors import DiagonalGaussian
from chemvae.models.priors.base import (
    HIGHEST_LEVEL,
    FamilyPrior,
    NormalPrior,
    drawn_like,
    noise_like,
    noised_codes,
    space_complaint,
)  # fmt: skip
from chemvae.models.priors.gaussian import GaussianPrior


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_normal_prior_is_the_standard_normal():
    z = torch.randn(9, 4, generator=seeded())
    torch.testing.assert_close(NormalPrior(4).log_prob(z), torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1))
    assert torch.equal(NormalPrior(4).sample(5, seeded(3)), NormalPrior(4).sample(5, seeded(3)))


@pytest.mark.parametrize("level", [0.0, 0.3, 0.8, 1.0])
def test_draws_of_a_density_stay_draws_of_it_at_every_level(level):
    gaussian = GaussianPrior(2).fit((torch.randn(4_000, 2, generator=seeded()) * torch.tensor([2.0, 0.5]) + 3.0).numpy())
    for prior in (NormalPrior(2), FamilyPrior(DiagonalGaussian(5, 2)), gaussian):
        z = prior.sample(100_000, seeded(1))
        moved = prior.diffuse(z, torch.full((len(z), 1), level), seeded(2))
        torch.testing.assert_close(moved.mean(dim=0), z.mean(dim=0), atol=0.03, rtol=0)
        torch.testing.assert_close(moved.std(dim=0), z.std(dim=0), atol=0.02, rtol=0.01)
        centred = (z - z.mean(dim=0)) / z.std(dim=0), (moved - moved.mean(dim=0)) / moved.std(dim=0)
        assert float((centred[0] * centred[1]).mean()) == pytest.approx(level, abs=0.02)  # what is left of the code


def test_levels_of_noise_go_up_to_the_highest_and_a_power_leaves_less_of_most_codes():
    far = torch.full((50_000, 1), 1e6)
    levels, fewer = (noised_codes(far, NormalPrior(1), seeded(), power) / 1e6 for power in (1.0, 3.0))
    assert 0 <= float(levels.min()) and float(levels.max()) <= HIGHEST_LEVEL + 1e-4
    assert float(levels.mean()) == pytest.approx(HIGHEST_LEVEL / 2, abs=0.005)
    assert float(fewer.mean()) == pytest.approx(HIGHEST_LEVEL / 4, abs=0.005)


def test_a_family_s_own_weights_are_no_part_of_its_prior():
    assert not list(FamilyPrior(DiagonalGaussian(5, 2)).parameters())


class OnSphere:
    class space:
        kind = "sphere"


def test_a_prior_of_another_space_is_refused_with_those_that_fit():
    table = {"normal": NormalPrior, "gaussian": GaussianPrior}
    assert space_complaint("normal", OnSphere, "prior", table) is None
    said = space_complaint("gaussian", OnSphere, "prior", table)
    assert said is not None and "lie on a sphere" in said and said.endswith("take the prior normal with it")


def test_noise_comes_from_the_generator_in_the_shape_that_is_asked_for():
    like = torch.zeros(3, 2)
    assert torch.equal(noise_like(like, seeded(5)), torch.randn(3, 2, generator=seeded(5)))
    assert torch.equal(drawn_like(torch.rand, (4,), like, seeded(5)), torch.rand(4, generator=seeded(5)))
