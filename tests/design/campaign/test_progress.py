"""Where a campaign stands: the same figures as the whole table gives, and a time that is left which follows the pace."""

import math

import numpy as np
import pytest

from chemvae.design import Goal, run_campaign
from chemvae.design.campaign.progress import BestSoFar
from tests.design.toys import ToyModel, carbons


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr("chemvae.design.campaign.progress.time.perf_counter", lambda: self.now)


def test_the_figures_are_those_of_all_calls():
    rng, best = np.random.default_rng(0), BestSoFar(budget=100)
    scores = rng.normal(size=60)
    scores[::7] = math.nan
    for i, score in enumerate(scores):
        best.add(f"molecule {i}", 10 * score, utility=score)
    now, good = best.snapshot(60, valid=0.5), np.sort(scores[~np.isnan(scores)])
    assert now.best == 10 * good[-1] and now.mean_top10 == pytest.approx(10 * good[-10:].mean())
    assert now.failed == 9 and now.best_smiles == f"molecule {np.nanargmax(scores)}"


def test_what_is_minimised_keeps_its_sign():
    seen = []
    run_campaign(
        ToyModel(), carbons, budget=20, goals=Goal("carbons", "min"), method="random", batch_size=5, callback=seen.append
    )
    assert 0 < seen[-1].best <= seen[-1].mean_top10


def test_the_time_that_is_left_follows_the_pace_of_late(monkeypatch):
    clock, best = Clock(monkeypatch), BestSoFar(budget=1000)
    assert math.isnan(best.snapshot(0, 1.0).remaining_s)
    clock.now += 1.0
    assert best.snapshot(500, 1.0).remaining_s == pytest.approx(1.0)  # a record that is replayed
    for calls in range(501, 540):
        clock.now += 2.0
        now = best.snapshot(calls, 1.0)
    assert now.remaining_s == pytest.approx(2.0 * (1000 - 539))


def test_a_time_limit_bounds_what_is_left(monkeypatch):
    clock, best = Clock(monkeypatch), BestSoFar(budget=1000, time_limit_s=60.0)
    clock.now += 50.0
    assert best.snapshot(0, 1.0).remaining_s == 10.0 and not best.is_over
    assert best.snapshot(10, 1.0).remaining_s == 10.0
    clock.now += 11.0
    assert best.snapshot(20, 1.0).remaining_s == 0.0 and best.is_over


def test_a_slow_oracle_is_told_of_within_a_round(monkeypatch):
    clock = Clock(monkeypatch)

    def slow(smiles):
        clock.now += 0.6
        return carbons(smiles)

    seen = []
    run_campaign(ToyModel(), slow, budget=12, method="random", batch_size=12, callback=seen.append)
    assert [now.calls for now in seen] == [2, 4, 6, 8, 10, 12, 12]
