"""Sampling, paths and neighbourhoods."""

import numpy as np
import pytest
import torch

from chemvae.errors import ChemVAEError, InvalidMoleculeError, SettingsError, UnknownTokenError
from chemvae.sampling.sampler import best_of, encode_one, interpolate, sample, slerp


def test_slerp_ends_at_its_ends_and_keeps_the_length():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=8), rng.normal(size=8)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    path = slerp(a, b, np.linspace(0, 1, 7))
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(a))
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0])


def test_slerp_of_parallel_vectors_is_the_line():
    np.testing.assert_allclose(slerp(np.ones(2), 3 * np.ones(2), np.array([0.5])), [[2.0, 2.0]])
    np.testing.assert_allclose(slerp(np.zeros(2), np.ones(2), np.array([0.25])), [[0.25, 0.25]])


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
