"""What every posterior family must satisfy. Inherit, and supply ``family()`` with two latent dimensions."""

import pytest
import torch

from chemvae.models.posteriors import POSTERIORS, PosteriorFamily
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from tests.conftest import MOLECULES

H, N_DRAWS = 10, 40_000


class PosteriorContract:
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
        axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
        grid = torch.cartesian_prod(axis, axis)
        mass = q.log_prob(grid[:, None]).exp().sum().detach() * (axis[1] - axis[0]) ** 2
        assert abs(float(mass) - 1) < 1e-3

    def test_log_density_of_draws_is_the_posterior_s_own(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(3)
        assert z.shape == (3, 4, 2)
        torch.testing.assert_close(log_qz_x, q.log_prob(z.detach().clone()))

    def test_draws_follow_the_density(self):
        """E over draws of r(z) / q(z|x) is 1 for every density r within reach of q: here a wide Gaussian around the draws."""
        family, h = self.made()
        z, log_qz_x = family(h).draw(N_DRAWS)
        around = torch.distributions.Normal(z.mean(dim=0).detach(), 0.5 * z.std(dim=0).detach())
        ratio = (around.log_prob(z).sum(-1) - log_qz_x).exp()
        error = ratio.std(dim=0) / N_DRAWS**0.5
        assert ((ratio.mean(dim=0) - 1).abs() < 5 * error).all()

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
        axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
        mass = prior.log_prob(torch.cartesian_prod(axis, axis)).exp().sum() * (axis[1] - axis[0]) ** 2
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
