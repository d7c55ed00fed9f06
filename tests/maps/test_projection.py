"""Projections: closed forms for PCA, and files that hold no code."""

import numpy as np
import pytest

from chemvae.maps import map_quality
from chemvae.maps.projection import PCAProjection
from tests.contracts.projection_contract import ProjectionContract


class TestPCA(ProjectionContract):
    name = "pca"


@pytest.fixture
def latents():
    rng = np.random.default_rng(3)
    return rng.normal(size=(80, 7)) * np.array([5.0, 3.0, 1.0, 0.8, 0.5, 0.3, 0.1]) + 4.0


def leading_axes(z):
    centred = z - z.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    return axes[:2], singular**2 / (singular**2).sum()


@pytest.mark.parametrize("n", [80, 5])  # more and fewer rows than dimensions
def test_pca_is_the_svd(latents, n):
    z = latents[:n]
    axes, share = leading_axes(z)
    projection = PCAProjection().fit(z)
    sign = np.sign((projection.components_ * axes).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(projection.components_, sign * axes, atol=1e-9)
    np.testing.assert_allclose(projection.explained_variance_ratio_, share[:2], atol=1e-12)
    new = np.random.default_rng(0).normal(size=(9, 7))
    np.testing.assert_allclose(projection.transform(new), (new - z.mean(axis=0)) @ (sign * axes).T, atol=1e-9)


def test_pca_axes_tell_their_share(latents):
    projection = PCAProjection().fit(latents)
    share = 100 * leading_axes(latents)[1]
    assert projection.axis_labels() == (f"PC 1 ({share[0]:.1f} %)", f"PC 2 ({share[1]:.1f} %)")


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (6, 1), (1, 1)])
def test_pca_of_very_little_fills_up_with_zeros(shape):
    z = np.random.default_rng(0).normal(size=shape)
    projection = PCAProjection()
    xy = projection.fit_transform(z)
    assert xy.shape == (shape[0], 2) and np.isfinite(xy).all()
    rank = min(shape[0] - 1, shape[1])
    assert np.allclose(xy[:, rank:], 0)
    apart = np.linalg.norm(z[0] - z[-1])
    if shape[0] == 2:
        assert np.linalg.norm(xy[0] - xy[1]) == pytest.approx(apart)


def test_quality_of_an_isometry_is_one_and_of_noise_is_chance():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(400, 2))
    turned = flat @ np.array([[0.0, -2.0], [2.0, 0.0]])
    assert map_quality(flat, turned) == {"trustworthiness": 1.0, "neighbours_kept": 1.0, "n_points": 400}
    noise = map_quality(flat, rng.normal(size=(400, 2)))
    assert noise["neighbours_kept"] == pytest.approx(15 / 399, abs=0.02)
    assert noise["trustworthiness"] == pytest.approx(0.5, abs=0.05)


def test_quality_leaves_out_nan_samples_large_sets_and_says_nothing_of_tiny_ones():
    flat = np.random.default_rng(1).normal(size=(300, 2))
    gaps = flat.copy()
    gaps[:20] = np.nan
    assert map_quality(flat, gaps)["n_points"] == 280
    assert map_quality(flat, flat, max_points=100)["n_points"] == 100
    assert np.isnan(map_quality(flat[:10], flat[:10])["trustworthiness"])
