"""Loggers hear the numbers of every step and epoch, under names that say which."""

import sys

import pytest

import chemvae
from chemvae.errors import MissingExtraError
from chemvae.training import MLflow, WandB


class Recorder:
    """Takes what a run of Weights & Biases or a client of MLflow takes."""

    def __init__(self):
        self.told = []

    def log(self, metrics, step):
        self.told.append((step, metrics))

    log_metrics = log


@pytest.mark.parametrize("kind", [WandB, MLflow])
def test_every_epoch_of_a_training_arrives(kind):
    recorder = Recorder()
    smiles = ["C" * n + tail for n in range(1, 17) for tail in ("O", "N", "c1ccccc1")]
    chemvae.train(
        smiles, preset="tiny", epochs=2, batch_size=8, encoder_dim=16, decoder_dim=32, latent_dim=8, embedding_dim=8,
        min_kl=0.0, min_active_units=0.0, device="cpu", callbacks=[kind(recorder)],
    )  # fmt: skip
    epochs = [metrics for _, metrics in recorder.told if any(name.startswith("epoch/") for name in metrics)]
    assert len(epochs) == 2 and all("epoch/valid_kl" in one for one in epochs)
    assert all(isinstance(value, float) for one in epochs for value in one.values())
    steps = [step for step, _ in recorder.told]
    assert steps == sorted(steps) and steps[-1] > 0


@pytest.mark.parametrize(("kind", "package"), [(WandB, "wandb"), (MLflow, "mlflow")])
def test_without_the_package_the_extra_is_named(kind, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"chemvae\[log\]"):
        kind()


def test_nothing_is_imported_before_it_is_asked_for():
    assert not {"wandb", "mlflow"} & sys.modules.keys()
