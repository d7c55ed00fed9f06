"""The best of a search: the row with the highest utility, and the rows that none beats."""

from dataclasses import replace

import numpy as np

from chemvae.design.results.outcome import non_dominated


def test_the_front_by_hand():
    merits = np.array([[3, 0], [2, 2], [2, 2], [1, 1], [0, 3], [np.nan, 9]], dtype=float)
    assert non_dominated(merits).tolist() == [True, True, True, False, True, False]


def test_no_row_beats_one_of_the_front_and_every_other_is_beaten():
    merits = np.random.default_rng(0).integers(0, 6, size=(60, 3)).astype(float)
    beaten = np.array([((merits >= row).all(axis=1) & (merits > row).any(axis=1)).any() for row in merits])
    np.testing.assert_array_equal(non_dominated(merits), ~beaten)


def test_one_goal_has_its_maxima_for_a_front_and_nothing_none():
    assert non_dominated(np.array([[1.0], [3.0], [3.0], [np.nan]])).tolist() == [False, True, True, False]
    assert non_dominated(np.empty((0, 2))).tolist() == []
    assert non_dominated(np.full((3, 2), np.nan)).tolist() == [False] * 3


def test_the_best_has_the_highest_utility_and_lies_on_the_front(result):
    assert result.best["utility"] == result.history["utility"].max()
    merits = result.utility.merits(result.pareto[result.utility.columns].to_numpy(dtype=float))
    assert non_dominated(merits).all() and 0 < len(result.pareto) < len(result.history)


def test_where_nothing_was_scored_there_is_no_best(result):
    lost = replace(result, history=result.history.assign(utility=np.nan))
    assert lost.best is None and len(lost.pareto) == 0
