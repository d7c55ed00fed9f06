"""A small model that knows nine molecules by heart."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.training import Trainer, TrainingSettings

KNOWN = ["CCO", "CCN", "CC(C)O", "c1ccccc1", "C=CC", "CC(N)=O", "CC(O)CN", "Nc1ccccc1", "C=CCO"]


@pytest.fixture(scope="session")
def model() -> MolVAE:
    vocabulary = Vocabulary.from_smiles(KNOWN)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = MolVAE(vocabulary, ModelSettings(16, 24, 48, 6, 8, precision="fp32"), ["logP"])
    data = SmilesDataset(KNOWN * 8, vocabulary, np.zeros((len(KNOWN) * 8, 1)))
    settings = TrainingSettings(
        epochs=60, batch_size=9, learning_rate=1e-2, beta=1e-3, threads=1, min_kl=0, min_active_units=0, ema_decay=0.9
    )
    Trainer(made, data, SmilesDataset(KNOWN, vocabulary, np.zeros((len(KNOWN), 1))), settings, device="cpu").fit()
    made.training_facts = TrainingFacts(max_tokens=20)
    return made.eval().requires_grad_(False)
