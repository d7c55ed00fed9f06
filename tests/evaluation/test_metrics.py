"""Set measures on cases small enough for the hand, and against brute force."""

import math
from itertools import product

import numpy as np
import pytest
from rdkit import DataStructs
from scipy.stats import spearmanr  # scikit-learn brings it

from chemvae.chem.fingerprints import morgan
from chemvae.evaluation import metrics

MOLECULES = ["CCO", "CCN", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CCO", "Cn1cnc2c1c(=O)n(C)c(=O)n2C", "C1CCCCC1", "CCCCO"]


def brute_similarities(a, b):
    bits = [morgan(list(side), radius=2, n_bits=1024) for side in (a, b)]
    return np.array([[DataStructs.TanimotoSimilarity(x, y) for y in bits[1]] for x in bits[0]])


def test_validity_counts_what_parsed_and_is_undefined_for_nothing():
    assert metrics.validity(["C", None, None, "O"]) == 0.5
    assert metrics.validity(["C", float("nan")]) == 0.5
    assert math.isnan(metrics.validity([]))


def test_unique_at_k_looks_at_the_first_k_valid_ones_only():
    generated = [None, "C", "C", None, "N", "O"]
    assert metrics.unique_at(generated, 2) == 0.5
    assert metrics.unique_at(generated, 3) == 2 / 3
    assert metrics.unique_at(generated, 100) == metrics.unique_at(generated) == 0.75
    assert math.isnan(metrics.unique_at([None]))


def test_novelty_counts_distinct_molecules():
    assert metrics.novelty(["C", "C", "C", "N", "O", None], {"C"}) == 2 / 3
    assert metrics.novelty(["C"], set()) == 1.0
    assert math.isnan(metrics.novelty([None], {"C"}))


@pytest.mark.parametrize("block", [3, 512])
def test_internal_diversity_equals_brute_force_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(metrics, "BLOCK_ROWS", block)
    similarity = brute_similarities(MOLECULES, MOLECULES)
    assert metrics.internal_diversity([*MOLECULES, None]) == pytest.approx(1 - similarity.mean(), abs=1e-6)
    assert metrics.internal_diversity(MOLECULES, p=2) == pytest.approx(1 - math.sqrt((similarity**2).mean()), abs=1e-6)


def test_internal_diversity_of_one_molecule_is_zero_and_of_none_undefined():
    assert metrics.internal_diversity(["CCO"]) == 0.0
    assert math.isnan(metrics.internal_diversity([None]))


@pytest.mark.parametrize("block", [2, 512])
def test_snn_equals_brute_force_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(metrics, "BLOCK_ROWS", block)
    expected = brute_similarities(MOLECULES[:5], MOLECULES[3:]).max(axis=1).mean()
    assert metrics.snn([*MOLECULES[:5], None], MOLECULES[3:]) == pytest.approx(expected, abs=1e-6)
    assert math.isnan(metrics.snn([None], MOLECULES))


def test_scaffold_similarity_is_the_cosine_of_counts_and_ignores_single_rings():
    naphthalene, biphenyl = "c1ccc2ccccc2c1", "c1ccc(-c2ccccc2)cc1"
    generated = ["Cc1cccc2ccccc12", naphthalene, "Oc1ccc(-c2ccccc2)cc1", "c1ccccc1", None]  # 2 naphthalenes, 1 biphenyl
    assert metrics.scaffold_similarity(generated, [naphthalene]) == pytest.approx(2 / math.sqrt(5))
    assert metrics.scaffold_similarity(generated, [naphthalene, naphthalene, biphenyl]) == pytest.approx(1.0)
    assert math.isnan(metrics.scaffold_similarity(["CCO"], [naphthalene]))


def test_fragment_similarity_counts_brics_pieces():
    assert metrics.fragment_similarity(["CC"], ["CC", "CC"]) == pytest.approx(1.0)
    pieces = metrics.brics_fragments("CCNC(=O)c1ccccc1")
    assert len(pieces) == 4
    assert metrics.fragment_similarity(["CCNC(=O)c1ccccc1", "CC"], ["CC"]) == pytest.approx(1 / math.sqrt(5))


def test_regression_by_hand():
    found = metrics.regression(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 2.0, 6.0]), np.array([0.5, 0.5, 1.0, 2.0]))
    assert found["n"] == 4
    assert found["mae"] == 1.0
    assert found["rmse"] == pytest.approx(math.sqrt(6 / 4))
    assert found["r2"] == pytest.approx(1 - 6 / 5)
    assert found["coverage90"] == 0.75  # |1.0| > 1.645 * 0.5, the others lie inside


def test_spearman_matches_scipy_with_ties():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 8, 60).astype(float)
    b = a + rng.normal(size=60).round()
    assert metrics.regression(a, b)["spearman"] == pytest.approx(spearmanr(a, b).statistic)


def test_regression_masks_missing_labels_and_missing_predictions():
    labels, mean = np.array([1.0, np.nan, 3.0, 5.0]), np.array([1.5, 2.0, 2.5, np.nan])
    found = metrics.regression(labels, mean)
    assert (found["n"], found["mae"]) == (2, 0.5)
    assert math.isnan(found["coverage90"])


def test_regression_of_nothing_and_of_one_is_counted_not_an_error():
    assert metrics.regression(np.array([np.nan]), np.array([1.0]))["n"] == 0
    one = metrics.regression(np.array([2.0]), np.array([1.0]), np.array([1.0]))
    assert (one["n"], one["mae"], one["coverage90"]) == (1, 1.0, 1.0)
    assert math.isnan(one["r2"]) and math.isnan(one["spearman"])


def test_coverage_of_well_calibrated_predictions_is_ninety_percent():
    rng = np.random.default_rng(1)
    std = rng.uniform(0.1, 3.0, 20_000)
    found = metrics.regression(rng.normal(size=20_000) * std, np.zeros(20_000), std)
    assert found["coverage90"] == pytest.approx(0.9, abs=0.008)


def test_similarity_blocks_agree_for_all_pairs():
    bits = metrics.fingerprint_matrix(MOLECULES)
    found, expected = metrics._block(bits, bits), brute_similarities(MOLECULES, MOLECULES)
    for i, j in product(range(len(MOLECULES)), repeat=2):
        assert found[i, j] == pytest.approx(expected[i, j], abs=1e-6)
