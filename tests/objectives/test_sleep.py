"""The sleep phase: the encoder learns where the decoder's own molecules were written, and nothing else changes."""

import pytest
import torch

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.objectives import ObjectiveContext, build_objective
from chemvae.objectives.bounds import BetaELBO
from chemvae.objectives.sleep import Sleep
from chemvae.training.settings import TrainingSettings
from tests.objectives.test_own_samples import CHAINS, fitted


@pytest.fixture(scope="module")
def train():
    return SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))


@pytest.fixture(scope="module")
def model(train):
    trainer = fitted(train, epochs=12, beta=0.003)
    trainer.fit()
    return trainer.module


@pytest.fixture
def dreams(model, train):
    made = Sleep(BetaELBO(lambda step: 0.1), train, weight=0.5, n_points=60, seed=3)
    made.refresh(model, 0)
    yield made
    made.close()


def batch_of(train, n=12):
    return next(train.epoch(0, n, 0))


def test_every_dream_is_a_molecule_in_canonical_form_at_a_draw(dreams, model):
    texts = model.vocabulary.decode_rows(dreams.state()["sleep.ids"].numpy())
    assert len(texts) == len(dreams.state()["sleep.z"]) > 0
    assert all(canonicalize(text) == text for text in texts)


def test_the_loss_is_the_objective_s_and_the_weighted_surprise(dreams, model, train):
    batch, noise = batch_of(train), torch.Generator().manual_seed(1)
    plain = dreams.objective(model, batch, 0, "model", noise)
    z, dreamed = dreams.draw(dreams.n_beside(batch), model.device, noise)
    surprise = -model.posterior_of(dreamed).log_prob(z).mean()
    whole = dreams(model, batch, 0, "model", torch.Generator().manual_seed(1))
    assert float(whole.total.detach()) == pytest.approx(float((plain.total + 0.5 * surprise).detach()), rel=1e-5)
    assert float(whole.parts["sleep"]) == pytest.approx(float(surprise.detach()), rel=1e-5)


def test_the_decoder_learns_nothing_from_its_dreams(dreams, model, train):
    z, dreamed = dreams.draw(4, model.device, torch.Generator().manual_seed(0))
    model.zero_grad()
    (-model.posterior_of(dreamed).log_prob(z).mean()).backward()
    assert all(p.grad is None or not p.grad.any() for p in model.decoder.parameters())
    assert any(p.grad is not None and p.grad.any() for p in model.encoder.parameters())
    model.zero_grad()


def test_steps_on_dreams_make_the_encoder_tell_where_they_were_written(dreams, model):
    z, dreamed = dreams.draw(len(dreams.state()["sleep.z"]), model.device, torch.Generator().manual_seed(0))
    parameters = [*model.encoder.parameters(), *model.posterior_family.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)

    def surprise():
        return -model.posterior_of(dreamed).log_prob(z).mean()

    before = float(surprise().detach())
    for _ in range(60):
        optimizer.zero_grad()
        loss = surprise()
        loss.backward()
        optimizer.step()
    assert float(surprise().detach()) < before - 1.0


def test_a_checkpoint_brings_the_dreams_back(dreams, model, train):
    again = Sleep(BetaELBO(lambda step: 0.1), train, weight=0.5, n_points=60, seed=3)
    again.load(dreams.state())
    first, second = (one.draw(5, model.device, torch.Generator().manual_seed(2)) for one in (dreams, again))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1].token_ids, second[1].token_ids)


def test_it_goes_beside_points_between_molecules_without_mixing_their_states(model, train):
    settings = TrainingSettings(sleep=0.1, prior_points=0.1)
    both = build_objective("beta-elbo", ObjectiveContext(settings, lambda step: 0.1, train, 1, model))
    for one in (both, both.objective):
        one.n_points = 40
    both.prepare(model, 0)
    assert {"z", "ids", "sleep.z", "sleep.ids"} <= both.state().keys()
    both.close()


def test_a_weight_below_nothing_is_refused():
    with pytest.raises(SettingsError, match="sleep must be >= 0"):
        TrainingSettings(sleep=-1.0)
