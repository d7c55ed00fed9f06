"""Time left is told for the whole recipe: this stage's own, and the later stages' by their shares."""

import pytest

from chemvae.training.callbacks import Callback
from chemvae.training.recipes.overall import Overall
from chemvae.training.recipes.recipe import StageSpec

STAGES = [StageSpec(name, "fit", share, 0, {}) for name, share in (("a", 0.5), ("b", 0.3), ("c", 0.2))]


class Heard(Callback):
    def __init__(self):
        self.steps, self.tunings, self.epochs = [], [], []

    def on_step(self, info):
        self.steps.append(info)

    def on_epoch(self, row, model):
        self.epochs.append(row)

    def on_tuning(self, row):
        self.tunings.append(row)


def test_later_stages_take_their_share_of_what_this_one_takes():
    assert Overall((), STAGES, 0).left(elapsed_s=30.0, eta_s=20.0) == pytest.approx(20.0 + 50.0)
    assert Overall((), STAGES, 1).left(30.0, 30.0) == pytest.approx(30.0 + 60.0 * 0.2 / 0.3)
    assert Overall((), STAGES, 2).left(30.0, 20.0) == 20.0


def test_a_stage_with_a_budget_ends_at_it():
    overall = Overall((), STAGES, 0, budget_s=40.0)
    assert overall.left(30.0, 500.0) == pytest.approx(10.0 + 40.0)
    assert overall.left(45.0, 500.0) == pytest.approx(0.0 + 40.0)


def test_a_stage_without_a_share_says_its_own_time_alone():
    assert Overall((), [StageSpec("a", "fit", 0.0, 0, {}), *STAGES], 0).left(5.0, 7.0) == 7.0


def test_steps_epochs_and_tunings_are_passed_on_with_the_time_to_the_end():
    heard = Heard()
    overall = Overall((heard,), STAGES, 0, n_units=10)
    overall.on_step({"step": 60, "n_steps": 100, "eta_s": 20.0, "loss": 1.5})
    assert heard.steps == [{"step": 60, "n_steps": 100, "eta_s": pytest.approx(20.0 + 50.0), "loss": 1.5}]  # 30 s have passed
    overall.report({"round": 5, "elapsed_s": 25.0, "validity": 0.5})
    assert heard.tunings == [{"round": 5, "elapsed_s": 25.0, "validity": 0.5, "eta_s": pytest.approx(25.0 + 50.0)}]
    overall.on_epoch({"epoch": 1}, None)
    assert heard.epochs == [{"epoch": 1}]


def test_the_last_step_and_the_first_report_divide_by_nothing():
    heard = Heard()
    overall = Overall((heard,), STAGES, 2, n_units=4)
    overall.on_step({"step": 9, "n_steps": 9, "eta_s": 0.0})
    overall.report({"round": 0, "elapsed_s": 1.0})
    overall.report({"step": 9, "elapsed_s": 1.0})
    assert heard.steps[0]["eta_s"] == 0.0 and [row["eta_s"] for row in heard.tunings] == [4.0, 0.0]
