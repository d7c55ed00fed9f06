"""Sampling, paths and neighbourhoods."""

import numpy as np
import pytest
import torch

from chemvae.errors import ChemVAEError, InvalidMoleculeError, SettingsError, UnknownTokenError
from chemvae.sampling import interpolate
from chemvae.sampling.inversion import encode_one
from chemvae.sampling.sampler import best_of, sample


def test_sampling_counts_every_decode_and_is_seeded(tiny_model):
    one, two = (sample(tiny_model, 40, seed=3, prior="normal") for _ in range(2))
    assert len(one) == 40 and one.equals(two) and list(one.columns) == ["smiles", "valid"]
    with pytest.raises(SettingsError):
        sample(tiny_model, 0)
    with pytest.raises(ChemVAEError, match="learned prior"):
        sample(tiny_model, 3)


def test_ends_must_be_molecules_the_model_can_read(tiny_model):
    with pytest.raises(InvalidMoleculeError):
        interpolate(tiny_model, "C1CC", "CCO")
    with pytest.raises(UnknownTokenError):
        encode_one(tiny_model, "[U]")
    np.testing.assert_array_equal(encode_one(tiny_model, "OCC"), encode_one(tiny_model, "CCO"))


def test_best_of_answers_each_row_once(tiny_model):
    table = best_of(tiny_model, torch.randn(6, tiny_model.latent_dim).numpy())
    assert table["row"].tolist() == list(range(6))
