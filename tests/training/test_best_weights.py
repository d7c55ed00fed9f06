"""Tuning keeps the best epoch, and never ends worse than it began."""

import logging

import numpy as np
import pytest
import torch

from chemvae import api
from chemvae.runs import RunFolder
from chemvae.training.best_weights import BestWeights
from chemvae.training.callbacks import Callback
from chemvae.training.ema import WeightAverage
from tests.conftest import MOLECULES

SMALL = {
    "epochs": 3, "batch_size": 5, "latent_dim": 4, "decoder_dim": 16, "encoder_dim": 8, "min_kl": 0.0, "min_active_units": 0.0,
    "threads": 1, "device": "cpu", "seed": 3, "warmup_steps": 0, "patience": 0, "kl_warmup": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("best")
    (folder / "table.csv").write_text("smiles,size\n" + "".join(f"{one},{len(one)}\n" for one in MOLECULES))
    api.train(folder / "table.csv", ["size"], "tiny", folder / "base", learning_rate=2e-3, **SMALL)
    return folder


class Weights(Callback):
    """The averaged weights after each epoch, with the held-out loss."""

    def __init__(self):
        self.losses, self.decoders = [], []

    def on_epoch(self, row, model):
        self.losses.append(row["valid_loss"])
        self.decoders.append({name: one.clone() for name, one in model.decoder.state_dict().items()})


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_a_step_far_too_large_leaves_the_model_as_it_was(base, caplog):
    with caplog.at_level(logging.WARNING):
        api.train(base / "table.csv", ["size"], "tiny", base / "harmed", init=base / "base", learning_rate=3.0, **SMALL)
    before, after = (api.load(base / name, "cpu") for name in ("base", "harmed"))
    assert same(before.decoder.state_dict(), after.decoder.state_dict()) and "No epoch was better" in caplog.text
    np.testing.assert_array_equal(before.predict(MOLECULES)["size"], after.predict(MOLECULES)["size"])
    assert RunFolder(base / "harmed").read_config()["kept_epoch"] == 0


@pytest.mark.parametrize("rate", [2e-3, 0.05])
def test_what_is_saved_are_the_weights_of_the_epoch_that_was_best(base, rate):
    seen, run = Weights(), base / f"tuned {rate}"
    made = api.train(
        base / "table.csv", ["size"], "tiny", run, init=base / "base", learning_rate=rate, callbacks=[seen], **SMALL
    )
    kept = RunFolder(run).read_config()["kept_epoch"]
    if kept:
        assert kept == 1 + int(np.argmin(seen.losses)) and same(seen.decoders[kept - 1], made.decoder.state_dict())
    assert same(api.load(run, "cpu").decoder.state_dict(), made.decoder.state_dict())


def test_a_training_from_nothing_ends_with_its_last_epoch(base):
    assert "kept_epoch" not in RunFolder(base / "base").read_config()


def test_the_lowest_loss_wins_and_no_number_never_does():
    layer = torch.nn.Linear(1, 1)
    average, best = WeightAverage(layer, 0.0), BestWeights(layer)
    for epoch, loss in enumerate([float("nan"), 3.0, 2.0, 2.0, 5.0]):
        average.load({name: torch.full_like(one, epoch) for name, one in average.weights.items()})
        best.offer(loss, epoch, average)
    again = BestWeights(layer)
    again.load(best.state())
    again.copy_to_model()
    assert (again.epoch, again.loss, float(layer.weight.detach())) == (2, 2.0, 2.0)
    with pytest.raises(ValueError, match="another model"):
        BestWeights(torch.nn.Linear(2, 1)).load(best.state())
    empty = BestWeights(layer)
    empty.load({})  # a checkpoint of before
    assert empty.offer(1e9, 4, average)
