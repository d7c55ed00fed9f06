"""Every prior of the table keeps the contract, and so does a family's own."""

import numpy as np
import pytest
import torch

import chemvae
from chemvae.errors import SettingsError
from chemvae.models.posteriors import DiagonalGaussian, InverseAutoregressiveFlow, MixturePosterior, VonMisesFisherFamily
from chemvae.models.posteriors.sphere import VonMisesFisher
from chemvae.models.priors import (
    PRIORS,
    AutoregressivePrior,
    FamilyPrior,
    FlowPrior,
    MixturePrior,
    SphericalMixture,
    VampPrior,
    learned_priors,
    trained_priors,
)
from chemvae.models.settings import ModelSettings
from tests.conftest import MOLECULES
from tests.contracts.prior import PriorContract, shifted
from tests.models.posteriors.families import CouplingFlow, FullGaussian


class TestNormal(PriorContract):
    def prior(self):
        return PRIORS["normal"](2)


class TestGaussian(PriorContract):
    def prior(self):
        return PRIORS["gaussian"](2)


class TestMixture(PriorContract):
    def prior(self):
        return PRIORS["mixture"](2)


class TestFlow(PriorContract):
    def prior(self):
        return PRIORS["flow"](2, n_layers=4, hidden=24, bins=6)

    def fit(self, prior):
        return prior.fit(shifted(), 0, n_steps=150)


class TestAutoregressive(PriorContract):
    def prior(self):
        return AutoregressivePrior(2, 4, (32, 32))

    def fit(self, prior):
        return prior.fit(shifted(), 0, n_steps=300)


class TestOfAFamily(PriorContract):
    def prior(self):
        return FamilyPrior(CouplingFlow(10, 2))


class Trained(PriorContract):
    """A prior that is trained with a model, whatever it is made of."""

    trained = True

    def fit(self, prior):
        return prior


class TestTrainedMixture(Trained):
    def prior(self):
        return PRIORS["mixture"].trained_for(DiagonalGaussian(10, 2), 10)


class TestTrainedFlow(Trained):
    def prior(self):
        return FlowPrior(2, n_layers=3, hidden=16, bins=6).requires_grad_(True)


class TestTrainedAutoregressive(Trained):
    def prior(self):
        return AutoregressivePrior(2, 3, (16,)).requires_grad_(True)


class Vamp(Trained):
    """A VampPrior over a family; the family's own parameters are none of the prior's."""

    def family(self):
        raise NotImplementedError

    def prior(self):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return VampPrior(self.family(), 10, n_pseudo_inputs=12)


class TestVamp(Vamp):
    def family(self):
        return DiagonalGaussian(10, 2)


class TestVampOfAFullGaussian(Vamp):
    def family(self):
        return FullGaussian(10, 2)


class TestVampOfAMixture(Vamp):
    def family(self):
        return MixturePosterior(10, 2, n_components=2)


class TestVampOfAFlow(Vamp):
    def family(self):
        return InverseAutoregressiveFlow(10, 2, n_steps=2, width=8)


class OnTheCircle:
    """Points and densities on the unit circle."""

    def shifted(self, n=2_000, seed=0):
        points = shifted(n, seed)
        return points / np.linalg.norm(points, axis=1, keepdims=True)

    def grid(self):
        angle = torch.linspace(0, 2 * torch.pi, 20_001)[:-1] + 1e-4
        return torch.stack([angle.cos(), angle.sin()], dim=1), 2 * torch.pi / 20_000

    def usual(self):
        return FamilyPrior(VonMisesFisherFamily(10, 2))


class TestUniformOnTheCircle(OnTheCircle, PriorContract):
    def prior(self):
        return FamilyPrior(VonMisesFisherFamily(10, 2))

    def test_the_density_is_differentiable(self, fitted):
        assert torch.equal(fitted.log_prob(torch.eye(2)), fitted.log_prob(-torch.eye(2)))  # it is constant


class TestMixtureOnTheCircle(OnTheCircle, PriorContract):
    def prior(self):
        return PRIORS["mixture"].fitted_for(VonMisesFisherFamily(10, 2))


class TestTrainedMixtureOnTheCircle(OnTheCircle, Trained):
    def prior(self):
        return PRIORS["mixture"].trained_for(VonMisesFisherFamily(10, 2), 10)


class TestVampOnTheCircle(OnTheCircle, Vamp):
    def family(self):
        return VonMisesFisherFamily(10, 2)


def test_a_vamp_prior_is_the_mean_of_the_posteriors_at_its_pseudo_inputs():
    family = DiagonalGaussian(10, 3)
    prior = VampPrior(family, 10, n_pseudo_inputs=5)
    z = torch.randn(7, 3)
    each = torch.stack([family(u[None]).log_prob(z) for u in prior.pseudo_inputs])
    torch.testing.assert_close(prior.log_prob(z), torch.logsumexp(each, dim=0) - np.log(5))
    prior.log_prob(z).sum().backward()
    assert family.project.weight.grad.abs().max() > 0  # the encoder's side learns through it too


def test_a_fitted_mixture_on_the_sphere_finds_its_components():
    truth = [VonMisesFisher(torch.eye(6)[[i]], torch.tensor([40.0])) for i in (0, 3)]
    torch.manual_seed(0)
    z = torch.cat([truth[0].sample((3_000,))[:, 0], truth[1].sample((1_000,))[:, 0]])
    prior = SphericalMixture(6, n_components=2).fit(z.numpy())
    order = prior.logits.argsort(descending=True)
    torch.testing.assert_close(prior.logits[order].exp(), torch.tensor([0.75, 0.25]), atol=0.02, rtol=0)
    torch.testing.assert_close(prior.directions[order], torch.eye(6)[[0, 3]], atol=0.03, rtol=0)
    torch.testing.assert_close(prior.log_kappa.exp(), torch.tensor([40.0, 40.0]), rtol=0.1, atol=0)


def test_diffused_draws_of_a_sphere_s_priors_stay_on_it():
    family, generator = VonMisesFisherFamily(10, 5), torch.Generator().manual_seed(0)
    for prior in (FamilyPrior(family), SphericalMixture(5, 3).fit(np.random.default_rng(0).normal(size=(500, 5)))):
        z = prior.sample(1_000, generator)
        moved = prior.diffuse(z, torch.full((1_000, 1), 0.4), generator)
        torch.testing.assert_close(moved.norm(dim=1), torch.ones(1_000))
        assert 0.1 < float((moved * z).sum(dim=1).mean()) < 0.9


@pytest.mark.parametrize("setting", ["prior", "fitted_prior"])
def test_a_density_of_r_d_is_refused_on_the_sphere_with_what_goes_there(setting):
    with pytest.raises(SettingsError, match=f"{setting} 'flow'.*lie on a sphere: take the {setting} .*mixture"):
        ModelSettings(posterior="vmf", **{setting: "flow"})


def test_a_coordinate_of_the_autoregressive_prior_depends_on_those_before_it_alone():
    torch.manual_seed(0)
    prior, x = AutoregressivePrior(4, 2, (8,)), torch.randn(1, 4)
    first = prior.factors(x).log_prob(torch.zeros(1, 4))
    for d in range(4):
        moved = x.clone()
        moved[0, d] += 1.0
        changed = (prior.factors(moved).log_prob(torch.zeros(1, 4)) != first)[0].tolist()
        assert changed == [i > d for i in range(4)]


def test_what_prior_meant_before_is_read_for_one_version_more():
    with pytest.warns(DeprecationWarning, match="fitted_prior='gaussian'"):
        settings = ModelSettings(prior="gaussian")
    assert (settings.prior, settings.fitted_prior) == ("normal", "gaussian")
    for old in ("mixture", "flow", "gaussian"):
        settings = ModelSettings.from_config({"latent_dim": 8, "prior": old})
        assert (settings.prior, settings.fitted_prior) == ("normal", old)
    new = ModelSettings.from_config({"prior": "flow", "fitted_prior": "mixture"})
    assert (new.prior, new.fitted_prior) == ("flow", "mixture")


def test_every_entry_of_the_table_is_under_contract():
    assert trained_priors() == ["normal", "mixture", "flow", "vamp", "autoregressive"]
    held = {type(one().prior()) for one in (*PriorContract.__subclasses__(), TestVamp) if one is not Trained}
    assert set(PRIORS.values()) <= held


def test_the_default_family_s_own_prior_is_the_normal_one_to_the_bit():
    ours, theirs = FamilyPrior(DiagonalGaussian(10, 3)), PRIORS["normal"](3)
    draws = [one.sample(6, torch.Generator().manual_seed(1)) for one in (ours, theirs)]
    assert torch.equal(*draws) and torch.equal(ours.log_prob(draws[0]), theirs.log_prob(draws[0]))
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    level = torch.full((6, 1), 0.3)
    moved = [one.diffuse(draws[0], level, torch.Generator().manual_seed(2)) for one in (ours, theirs)]
    assert torch.equal(*moved)


@pytest.mark.parametrize("family", [CouplingFlow(10, 2), FullGaussian(10, 2)])
def test_diffused_draws_of_a_family_s_prior_stay_its_draws(family):
    prior, generator = FamilyPrior(family), torch.Generator().manual_seed(0)
    z = prior.sample(100_000, generator)
    found = prior.diffuse(z, torch.full((len(z), 1), 0.4), generator)
    torch.testing.assert_close(torch.cov(found.t()), torch.cov(z.t()), atol=0.06, rtol=0)


def test_a_stranger_s_prior_is_a_line_in_the_table(monkeypatch, tmp_path):
    class Narrow(MixturePrior):
        def __init__(self, latent_dim):
            super().__init__(latent_dim, n_components=2)

    with pytest.raises(SettingsError, match="fitted_prior must be one of gaussian, mixture, flow"):
        ModelSettings(fitted_prior="narrow")
    monkeypatch.setitem(PRIORS, "narrow", Narrow)
    assert learned_priors() == ["gaussian", "mixture", "flow", "autoregressive", "narrow"]
    chemvae.train(
        MOLECULES, preset="tiny", out=tmp_path / "run", fitted_prior="narrow", epochs=1, encoder_dim=8, decoder_dim=8,
        latent_dim=2, min_kl=0.0, min_active_units=0.0, device="cpu",
    )  # fmt: skip
    model = chemvae.load(tmp_path / "run")
    assert isinstance(model.priors["learned"], Narrow) and len(chemvae.sample(model, 4)) == 4
