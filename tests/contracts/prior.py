"""What every prior must satisfy. Inherit, and supply ``prior()``, new, with two latent dimensions."""

import copy

import numpy as np
import pytest
import torch

from chemvae.models.priors import NormalPrior

N_DRAWS = 40_000


def shifted(n: int = 2_000, seed: int = 0) -> np.ndarray:
    """Points [n, 2] in two groups, neither of them where N(0, I) has its mass."""
    rng = np.random.default_rng(seed)
    left = rng.normal((-3.0, 2.0), (0.5, 0.8), (n // 3, 2))
    right = rng.normal((2.5, -1.0), (0.7, 0.4), (n - n // 3, 2))
    return rng.permutation(np.concatenate([left, right])).astype(np.float32)


def grid() -> tuple[torch.Tensor, float]:
    """Points [G, 2] that cover all the mass there is, and the area each stands for."""
    axis = torch.linspace(-13.95, 13.95, 280)  # none of them on an axis, where a quadrant ends
    return torch.cartesian_prod(axis, axis), float(axis[1] - axis[0]) ** 2


class PriorContract:
    normalised = True
    trained = False
    """Whether it is one that is trained with a model: then its parameters learn."""

    def shifted(self, n: int = 2_000, seed: int = 0) -> np.ndarray:
        """Points [n, 2] of its space that are not where the usual density of that space has its mass."""
        return shifted(n, seed)

    def grid(self) -> tuple[torch.Tensor, float]:
        """Points of its space [G, 2] that cover all the mass there is, and the area each stands for."""
        return grid()

    def usual(self) -> torch.nn.Module:
        """The density of its space that knows nothing."""
        return NormalPrior(2)

    def prior(self) -> torch.nn.Module:
        raise NotImplementedError

    def fit(self, prior: torch.nn.Module) -> torch.nn.Module:
        """Fit it to the points, where it can be."""
        return prior.fit(self.shifted(), 0) if hasattr(prior, "fit") else prior

    def made(self) -> torch.nn.Module:
        torch.manual_seed(3)
        return self.fit(self.prior())

    @pytest.fixture(scope="class")
    def fitted(self):
        return self.made()

    @torch.no_grad()
    def test_density_integrates_to_one(self, fitted):
        if not self.normalised:
            return
        points, area = self.grid()
        assert abs(float(fitted.log_prob(points).double().exp().sum()) * area - 1) < 5e-3

    @torch.no_grad()
    def test_samples_follow_the_density(self, fitted):
        points, area = self.grid()
        density = fitted.log_prob(points).double().exp() * area
        density = density / density.sum()
        drawn = fitted.sample(N_DRAWS, torch.Generator().manual_seed(0)).double()
        points = points.double()
        mean = density @ points
        variance = density @ (points - mean).square()
        error = (variance / N_DRAWS).sqrt()
        assert ((drawn.mean(dim=0) - mean).abs() < 5 * error + 1e-2).all()
        torch.testing.assert_close(drawn.var(dim=0), variance, rtol=0.05, atol=0.02)
        for corner in ((-1, -1), (-1, 1), (1, 1)):
            signs = torch.tensor(corner)
            expected = float(density[((points * signs) > 0).all(dim=1)].sum())
            assert abs(float(((drawn * signs) > 0).all(dim=1).double().mean()) - expected) < 0.02

    def test_a_generator_decides_the_draws_and_the_global_stream_stays(self, fitted):
        before = torch.get_rng_state()
        first, second = (fitted.sample(7, torch.Generator().manual_seed(5)) for _ in range(2))
        other = fitted.sample(7, torch.Generator().manual_seed(6))
        assert first.shape == (7, 2) and torch.equal(first, second) and not torch.equal(first, other)
        assert torch.equal(before, torch.get_rng_state())

    def test_the_density_is_differentiable(self, fitted):
        z = torch.zeros(3, 2, requires_grad=True)
        assert fitted.log_prob(z).shape == (3,)
        (gradient,) = torch.autograd.grad(fitted.log_prob(z + 0.3).sum(), z)
        assert gradient.isfinite().all() and gradient.abs().max() > 0

    def test_saved_and_loaded_it_is_the_same_density(self, fitted):
        other = self.prior()
        other.load_state_dict(copy.deepcopy(fitted.state_dict()))
        z = torch.from_numpy(self.shifted(50, seed=1))
        assert torch.equal(other.log_prob(z), fitted.log_prob(z))
        draws = (one.sample(5, torch.Generator().manual_seed(0)) for one in (other, fitted))
        assert torch.equal(*draws)

    @torch.no_grad()
    def test_a_fit_explains_other_points_of_the_same_kind_better_than_a_normal(self, fitted):
        if self.trained or not hasattr(fitted, "fit"):
            return
        held_out = torch.from_numpy(self.shifted(seed=1))
        assert float(fitted.log_prob(held_out).mean()) > float(self.usual().log_prob(held_out).mean()) + 0.5

    def test_the_same_seed_fits_the_same(self, fitted):
        if not hasattr(fitted, "fit"):
            return
        assert fitted.fit_points >= 1_000
        again = self.made().state_dict()
        assert all(torch.equal(value, again[name]) for name, value in fitted.state_dict().items())

    def test_what_is_trained_with_a_model_is_trainable_and_nothing_else(self, fitted):
        assert all(p.requires_grad == self.trained for p in fitted.parameters())

    def test_every_trained_parameter_gets_a_gradient_and_learns_where_the_codes_are(self):
        if not self.trained:
            return
        torch.manual_seed(3)
        prior, points = self.prior(), torch.from_numpy(self.shifted())
        before = float(prior.log_prob(points).mean().detach())
        optimizer = torch.optim.Adam(prior.parameters(), 0.05)
        for step in range(80):
            loss = -prior.log_prob(points[step % 20 :: 20]).mean()
            optimizer.zero_grad()
            loss.backward()
            if step == 5:  # a flow starts as the identity: what lies before its last layer has no gradient at once
                assert all(p.grad is not None and p.grad.abs().max() > 0 for p in prior.parameters())
            optimizer.step()
        assert float(prior.log_prob(torch.from_numpy(self.shifted(seed=1))).mean().detach()) > before + 0.5
