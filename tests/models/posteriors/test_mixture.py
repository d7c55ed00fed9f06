"""The mixture posterior: its draws have gradients to the weights too, and they are those of the expectation."""

import pytest
import torch

from chemvae.models.posteriors import MixturePosterior
from chemvae.models.posteriors.mixture import ReparameterizedMixture
from tests.contracts.posterior import H, PosteriorContract

N = 400_000


class TestMixture(PosteriorContract):
    def family(self):
        return MixturePosterior(H, 2, n_components=3)


class TestOneComponent(PosteriorContract):
    def family(self):
        return MixturePosterior(H, 2, n_components=1)


def parameters():
    logits = torch.tensor([0.3, -0.4, 0.1], dtype=torch.float64, requires_grad=True)
    means = torch.tensor([[-1.0, 0.5], [0.8, 1.0], [0.2, -1.2]], dtype=torch.float64, requires_grad=True)
    scales = torch.tensor([[0.7, 0.5], [0.6, 0.9], [1.1, 0.4]], dtype=torch.float64, requires_grad=True)
    return logits, means, scales


def gradients(value, of):
    return torch.cat([one.flatten() for one in torch.autograd.grad(value, of, materialize_grads=True)])


MOMENTS = {  # of z, and the same of the parameters: E f(z) = sum_c pi_c E_c f(z)
    "first": (lambda z: z[:, 1], lambda m, s: m[:, 1]),
    "square": (lambda z: z[:, 0] ** 2, lambda m, s: m[:, 0] ** 2 + s[:, 0] ** 2),
    "product": (lambda z: z[:, 0] * z[:, 1], lambda m, s: m[:, 0] * m[:, 1]),
    "cosine": (lambda z: z[:, 0].cos(), lambda m, s: m[:, 0].cos() * (-0.5 * s[:, 0] ** 2).exp()),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_gradients_of_draws_are_those_of_the_expectation(moment):
    of_z, of_parts = MOMENTS[moment]
    logits, means, scales = parameters()
    exact = gradients((logits.softmax(0) * of_parts(means, scales)).sum(), (logits, means, scales))
    torch.manual_seed(0)
    batches = []
    for _ in range(10):
        z = ReparameterizedMixture(logits, means, scales).rsample((N // 10,))
        batches.append(gradients(of_z(z).mean(), (logits, means, scales)))
    found = torch.stack(batches)
    error = found.std(dim=0) / 10**0.5
    assert ((found.mean(dim=0) - exact).abs() < 5 * error + 1e-4).all()
    assert exact[:3].abs().max() > 0.01  # the weights have something to learn


def test_the_point_is_the_mean_of_the_heaviest_component():
    q = MixturePosterior(H, 3, n_components=4)(torch.randn(6, H))
    heaviest = q.mixture_distribution.logits.argmax(dim=1)
    assert torch.equal(q.point, q.component_distribution.base_dist.loc[torch.arange(6), heaviest])


def test_a_draw_far_out_has_a_finite_gradient():
    logits = torch.zeros(2, requires_grad=True)
    q = ReparameterizedMixture(logits, torch.tensor([[-30.0] * 8, [30.0] * 8]), torch.full((2, 8), 1e-3))
    q.rsample((1000,)).square().sum().backward()
    assert logits.grad.isfinite().all()
