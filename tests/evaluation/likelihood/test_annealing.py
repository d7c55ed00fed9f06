"""Both bounds on log p(x) where it is known: a linear-Gaussian model, and a density on the sphere."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from chemvae.errors import SettingsError
from chemvae.evaluation.likelihood.annealing import AnnealedPath, Annealing
from chemvae.models.inference.geometry import Flat, Sphere, latent_geometry
from chemvae.models.latent_space import SPHERE
from tests.contracts.linear_gaussian import LinearGaussian
from tests.evaluation.fakes import MemoryModel


def exact_draws(toy, n_chains, seed=1):
    """Draws [C, B, D] of the true posterior."""
    torch.manual_seed(seed)
    return MultivariateNormal(toy.mean, toy.covariance).sample((n_chains,))


def path(toy, settings, stretch=1.5):
    return AnnealedPath(toy.crude(stretch), toy.joint, settings, generator=torch.Generator().manual_seed(0))


def test_the_interval_holds_the_truth_to_a_thousandth_of_a_nat():
    toy = LinearGaussian(n=50, dim=2, noise=2.0)
    settings = Annealing(n_temperatures=20, n_chains=400, n_leapfrog=3)
    annealed, truth = path(toy, settings, stretch=1.1), float(toy.evidence().mean())
    lower = float(annealed.lower().mean())
    upper = float(annealed.upper(exact_draws(toy, settings.n_chains)).mean())
    assert lower - 1e-3 < truth < upper + 1e-3
    assert abs(upper - lower) < 2e-3


def test_few_steps_from_a_poor_start_leave_the_truth_between_two_bounds_that_more_steps_bring_together():
    toy, gaps = LinearGaussian(n=40), []
    for n_temperatures in (3, 40):
        annealed = path(toy, Annealing(n_temperatures, n_chains=2, n_leapfrog=3), stretch=3.0)
        lower, upper = annealed.lower(), annealed.upper(exact_draws(toy, 1)[0])
        assert lower.mean() < toy.evidence().mean() < upper.mean()
        gaps.append(float((upper - lower).mean()))
    assert gaps[0] > 5 * gaps[1] > 0


def test_a_weight_of_one_chain_is_unbiased_however_few_the_steps():
    """E w = p(x) for any number of temperatures: what a step width that follows its own chain would break."""
    toy = LinearGaussian(n=4, dim=2, noise=1.0)
    annealed = path(toy, Annealing(n_temperatures=2, n_chains=40_000, n_leapfrog=1))
    torch.testing.assert_close(annealed.lower(), toy.evidence(), atol=0.03, rtol=0)


def test_on_the_sphere_the_integral_is_that_of_the_von_mises_fisher_density():
    """The integral of exp(k mu z) over the unit sphere of three dimensions is 4 pi sinh(k) / k."""
    kappa, mu = 4.0, torch.tensor([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0]], dtype=torch.float64)
    truth = math.log(4 * math.pi * math.sinh(kappa) / kappa)
    settings = Annealing(n_temperatures=60, n_chains=400)
    generator = torch.Generator().manual_seed(0)
    annealed = AnnealedPath(OnSphere(), lambda z: kappa * (z * mu).sum(-1), settings, Sphere(), generator)
    found = annealed.lower()
    assert found.shape == (2,)
    torch.testing.assert_close(found, torch.full((2,), truth, dtype=torch.float64), atol=0.02, rtol=0)


class OnSphere:
    """Uniform on the unit sphere of three dimensions, for two molecules."""

    def sample(self, shape):
        z = torch.randn(*shape, 2, 3, dtype=torch.float64)
        return z / z.norm(dim=-1, keepdim=True)

    def log_prob(self, z):
        return 0.0 * z.sum(dim=-1) - math.log(4 * math.pi)


def test_a_density_that_is_nowhere_finite_off_its_start_moves_no_chain():
    q = Independent(Normal(torch.zeros(1, 2), torch.ones(1, 2)), 1)
    annealed = AnnealedPath(q, lambda z: torch.full(z.shape[:-1], math.nan) + 0 * z.sum(-1), Annealing(3, 2))
    assert annealed.lower().isnan().all()


def test_a_step_on_the_sphere_is_as_long_as_its_tangent_and_leads_back():
    torch.manual_seed(0)
    z, tangent, space = torch.randn(5, 8, dtype=torch.float64), torch.randn(5, 8, dtype=torch.float64), Sphere()
    z = z / z.norm(dim=1, keepdim=True)
    tangent = 0.3 * space.project(z, tangent)
    there = space.step(z, tangent)
    torch.testing.assert_close(there.norm(dim=1), torch.ones(5, dtype=torch.float64))
    torch.testing.assert_close((z * there).sum(dim=1).arccos(), tangent.norm(dim=1))
    torch.testing.assert_close(space.towards(z, there), tangent)
    torch.testing.assert_close(space.towards(z, z), torch.zeros_like(z))


def test_moving_back_with_the_velocity_turned_round_is_where_one_was():
    torch.manual_seed(0)
    for space in (Flat(), Sphere()):
        z = torch.nn.functional.normalize(torch.randn(3, 4, dtype=torch.float64), dim=1)
        velocity = space.project(z, torch.randn(3, 4, dtype=torch.float64))
        time = torch.full((3, 1), 0.7, dtype=torch.float64)
        there, turned = space.drift(z, velocity, time)
        back, again = space.drift(there, -turned, time)
        torch.testing.assert_close(back, z)
        torch.testing.assert_close(again, -velocity)


def test_chains_move_where_the_model_says_its_codes_are():
    model = MemoryModel(["CCO", "CCN", "CCC"])
    assert isinstance(latent_geometry(model), Flat)
    model.latent_space = SPHERE
    assert isinstance(latent_geometry(model), Sphere)


def test_no_temperatures_and_no_chains_are_refused_together():
    with pytest.raises(SettingsError, match="n_temperatures must be >= 1, got 0.*n_chains"):
        Annealing(0, 0)
