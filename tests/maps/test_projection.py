"""Projections: closed forms for PCA, the contract for all, and files that hold no code."""

import numpy as np
import pytest
from sklearn.base import clone

from chemvae.errors import InputError, NothingUsableError
from chemvae.maps import PROJECTIONS, load_projection, map_quality
from chemvae.maps.projection import PCAProjection


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


@pytest.mark.parametrize("name", ["pca", "tsne"])
def test_saved_and_loaded_gives_the_same_answer(latents, tmp_path, name):
    projection = PROJECTIONS[name](random_state=5)
    projection.fit(latents)
    new = latents[:10] + 0.05
    loaded = load_projection(projection.save(tmp_path / "map.safetensors"))
    np.testing.assert_array_equal(loaded.transform(new), projection.transform(new))
    assert loaded.get_params() == projection.get_params()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.safetensors"]


@pytest.mark.parametrize("name", ["pca", "tsne"])
def test_rows_with_nan_pass_through(latents, name):
    latents[3, 2] = np.nan
    projection = PROJECTIONS[name]()
    xy = projection.fit_transform(latents)
    assert np.isnan(xy[3]).all() and np.isfinite(np.delete(xy, 3, axis=0)).all()
    moved = projection.transform(latents[2:5])
    assert np.isnan(moved[1]).all() and np.isfinite(moved[[0, 2]]).all()


@pytest.mark.parametrize("name", list(PROJECTIONS))
def test_contract_of_the_table(name):
    projection = PROJECTIONS[name](random_state=7)
    assert projection.name == name
    assert clone(projection).get_params() == projection.get_params()
    with pytest.raises(InputError, match="not fitted"):
        projection.transform(np.zeros((2, 3)))
    with pytest.raises(InputError, match="not fitted"):
        projection.save("nowhere")
    with pytest.raises(NothingUsableError):
        projection.fit(np.full((4, 3), np.nan))
    with pytest.raises(InputError, match=r"\[N, D\]"):
        projection.fit(np.zeros(4))


def test_another_width_is_refused(latents):
    with pytest.raises(InputError, match="7 latent dimensions, got 3"):
        PCAProjection().fit(latents).transform(np.zeros((2, 3)))


@pytest.mark.parametrize("content", [b"", b"junk" * 100, b"\x80\x04K\x01."])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "map.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a map projection"):
        load_projection(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_projection(tmp_path / "missing.safetensors")


def test_another_safetensors_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="not a map projection"):
        load_projection(tmp_path / "model.safetensors")


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
