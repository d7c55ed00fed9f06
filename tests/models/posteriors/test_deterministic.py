"""A posterior that is a point, to rounding."""

import torch

from chemvae.models.posteriors import Deterministic
from tests.contracts.posterior import H, PosteriorContract, plane


class TestDeterministic(PosteriorContract):
    def family(self):
        return Deterministic(H, 2)

    def grid(self, centre):
        return plane(centre, 0.02) if bool(centre.any()) else plane(centre)


def test_draws_are_the_point_to_a_thousandth():
    q = Deterministic(H, 4)(torch.randn(5, H))
    z, _ = q.draw(100)
    assert (z - q.point).abs().max() < 6e-3
