"""What every posterior family must satisfy. Inherit, and supply ``family()`` with two latent dimensions."""

import torch

from chemvae.models.posteriors import PosteriorFamily

H, N_DRAWS = 10, 40_000


class PosteriorContract:
    def family(self) -> PosteriorFamily:
        raise NotImplementedError

    def made(self):
        torch.manual_seed(3)
        family = self.family().double()
        return family, torch.randn(4, H, dtype=torch.float64)

    def test_density_integrates_to_one(self):
        family, h = self.made()
        q = family(h[:1])
        axis = torch.linspace(-12, 12, 601, dtype=torch.float64)
        grid = torch.cartesian_prod(axis, axis)
        mass = q.distribution.log_prob(grid[:, None]).exp().sum().detach() * (axis[1] - axis[0]) ** 2
        assert abs(float(mass) - 1) < 1e-3

    def test_log_density_of_draws_is_the_distributions_own(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(3)
        assert z.shape == (3, 4, 2)
        torch.testing.assert_close(log_qz_x, q.distribution.log_prob(z))

    def test_sampled_kl_is_the_closed_form(self):
        family, h = self.made()
        q = family(h)
        if q.kl is None:
            return
        z, log_qz_x = q.draw(N_DRAWS)
        differences = log_qz_x - family.prior().log_prob(z)
        error = differences.std(dim=0) / N_DRAWS**0.5
        assert ((differences.mean(dim=0) - q.kl).abs() < 5 * error).all()
        if q.kl_dims is not None:
            torch.testing.assert_close(q.kl_dims.sum(-1), q.kl)

    def test_every_parameter_gets_a_gradient(self):
        family, h = self.made()
        q = family(h)
        z, log_qz_x = q.draw(2)
        (log_qz_x.sum() + z.square().sum()).backward()
        assert all(p.grad is not None and p.grad.abs().max() > 0 for p in family.parameters())

    def test_batched_equals_looped(self):
        family, h = self.made()
        together = family(h)
        for i in range(len(h)):
            alone = family(h[i : i + 1])
            torch.testing.assert_close(alone.point[0], together.point[i])

    def test_a_generator_decides_the_draws_and_the_global_stream_stays(self):
        family, h = self.made()
        before = torch.get_rng_state()
        first, _ = family(h).draw(2, torch.Generator().manual_seed(5))
        second, _ = family(h).draw(2, torch.Generator().manual_seed(5))
        assert torch.equal(first, second)
        assert torch.equal(before, torch.get_rng_state())
