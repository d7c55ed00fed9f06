"""The measurements on the real model, small and untrained: they must agree with the model's own terms."""

from functools import partial

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.evaluation import evaluate_model, log_evidence, run_evaluation
from chemvae.evaluation.likelihood import evidence
from chemvae.evaluation.likelihood.evidence import amortization_gap, tensor_joint, written_molecules
from chemvae.evaluation.likelihood.importance import log_joint
from chemvae.models.posteriors import POSTERIORS
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


def test_the_likelihood_is_held_from_three_sides(model):
    sizes = {"likelihood": 5, "ais_temperatures": 20, "ais_chains": 2, "n_smoothness": 0, "n_codes": 0}
    runs = [evaluate_model(model, MOLECULES, **sizes, **SIZES) for _ in range(2)]
    assert runs[0] == runs[1], "the seed decides all of it"
    found = runs[0]
    assert (found["n_likelihood"], found["n_bdmc"] <= 5) == (5, True)
    assert found["log_px_ais"] == pytest.approx(found["log_px_is"], abs=0.3), "an untrained decoder hardly reads z"
    assert -0.3 < found["bdmc_gap"] < 0.5
    assert found["amortization_gap"] > -0.05
    assert all(found["protocol"][key] for key in ("log_px_is", "log_px_ais", "bdmc_gap", "amortization_gap", "n_bdmc"))


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_every_member_is_measured_to_the_end(posterior, monkeypatch):
    monkeypatch.setattr(evidence, "amortization_gap", partial(amortization_gap, n_steps=2))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        settings = ModelSettings(8, 8, 16, latent_dim=4, predictor_dim=8, posterior=posterior, precision="fp32")
        member = MolVAE(Vocabulary.from_smiles(MOLECULES), settings).eval()
    sizes = {"likelihood": 2, "ais_temperatures": 3, "ais_chains": 2, "n_codes": 5, "n_smoothness": 3}
    found = evaluate_model(member, MOLECULES, **sizes, **SIZES)
    assert all(
        found[key] is not None for key in ("rate", "distortion", "log_px_is", "log_px_ais", "bdmc_gap", "amortization_gap")
    )
    assert {"similarity_at_3sd", "own_code_found_normal_sampled", "property_change_at_1.0_qed"} <= set(found)


def test_molecules_that_the_model_wrote_come_with_the_z_they_were_written_at(model):
    batches = list(written_molecules(model, 40, seed=3))
    assert 0 < sum(len(batch) for batch, _ in batches) <= 40
    for batch, z in batches:
        assert z.shape == (len(batch), 4) and (batch.lengths > 0).all()
        ids = torch.cat([batch.token_ids, torch.zeros_like(batch.token_ids[:, :1])], dim=1)
        assert ((ids != 0).sum(dim=1) == batch.lengths).all(), "no end token, nothing behind the last one"


def test_the_density_that_chains_follow_is_the_one_importance_sampling_reads(model):
    batch = SmilesDataset(MOLECULES, model.vocabulary).batch(np.arange(len(MOLECULES)))
    z = torch.randn(3, len(MOLECULES), 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = tensor_joint(model, batch)(z)
    torch.testing.assert_close(found.detach(), log_joint(model, MOLECULES)(z.detach()), atol=1e-4, rtol=1e-5)
    (slope,) = torch.autograd.grad(found[1, 2], z)
    assert slope[1, 2].abs().max() > 0 and slope.abs().sum() == slope[1, 2].abs().sum(), "chains do not meet"


def test_a_posterior_fitted_to_its_molecule_gains_where_the_encoder_is_wrong(model):
    """The encoder of an untrained model knows nothing; with the family's own posterior at the prior the gain is its KL."""
    batch = SmilesDataset(MOLECULES, model.vocabulary).batch(np.arange(len(MOLECULES)))
    with torch.no_grad():
        kl = model.posterior_of(batch).kl.double()
    gain = amortization_gap(model, batch, lambda z: model.priors["normal"].log_prob(z.reshape(-1, 4)).reshape(z.shape[:-1]))
    assert (gain < kl + 0.1).all() and (gain > 0.5 * kl - 0.1).all()
