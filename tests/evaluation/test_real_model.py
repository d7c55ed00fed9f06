"""The measurements on the real model, small and untrained: they must agree with the model's own terms."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.evaluation import evaluate_model, log_evidence, run_evaluation
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE

MOLECULES = ["CCO", "C[C@H](N)O", "c1ccc2ccccc2c1", "CC(=O)Oc1ccccc1C(=O)O", "ClCCBr", "C[N+](C)(C)C"]
SIZES = {"n_samples": 20, "n_curve": 4, "n_fcd": 0}


@pytest.fixture(scope="module")
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = ModelSettings(16, 16, 32, latent_dim=4, predictor_dim=8, precision="fp32")
        return MolVAE(Vocabulary.from_smiles(MOLECULES), settings, ["logP"], {"logP": "1"}).eval()


def test_kl_and_cross_entropy_are_those_of_the_training_terms(model):
    figures = evaluate_model(model, MOLECULES, **SIZES)
    batch = SmilesDataset(MOLECULES, model.vocabulary).batch(np.arange(len(MOLECULES)))
    with torch.no_grad():
        terms = model(batch, n_draws=2_000, generator=torch.Generator().manual_seed(0))
    assert figures["kl"] == pytest.approx(float(terms.kl.mean()), rel=1e-5)
    spread = float(terms.log_px_z.std(dim=0).max())  # one draw per molecule against the mean over many
    assert figures["cross_entropy"] == pytest.approx(-float(terms.log_px_z.mean()), abs=4 * spread)


def test_the_evidence_lies_above_the_bound(model):
    figures = evaluate_model(model, MOLECULES, **SIZES)
    assert float(log_evidence(model, MOLECULES, n_draws=200).mean()) > figures["elbo"] - 0.01


def test_figures_repeat_with_the_seed_and_the_model_is_left_as_it_was(model):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    runs = [evaluate_model(model, MOLECULES, {"logP": np.arange(6.0)}, seed=1, **SIZES) for _ in range(2)]
    assert runs[0] == runs[1]
    assert all(torch.equal(before[key], value) or before[key].isnan().any() for key, value in model.state_dict().items())
    assert not model.training


def test_a_symbol_outside_the_vocabulary_is_a_counted_failure_with_its_reason(model):
    found = run_evaluation(model, [*MOLECULES, "C[Si](C)(C)C"], **SIZES)
    assert found.figures["n_unencodable"] == 1
    assert "unknown symbol 'Si'" in found.failures.set_index("kind").loc["unencodable", "reason"]
