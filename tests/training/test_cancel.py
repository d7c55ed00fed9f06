"""A training that is told to end, from another thread: saved, usable, and to be gone on with."""

import threading

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.progress import CancelToken
from chemvae.runs import RunFolder
from chemvae.training import Callback
from tests.conftest import MOLECULES
from tests.training.test_trainer import make_trainer, weights

SMALL = {
    "encoder_dim": 12, "decoder_dim": 16, "embedding_dim": 8, "predictor_dim": 8, "latent_dim": 4, "batch_size": 4, "epochs": 3,
    "min_kl": 0.0, "min_active_units": 0.0, "ema_decay": 0.5, "threads": 1, "warmup_steps": 2, "preset": "tiny",
    "device": "cpu",
}  # fmt: skip


class CancelAt(Callback):
    """Cancels once so many steps are done, and remembers what it heard."""

    def __init__(self, token, step):
        self.token, self.step, self.heard = token, step, []

    def on_step(self, info):
        self.heard.append(info["step"])
        if info["step"] >= self.step:
            self.token.cancel("enough")


@pytest.mark.parametrize("step", [5, 10])
def test_a_cancelled_trainer_saves_and_goes_on_to_the_same_weights(labelled, vocabulary, tmp_path, step):
    whole = make_trainer(labelled, vocabulary)
    whole.fit()
    token = CancelToken()
    first = make_trainer(labelled, vocabulary, RunFolder(tmp_path))
    first.callbacks = (CancelAt(token, step),)
    progress = first.fit(token)
    assert first.stopped_by == "cancelled" and progress.step in (step, step + 1)
    assert not first.module.training
    second = make_trainer(labelled, vocabulary, RunFolder(tmp_path))
    second.resume()
    second.fit(CancelToken())
    assert second.stopped_by is None and torch.equal(weights(whole.module), weights(second.module))


def test_a_run_in_another_thread_is_cancelled_usable_and_resumed(tmp_path, caplog):
    whole = chemvae.train(MOLECULES, seed=2, **SMALL)
    token, found = CancelToken(), []
    heard = CancelAt(token, 5)

    def run():
        found.append(chemvae.train(MOLECULES, out=tmp_path / "run", seed=2, cancel=token, callbacks=[heard], **SMALL))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    assert len(found) == 1 and heard.heard == [5]
    assert any("because it was asked to (enough), step" in message for message in caplog.messages)
    assert len(chemvae.sample(found[0], 5)) == 5 and len(chemvae.sample(chemvae.load(tmp_path / "run"), 5)) == 5
    rest = chemvae.train(MOLECULES, out=tmp_path / "run", resume=True, device="cpu")
    np.testing.assert_array_equal(rest.encode(MOLECULES), whole.encode(MOLECULES))


def test_a_training_of_thinned_molecules_goes_on_to_the_same_weights(tmp_path):
    labels = [float(i) if i % 3 == 0 else np.nan for i in range(len(MOLECULES))]
    table = pd.DataFrame({"smiles": MOLECULES, "y": labels})
    n_labelled = int(table["y"].notna().sum())
    n_read = n_labelled + round(0.5 * (len(MOLECULES) - n_labelled))
    asked = {"data": table, "targets": ["y"], "seed": 2, "unlabelled": 0.5, **SMALL}
    whole = chemvae.train(**asked, out=tmp_path / "whole")
    token = CancelToken()
    chemvae.train(**asked, out=tmp_path / "run", cancel=token, callbacks=[CancelAt(token, 1)])
    resumed = chemvae.train(table, out=tmp_path / "run", resume=True)
    assert RunFolder(tmp_path / "whole").read_metrics()["step"].iloc[0] == -(-n_read // 4) < -(-len(MOLECULES) // 4)
    assert torch.equal(weights(whole), weights(resumed))
