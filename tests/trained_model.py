"""A small model that has learned a few molecules, for the ways of tuning its decoder."""

import copy
import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from chemvae.training import Trainer, TrainingSettings

MOLECULES = ["CCO", "CCN", "CC(C)O", "c1ccccc1", "C=CC", "CC(N)=O", "CC(O)CN", "Nc1ccccc1", "C=CCO"] * 4


@functools.cache
def learned_once():
    """Trained where the first test asks for it: files that run in one process share it."""
    vocabulary = Vocabulary.from_smiles(MOLECULES)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = MolVAE(vocabulary, ModelSettings(16, 16, 32, 8, 8, precision="fp32"), ["logP"])
    data = SmilesDataset(MOLECULES, vocabulary, np.zeros((len(MOLECULES), 1)))
    settings = TrainingSettings(
        epochs=25, batch_size=9, learning_rate=1e-2, beta=0.01, threads=1, min_kl=0, min_active_units=0, ema_decay=0.9
    )
    Trainer(made, data, SmilesDataset(MOLECULES[:9], vocabulary, np.zeros((9, 1))), settings, device="cpu").fit()
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def trained():
    """A small model that has learned a few molecules; nobody changes it."""
    return learned_once()


@pytest.fixture
def model(trained):
    return copy.deepcopy(trained)


@pytest.fixture
def train(model):
    return SmilesDataset(MOLECULES, model.vocabulary)


def check_only_the_decoder_changed(model: MolVAE, before: dict[str, torch.Tensor]) -> None:
    """Assert that a model differs from a copy of its state in its decoder alone, and is left as it is used."""
    changed = {
        name.split(".")[0]
        for name, value in model.state_dict().items()
        if not torch.equal(value.nan_to_num(), before[name].nan_to_num())
    }
    assert changed == {"decoder"}
    assert not model.training and not any(p.requires_grad for p in model.decoder.parameters())


def check_same_seed_same_weights(model: MolVAE, tune: Callable[[MolVAE], object]) -> None:
    """Assert that two copies of a model end in the same weights."""
    copies = []
    for _ in range(2):
        again = MolVAE(model.vocabulary, model.settings, model.property_names)
        again.load_state_dict(model.state_dict())
        tune(again)
        copies.append(torch.cat([p.flatten() for p in again.parameters()]))
    assert torch.equal(*copies)
    assert not torch.equal(copies[0], torch.cat([p.flatten() for p in model.parameters()]))
