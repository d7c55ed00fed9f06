"""Comparing predictors: folds keep groups whole, equals are not told apart, and the corrected test is the wider one."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from chemvae.chem.fingerprints import tanimoto
from chemvae.errors import SettingsError
from chemvae.qsar.comparison import compare, paired_test, repeated_folds, similarity_groups

SMILES = ["CCCCO", "CCCCCO", "CCCCCCO", "c1ccccc1", "Cc1ccccc1", "CCc1ccccc1", "C1CCNCC1", "CN1CCNCC1"]


def test_no_molecule_has_a_neighbour_in_another_group():
    groups = similarity_groups(SMILES, 0.4)
    apart = groups[:, None] != groups[None, :]
    assert len(set(groups)) > 2 and (tanimoto(SMILES, SMILES)[apart] <= 0.4).all()


def test_folds_hold_every_row_once_and_keep_groups_whole():
    groups = np.array([0, 0, 0, 1, 1, 2, 3, 4, 4, 5])
    folds = list(repeated_folds(groups, n_folds=3, n_repeats=2, seed=1))
    assert len(folds) == 6
    for repeat in (folds[:3], folds[3:]):
        assert sorted(np.concatenate([test for _, test in repeat]).tolist()) == list(range(10))
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test]) and len(train) + len(test) == 10


def test_repeats_differ_and_a_seed_repeats_them():
    def tests(seed):
        return [tuple(test) for _, test in repeated_folds(range(12), 3, 2, seed)]

    assert tests(0) == tests(0) != tests(1)
    assert set(tests(0)[:3]) != set(tests(0)[3:])


def test_too_few_groups_are_said():
    with pytest.raises(SettingsError, match="2 groups cannot be dealt out over 3 folds"):
        list(repeated_folds([0, 0, 1], n_folds=3))


def test_without_overlap_it_is_the_plain_t_test_and_with_it_wider():
    differences = np.random.default_rng(0).normal(0.3, 1.0, 25)
    plain, corrected = paired_test(differences, 0.0), paired_test(differences, 0.25)
    assert plain.p == pytest.approx(ttest_1samp(differences, 0.0).pvalue)
    assert corrected.p > plain.p and corrected.high - corrected.low > 2.0 * (plain.high - plain.low)


def test_the_better_predictor_is_found_and_equal_ones_are_not_told_apart():
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    labels = 2.0 * x + rng.normal(scale=0.1, size=120)

    def line(train, test):
        return np.polyval(np.polyfit(x[train], labels[train], 1), x[test])

    def mean(train, test):
        return np.full(len(test), labels[train].mean())

    def same(train, test):
        return line(train, test) + 0.0

    errors, differences = compare({"line": line, "mean": mean, "same": same}, labels, np.arange(120) // 2)
    assert {len(one) for one in errors.values()} == {25}
    assert differences["line", "mean"].high < 0.0 and differences["line", "mean"].p < 0.001
    assert differences["line", "same"].mean == 0.0 and differences["line", "same"].p == 1.0
