"""Draws from a prior and arcs between points."""

import numpy as np
import pytest
import torch

from chemvae.models.latent_space import FLAT, SPHERE, draw_prior, slerp, usual_prior
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


def on_sphere(n, dim, seed=0):
    return SPHERE.project(torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


@pytest.mark.parametrize("dim", [2, 8, 64, 128])
def test_a_step_on_the_sphere_goes_as_far_as_its_tangent_part_is_long(dim):
    z, step = on_sphere(50, dim), 0.3 * on_sphere(50, dim, 1)
    tangent = step - (step * z).sum(dim=1, keepdim=True) * z
    moved = SPHERE.move(z, step)
    torch.testing.assert_close(moved.norm(dim=1), torch.ones(50, dtype=torch.float64))
    torch.testing.assert_close((z * moved).sum(dim=1).arccos(), tangent.norm(dim=1))
    torch.testing.assert_close(SPHERE.move(z, 0 * step), z)
    torch.testing.assert_close(SPHERE.move(z, 5 * z), z)  # outward is no way to go


@pytest.mark.parametrize("dim", [3, 64])
def test_a_perturbation_has_the_standard_deviation_asked_for_in_every_tangent_direction(dim):
    z, generator = on_sphere(1, dim).expand(20_000, dim), torch.Generator().manual_seed(0)
    moved = SPHERE.perturb(z, 0.01, generator)
    angle = (z * moved).sum(dim=1).clamp(max=1).arccos()
    assert float(angle.square().mean()) == pytest.approx((dim - 1) * 0.01**2, rel=0.05)
    per_dimension = torch.linspace(0, 0.02, dim, dtype=torch.float64)
    still = SPHERE.perturb(torch.eye(dim, dtype=torch.float64)[[0] * 20_000], per_dimension, generator)
    torch.testing.assert_close(still[:, 1:].std(dim=0), per_dimension[1:], rtol=0.05, atol=1e-6)


def test_a_perturbation_in_r_d_is_noise_that_is_added():
    z, std = torch.zeros(50_000, 3), torch.tensor([0.1, 1.0, 3.0])
    torch.testing.assert_close(FLAT.perturb(z, std, torch.Generator().manual_seed(0)).std(dim=0), std, rtol=0.02, atol=0)


def test_the_way_between_points_of_the_sphere_stays_on_it_at_constant_speed():
    a, b = on_sphere(20, 8), on_sphere(20, 8, 1)
    angle = (a * b).sum(dim=1).arccos()
    for share in (0.0, 0.25, 1.0):
        way = SPHERE.between(a, b, torch.full((20, 1), share, dtype=torch.float64))
        torch.testing.assert_close(way.norm(dim=1), torch.ones(20, dtype=torch.float64))
        torch.testing.assert_close((a * way).sum(dim=1).clamp(max=1).arccos(), share * angle, atol=1e-6, rtol=0)


def test_the_variance_of_a_dimension_is_that_of_the_usual_prior():
    z = on_sphere(50_000, 6)
    assert float(z.var(dim=0).mean()) == pytest.approx(SPHERE.unit_variance(6), rel=0.02) and FLAT.unit_variance(6) == 1.0
