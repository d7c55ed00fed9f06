"""The evidence against closed forms."""

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from chemvae.errors import SettingsError
from chemvae.evaluation.likelihood.importance import importance_log_evidence, log_evidence, log_joint
from tests.contracts.linear_gaussian import LinearGaussian
from tests.evaluation.fakes import MemoryModel


def test_the_true_posterior_gives_the_evidence_with_a_single_draw():
    toy = LinearGaussian()
    found = importance_log_evidence(MultivariateNormal(toy.mean, toy.covariance), toy.joint, 1)
    torch.testing.assert_close(found, toy.evidence())


def test_a_crude_posterior_converges_from_below():
    toy = LinearGaussian()
    q = Independent(Normal(toy.mean, 1.5 * toy.covariance.diagonal().sqrt().expand_as(toy.mean)), 1)
    generator = torch.Generator().manual_seed(1)
    one = torch.stack([importance_log_evidence(q, toy.joint, 1, generator=generator) for _ in range(400)]).mean(0)
    ten = torch.stack([importance_log_evidence(q, toy.joint, 10, generator=generator) for _ in range(200)]).mean(0)
    many = importance_log_evidence(q, toy.joint, 20_000, generator=generator, chunk=1_000)
    truth = toy.evidence()
    assert (one < ten).all() and (ten < truth).all()
    torch.testing.assert_close(many, truth, atol=0.05, rtol=0)


def test_chunks_do_not_change_the_estimate():
    toy = LinearGaussian()
    q = MultivariateNormal(toy.mean, 2.0 * toy.covariance)
    found = [
        importance_log_evidence(q, toy.joint, 7, generator=torch.Generator().manual_seed(3), chunk=chunk).mean()
        for chunk in (7, 100)
    ]
    torch.testing.assert_close(found[0], found[1])
    assert importance_log_evidence(q, lambda z: q.log_prob(z) + 2.0, 7, chunk=2) == pytest.approx(2.0)


def test_log_evidence_of_a_model_whose_likelihood_ignores_z():
    """log p(x|z) = -len(x) everywhere, so log p(x) = -len(x) whatever q is."""
    model = MemoryModel(["CCO", "CCCCN"], scale=1.0)
    model.posterior = lambda smiles: Independent(Normal(torch.zeros(len(smiles), 2), torch.ones(len(smiles), 2)), 1)
    torch.testing.assert_close(log_evidence(model, ["CCO", "CCCCN"], n_draws=5), torch.tensor([-3.0, -5.0]))


def test_log_evidence_repeats_with_its_seed_and_leaves_the_callers_stream():
    model = MemoryModel(["CCO", "CCCCN"])
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = log_evidence(model, ["CCO", "CCCCN"], n_draws=3, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, log_evidence(model, ["CCO", "CCCCN"], n_draws=3, seed=1))
    assert not torch.equal(first, log_evidence(model, ["CCO", "CCCCN"], n_draws=3, seed=2))


def test_log_evidence_of_nothing_is_empty_and_no_draws_are_refused():
    assert log_evidence(MemoryModel(["CCO"]), []).shape == (0,)
    with pytest.raises(SettingsError, match="n_draws"):
        log_evidence(MemoryModel(["CCO"]), ["CCO"], n_draws=0)


def test_joint_pairs_every_draw_with_its_molecule():
    found = log_joint(MemoryModel(["CCO", "CCCCN"]), ["CCO", "CCCCN"])(torch.zeros(4, 2, 2))
    prior = 2 * Normal(0.0, 1.0).log_prob(torch.tensor(0.0))
    torch.testing.assert_close(found, (torch.tensor([-3.0, -5.0]) + prior).expand(4, 2))
