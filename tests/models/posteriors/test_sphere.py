"""The von Mises-Fisher posterior: closed forms, exact gradients, and draws on the sphere, from 3 to 128 dimensions."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from chemvae.errors import SettingsError
from chemvae.models.latent_space import SPHERE
from chemvae.models.posteriors import VonMisesFisherFamily
from chemvae.models.posteriors.sphere import UniformOnSphere, VonMisesFisher, log_sphere_area
from tests.contracts.posterior import H, PosteriorContract

DIMS, KAPPAS = (3, 8, 64, 128), (1.0, 30.0, 1e3, 1e5)


def circle():
    """Points all round, and the length each stands for."""
    angle = torch.linspace(0, 2 * math.pi, 20_001, dtype=torch.float64)[:-1]
    return torch.stack([angle.cos(), angle.sin()], dim=1), 2 * math.pi / 20_000


class TestVonMisesFisher(PosteriorContract):
    def family(self):
        return VonMisesFisherFamily(H, 2)

    def grid(self, centre):
        return circle()

    def log_around(self, z, draws):
        return VonMisesFisher(SPHERE.project(draws.mean(dim=0)), torch.full_like(draws[0, :, 0], 3.0)).log_prob(z)


def vmf(dim, kappa, n=1, dtype=torch.float64):
    torch.manual_seed(0)
    loc = SPHERE.project(torch.randn(dim, dtype=torch.float64)).to(dtype).expand(n, dim)
    return VonMisesFisher(loc, torch.full((n,), kappa, dtype=dtype, requires_grad=True))


def expectation(dim, kappa, of):
    """E of(t) of the cosine t by quadrature, its density proportional to exp(kappa t) (1 - t^2)^((D - 3) / 2)."""
    power = (dim - 3) / 2
    mode = (-power + math.sqrt(power**2 + kappa**2)) / kappa
    top = kappa * mode + power * math.log1p(-(mode**2)) if power else kappa
    density = lambda t: math.exp(kappa * t + (power * math.log1p(-t * t) if power else 0.0) - top)  # noqa: E731
    spread = 12 / math.sqrt(kappa) + 1e-9
    low, high = max(-1 + 1e-15, mode - spread), min(1 - 1e-15, mode + spread)
    total = lambda f: quad(f, low, high, points=[mode] if low < mode < high else None, limit=500, epsabs=0)[0]  # noqa: E731
    return total(lambda t: of(t) * density(t)) / total(density), math.log(total(density)) + top


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("kappa", (1.0, 30.0, 1e3))
def test_kl_mean_and_constant_are_those_of_quadrature(dim, kappa):
    q = vmf(dim, kappa)
    mean, log_integral = expectation(dim, kappa, lambda t: t)
    log_constant = -(log_integral + log_sphere_area(dim - 1))
    assert float(q.resultant[0].detach()) == pytest.approx(mean, rel=1e-7)
    assert float(q.log_normalizer[0].detach()) == pytest.approx(log_constant, rel=1e-7, abs=1e-6)
    assert float(q.kl_to_uniform()[0].detach()) == pytest.approx(
        kappa * mean + log_constant + log_sphere_area(dim), rel=1e-6, abs=1e-5
    )


def test_in_three_dimensions_the_constant_is_elementary():
    q = vmf(3, 2.0)
    assert float(q.log_normalizer[0].detach()) == pytest.approx(math.log(2.0 / (4 * math.pi * math.sinh(2.0))))
    assert float(q.resultant[0].detach()) == pytest.approx(1 / math.tanh(2.0) - 1 / 2.0)


@pytest.mark.parametrize("dim", (8, 64, 128))
@pytest.mark.parametrize("kappa", KAPPAS)
def test_single_precision_is_enough(dim, kappa):
    double, single = vmf(dim, kappa, 64), vmf(dim, kappa, 64, torch.float32)
    torch.testing.assert_close(single.kl_to_uniform().double(), double.kl_to_uniform(), rtol=1e-5, atol=1e-5)
    z = single.rsample()
    assert z.dtype == torch.float32 and ((z.norm(dim=1) - 1).abs() < 1e-6).all()
    torch.testing.assert_close(single.log_prob(z).double(), double.log_prob(SPHERE.project(z.double())), rtol=1e-4, atol=0.02)
    (single.log_prob(z).sum() + single.kl_to_uniform().sum() + z[:, 0].sum()).backward()
    assert single.kappa.grad.isfinite().all()


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("kappa", (1.0, 30.0, 1e3))
def test_draws_have_the_mean_and_gradients_the_slope_of_the_closed_form(dim, kappa):
    """dE[mu . z] / dkappa = 1 - A^2 - (D - 1) A / kappa, the variance of the cosine."""
    q = vmf(dim, kappa, 20_000)
    cosine = (q.rsample() * q.loc).sum(dim=1)
    (slopes,) = torch.autograd.grad(cosine.sum(), q.kappa)
    a = float(q.resultant[0].detach())
    for found, exact in ((cosine.detach(), a), (slopes, 1 - a**2 - (dim - 1) * a / kappa)):
        assert abs(float(found.mean()) - exact) < 5 * float(found.std()) / len(found) ** 0.5


def test_the_gradient_of_a_nonlinear_function_is_that_of_its_expectation():
    dim, kappa, step = 8, 20.0, 1e-3
    q = vmf(dim, kappa, 200_000)
    (slopes,) = torch.autograd.grad((q.rsample() * q.loc).sum(dim=1).pow(3).sum(), q.kappa)
    up, down = (expectation(dim, kappa + sign * step, lambda t: t**3)[0] for sign in (1, -1))
    assert abs(float(slopes.mean()) - (up - down) / (2 * step)) < 5 * float(slopes.std()) / len(slopes) ** 0.5


def test_draws_point_where_mu_points_and_nowhere_else():
    q = vmf(5, 4.0, 1)
    z = q.sample((200_000,))[:, 0]
    torch.testing.assert_close(z.mean(dim=0), q.mean[0].detach(), atol=5e-3, rtol=0)
    across = z - (z @ q.loc[0])[:, None] * q.loc[0]
    spread = torch.cov(across.t())
    along = torch.outer(q.loc[0], q.loc[0])
    expected = (1 - (z @ q.loc[0]).square().mean()) / 4 * (torch.eye(5, dtype=torch.float64) - along)
    torch.testing.assert_close(spread, expected, atol=5e-3, rtol=0)


@pytest.mark.parametrize("first", (1.0, -1.0))
def test_a_direction_along_the_first_axis_is_no_exception(first):
    loc = torch.tensor([[first, 0.0, 0.0]], requires_grad=True)
    z = VonMisesFisher(loc, torch.tensor([50.0])).rsample((500,))
    z.sum().backward()
    assert float((z[..., 0] * first).mean().detach()) > 0.9 and loc.grad.isfinite().all()


def test_no_concentration_is_the_uniform_density():
    q = VonMisesFisher(torch.tensor([[0.0, 0.0, 1.0, 0.0]]), torch.tensor([1e-3]))
    uniform = UniformOnSphere(torch.zeros(4))
    z = uniform.sample((9, 1))
    torch.testing.assert_close(q.log_prob(z), uniform.log_prob(z), atol=2e-3, rtol=0)
    assert 0 <= float(q.kl_to_uniform()) < 1e-6


def test_uniform_draws_are_uniform():
    z = UniformOnSphere(torch.zeros(6)).sample((100_000,))
    torch.testing.assert_close(torch.cov(z.t()), torch.eye(6) / 6, atol=3e-3, rtol=0)
    torch.testing.assert_close(z.norm(dim=1), torch.ones(100_000))


def test_the_kl_does_not_depend_on_the_direction_and_grows_with_the_concentration():
    family = VonMisesFisherFamily(H, 16)
    q = family.from_summary(torch.cat([torch.randn(4, 16), torch.tensor([[-3.0], [0.0], [3.0], [30.0]])], dim=1))
    assert (q.kl.diff() > 0).all()
    turned = family.from_summary(torch.cat([torch.randn(1, 16), torch.tensor([[0.0]])], dim=1))
    torch.testing.assert_close(turned.kl[0], q.kl[1])
    assert np.isfinite(float(family.from_summary(torch.full((1, 17), 1e9)).kl))


def test_one_dimension_has_no_sphere():
    with pytest.raises(SettingsError, match="latent_dim >= 2, got 1"):
        VonMisesFisherFamily(H, 1)
