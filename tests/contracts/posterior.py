"""What every posterior family must satisfy. Inherit, and supply ``family()`` with two latent dimensions."""

import pytest
import torch

from chemvae.models.posteriors import POSTERIORS, PosteriorFamily
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from tests.conftest import MOLECULES

H, N_DRAWS = 10, 40_000


def plane(centre: torch.Tensor, half: float = 12.0) -> tuple[torch.Tensor, float]:
    """Points [G, 2] around a centre, and the area each stands for."""
    axis = torch.linspace(-half, half, 601, dtype=torch.float64)
    return centre + torch.cartesian_prod(axis, axis), float(axis[1] - axis[0]) ** 2


class PosteriorContract:
    def grid(self, centre: torch.Tensor) -> tuple[torch.Tensor, float]:
        """Points of the family's space that cover the mass around a centre [2], and the area each stands for."""
        return plane(torch.zeros(2, dtype=torch.float64))

    def log_around(self, z: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        """Log density at z of something within reach of q: a Gaussian around draws [K, B, 2] of it."""
        around = torch.distributions.Normal(draws.mean(dim=0), 0.5 * draws.std(dim=0))
        return around.log_prob(z).sum(-1)

    def family(self) -> PosteriorFamily:
        """The family, made of ``hidden_dim`` 10 and ``latent_dim`` 2."""
        raise NotImplementedError

    def made(self):
        torch.manual_seed(3)
        family = self.family().double()
        return family, torch.randn(4, H, dtype=torch.float64)

    @pytest.fixture
    def model(self, vocabulary, monkeypatch):
        """A model of this family: a line in the table is all that takes."""
        monkeypatch.setitem(POSTERIORS, "under-contract", type(self.family()))
        torch.manual_seed(5)
        return MolVAE(vocabulary, ModelSettings(8, 12, 16, 2, 8, posterior="under-contract", precision="fp32")).eval()

    def test_density_integrates_to_one(self):
        family, h = self.made()
        q = family(h[:1])
        grid, area = self.grid(q.point[0].detach())
        mass = q.log_prob(grid[:, None]).exp().sum().detach() * area
        assert abs(float(mass) - 1) < 1e-3

    def test_log_density_of_draws_is_the_posterior_s_own(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(3)
        assert z.shape == (3, 4, 2)
        torch.testing.assert_close(log_qz_x, q.log_prob(z.detach().clone()))

    def test_draws_follow_the_density(self):
        """E over draws of r(z) / q(z|x) is 1 for every density r within reach of q."""
        family, h = self.made()
        with torch.no_grad():
            z, log_qz_x = family(h).draw(N_DRAWS)
            ratio = (self.log_around(z, z) - log_qz_x).exp()
        error = ratio.std(dim=0) / N_DRAWS**0.5
        assert ((ratio.mean(dim=0) - 1).abs() < 5 * error).all()

    def test_draws_lie_in_the_family_s_space(self):
        family, h = self.made()
        q = family(h)
        z, _ = q.draw(50)
        for points in (z, q.point, family.prior().sample((50,))):
            torch.testing.assert_close(family.space.project(points), points)

    def test_a_component_is_a_density_of_any_z(self):
        """What stands for q(z|x) in a mixture: its draws follow its density, and every z is read under all of them."""
        family, h = self.made()
        with torch.no_grad():
            part = family.component(h)
            z = part.sample((N_DRAWS,))
            ratio = (self.log_around(z, z) - part.log_prob(z.clone())).exp()
        assert ((ratio.mean(dim=0) - 1).abs() < 5 * ratio.std(dim=0) / N_DRAWS**0.5).all()
        assert part.log_prob(z[:7, :1].expand(7, 4, 2)).shape == (7, 4)

    def test_held_parameters_leave_the_gradient_of_z_alone(self):
        """Where the family is asked without gradients, its density still has one to z: that of the density itself."""
        family, h = self.made()
        q = family(h)
        with torch.no_grad():
            held = family(h)
        z, _ = q.draw(1)
        z = z.detach().requires_grad_()
        ours, theirs = (torch.autograd.grad(one.log_prob(z).sum(), z)[0] for one in (held, q))
        torch.testing.assert_close(ours, theirs)

    def test_sampled_kl_is_the_closed_form(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(N_DRAWS)
        differences = log_qz_x - family.prior().log_prob(z)
        error = differences.std(dim=0) / N_DRAWS**0.5
        assert (differences.mean(dim=0) > -5 * error).all()  # a KL is not negative
        if q.kl is not None:
            assert ((differences.mean(dim=0) - q.kl).abs() < 5 * error).all()
        if q.kl_dims is not None:
            torch.testing.assert_close(q.kl_dims.sum(-1), q.kl)

    def test_the_prior_is_a_density_of_one_z(self):
        prior = self.made()[0].prior()
        assert (prior.batch_shape, prior.event_shape) == ((), (2,))
        grid, area = self.grid(torch.zeros(2, dtype=torch.float64))
        assert prior.sample((3,)).shape == (3, 2)
        mass = prior.log_prob(grid).exp().sum() * area
        assert abs(float(mass) - 1) < 1e-3

    def test_every_parameter_gets_a_gradient(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(2)
        (log_qz_x.sum() + z.square().sum()).backward()
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in family.parameters())

    def test_batched_equals_looped(self):
        family, h = self.made()
        together = family(h)
        z = torch.randn(4, 2, dtype=torch.float64)
        for i in range(len(h)):
            alone = family(h[i : i + 1])
            torch.testing.assert_close(alone.point[0], together.point[i])
            torch.testing.assert_close(alone.log_prob(z[i : i + 1])[0], together.log_prob(z)[i])

    def test_one_z_is_read_under_every_molecule_s_posterior(self):
        family, h = self.made()
        z = torch.randn(3, 1, 2, dtype=torch.float64)
        table = family(h).log_prob(z.expand(3, 4, 2))
        for i in range(len(h)):
            torch.testing.assert_close(table[:, i], family(h[i : i + 1]).log_prob(z)[:, 0])

    def test_a_summary_says_all_there_is_to_say(self):
        family, h = self.made()
        whole, short = family(h), family.from_summary(family.summary(h))
        z = torch.randn(4, 2, dtype=torch.float64)
        torch.testing.assert_close(short.point, whole.point)
        torch.testing.assert_close(short.log_prob(z), whole.log_prob(z))

    def test_a_generator_decides_the_draws_and_the_global_stream_stays(self):
        family, h = self.made()
        before = torch.get_rng_state()
        first, _ = family(h).draw(2, torch.Generator().manual_seed(5))
        second, _ = family(h).draw(2, torch.Generator().manual_seed(5))
        assert torch.equal(first, second)
        assert torch.equal(before, torch.get_rng_state())

    @pytest.mark.parametrize("batch_size", [3, 512])
    def test_a_model_s_posterior_is_each_molecule_s_own_in_any_order(self, model, batch_size):
        order = torch.randperm(len(MOLECULES), generator=torch.Generator().manual_seed(0))
        together = model.posterior([MOLECULES[i] for i in order], batch_size)
        z = torch.randn(len(MOLECULES), 2, generator=torch.Generator().manual_seed(1))
        assert len(together) == len(MOLECULES) and not together.point.requires_grad
        some = together[torch.tensor([4, 1])]
        torch.testing.assert_close(some.log_prob(z[[4, 1]]), together.log_prob(z)[[4, 1]])
        for place, i in enumerate(order.tolist()):
            alone = model.posterior([MOLECULES[i]])
            torch.testing.assert_close(alone.point[0], together.point[place], atol=1e-5, rtol=1e-5)
            log_prob = alone.log_prob(z[place : place + 1])[0]
            torch.testing.assert_close(log_prob, together.log_prob(z)[place], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(torch.from_numpy(model.encode(MOLECULES))[order], together.point, atol=1e-5, rtol=1e-5)

    def test_no_molecule_has_no_point(self, model):
        none = model.posterior([])
        assert none.point.shape == (0, 2) and len(none) == 0

    def test_the_normal_prior_of_a_model_is_the_family_s_own(self, model):
        z = torch.randn(7, 2)
        torch.testing.assert_close(model.priors["normal"].log_prob(z), model.posterior_family.prior().log_prob(z))
