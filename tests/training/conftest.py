"""A small model that has learned a few molecules, for the ways of tuning its decoder."""

import copy

import numpy as np
import pytest
import torch

from chemvae.data.datasets import SmilesDataset
from chemvae.data.vocabulary import Vocabulary
from chemvae.models.vae import ModelSettings, MolVAE
from chemvae.training import Trainer, TrainingSettings

MOLECULES = ["CCO", "CCN", "CC(C)O", "c1ccccc1", "C=CC", "CC(N)=O", "CC(O)CN", "Nc1ccccc1", "C=CCO"] * 4


@pytest.fixture(scope="module")
def trained():
    """A small model that has learned a few molecules."""
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


@pytest.fixture
def model(trained):
    return copy.deepcopy(trained)


@pytest.fixture
def train(model):
    return SmilesDataset(MOLECULES, model.vocabulary)
