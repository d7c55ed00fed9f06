"""Tests that every projection inherits: supply ``name``, an entry of PROJECTIONS, and ``extra`` where a library is optional."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from chemvae.errors import InputError, NothingUsableError
from chemvae.maps import PROJECTIONS, load_projection
from chemvae.maps.projection import Projection


def islands(n_each: int = 50, n_dims: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three well separated clusters: latents [3 n, D] and their numbers [3 n]."""
    rng = np.random.default_rng(seed)
    centres = 30.0 * np.eye(3, n_dims)
    label = np.repeat(np.arange(3), n_each)
    return centres[label] + rng.normal(size=(len(label), n_dims)), label


def nearest_label(xy: np.ndarray, reference_xy: np.ndarray, label: np.ndarray) -> np.ndarray:
    """The number of the reference point nearest to each point on the map."""
    distance = np.linalg.norm(xy[:, None] - reference_xy[None], axis=2)
    return label[distance.argmin(axis=1)]


class ProjectionContract:
    """Subclass it as ``TestX`` and set ``name``."""

    name: str = ""
    extra: str | None = None
    """Module that the extra 'maps' brings; the tests that lay out a map are skipped without it."""

    def make(self, **settings) -> Projection:
        return PROJECTIONS[self.name](random_state=7, **settings)

    @pytest.fixture
    def library(self):
        """The library that lays the map out is here."""
        if self.extra is not None:
            pytest.importorskip(self.extra, reason=f"{self.extra} comes with the extra 'maps'")

    @pytest.fixture
    def fitted(self, library) -> Projection:
        """Laid out once for all tests of a class; none of them changes it."""
        if "laid_out" not in vars(type(self)):
            type(self).laid_out = self.make().fit(islands()[0])
        return type(self).laid_out

    # ------------------------------------------------------------------ without a layout

    def test_the_table_holds_it_by_its_name(self):
        assert self.make().name == self.name
        assert self.make().random_state == 7 and clone(self.make()).get_params() == self.make().get_params()

    def test_unfitted_it_says_so(self):
        with pytest.raises(InputError, match="not fitted"):
            self.make().transform(np.zeros((2, 3)))
        with pytest.raises(InputError, match="not fitted"):
            self.make().save("nowhere")

    def test_nothing_usable_and_no_table_are_refused(self):
        with pytest.raises(NothingUsableError, match="4 rows, each with a NaN"):
            self.make().fit(np.full((4, 3), np.nan))
        with pytest.raises(InputError, match=r"\[N, D\], got \[4\]"):
            self.make().fit(np.zeros(4))

    # ------------------------------------------------------------------ with one

    def test_every_row_gets_a_place(self, fitted):
        z, _ = islands()
        assert fitted.embedding_.shape == (150, 2) and np.isfinite(fitted.embedding_).all()
        assert fitted.n_features_in_ == 6
        for n in (1, 7):
            assert fitted.transform(z[:n]).shape == (n, 2)
        assert fitted.transform(z[:0]).shape == (0, 2)

    def test_rows_of_the_fit_come_back_to_their_place(self, fitted):
        np.testing.assert_allclose(fitted.transform(islands()[0]), fitted.embedding_, atol=1e-6 * np.ptp(fitted.embedding_))

    def test_new_points_land_near_their_neighbours(self, fitted):
        _, label = islands()
        new, new_label = islands(n_each=10, seed=4)
        assert (nearest_label(fitted.transform(new), fitted.embedding_, label) == new_label).all()

    def test_a_point_is_placed_the_same_alone_and_among_others(self, fitted):
        new, _ = islands(n_each=5, seed=4)
        alone = np.concatenate([fitted.transform(new[[i]]) for i in range(len(new))])
        np.testing.assert_allclose(fitted.transform(new), alone, atol=1e-6 * np.ptp(fitted.embedding_))

    def test_rows_with_nan_stay_nan_and_change_nothing_else(self, fitted):
        z, _ = islands()
        with_gap = np.insert(z, 3, np.nan, axis=0)
        with_gap[3, 0] = 1.0  # one NaN in a row is enough
        xy = self.make().fit_transform(with_gap)
        assert np.isnan(xy[3]).all()
        np.testing.assert_array_equal(np.delete(xy, 3, axis=0), fitted.embedding_)
        moved = fitted.transform(with_gap[2:5])
        assert np.isnan(moved[1]).all() and np.isfinite(moved[[0, 2]]).all()

    def test_the_same_seed_makes_the_same_map(self, fitted):
        z, _ = islands()
        before = z.copy()
        np.testing.assert_array_equal(self.make().fit_transform(z), fitted.embedding_)
        np.testing.assert_array_equal(z, before)  # the caller's latents are left as they were

    def test_saved_and_loaded_it_gives_the_same_answer(self, fitted, tmp_path):
        new, _ = islands(n_each=10, seed=4)
        loaded = load_projection(fitted.save(tmp_path / "map.safetensors"))
        np.testing.assert_array_equal(loaded.transform(new), fitted.transform(new))
        assert type(loaded) is type(fitted) and loaded.get_params() == fitted.get_params()
        assert loaded.axis_labels() == fitted.axis_labels()
        assert [path.name for path in tmp_path.iterdir()] == ["map.safetensors"]

    def test_another_width_is_refused(self, fitted):
        with pytest.raises(InputError, match="6 latent dimensions, got 3"):
            fitted.transform(np.zeros((2, 3)))
