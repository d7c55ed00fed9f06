"""Latent points read back from tables and files."""

import numpy as np
import pandas as pd
import pytest

from chemvae import tables
from chemvae.errors import InputError, NothingUsableError, SettingsError


@pytest.mark.parametrize("order", [list(range(6)), [5, 3, 1, 0, 2, 4]])
def test_latent_columns_are_found_by_number(tiny_model, order):
    z = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    frame = pd.DataFrame({f"z{i}": z[:, i] for i in order}).assign(other=1)
    found, others = tables.read_latents(frame, 6)
    np.testing.assert_array_equal(found, z)
    assert others.columns.tolist() == ["other"]


def test_points_of_another_model_are_refused(tiny_model, tmp_path):
    np.save(tmp_path / "z.npy", np.zeros((2, 5)))
    with pytest.raises(InputError, match=r"\[2, 5\]; this model's have 6"):
        tables.decode_table(tiny_model, tmp_path / "z.npy")
    np.save(tmp_path / "gaps.npy", np.full((2, 6), np.nan))
    with pytest.raises(NothingUsableError, match="no latent point"):
        tables.decode_table(tiny_model, tmp_path / "gaps.npy")
    with pytest.raises(SettingsError, match="n_samples"):
        tables.decode_table(tiny_model, tmp_path / "z.npy", n_samples=0)


def test_an_npy_file_that_would_run_code_is_refused(tiny_model, tmp_path):
    np.save(tmp_path / "z.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="NumPy"):
        tables.decode_table(tiny_model, tmp_path / "z.npy")


def test_latent_cells_that_are_no_numbers_are_counted_with_the_first(caplog):
    frame = pd.DataFrame({"z_0": ["1", "x", "3"], "z_1": ["1", ">2", ""]})
    z, _ = tables.read_latents(frame, 2)
    assert np.isfinite(z).all(axis=1).tolist() == [True, False, False]
    assert "2 latent cells are no numbers" in caplog.text and "row 2, 'x' is no number" in caplog.text


def test_rows_without_a_point_are_named(caplog):
    z = np.zeros((6, 2), np.float32)
    z[[1, 2, 3, 5]] = [[np.nan, 0], [np.inf, 0], [0, np.nan], [0, -np.inf]]
    found, _ = tables.read_latents(z, 2)
    assert np.isnan(found[[1, 2, 3, 5]]).all() and not found[[0, 4]].any()
    assert "rows 1, 2, 3 and 1 more have no latent point" in caplog.text
