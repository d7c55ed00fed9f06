"""Neighbour maps: where new points land, with a toy layout whose answer is known and with the libraries that are here."""

import sys
import types

import numpy as np
import pytest

from chemvae.errors import MissingExtraError
from chemvae.maps import PROJECTIONS
from chemvae.maps.manifold import NeighbourProjection, TSNEProjection, place_by_neighbours
from tests.contracts.projection_contract import ProjectionContract, islands, nearest_label
from tests.maps import test_projection


class FirstTwo(NeighbourProjection):
    """A layout with a known answer: the first two latent dimensions."""

    name = "first_two"

    def _lay_out(self, rows):
        return rows[:, :2]


class TestFirstTwo(ProjectionContract):
    """A stranger's projection: its layout, and one line in the table."""

    name = "first_two"

    @pytest.fixture(autouse=True)
    def in_the_table(self, monkeypatch):
        monkeypatch.setitem(PROJECTIONS, self.name, FirstTwo)


class TestTSNE(ProjectionContract):
    name = "tsne"

    @pytest.fixture(autouse=True)
    def without_opentsne(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "openTSNE", None)


class TestOpenTSNE(ProjectionContract):
    name, extra = "tsne", "openTSNE"


@pytest.mark.slow  # compiles for half a minute
class TestUMAP(ProjectionContract):
    name, extra = "umap", "umap"


@pytest.mark.slow
class TestPaCMAP(ProjectionContract):
    name, extra = "pacmap", "pacmap"


def test_every_projection_has_a_contract():
    assert set(PROJECTIONS) <= {case.name for case in ProjectionContract.__subclasses__()} | {test_projection.TestPCA.name}


def no_neighbour_is_itself(n, k):
    return np.zeros((n, k), dtype=bool)


def test_the_median_of_a_triangle_is_its_middle():
    corners = np.array([[[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]]])
    xy = place_by_neighbours(np.ones((1, 3)), corners, no_neighbour_is_itself(1, 3))
    np.testing.assert_allclose(xy, [[0.5, np.sqrt(3) / 6]], atol=1e-9)


def test_one_stray_neighbour_does_not_pull_the_point_into_the_sea():
    places = np.array([[[0.0, 0.0], [0.2, 0.1], [0.1, 0.3], [0.3, 0.0], [100.0, 100.0]]])
    xy = place_by_neighbours(np.ones((1, 5)), places, no_neighbour_is_itself(1, 5))
    assert np.linalg.norm(xy[0] - [0.15, 0.1]) < 0.3  # the mean would be 28 away


def test_a_neighbour_with_most_of_the_weight_keeps_the_point():
    places = np.array([[[2.0, 3.0], [8.0, 9.0], [-4.0, 1.0]]])
    xy = place_by_neighbours(np.array([[0.1, 1.0, 1.0]]), places, no_neighbour_is_itself(1, 3))
    np.testing.assert_allclose(xy, [[2.0, 3.0]], atol=0.05)


def test_reference_points_keep_their_place_and_new_ones_land_near_it():
    z, _ = islands()
    projection = FirstTwo().fit(z)
    np.testing.assert_allclose(projection.transform(z), z[:, :2].astype(np.float32))
    new, _ = islands(n_each=20, seed=1)
    assert np.linalg.norm(projection.transform(new) - new[:, :2], axis=1).max() < 4.0  # clusters are 42 apart


def test_a_large_set_is_laid_out_in_part_and_the_rest_joins():
    z, label = islands(n_each=100)
    projection = FirstTwo(max_fit=60, random_state=2)
    xy = projection.fit_transform(z)
    assert projection.reference_.shape == (60, 6) and np.isfinite(xy).all()
    assert (nearest_label(xy, 30.0 * np.eye(3, 2), np.arange(3)) == label).all()
    again = FirstTwo(max_fit=60, random_state=2).fit_transform(z)
    np.testing.assert_array_equal(xy, again)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_points_falls_back_to_pca(n):
    z = np.random.default_rng(0).normal(size=(n, 4))
    xy = TSNEProjection().fit_transform(z)
    assert xy.shape == (n, 2) and np.isfinite(xy).all()
    if n == 2:
        assert np.linalg.norm(xy[0] - xy[1]) == pytest.approx(np.linalg.norm(z[0] - z[1]), rel=1e-5)


def test_many_copies_of_one_molecule_have_one_place():
    xy = TSNEProjection().fit_transform(np.ones((40, 4)))
    np.testing.assert_array_equal(xy, np.broadcast_to(xy[0], xy.shape))


def check_islands(projection):
    """New points land on the island they belong to."""
    z, label = islands()
    new, new_label = islands(n_each=10, seed=4)
    assert (nearest_label(projection.fit(z).transform(new), projection.embedding_, label) == new_label).all()


@pytest.mark.parametrize("name, module, package", [("umap", "umap", "umap-learn"), ("pacmap", "pacmap", "pacmap")])
def test_a_missing_library_says_how_to_get_it(name, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*pip install 'chemvae\[maps\]'"):
        PROJECTIONS[name]().fit(islands()[0])


@pytest.mark.parametrize("name, module, maker", [("umap", "umap", "UMAP"), ("pacmap", "pacmap", "PaCMAP")])
def test_settings_reach_the_library(name, module, maker, monkeypatch):
    asked = {}

    def make(**settings):
        asked.update(settings)
        return types.SimpleNamespace(fit_transform=lambda rows, **_: rows[:, :2])

    monkeypatch.setitem(sys.modules, module, types.SimpleNamespace(**{maker: make}))
    check_islands(PROJECTIONS[name](n_neighbors=8, random_state=11))
    assert asked["n_neighbors"] == 8 and asked["random_state"] == 11
