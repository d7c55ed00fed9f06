"""The importance-weighted bound rises with K to the evidence; doubly reparameterised gradients have less noise."""

import pytest
import torch
from torch import nn

from chemvae.errors import SettingsError
from chemvae.models.posteriors import DiagonalGaussian
from chemvae.models.terms import Terms
from chemvae.objectives import IWAE, BetaELBO
from tests.contracts.linear_gaussian import LinearGaussian
from tests.contracts.objective import N_REPEATS, ObjectiveContract, drawn


class TestIWAE(ObjectiveContract):
    def objective(self):
        return IWAE(lambda step: 1.0)

    def total_of(self, parts):
        return parts["property_nll"] - parts["iwae"]


class TestDoublyReparameterized(ObjectiveContract):
    def objective(self):
        return IWAE(lambda step: 1.0, 4, doubly_reparameterized=True)

    def total_of(self, parts):
        return parts["property_nll"] - parts["iwae"]


def bounds(k):
    return torch.stack([-IWAE(lambda step: 1.0, k).loss(terms, 0).total for terms in drawn(k)])


def test_bounds_are_ordered_in_k_and_end_at_the_evidence():
    toy = LinearGaussian()
    found = {k: bounds(k) for k in (1, 5, 50)}
    many = [-IWAE(lambda step: 1.0, 500).loss(toy.terms(500, seed), 0).total for seed in range(60)]  # they hardly scatter
    means = [float(one.mean()) for one in (*found.values(), torch.stack(many))]
    error = float(found[1].std()) / N_REPEATS**0.5
    assert means[0] + 2 * error < means[1] < means[2] < means[3] + 1e-3
    assert means[3] == pytest.approx(float(toy.evidence().mean()), abs=0.03)


@pytest.mark.parametrize("beta", [1.0, 0.1])
def test_one_draw_is_the_evidence_lower_bound(beta):
    terms = LinearGaussian().terms(1, closed_form=False)
    ours, theirs = IWAE(lambda step: beta, 1).loss(terms, 0), BetaELBO(lambda step: beta).loss(terms, 0)
    torch.testing.assert_close(ours.total, theirs.total)


def test_with_the_true_posterior_every_weight_is_the_evidence():
    toy = LinearGaussian()
    q = torch.distributions.MultivariateNormal(toy.mean, toy.covariance)
    z = q.sample((3,))
    log_pz = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
    terms = Terms(toy.joint(z) - log_pz, log_pz, q.log_prob(z), None, None, torch.zeros_like(log_pz), z)
    torch.testing.assert_close(-IWAE(lambda step: 1.0, 3).loss(terms, 0).total, toy.evidence().mean())


def test_no_draw_is_refused():
    with pytest.raises(SettingsError, match="n_draws must be >= 1, got 0"):
        IWAE(lambda step: 1.0, 0)


class ToyModel:
    """The linear-Gaussian toy as the part of a model that an objective asks for; h is x."""

    property_names = ()

    def __init__(self, copies):
        self.toy = LinearGaussian(n=6)
        self.toy.x = self.toy.x.repeat(copies, 1)
        self.posterior_family = DiagonalGaussian(5, 3).double()
        with torch.no_grad():  # near the truth, where the gradient's noise is what is left of it: the crude posterior
            project, scale = self.posterior_family.project, 1.5 * self.toy.covariance.diagonal().sqrt()
            project.weight.zero_()
            project.weight[:3] = (self.toy.w @ self.toy.covariance / self.toy.noise**2).t()
            project.bias.copy_(torch.cat([torch.zeros(3).double(), torch.log(torch.expm1(scale - 1e-3))]))

    def hidden_of(self, batch):
        return self.toy.x

    def __call__(self, batch, n_draws, generator):
        q = self.posterior_family(self.toy.x)
        z, log_qz_x = q.draw(n_draws, generator)
        return self.terms_at(z, log_qz_x, q, batch, generator)

    def terms_at(self, z, log_qz_x, posterior, batch, generator):
        log_pz = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1)
        return Terms(self.toy.joint(z) - log_pz, log_pz, log_qz_x, None, None, torch.zeros_like(log_pz), z)


def gradients(model, objective, n_repeats):
    parameters = list(nn.Module.parameters(model.posterior_family))
    found = []
    for seed in range(n_repeats):
        loss = objective(model, None, 0, "model", torch.Generator().manual_seed(seed)).total
        found.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)]))
    return torch.stack(found)


@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_doubly_reparameterised_gradients_have_the_same_mean_and_less_noise(beta):
    model = ToyModel(copies=300)
    plain, doubly = (gradients(model, IWAE(lambda step: beta, 16, doubly_reparameterized=on), 40) for on in (False, True))
    error = ((plain.var(dim=0) + doubly.var(dim=0)) / 40).sqrt()
    assert ((plain.mean(dim=0) - doubly.mean(dim=0)).abs() < 4.5 * error + 1e-6).all()
    assert (plain.mean(dim=0).abs() / error).max() > 5  # there is a mean to agree on
    assert doubly.var(dim=0).sum() < 0.7 * plain.var(dim=0).sum()
