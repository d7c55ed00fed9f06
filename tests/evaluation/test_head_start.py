"""What given weights gained, measured against runs whose figures are known."""

import pytest

from chemvae import api
from chemvae.evaluation.head_start import HeadStart, measure_head_start
from chemvae.runs import RunFolder

SMALL = {
    "epochs": 2, "batch_size": 5, "latent_dim": 4, "decoder_dim": 16, "encoder_dim": 8, "min_kl": 0.0, "min_active_units": 0.0,
    "threads": 1, "device": "cpu", "seed": 3, "learning_rate": 2e-3, "warmup_steps": 100, "patience": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    from tests.conftest import MOLECULES

    folder = tmp_path_factory.mktemp("runs")
    table = folder / "table.csv"
    table.write_text("smiles,size\n" + "".join(f"{one},{len(one)}\n" for one in MOLECULES))
    api.train(table, ["size"], "tiny", folder / "base", **SMALL)
    api.train(table, ["size"], "tiny", folder / "tuned", init=folder / "base", **SMALL)
    return folder


def last(run):
    return float(RunFolder(run).read_metrics()["valid_cross_entropy"].iloc[-1])


def test_before_the_first_step_it_is_the_given_model_and_from_nothing_it_is_the_run_without_it(runs):
    found = measure_head_start(RunFolder(runs / "tuned"), compare=True, device="cpu")
    assert found.before == pytest.approx(last(runs / "base"), rel=1e-5)
    assert found.after == last(runs / "tuned") and found.steps == 8 and found.n_molecules == 20
    assert found.from_nothing == pytest.approx(last(runs / "base"), rel=1e-5)  # the base was trained just so
    assert str(runs / "base") in found.sentence() and "from nothing" in found.sentence()


def test_without_a_given_model_there_is_nothing_to_say(runs):
    assert measure_head_start(RunFolder(runs / "base")) is None


def test_it_says_when_training_harmed_or_went_past_its_best():
    good = HeadStart("drug", 50, 100, 20.0, 5.0, (9, 5.0))
    assert good.hint() is None and "not measured (--compare)" in good.sentence()
    assert "worse" in HeadStart("drug", 50, 100, 4.0, 5.0, (9, 4.9)).hint()
    assert "--epochs 3" in HeadStart("drug", 50, 100, 20.0, 5.0, (3, 4.0)).hint()
