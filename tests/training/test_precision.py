"""bf16 products change the training loss by less than one percent."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.data.virtual.enumeration import enumerate_drugs
from chemvae.models.gru.layer import bf16_is_fast
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from chemvae.training import Trainer, TrainingSettings

SLOW = pytest.mark.slow if bf16_is_fast() else pytest.mark.long  # minutes where a processor multiplies bf16 by other means


@SLOW
def test_bf16_training_reaches_the_fp32_loss_within_one_percent():
    smiles = list(enumerate_drugs(limit=1200))
    words = Vocabulary.from_smiles(smiles)
    data = SmilesDataset(smiles, words)
    settings = TrainingSettings(epochs=8, batch_size=32, learning_rate=2e-3, warmup_steps=20, min_kl=0, min_active_units=0)
    found = {}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = MolVAE(words, ModelSettings(32, 64, 128, 16, 32, precision=precision))
        trainer = Trainer(model, data, SmilesDataset(smiles[:500], words), settings, device="cpu")
        trainer.fit()
        found[precision] = trainer.progress.rows[-1]["valid_cross_entropy"]
    assert found["bf16"] == pytest.approx(found["fp32"], rel=0.01)
    assert found["fp32"] < 0.6 * np.mean([len(words.encode(s)) for s in smiles]) * np.log(len(words) - 3)
