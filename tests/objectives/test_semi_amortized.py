"""Semi-amortized inference: steps that climb, and gradients that know of them."""

import numpy as np
import pytest
import torch

from chemvae.errors import SettingsError
from chemvae.objectives import BetaELBO, SemiAmortized
from chemvae.objectives.semi_amortized import LARGEST_GRADIENT, Climb, own_bound, shortening
from chemvae.seeding import draw_seed
from tests.contracts.objective import ObjectiveContract


class TestStopped(ObjectiveContract):
    def objective(self):
        return SemiAmortized(lambda step: 1.0, n_steps=2)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["kl"] + parts["property_nll"]


class TestThrough(TestStopped):
    def objective(self):
        return SemiAmortized(lambda step: 1.0, n_steps=2, gradients="through")


def toy(weight):
    """A bound with mixed second derivatives in summary and weight."""
    return lambda s, seed: (torch.sin(s * weight) - 0.3 * s.square() * weight.square()).sum(dim=1)


def test_gradients_through_the_climb_are_those_of_the_unrolled_steps():
    weight = torch.tensor([0.7, -1.1, 0.4], dtype=torch.float64, requires_grad=True)
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    pull = torch.linspace(-1, 1, 12, dtype=torch.float64).view(4, 3)
    climb = Climb(toy(weight), seeds=[0, 0, 0], rate=0.2)
    found, (in_weight,) = climb.back(climb.path(start), pull, [weight])
    s = start
    for _ in range(3):
        s = s + 0.2 * torch.autograd.grad(toy(weight)(s, 0).sum(), s, create_graph=True)[0]
    wanted = torch.autograd.grad((s * pull).sum(), [start, weight])
    torch.testing.assert_close(climb.path(start)[-1], s.detach())
    torch.testing.assert_close(found, wanted[0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(in_weight, wanted[1], rtol=1e-3, atol=1e-5)


def test_no_step_is_longer_than_the_limit():
    slope = torch.tensor([[30.0, 40.0], [0.3, 0.4], [0.0, 0.0]])
    lengths = (shortening(slope) * slope).norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([LARGEST_GRADIENT, 0.5, 0.0]))


def test_the_steps_raise_the_bound_that_they_climb(tiny_model, labelled):
    batch = labelled.batch(np.arange(8))
    climb = Climb(own_bound(tiny_model, batch, beta=1.0), seeds=[3] * 20, rate=0.05)
    with torch.no_grad():
        path = climb.path(tiny_model.posterior_family.summary(tiny_model.hidden_of(batch)))
        before, after = (climb.bound(one, 3) for one in (path[0], path[-1]))
    assert (after > before).all()


def test_with_a_rate_of_next_to_nothing_it_is_the_plain_bound(tiny_model, labelled):
    batch = labelled.batch(np.arange(8))
    made = SemiAmortized(lambda step: 1.0, n_steps=1, rate=1e-12)
    generator = torch.Generator().manual_seed(5)
    draw_seed(generator)  # the seed of its one step
    wanted = BetaELBO(lambda step: 1.0)(tiny_model, batch, 0, "model", generator)
    found = made(tiny_model, batch, 0, "model", torch.Generator().manual_seed(5))
    torch.testing.assert_close(found.total, wanted.total)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n_steps": 0}, "n_steps must be >= 1"),
        ({"rate": 0.0}, "rate must be > 0"),
        ({"gradients": "both"}, "stopped or through"),
    ],
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with pytest.raises(SettingsError, match=sentence):
        SemiAmortized(lambda step: 1.0, **settings)
