"""Steps of one unit: equally long whichever way they point, in every latent space."""

from types import SimpleNamespace

import torch

from chemvae.models.latent_space import FLAT, SPHERE
from chemvae.moving.steps import as_step, go_along, gradient_of, random_direction, spread_of


def model_with(std, space=FLAT, weights=None):
    """What steps need of a model: the spread of its codes, its space, and a predictor that is a plane."""
    weights = torch.ones(len(std)) if weights is None else weights
    return SimpleNamespace(
        latent_statistics=SimpleNamespace(std=std),
        latent_space=space,
        device=torch.device("cpu"),
        predict_latent=lambda z: ((z @ weights)[:, None], None),
    )


def test_a_step_is_as_long_as_noise_of_its_radius_is_on_average():
    std = torch.tensor([0.5, 2.0, 1.0, 3.0])
    model = model_with(std)
    step = as_step(model, random_direction(torch.zeros(200, 4), 0), 0.3)
    torch.testing.assert_close((step / std).square().mean(dim=1).sqrt(), torch.full((200,), 0.3))
    assert (as_step(model, torch.zeros(1, 4), 0.3) == 0).all()


def test_a_dimension_that_is_never_used_does_not_blow_a_step_up():
    spread = spread_of(model_with(torch.tensor([1.0, 0.0])))
    assert 0 < float(spread[1]) <= 1e-6


def test_a_straight_way_is_as_long_as_its_steps_together():
    model = model_with(torch.ones(3))
    path = go_along(model, torch.zeros(1, 3), lambda z: torch.tensor([[1.0, 0.0, 0.0]]), 0.6, 4)
    expected = torch.linspace(0, 0.6 * 3**0.5, 5)
    torch.testing.assert_close(path[:, 0, 0], expected)
    assert (path[:, 0, 1:] == 0).all()


def test_on_a_sphere_a_way_stays_on_it_and_ends_where_the_property_is_largest():
    """Along a fixed direction of the space around it, a sphere is climbed until the direction itself is reached."""
    model = model_with(torch.full((3,), 3**-0.5), SPHERE)
    start, aim = torch.tensor([[1.0, 0.2, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    path = go_along(model, start, lambda z: aim.expand_as(z), 1.2, 12)
    torch.testing.assert_close(path.norm(dim=2), torch.ones(13, 1))
    rising = path[:-1, 0, 2].diff()
    assert (rising > 0).all()


def test_the_gradient_of_a_plane_is_its_normal_in_units_of_the_codes():
    std, weights = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([3.0, 1.0, -1.0])
    direction = gradient_of(model_with(std, weights=weights), 0)(torch.randn(5, 3))
    torch.testing.assert_close(direction, (std * weights).expand(5, 3))
    torch.testing.assert_close(gradient_of(model_with(std, weights=weights), 0, -1.0)(torch.zeros(1, 3))[0], -std * weights)
