"""Generation end to end."""

import pytest

from chemvae.bench.measures.generation import Generator, end_to_end


def test_end_to_end_share_is_ideal_over_taken(tiny_model, molecules):
    found = end_to_end(Generator(tiny_model, molecules, seconds=0.01), n=30, jobs=1)
    assert found["sample_end_to_end_share"] == pytest.approx(found["sample_end_to_end_ideal_s"] / found["sample_end_to_end_s"])
    parts = found["sample_decode_processor_s"] + found["sample_rdkit_processor_s"]
    assert found["sample_end_to_end_ideal_s"] == pytest.approx(parts)  # one core
    assert found["sample_end_to_end_molecules_per_s"] == pytest.approx(30 / found["sample_end_to_end_s"])


def test_an_unfitted_prior_is_the_normal_one(tiny_model, molecules):
    generator = Generator(tiny_model, molecules, seconds=0.01)
    assert generator.prior == "normal" and generator.draw().shape == (len(molecules), tiny_model.latent_dim)
