"""Processes that share a training: the same steps as one process with the whole batch, and only the first one writes."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from chemvae import api
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.training.processes import ALONE, Processes

MOLECULES = [f"C{'C' * i}{end}" for i in range(16) for end in ("O", "N", "F", "=O", "#N", "Cl")]
SETTINGS = (
    "--preset tiny --objective autoencoder --posterior deterministic --encoder-dim 12 --decoder-dim 16 --latent-dim 4 "
    "--embedding-dim 8 --predictor-dim 4 --batch-size 31 --min-kl 0 --threads 1 --min-active-units 0 "
    "--precision fp32 -q"  # in bf16 sums in another order are rounded to other weights
).split()


def say(monkeypatch, **words):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, text in words.items():
        monkeypatch.setenv(name, text)


def test_without_torchrun_there_is_one(monkeypatch):
    say(monkeypatch)
    assert Processes.of_environment() == ALONE and ALONE.is_first


def test_torchrun_says_which_one_this_is(monkeypatch):
    say(monkeypatch, RANK="2", WORLD_SIZE="4", LOCAL_RANK="0")
    assert Processes.of_environment() == Processes(2, 4, 0) and not Processes.of_environment().is_first


@pytest.mark.parametrize("words", [{"RANK": "2", "WORLD_SIZE": "2"}, {"WORLD_SIZE": "two"}, {"RANK": "-1", "WORLD_SIZE": "2"}])
def test_what_does_not_go_together_is_refused_in_a_sentence(monkeypatch, words):
    say(monkeypatch, **words)
    with pytest.raises(SettingsError, match="do not go together"):
        Processes.of_environment()


def test_a_recipe_is_refused(monkeypatch, tmp_path):
    say(monkeypatch, RANK="0", WORLD_SIZE="2", LOCAL_RANK="0")
    with pytest.raises(SettingsError, match="one process"):
        api.train(MOLECULES, out=tmp_path / "run", recipe="full")


def test_every_molecule_is_in_one_share_and_weights_add_up():
    smiles = MOLECULES[:11]
    batch = next(SmilesDataset(smiles, Vocabulary.from_smiles(smiles)).epoch(0, 11, 0))
    all_of_them = [Processes(rank, 4) for rank in range(4)]
    shares = [one.share(batch) for one in all_of_them]
    assert sorted(map(len, shares)) == [2, 3, 3, 3] and sum(map(len, shares)) == len(batch)
    assert sum(one.weight(len(batch), len(share)) for one, share in zip(all_of_them, shares, strict=True)) == pytest.approx(1)


def test_of_fewer_molecules_than_processes_each_takes_all():
    batch = next(SmilesDataset(["CC", "CO"], Vocabulary.from_smiles(["CC", "CO"])).epoch(0, 2, 0))
    assert len(Processes(2, 3).share(batch)) == 2 and Processes(2, 3).weight(2, 2) == pytest.approx(1 / 3)


def test_streams_of_random_numbers_differ():
    assert len({Processes(rank, 8).seed_offset for rank in range(8)}) == 8


def test_alone_a_gradient_stays_as_it_is():
    layer = torch.nn.Linear(2, 1)
    layer.weight.grad = torch.ones(1, 2)
    ALONE.add_up(layer, 1.0)
    assert layer.weight.grad.tolist() == [[1.0, 1.0]] and layer.bias.grad is None


def chemvae(*words, processes=1, folder):
    many = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)] if processes > 1 else []
    quiet = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *many, "-m", "chemvae", *map(str, words)],
        cwd=folder,
        env=quiet,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("processes")
    split = ["valid" if i % 8 == 0 else "train" for i in range(len(MOLECULES))]
    pd.DataFrame({"smiles": MOLECULES, "split": split}).to_csv(made / "molecules.csv", index=False)
    return made


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(folder):
    """Without noise the only difference is the order in which gradients are summed."""
    for name, processes in (("one", 1), ("two", 2)):
        chemvae("train", "molecules.csv", *SETTINGS, "--epochs", 3, "-o", name, processes=processes, folder=folder)
    one, two = (load_file(folder / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, values in one.items():
        torch.testing.assert_close(two[name], values, rtol=2e-3, atol=2e-4)
    losses = [pd.read_csv(folder / name / "metrics.csv")["valid_cross_entropy"].to_numpy() for name in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4) and len(losses[0]) == 3


@pytest.mark.slow
def test_a_run_of_one_process_goes_on_in_two(folder):
    chemvae("train", "molecules.csv", *SETTINGS, "--epochs", 1, "-o", "longer", folder=folder)
    chemvae("train", "--resume", "-q", "-o", "longer", "--more-epochs", 2, processes=2, folder=folder)
    rows = pd.read_csv(folder / "longer" / "metrics.csv")
    assert rows["epoch"].tolist() == [1, 2, 3] and rows["step"].tolist() == [3, 6, 9]
    assert rows["valid_cross_entropy"].is_monotonic_decreasing


@pytest.mark.slow
def test_the_first_process_alone_speaks(folder):
    words = ["train", "molecules.csv", *SETTINGS[:-1], "--epochs", 1, "-o", "told"]
    assert chemvae(*words, processes=2, folder=folder).stderr.count("Training on") == 1
