"""The process over molecules: it is the textbook's, its noise is the likeliest, and a batch does not repeat itself."""

import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import Crippen, rdFingerprintGenerator
from scipy.stats import spearmanr

from chemvae.chem.fingerprints import unfolded_counts
from chemvae.design.surrogates.tanimoto_gp import NOISE_RATIOS, Evidence, TanimotoGP, greedy_bound
from chemvae.design.surrogates.training_set import training_rows
from chemvae.errors import InputError, NothingUsableError

needs_data = pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")

HEADS = ["C", "CC", "CC(C)", "N#C", "FC(F)(F)", "OC", "ClCC", "CCCCC"]
CORES = ["c1ccc(cc1)", "c1cnc(cc1)", "C1CCC(CC1)", "N1CCN(CC1)"]
TAILS = ["O", "C(=O)N", "S(=O)(=O)C", "OCC"]
SMILES = [head + core + tail for head, core, tail in itertools.product(HEADS, CORES, TAILS)]


def log_p(smiles: list[str]) -> torch.Tensor:
    return torch.tensor([Crippen.MolLogP(Chem.MolFromSmiles(text)) for text in smiles], dtype=torch.float64)


def similarity(a: list[str], b: list[str]) -> torch.Tensor:
    """Tanimoto of counts by RDKit, one row at a time."""
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2).GetSparseCountFingerprint
    rows, columns = ([make(Chem.MolFromSmiles(text)) for text in side] for side in (a, b))
    return torch.tensor([DataStructs.BulkTanimotoSimilarity(row, columns) for row in rows], dtype=torch.float64)


def drawn(near: torch.Tensor, ratio: float, n: int) -> torch.Tensor:
    """n sets of noisy scores from the process itself, of mean 0 and scale 1: [n, N]."""
    root = torch.linalg.cholesky(near + ratio * torch.eye(len(near), dtype=torch.float64))
    return torch.randn(n, len(near), generator=torch.Generator().manual_seed(0), dtype=torch.float64) @ root.T


def split(n: int, n_test: int = 20, seed: int = 0) -> tuple[list[str], list[str]]:
    order = torch.randperm(len(SMILES), generator=torch.Generator().manual_seed(seed)).tolist()
    return [SMILES[i] for i in order[:n]], [SMILES[i] for i in order[n : n + n_test]]


def assert_same(a: TanimotoGP, b: TanimotoGP, test: list[str]) -> None:
    for one, other in zip(a.joint(test), b.joint(test), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)


class TestPosterior:
    def test_it_is_the_textbooks(self):
        train, test = split(60)
        y, ratio = log_p(train), 0.05
        inverse = torch.linalg.inv(similarity(train, train) + ratio * torch.eye(60, dtype=torch.float64))
        mean = (inverse @ y).sum() / inverse.sum()
        variance = (y - mean) @ inverse @ (y - mean) / 60
        cross = similarity(test, train)
        gp = TanimotoGP(noise_ratio=ratio).fit(train, y)
        got, covariance = gp.joint(test)
        torch.testing.assert_close(got, mean + cross @ inverse @ (y - mean))
        torch.testing.assert_close(covariance, variance * (similarity(test, test) - cross @ inverse @ cross.T))
        torch.testing.assert_close(torch.tensor([gp.mean, gp.scale]), torch.tensor([float(mean), float(variance.sqrt())]))

    def test_predictions_are_the_margins_of_the_joint_one(self):
        train, test = split(60)
        gp = TanimotoGP().fit(train, log_p(train))
        mean, covariance = gp.joint(test)
        torch.testing.assert_close(gp.predict(test), (mean, covariance.diagonal().sqrt()))
        torch.testing.assert_close(gp.bound(test, 2.0), mean + 2.0 * covariance.diagonal().sqrt(), rtol=1e-4, atol=1e-4)

    def test_the_order_of_the_data_does_not_matter(self):
        train, test = split(60)
        shuffled = [train[i] for i in torch.randperm(60, generator=torch.Generator().manual_seed(1)).tolist()]
        assert_same(TanimotoGP().fit(train, log_p(train)), TanimotoGP().fit(shuffled, log_p(shuffled)), test)

    def test_scores_may_be_in_any_unit(self):
        train, test = split(60)
        mean, std = TanimotoGP().fit(train, log_p(train)).predict(test)
        scaled = TanimotoGP().fit(train, 1e5 * log_p(train) - 3e6).predict(test)
        torch.testing.assert_close(scaled, (1e5 * mean - 3e6, 1e5 * std))

    def test_one_disaster_does_not_hide_the_rest(self):
        train, test = split(80)
        y = log_p(train)
        y[0] = -1e6
        assert spearmanr(TanimotoGP().fit(train, y).predict(test)[0], log_p(test)).statistic > 0.7


class TestEvidence:
    def test_it_is_the_density_of_the_targets_at_the_best_mean_and_variance(self):
        near, n = similarity(SMILES, SMILES), len(SMILES)
        y, eye = drawn(near, 0.5, 1)[0], torch.eye(n, dtype=torch.float64)
        evidence = Evidence(near, y)
        best = evidence.best_ratio()
        inverse = torch.linalg.inv(near + best * eye)
        mean = (inverse @ y).sum() / inverse.sum()
        variance = (y - mean) @ inverse @ (y - mean) / n

        def density(mean, variance, ratio):
            loc = torch.full((n,), float(mean), dtype=torch.float64)
            return float(torch.distributions.MultivariateNormal(loc, variance * (near + ratio * eye)).log_prob(y))

        top = density(mean, variance, best)
        assert float(evidence(torch.tensor([best]))) == pytest.approx(top, rel=1e-9)
        assert NOISE_RATIOS[0] < best < NOISE_RATIOS[1]
        for neighbour in itertools.product((mean - 0.02, mean, mean + 0.02), (0.97, 1, 1.03), (0.97, 1, 1.03)):
            assert density(neighbour[0], variance * neighbour[1], best * neighbour[2]) <= top + 1e-6

    @pytest.mark.parametrize("ratio", [0.05, 1.0])
    def test_it_finds_the_noise_that_was_put_in(self, ratio):
        near = similarity(SMILES, SMILES)
        found = torch.tensor([Evidence(near, y).best_ratio() for y in drawn(near, ratio, 30)]).log().median()
        assert abs(float(found) - np.log(ratio)) < 0.5

    def test_what_no_structure_explains_is_noise(self):
        y = torch.randn(len(SMILES), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        mean, _ = TanimotoGP().fit(SMILES, y).predict(SMILES)
        assert float(mean.std()) < 0.4


class TestGrowth:
    @pytest.mark.parametrize("sizes", [[40] + 20 * [1], [1, 2, 7, 50], [59, 1]])
    def test_rows_added_are_rows_fitted(self, sizes):
        train, test = split(60)
        gp, first = TanimotoGP(noise_ratio=0.01), 0
        for size in sizes:
            gp.extend(train[first : first + size], log_p(train[first : first + size]))
            first += size
        assert_same(gp, TanimotoGP(noise_ratio=0.01).fit(train, log_p(train)), test)

    def test_the_noise_is_estimated_anew_when_the_data_grew_by_a_quarter(self):
        train, test = split(100)
        gp = TanimotoGP().fit(train[:60], log_p(train[:60]))
        before = gp.noise_ratio
        gp.extend(train[60:74], log_p(train[60:74]))
        assert gp.noise_ratio == before
        gp.extend(train[74:], log_p(train[74:]))
        assert_same(gp, TanimotoGP().fit(train, log_p(train)), test)

    def test_beyond_the_cap_it_goes_by_the_best_the_latest_and_some_others(self):
        train, test = split(100)
        y = log_p(train)
        gp = TanimotoGP(max_rows=40, noise_ratio=0.01).fit(train[:30], y[:30]).extend(train[30:], y[30:])
        rows = set(gp.rows.tolist())
        assert len(gp) == 100 and len(rows) == 40
        assert set(y.argsort(descending=True)[:20].tolist()) <= rows and set(range(90, 100)) <= rows
        kept = [train[i] for i in gp.rows.tolist()]
        assert_same(gp, TanimotoGP(noise_ratio=0.01).fit(kept, log_p(kept)), test)
        assert_same(gp, TanimotoGP(max_rows=40, noise_ratio=0.01).fit(train, y), test)

    def test_all_rows_are_kept_below_the_cap(self):
        assert training_rows(torch.rand(9), 9, torch.Generator()).tolist() == list(range(9))

    def test_nothing_new_changes_nothing(self):
        train, test = split(30)
        gp = TanimotoGP().fit(train, log_p(train))
        assert_same(gp.extend([], []), TanimotoGP().fit(train, log_p(train)), test)


class TestLittleData:
    @pytest.mark.parametrize(("n", "value"), [(1, 3.0), (1, 0.0), (2, -7.0), (30, 1e6), (30, 0.0)])
    def test_equal_scores_are_predicted_as_such_and_novelty_remains(self, n, value):
        train, test = split(30)
        mean, std = TanimotoGP().fit(train[:n], [value] * n).predict([train[0], *test])
        torch.testing.assert_close(mean, torch.full_like(mean, value))
        assert bool(std.isfinite().all()) and bool((std > 0).all()) and float(std[0]) < float(std[1:].min())

    def test_the_same_molecule_with_two_scores_is_predicted_between_them(self):
        mean, std = TanimotoGP(noise_ratio=0.1).fit(["CCO", "OCC", "CCN"], [0.0, 1.0, 0.5]).predict(["CCO"])
        assert float(mean) == pytest.approx(0.5) and float(std) > 0

    def test_many_repeats_can_be_factorised(self):
        gp = TanimotoGP(noise_ratio=0.0).fit(20 * ["CCO", "CCN"], 20 * [0.0, 1.0])
        mean, std = gp.predict(["CCO", "CCN"])
        torch.testing.assert_close(mean, torch.tensor([0.0, 1.0], dtype=torch.float64), atol=0.01, rtol=0)
        assert bool(std.isfinite().all())


class TestChoice:
    def test_it_is_greedy_conditioning_by_the_textbook(self):
        train, test = split(40, 30)
        mean, covariance = TanimotoGP().fit(train, log_p(train)).joint(test)
        chosen: list[int] = []
        for _ in range(8):
            known = covariance[:, chosen]
            left = covariance - known @ torch.linalg.solve(covariance[chosen][:, chosen], known.T) if chosen else covariance
            bound = mean + 2.0 * left.diagonal().clamp_min(0.0).sqrt()
            bound[chosen] = -torch.inf
            chosen.append(int(bound.argmax()))
        assert greedy_bound(mean, covariance, 8, 2.0) == chosen

    def test_like_molecules_are_not_both_chosen_early(self):
        train, test = split(40, 30)
        gp = TanimotoGP().fit(train, log_p(train))
        best = gp.select_batch(test, 1, kappa=3.0)[0]
        mean, std = gp.predict(test)
        assert (
            gp.select_batch([*test, test[best]], 12, kappa=3.0).count(best)
            + (30 in gp.select_batch([*test, test[best]], 12, 3.0))
            == 1
        )
        assert {best, 30} == set(torch.cat([mean + 3 * std, (mean + 3 * std)[[best]]]).topk(2).indices.tolist())

    def test_without_doubt_it_takes_the_highest_means(self):
        train, test = split(40, 30)
        gp = TanimotoGP().fit(train, log_p(train))
        assert gp.select_batch(test, 5, kappa=0.0) == gp.predict(test)[0].argsort(descending=True)[:5].tolist()

    def test_what_is_known_besides_shifts_the_means(self):
        train, test = split(40, 30)
        gp = TanimotoGP().fit(train, log_p(train))
        offset = torch.zeros(30, dtype=torch.float64)
        offset[17] = 100.0
        assert gp.select_batch(test, 3, offset=offset)[0] == 17

    def test_the_shortlist_keeps_the_best(self):
        train, test = split(40, 80)
        gp = TanimotoGP().fit(train, log_p(train))
        assert set(gp.select_batch(test, 10, kappa=1.0, shortlist=0)) <= set(gp.bound(test, 1.0).topk(20).indices.tolist())

    @pytest.mark.parametrize("n", [0, 1, 4, 9])
    def test_never_more_than_there_are_and_none_twice(self, n):
        train, test = split(40, 4)
        chosen = TanimotoGP().fit(train, log_p(train)).select_batch(test, n, kappa=1.0)
        assert len(chosen) == len(set(chosen)) == min(n, 4)
        assert TanimotoGP().fit(train, log_p(train)).select_batch([], n, kappa=1.0) == []

    def test_the_generator_breaks_ties_and_nothing_else(self):
        gp = TanimotoGP().fit(["CCO", "CCCCO"], [0.0, 1.0])
        alike = 20 * ["CCCO"]
        firsts = {gp.select_batch(alike, 1, generator=torch.Generator().manual_seed(seed))[0] for seed in range(20)}
        assert len(firsts) > 5 and gp.select_batch(alike, 1) == [0]
        _, test = split(40, 30)
        assert gp.select_batch(test[:9], 1, generator=torch.Generator().manual_seed(3)) == gp.select_batch(test[:9], 1)


class TestComplaints:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_score_that_is_no_number(self, bad):
        with pytest.raises(InputError, match="score 1 of 2 is .*; leave out"):
            TanimotoGP().fit(["CCO", "CCN"], [1.0, bad])
        with pytest.raises(InputError, match="score 0 of 1"):
            TanimotoGP().fit(["CCO"], [1.0]).extend(["CCN"], [bad])

    def test_what_is_not_a_molecule(self):
        with pytest.raises(InputError, match="fingerprint 1 of 2 is empty"):
            TanimotoGP().fit(["CCO", "C1"], [1.0, 2.0])
        with pytest.raises(InputError, match="fingerprint 0 of 1 is empty"):
            TanimotoGP().fit(["CCO"], [1.0]).predict(["C1"])

    def test_numbers_that_differ(self):
        with pytest.raises(InputError, match="2 fingerprints and 1 scores"):
            TanimotoGP().fit(["CCO", "CCN"], [1.0])

    def test_no_data(self):
        with pytest.raises(NothingUsableError, match="no molecule to fit"):
            TanimotoGP().fit([], [])
        with pytest.raises(NothingUsableError, match="call fit first"):
            TanimotoGP().select_batch(["CCO"], 1)


@needs_data
@pytest.mark.data
def test_it_ranks_drug_like_molecules_by_log_p():
    table = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / "zinc250k.csv.gz", usecols=["smiles"])
    smiles = table["smiles"].sample(1500, random_state=0).tolist()
    rows, y = unfolded_counts(smiles), log_p(smiles)
    mean, std = TanimotoGP().fit(rows[:1200], y[:1200]).predict(rows[1200:])
    assert spearmanr(mean, y[1200:]).statistic > 0.8
    within = ((mean - y[1200:]).abs() < 2.0 * std).double().mean()
    assert 0.85 < float(within) <= 1.0
