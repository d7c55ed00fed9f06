"""The nearest rows: exact where every distance is computed, nearly all of them where only cells are searched."""

import numpy as np
import pytest

from chemvae.maps.neighbours import nearest_rows


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(40, 8)) * 4
    reference = (centres[rng.integers(40, size=4_000)] + rng.normal(size=(4_000, 8))).astype(np.float32)
    return reference, (centres[rng.integers(40, size=300)] + rng.normal(size=(300, 8))).astype(np.float32)


def brute_force(reference, asked, k):
    apart = np.linalg.norm(asked[:, None].astype(float) - reference[None].astype(float), axis=2)
    return np.sort(apart, axis=1)[:, :k]


def test_all_distances_are_the_nearest(rows):
    distance, index = nearest_rows(*rows, 5)
    np.testing.assert_allclose(distance, brute_force(*rows, 5), rtol=1e-4)
    apart = np.linalg.norm(rows[1][:, None] - rows[0][index], axis=2)
    np.testing.assert_allclose(apart, distance, rtol=1e-3)


def test_cells_find_nearly_all_of_them_and_never_a_wrong_distance(rows):
    distance, index = nearest_rows(*rows, 5, most_pairs=0)
    true = brute_force(*rows, 5)
    assert (np.diff(distance, axis=1) >= 0).all() and (distance >= true - 1e-4).all()
    assert np.isclose(distance, true, rtol=1e-3).mean() > 0.95
    np.testing.assert_allclose(np.linalg.norm(rows[1][:, None] - rows[0][index], axis=2), distance, rtol=1e-3)
    assert all(len(set(row)) == 5 for row in index.tolist())


def test_a_row_whose_cells_hold_too_few_is_answered_all_the_same():
    reference = np.repeat(1000.0 * np.arange(60), 1)[:, None]
    distance, index = nearest_rows(reference, reference[:2] + 1.0, 50, most_pairs=0)
    assert sorted(index[0]) == list(range(50)) and np.isfinite(distance).all()
