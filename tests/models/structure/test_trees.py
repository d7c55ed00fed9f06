"""Trees kept as arrays say what scikit-learn's own trees say, and nothing damaged is taken for a tree."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from chemvae.errors import SettingsError
from chemvae.models.structure.trees import ARRAYS, BoostedTrees, TreeSettings

SETTINGS = TreeSettings(rounds=40, leaves=15)


def table(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counts, real numbers and a column that never changes; labels that depend on some of them."""
    rng = np.random.default_rng(seed)
    inputs = np.hstack([rng.poisson(0.4, (n, 30)), np.full((n, 1), 7.0), rng.normal(0.0, 100.0, (n, 3))]).astype(np.float32)
    return inputs, 2.0 * inputs[:, 0] + (inputs[:, 32] > 10.0) + rng.normal(0.0, 0.1, n)


@pytest.fixture(scope="module")
def trees() -> BoostedTrees:
    return BoostedTrees.fit(*table(800), SETTINGS)


def test_they_answer_as_the_library_that_grew_them(trees):
    inputs, labels = table(800)
    grown = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=40, learning_rate=0.1, max_leaf_nodes=15, l2_regularization=1.0, max_bins=63,
        early_stopping=False, random_state=0,
    ).fit(inputs, labels)  # fmt: skip
    others = np.concatenate([inputs, table(3000, seed=1)[0]])
    np.testing.assert_allclose(trees.predict(others), grown.predict(others), rtol=0, atol=1e-5)
    assert np.abs(trees.predict(others[800:]) - table(3000, seed=1)[1]).mean() < 0.3


def test_an_input_beside_a_threshold_is_on_the_side_it_was_learned_on():
    """Thresholds are halfway between two inputs; halfway between neighbours in float32 there is no float32."""
    low = np.float32(1.0)
    high = np.nextafter(low, np.float32(2.0))
    inputs = np.array([[low]] * 40 + [[high]] * 40, dtype=np.float32)
    labels = np.repeat([0.0, 1.0], 40)
    answers = BoostedTrees.fit(inputs, labels, TreeSettings(rounds=100)).predict(inputs)
    assert answers[:40].max() < 0.05 and answers[40:].min() > 0.95


def test_what_never_changes_teaches_nothing():
    made = BoostedTrees.fit(np.zeros((50, 4), np.float32), np.arange(50.0), SETTINGS)
    np.testing.assert_allclose(made.predict(np.ones((2, 4), np.float32)), np.median(np.arange(50.0)), atol=0.5)


def test_a_row_with_a_gap_has_no_answer_and_none_have_none(trees):
    inputs = table(5)[0]
    inputs[3, 20] = np.nan
    assert np.isnan(trees.predict(inputs)).tolist() == [False, False, False, True, False]
    assert trees.predict(inputs[:0]).shape == (0,)


def test_arrays_make_the_same_trees(trees):
    again = BoostedTrees.from_arrays(trees.arrays(), n_columns=34)
    inputs = table(200, seed=2)[0]
    assert tuple(trees.arrays()) == ARRAYS and np.array_equal(again.predict(inputs), trees.predict(inputs))


def changed(trees: BoostedTrees, name: str, change) -> dict[str, np.ndarray]:
    arrays = {key: one.copy() for key, one in trees.arrays().items()}
    arrays[name] = change(arrays[name])
    return arrays


def set_at(place, value):
    def change(array):
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("left", set_at((0, 3), 1)),  # upwards: the way down would have no end
        ("right", set_at((2, 0), 0)),  # one child only
        ("right", set_at((2, 0), 255)),  # out of the tree
        ("column", set_at((5, 0), 34)),
        ("column", set_at((5, 0), -1)),
        ("left", lambda one: one.astype(np.int64)),
        ("number", lambda one: one.astype(np.float64)),
        ("number", lambda one: one[:-1]),
        ("base", lambda one: np.zeros(2)),
        ("base", lambda one: one.astype(np.float32)),
        ("column", lambda one: one[0]),
    ],
)
def test_what_is_no_tree_is_refused(trees, name, change):
    with pytest.raises(ValueError, match="tree"):
        BoostedTrees.from_arrays(changed(trees, name, change), n_columns=34)


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"leaves": 1}, {"leaves": 129}, {"bins": 256}])
def test_settings_that_make_no_trees_are_refused(wrong):
    with pytest.raises(SettingsError, match="rounds?|leaves|bins"):
        TreeSettings(**wrong)
