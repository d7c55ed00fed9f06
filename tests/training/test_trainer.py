"""The loop: it learns, resumes to the same numbers, survives being killed, and says when it collapsed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch

from chemvae.errors import ChemVAEError, CollapseError, InterruptedRunError, RunFolderError, SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import describe_model, load_model
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.training import Callback, Trainer, TrainingSettings
from chemvae.training.posthoc.finish import finish
from chemvae.training.validation import measure
from tests.conftest import make_model

SETTINGS = dict(epochs=4, batch_size=4, learning_rate=1e-2, warmup_steps=2, min_kl=0.0, min_active_units=0.0, word_dropout=0.1)


class StopAt(Callback):
    """Ask the trainer to stop once it has done so many steps."""

    def __init__(self, step):
        self.step, self.trainer, self.rows = step, None, []

    def on_step(self, info):
        if info["step"] >= self.step:
            self.trainer._stop = "interrupted"

    def on_epoch(self, row, model):
        self.rows.append(row)


def make_trainer(labelled, vocabulary, run=None, stop=None, model=None, **changes):
    labelled.random_smiles = 0.5
    model = make_model(vocabulary) if model is None else model
    model.predictor.fit_scale(torch.tensor(labelled.labels))
    callback = StopAt(stop) if stop else Callback()
    settings = TrainingSettings(**{**SETTINGS, **changes})
    trainer = Trainer(model, labelled, labelled, settings, run, device="cpu", callbacks=(callback,))
    callback.trainer = trainer
    return trainer


def weights(model):
    return torch.cat([value.flatten() for name, value in model.named_parameters()])


def test_it_overfits_twenty_molecules(labelled, vocabulary):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        wide = MolVAE(vocabulary, ModelSettings(12, 24, 96, 8, 8, precision="fp32"), ("logP", "qed"))
    learning = {"epochs": 40, "learning_rate": 2e-2, "beta": 0.0, "word_dropout": 0.0, "ema_decay": 0.9}
    trainer = make_trainer(labelled, vocabulary, model=wide, **learning)
    labelled.random_smiles = 0.0
    trainer.fit()
    rows = trainer.progress.rows
    assert rows[-1]["valid_reconstruction_greedy"] >= 0.8
    assert rows[-1]["valid_cross_entropy"] < 0.1 * rows[0]["valid_cross_entropy"]


@pytest.mark.parametrize("stop", [5, 10, 13])  # end of an epoch, end of the second, in the middle
def test_interrupted_and_resumed_equals_uninterrupted(labelled, vocabulary, tmp_path, stop):
    whole = make_trainer(labelled, vocabulary)
    whole.fit()
    first = make_trainer(labelled, vocabulary, RunFolder(tmp_path), stop=stop)
    with pytest.raises(InterruptedRunError, match="--resume"):
        first.fit()
    second = make_trainer(labelled, vocabulary, RunFolder(tmp_path))
    with torch.no_grad():
        for p in second.module.parameters():
            p.zero_()  # whatever it was, the checkpoint decides
    second.resume()
    second.fit()
    assert torch.equal(weights(whole.module), weights(second.module))
    untimed = lambda t: [{k: v for k, v in row.items() if "_s" not in k} for row in t.progress.rows]  # noqa: E731
    assert untimed(whole) == untimed(second)


@pytest.mark.parametrize("stop", [1, 7, 14])  # after the first batch of an epoch, in the middle, before the last
def test_stopped_within_an_epoch_it_goes_on_with_the_next_batch_of_it(labelled, vocabulary, tmp_path, monkeypatch, stop):
    """Progress is read after every step here; as it is, no reading and so no stop falls within such short epochs."""
    monkeypatch.setattr("chemvae.training.trainer.LOG_EVERY", 1)
    whole = make_trainer(labelled, vocabulary)
    whole.fit()
    first = make_trainer(labelled, vocabulary, RunFolder(tmp_path), stop=stop)
    with pytest.raises(InterruptedRunError):
        first.fit()
    assert first.progress.batch == stop % first.n_batches and 0 < first.progress.batch < first.n_batches
    second = make_trainer(labelled, vocabulary, RunFolder(tmp_path))
    second.resume()
    second.fit()
    assert second.progress.step == second.n_steps
    assert torch.equal(weights(whole.module), weights(second.module))


def test_the_first_checkpoint_comes_soon(labelled, vocabulary, tmp_path, monkeypatch):
    trainer = make_trainer(labelled, vocabulary, RunFolder(tmp_path), checkpoint_min=0.0)
    assert trainer._checkpoint_s(is_first=True) <= 60 and trainer._checkpoint_s(is_first=False) == float("inf")
    monkeypatch.setattr("chemvae.training.trainer.FIRST_CHECKPOINT_S", -1.0)
    saved = []
    monkeypatch.setattr(trainer, "save", lambda: saved.append(trainer.progress.step))
    trainer.fit()
    assert saved[0] == 1 and len(saved) == 1 + trainer.settings.epochs


def test_a_finished_model_stays_beside_its_prior_until_the_next_is_finished(labelled, vocabulary, tmp_path):
    run = RunFolder(tmp_path)
    trainer = make_trainer(labelled, vocabulary, run, epochs=1)
    trainer.fit()
    finish(trainer.module, labelled, labelled, run)
    before = (tmp_path / "model.safetensors").read_bytes()
    with torch.no_grad():
        trainer.module.decoder.output.bias.add_(1.0)
    trainer.save()
    assert (tmp_path / "model.safetensors").read_bytes() == before
    finish(trainer.module, labelled, labelled, run)
    assert (tmp_path / "model.safetensors").read_bytes() != before


def test_metrics_name_every_term(labelled, vocabulary, tmp_path):
    make_trainer(labelled, vocabulary, RunFolder(tmp_path), epochs=1).fit()
    row = pd.read_csv(tmp_path / "metrics.csv").iloc[0]
    for name in ("train_kl", "valid_kl", "valid_active_units", "valid_mutual_information", "valid_reconstruction_greedy",
                 "valid_token_accuracy_teacher_forced", "valid_cross_entropy", "beta", "learning_rate"):  # fmt: skip
        assert np.isfinite(row[name]), name
    assert row["valid_elbo"] == pytest.approx(-(row["valid_cross_entropy"] + row["valid_kl"]))


def test_resume_refuses_other_settings(labelled, vocabulary, tmp_path):
    make_trainer(labelled, vocabulary, RunFolder(tmp_path), epochs=1).fit()
    with pytest.raises(RunFolderError, match="was made for 5 steps"):
        make_trainer(labelled, vocabulary, RunFolder(tmp_path), epochs=2).resume()


def test_damaged_checkpoint_is_named(labelled, vocabulary, tmp_path):
    make_trainer(labelled, vocabulary, RunFolder(tmp_path), epochs=1).fit()
    content = (tmp_path / "trainer.pt").read_bytes()
    (tmp_path / "trainer.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(RunFolderError, match="damaged trainer.pt"):
        make_trainer(labelled, vocabulary, RunFolder(tmp_path), epochs=1).resume()


def test_collapse_is_loud(labelled, vocabulary):
    trainer = make_trainer(labelled, vocabulary, epochs=30, beta=50.0, beta_start=50.0, kl_warmup=0.0, min_kl=2.0)
    with pytest.raises(CollapseError, match="COLLAPSED.*Lower --beta"):
        trainer.fit()


def test_a_loss_that_is_no_number_stops_the_run(labelled, vocabulary):
    trainer = make_trainer(labelled, vocabulary)
    with torch.no_grad():
        trainer.module.decoder.output.bias.fill_(torch.nan)
    with pytest.raises(ChemVAEError, match="no longer a number"):
        trainer.fit()


def test_early_stopping_and_time_limit(labelled, vocabulary):
    trainer = make_trainer(labelled, vocabulary, epochs=60, learning_rate=1e-9, patience=2, kl_warmup=0.0)
    trainer.fit()
    assert trainer.stopped_by == "early" and trainer.progress.epoch <= 4
    limited = make_trainer(labelled, vocabulary, time_limit_min=1e-6)
    limited.fit()
    assert limited.stopped_by == "time limit" and limited.progress.step == 1


def test_finished_run_loads_to_the_same_predictions(labelled, vocabulary, tmp_path):
    run = RunFolder(tmp_path / "run")
    trainer = make_trainer(labelled, vocabulary, run, epochs=2)
    run.write_vocabulary(vocabulary.to_dict())
    run.write_config(describe_model(trainer.module))
    trainer.fit()
    finish(trainer.module, labelled, labelled, run)
    moved = tmp_path / "moved"
    run.path.rename(moved)
    loaded = load_model(RunFolder(moved))
    np.testing.assert_array_equal(loaded.encode(labelled.smiles), trainer.module.encode(labelled.smiles))
    pd.testing.assert_frame_equal(loaded.predict(labelled.smiles), trainer.module.predict(labelled.smiles))
    assert loaded.is_known(labelled.smiles).all() and not loaded.is_known(["CCCCCCCCCC"]).any()
    assert loaded.latent_statistics.is_fitted


KILLED = """
import sys
from tests.conftest import MOLECULES, make_model
from tests.training.test_trainer import SETTINGS
import numpy as np, time
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.runs import RunFolder
from chemvae.training import Callback, Trainer, TrainingSettings
class Slow(Callback):
    def on_step(self, info):
        print(info["step"], flush=True); time.sleep(0.2)
words = Vocabulary.from_smiles(MOLECULES)
data = SmilesDataset(MOLECULES, words, np.zeros((20, 2)))
settings, run = TrainingSettings(**SETTINGS), RunFolder(sys.argv[1])
trainer = Trainer(make_model(words), data, data, settings, run, device="cpu", callbacks=(Slow(),))
if sys.argv[2] == "resume": trainer.resume()
trainer.fit()
"""


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    def start(folder, how):
        return subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / folder), how], stdout=subprocess.PIPE, text=True)

    assert start("whole", "new").wait(120) == 0
    victim = start("killed", "new")
    while int(victim.stdout.readline()) < 10:
        pass
    time.sleep(0.1)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    assert start("killed", "resume").wait(120) == 0
    whole, killed = (RunFolder(tmp_path / name).read_tensors("model.safetensors") for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_measuring_leaves_the_model_as_it_was(labelled, vocabulary):
    model = make_model(vocabulary).train()
    first, second = measure(model, labelled), measure(model, labelled)
    assert first == second and model.training


def test_settings_complain_all_at_once():
    with pytest.raises(SettingsError) as caught:
        TrainingSettings(epochs=0, learning_rate=0, word_dropout=2, kl_schedule="zigzag", ema_decay=1.0)
    assert len(caught.value.complaints) == 5
