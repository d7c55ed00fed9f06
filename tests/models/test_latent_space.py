"""Draws from a prior and arcs between points."""

import numpy as np
import pytest
import torch

from chemvae.models.latent_space import draw_prior, slerp, usual_prior
from chemvae.seeding import seeded


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class TestSlerp:
    def test_it_ends_at_its_ends_keeps_the_length_and_goes_at_one_speed(self):
        a, b = noise(2, 1, 8)
        b = b * a.norm() / b.norm()
        path = slerp(a, b, torch.linspace(0, 1, 7, dtype=torch.float64)[:, None])
        torch.testing.assert_close(path[[0, -1]], torch.cat([a, b]))
        torch.testing.assert_close(path.norm(dim=1), a.norm().expand(7))
        steps = path.diff(dim=0).norm(dim=1)
        torch.testing.assert_close(steps, steps[:1].expand(6))

    def test_lengths_change_evenly_and_rows_are_alone(self):
        a, b, share = noise(30, 5), 3 * noise(60, 5)[30:], noise(90, 1)[60:].sigmoid()
        path = slerp(a, b, share)
        torch.testing.assert_close(path.norm(dim=1), torch.lerp(a.norm(dim=1), b.norm(dim=1), share[:, 0]))
        rows = [slerp(a[i : i + 1], b[i : i + 1], share[i : i + 1]) for i in range(30)]
        torch.testing.assert_close(path, torch.cat(rows))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_where_there_is_no_arc_it_is_the_line(self, dtype):
        one, share = torch.ones(1, 2, dtype=dtype), torch.tensor([[0.25]], dtype=dtype)
        for first, second in ((one, 3 * one), (0 * one, one), (one, 0 * one), (one, -one), (0 * one, 0 * one)):
            torch.testing.assert_close(slerp(first, second, share), 0.75 * first + 0.25 * second)

    def test_a_bound_on_the_cosine_moves_a_point_no_further_than_it_says(self):
        a = noise(20, 6)
        moved = slerp(a, a, torch.full((20, 1), 0.5, dtype=torch.float64), most_parallel=0.9995)
        torch.testing.assert_close(moved / a, torch.full_like(a, 1 / np.cos(np.arccos(0.9995) / 2)))


def test_draws_are_those_of_the_prior_and_leave_the_global_stream_alone(tiny_model):
    before = torch.get_rng_state()
    z = draw_prior(tiny_model, 2_000, "normal", seed=1)
    assert torch.equal(torch.get_rng_state(), before) and z.shape == (2_000, tiny_model.latent_dim) and not z.requires_grad
    assert torch.equal(z, draw_prior(tiny_model, 2_000, "normal", seed=1))
    assert not torch.equal(z, draw_prior(tiny_model, 2_000, "normal", seed=2))
    assert float(z.mean().abs()) < 0.05 and abs(float(z.std()) - 1) < 0.05
    with seeded(1):
        assert torch.equal(tiny_model.priors["normal"].sample(2_000), z)


def test_the_usual_prior_is_the_learned_one_where_there_is_one(tiny_model):
    class Plain:
        priors = {"normal": None}

    assert usual_prior(tiny_model) == "learned" and usual_prior(Plain()) == "normal"
