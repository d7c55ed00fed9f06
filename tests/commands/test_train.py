"""chemvae train: the run it leaves, resuming, interruption, and what is shown."""

import json
import os
import shutil
import signal

import pandas as pd
import pytest

from chemvae import api
from chemvae.commands.shared import training_display
from chemvae.errors import MissingExtraError

SMALL = [
    "--preset", "tiny", "--epochs", 2, "--batch-size", 32, "--latent-dim", 4, "--decoder-dim", 16, "--encoder-dim", 8,
    "--min-kl", 0, "--min-active-units", 0, "--threads", 1, "--device", "cpu",
]  # fmt: skip
FILES = {
    "config.json", "environment.json", "vocabulary.json", "metrics.csv", "model.safetensors", "trainer.pt", "prior.safetensors",
    "labels.safetensors", "training_index.parquet",
}  # fmt: skip


def test_a_run_holds_what_was_asked_and_can_be_used(chemvae, table_csv, tmp_path):
    found = chemvae("train", table_csv, "-p", "logP", "-p", "QED", "-o", "run", *SMALL, "--beta", 0.5)
    assert found.exit_code == 0, found.output
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["beta"] == 0.5 and config["training"]["epochs"] == 2 and config["model"]["latent_dim"] == 4
    assert list(config["properties"]) == ["logP", "qed"]
    assert (config["n_train"], config["n_valid"]) == (226, 28)
    assert api.load(tmp_path / "run").property_names == ["logP", "qed"]


def test_it_says_how_training_goes_and_what_to_try_next(chemvae, table_csv, tmp_path):
    found = chemvae("train", table_csv, "-p", "logP", "-o", "run", *SMALL)
    lines = found.stderr.splitlines()
    assert any(line.startswith("Training on 226 molecules, measuring on 28 others.") for line in lines)
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.split("  ")[0] for line in epochs] == ["epoch 1/2", "epoch 2/2"]
    row = pd.read_csv(tmp_path / "run" / "metrics.csv").iloc[-1]
    assert f"KL {row['valid_kl']:.1f} nats" in epochs[-1] and f"valid samples {row['validity_prior_greedy']:.1%}" in epochs[-1]
    assert "chemvae optimize -m run --maximize logP" in found.stderr
    assert found.stdout == ""


def test_the_run_is_named_after_its_data(chemvae, table_csv, tmp_path):
    assert chemvae("train", table_csv, *SMALL, "--epochs", 1, "-q").exit_code == 0
    assert (tmp_path / "runs" / "small" / "config.json").exists()


def test_molecules_from_stdin(chemvae, table_csv, tmp_path):
    text = "\n".join(pd.read_csv(table_csv)["smiles"])
    assert chemvae("train", "-", "-o", "run", *SMALL, "--epochs", 1, stdin=text).exit_code == 0
    assert api.load(tmp_path / "run").property_names == []


def test_a_run_is_not_written_over_unless_asked(chemvae, table_csv, tmp_path):
    words = ["train", table_csv, "-o", "run", *SMALL, "--epochs", 1]
    assert chemvae(*words).exit_code == 0
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    refused = chemvae(*words, "--seed", 1)
    assert refused.exit_code == 1 and "--overwrite" in refused.stderr and "--resume" in refused.stderr
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    assert chemvae(*words, "--seed", 1, "--overwrite").exit_code == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() != before
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES - {"labels.safetensors"}


def test_the_old_model_stays_until_the_new_one_is_whole(chemvae, table_csv, tmp_path, monkeypatch):
    words = ["train", table_csv, "-p", "logP", "-o", "run", *SMALL, "--epochs", 1]
    assert chemvae(*words).exit_code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    again = [*words, "--overwrite", "--seed", 1]
    for number, code in ((signal.SIGINT, 130), (signal.SIGUSR1, 143)):
        with monkeypatch.context() as patch:
            patch.setattr(training_display.PriorValidity, "on_epoch", lambda *_, number=number: signal.raise_signal(number))
            stopped = chemvae(*again, "--epochs", 2)
        assert stopped.exit_code == code and "still holds the run it held" in stopped.stderr
        assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == before
    failed = chemvae(*again, "--learning-rate", 1e30)
    assert failed.exit_code == 1 and "no longer a number" in failed.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == before
    assert chemvae(*again).exit_code == 0
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert (tmp_path / "run" / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_an_unfinished_replacement_is_gone_on_with(chemvae, table_csv, tmp_path, monkeypatch):
    words = ["train", table_csv, "-p", "logP", *SMALL]
    assert chemvae(*words, "-o", "whole", "--epochs", 3).exit_code == 0
    assert chemvae(*words, "-o", "run", "--epochs", 1, "--seed", 1).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(training_display.PriorValidity, "on_epoch", lambda *_: signal.raise_signal(signal.SIGTERM))
        assert chemvae(*words, "-o", "run", "--epochs", 3, "--overwrite").exit_code == 143
    assert chemvae("train", "--resume", "-o", "run", "--device", "cpu").exit_code == 0
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()


@pytest.mark.parametrize("init", [False, True])
def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(chemvae, table_csv, tiny_run, tmp_path, init):
    words = ["train", table_csv, "-p", "logP", "-p", "qed", *SMALL, "--epochs", 2]
    words = ["train", table_csv, "-p", "logP", "--init", tiny_run, "--epochs", 1, "--device", "cpu"] if init else words
    assert chemvae(*words, "-o", "run").exit_code == 0
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    for name in FILES - {"config.json", "vocabulary.json", "environment.json"}:
        (tmp_path / "run" / name).unlink()
    resumed = chemvae("train", "--resume", "-o", "run", "--device", "cpu")
    assert resumed.exit_code == 0 and "starts again at step 0" in resumed.stderr, resumed.output
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


def test_a_finished_model_without_a_checkpoint_is_not_trained_anew(chemvae, tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / "trainer.pt").unlink()
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    found = chemvae("train", "--resume", "-o", "run")
    assert found.exit_code == 1 and "no trainer.pt" in found.stderr
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before


def test_one_command_begins_and_goes_on(chemvae, table_csv, tmp_path):
    words = ["train", table_csv, "-p", "logP", "-o", "run", *SMALL, "--epochs", 2, "--resume"]
    assert chemvae(*words, "--time-limit", 1e-6).exit_code == 0
    assert chemvae(*words, "--time-limit", 0).exit_code == 0
    assert len(pd.read_csv(tmp_path / "run" / "metrics.csv")) == 2
    absent = chemvae("train", "--resume", "-o", "nothing")
    assert absent.exit_code == 1 and "holds no run to go on with" in absent.stderr


def test_other_data_is_not_gone_on_with(chemvae, table_csv, tmp_path):
    table = pd.read_csv(table_csv)
    others = {
        "molecules instead of 226": table.iloc[:-1],
        "other molecules": table.assign(smiles=table["smiles"].iloc[::-1].to_numpy()),
        "other labels": table.assign(logP=table["logP"] + 0.001),
        "another split": table.assign(split=table["split"].replace({"test": "train"})),
    }
    assert chemvae("train", table_csv, "-p", "logP", "-o", "run", *SMALL, "--epochs", 1).exit_code == 0
    before = (tmp_path / "run" / "trainer.pt").read_bytes()
    for what, other in others.items():
        other.to_csv("other.csv", index=False)
        found = chemvae("train", "other.csv", "--resume", "-o", "run")
        assert found.exit_code == 1 and what.split(" instead")[0] in found.stderr, found.output
    table.assign(more="x").to_csv("same.csv", index=False)
    assert chemvae("train", "same.csv", "--resume", "-o", "run").exit_code == 0
    assert len(before) and len(pd.read_csv(tmp_path / "run" / "metrics.csv")) == 1


def test_more_epochs_are_asked_for_by_name(chemvae, table_csv, tmp_path):
    words = ["train", table_csv, "-p", "logP", "-o", "run", *SMALL]
    assert chemvae(*words, "--epochs", 1).exit_code == 0
    refused = chemvae("train", "--resume", "-o", "run", "--epochs", 3)
    assert refused.exit_code == 2 and "--more-epochs" in refused.stderr
    assert chemvae("train", "--resume", "-o", "run", "--more-epochs", 2, "--time-limit", 1e-6).exit_code == 0
    assert chemvae("train", "--resume", "-o", "run").exit_code == 0
    assert pd.read_csv(tmp_path / "run" / "metrics.csv")["epoch"].tolist() == [1, 2, 3]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["training"]["epochs"] == 3
    assert chemvae(*words, "--overwrite", "--more-epochs", 2).exit_code == 2


def test_two_trainings_in_one_folder_are_one_too_many(chemvae, table_csv, tmp_path):
    from chemvae.disk.locks import held

    with held(tmp_path / "run"):
        for more in ([], ["--overwrite"], ["--resume"]):
            refused = chemvae("train", table_csv, "-o", "run", *SMALL, *more)
            assert refused.exit_code == 1 and f"written by process {os.getpid()}" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_ctrl_c_saves_and_resuming_reaches_the_same_numbers(chemvae, table_csv, tmp_path, monkeypatch):
    words = ["train", table_csv, "-p", "logP", *SMALL, "--epochs", 3]
    assert chemvae(*words, "-o", "whole").exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(training_display.PriorValidity, "on_epoch", lambda *_: signal.raise_signal(signal.SIGINT))
        stopped = chemvae(*words, "-o", "part")
    assert stopped.exit_code == 130
    assert "chemvae train --resume -o part" in stopped.stderr
    resumed = chemvae("train", "--resume", "-o", "part", "--device", "cpu")
    assert resumed.exit_code == 0, resumed.output
    losses = [pd.read_csv(tmp_path / name / "metrics.csv")["valid_loss"].tolist() for name in ("whole", "part")]
    assert losses[0] == losses[1] and len(losses[0]) == 3


def test_what_a_resumed_run_cannot_change(chemvae, tiny_run):
    for words in (["-p", "logP"], ["--init", "x"], ["--epochs", 99]):
        found = chemvae("train", "--resume", "-o", tiny_run, *words)
        assert found.exit_code == 2 and "resumed run" in found.stderr


def test_starting_from_another_model(chemvae, table_csv, tiny_run, tmp_path):
    found = chemvae(
        "train", table_csv, "-p", "logP", "-p", "qed", "-o", "tuned", "--init", tiny_run, "--epochs", 1, "--device", "cpu"
    )
    assert found.exit_code == 0, found.output
    start, tuned = (pd.read_csv(run / "metrics.csv")["valid_cross_entropy"].iloc[0] for run in (tiny_run, tmp_path / "tuned"))
    assert tuned < 0.5 * start
    given = pd.read_csv(tiny_run / "metrics.csv")["valid_cross_entropy"].iloc[-1]
    said = next(line for line in found.stderr.splitlines() if line.startswith("Held-out cross-entropy (28 molecules)"))
    assert f"{given:.1f} nats with the weights of {tiny_run}, {tuned:.1f} after" in said and "--compare" in said
    settings = json.loads((tmp_path / "tuned" / "config.json").read_text())["training"]
    assert (settings["batch_size"], settings["learning_rate"], settings["patience"]) == (32, 4e-4, 5)  # few molecules


def test_comparing_needs_something_to_compare_with(chemvae, table_csv):
    found = chemvae("train", table_csv, "-o", "run", *SMALL, "--compare")
    assert found.exit_code == 2 and "--init MODEL" in found.stderr


class Writer:
    """Stands for a SummaryWriter."""

    def __init__(self):
        self.scalars = {}

    def add_scalar(self, name, value, step):
        self.scalars[name, step] = value

    def flush(self):
        pass


def test_tensorboard_gets_every_number_at_its_step():
    writer = Writer()
    board = training_display.TensorBoard("folder", writer)
    board.on_step({"step": 20, "n_steps": 40, "epoch": 1, "loss": 3.0, "kl": 1.0, "eta_s": 9.0})
    board.on_epoch({"epoch": 1, "step": 40, "valid_kl": 2.0}, None)
    assert writer.scalars == {("step/epoch", 20): 1, ("step/loss", 20): 3.0, ("step/kl", 20): 1.0, ("epoch/valid_kl", 40): 2.0}


def test_tensorboard_that_is_not_there_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chemvae\[tensorboard\]'"):
        training_display.TensorBoard("folder")
