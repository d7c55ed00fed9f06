"""Curves against distance on a model whose reach is known."""

import numpy as np
import pytest

from chemvae.evaluation.latent.curves import default_radii, validity_against_norm, validity_against_radius
from tests.evaluation.fakes import MemoryModel

MOLECULES = ["CCO", "CCN", "c1ccccc1", "CCCC"]


def test_validity_falls_exactly_where_the_models_reach_ends():
    table = validity_against_radius(MemoryModel(MOLECULES, reach=4.0), [*MOLECULES, "[Xe]"], [0.0, 3.9, 4.1], seed=0)
    assert table["validity"].tolist() == [1.0, 1.0, 0.0]
    assert table["recovery"].tolist() == [1.0, 1.0, 0.0]
    assert table["similarity"][0] == 1.0 and np.isnan(table["similarity"][2])
    assert table["n"].tolist() == [4, 4, 4]


def test_similarity_is_that_of_what_is_decoded_to_the_origin():
    table = validity_against_radius(MemoryModel(["CCO", "CCN"], {"CCO": "OCCC"}), ["CCO"], [0.0])
    assert table["recovery"][0] == 0.0 and table["validity"][0] == 1.0
    assert 0.2 < table["similarity"][0] < 0.9


def test_the_walk_has_the_length_it_says():
    model = MemoryModel(MOLECULES)
    seen = []
    decode = model.decode
    model.decode = lambda z, **options: seen.append(z) or decode(z, **options)
    validity_against_radius(model, MOLECULES, [2.5])
    origin = model.posterior(MOLECULES).mean
    np.testing.assert_allclose((seen[0] - origin).norm(dim=1), 2.5, rtol=1e-6)


def test_default_radii_reach_beyond_the_prior():
    radii = default_radii(64)
    assert radii[0] == 0.0 and radii[-1] == pytest.approx(12.0) and (np.diff(radii) > 0).all()


def test_norm_scales_the_same_draws():
    table = validity_against_norm(MemoryModel(MOLECULES, reach=10.5), scales=(0.0, 1.0, 50.0), n=40)
    assert table["validity"][0] == 1.0 and table["validity"][2] < 0.2
    assert table["norm"][2] == pytest.approx(50 * table["norm"][1], rel=1e-5)
    assert table["unique"][0] == pytest.approx(1 / 40)
