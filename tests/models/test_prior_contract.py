"""Every prior of the table keeps the contract, and so does a family's own."""

import pytest
import torch

import chemvae
from chemvae.errors import SettingsError
from chemvae.models.posteriors import DiagonalGaussian
from chemvae.models.priors import PRIORS, FamilyPrior, MixturePrior, learned_priors
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


class TestOfAFamily(PriorContract):
    def prior(self):
        return FamilyPrior(CouplingFlow(10, 2))


def test_every_entry_of_the_table_is_under_contract():
    held = {type(one().prior()) for one in PriorContract.__subclasses__()}
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

    with pytest.raises(SettingsError, match="prior must be one of gaussian, mixture, flow"):
        ModelSettings(prior="narrow")
    monkeypatch.setitem(PRIORS, "narrow", Narrow)
    assert learned_priors() == ["gaussian", "mixture", "flow", "narrow"]
    chemvae.train(
        MOLECULES, preset="tiny", out=tmp_path / "run", prior="narrow", epochs=1, encoder_dim=8, decoder_dim=8, latent_dim=2,
        min_kl=0.0, min_active_units=0.0, device="cpu",
    )  # fmt: skip
    model = chemvae.load(tmp_path / "run")
    assert isinstance(model.priors["learned"], Narrow) and len(chemvae.sample(model, 4)) == 4
