"""A walk under a prior has the prior's distribution, however long it is."""

import pytest
import torch

from chemvae.errors import SettingsError, UnknownNameError
from chemvae.moving.walks import random_walk, walk_latents


def test_a_long_walk_has_the_mean_and_variance_of_its_prior(tiny_model):
    z, moved = walk_latents(tiny_model, 6000, 0.8, "normal", 0)  # N(0, I)
    assert 0.2 < moved.float().mean() < 0.8
    assert z.mean(dim=0).abs().max() < 0.25
    torch.testing.assert_close(z.var(dim=0), torch.ones(tiny_model.latent_dim), atol=0.25, rtol=0)


def test_where_it_stays_it_says_so(tiny_model):
    z, moved = walk_latents(tiny_model, 60, 1.0, "normal", 1)
    stays = (z[1:] == z[:-1]).all(dim=1)
    assert (stays == ~moved[1:]).all() and stays.any() and moved[0]


def test_a_film_is_seeded_and_decoded(tiny_model):
    one, two = (random_walk(tiny_model, 12, prior="normal", seed=3, n_samples=2) for _ in range(2))
    assert one.equals(two) and list(one.columns) == ["step", "smiles", "valid", "moved"] and len(one) == 12
    with pytest.raises(SettingsError, match="radius"):
        random_walk(tiny_model, 3, radius=0.0)
    with pytest.raises(UnknownNameError, match="prior"):
        random_walk(tiny_model, 3, prior="flat")
