"""Molecules of the decoder's own, at points between those of the training set, beside the ordinary objective."""

import numpy as np
import pytest
import torch

from chemvae.chem.molecules import parse
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import InterruptedRunError
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.objectives import BetaELBO
from chemvae.objectives.own_samples import OwnSamples, _between
from chemvae.runs import RunFolder
from chemvae.training import Trainer, TrainingSettings
from tests.training.test_trainer import StopAt, weights

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("", "O", "N", "=O", "C(C)C", "C1CC1", "S")]
SETTINGS = dict(epochs=60, batch_size=16, learning_rate=1e-2, warmup_steps=5, beta=0.01, min_kl=0.0, min_active_units=0.0)


@pytest.fixture(scope="module")
def train():
    return SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))


def untrained(train):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = MolVAE(train.vocabulary, ModelSettings(16, 32, 64, 6, 8, precision="fp32"))
    model.training_facts = TrainingFacts(max_tokens=16)
    return model


def fitted(train, run=None, callbacks=(), **changes):
    trainer = Trainer(
        untrained(train), train, train, TrainingSettings(**{**SETTINGS, **changes}), run, device="cpu", callbacks=callbacks
    )
    for callback in callbacks:
        callback.trainer = trainer
    return trainer


@pytest.fixture(scope="module")
def model(train):
    """Half trained: some draws from N(0, I) are molecules, some are not."""
    trainer = fitted(train, epochs=12, beta=0.003)
    trainer.fit()
    return trainer.module


@pytest.fixture
def points(model, train):
    found = OwnSamples(BetaELBO(lambda step: 0.01), train, weight=0.5, n_points=400, seed=1)
    found.prepare(model, 0)
    return found


def written(points):
    return points.train.vocabulary.decode_rows(points._tokens.rows(np.arange(len(points._tokens)))[0].numpy())


def test_targets_are_molecules_and_no_two_are_the_same(points):
    texts = written(points)
    assert len(texts) == len(points._z) == points.facts["kept"] > 20
    assert all(parse(text) is not None for text in texts) and len(set(texts)) == len(texts)


def test_readable_greedy_texts_stay_what_they_are_and_others_become_molecules(points, model):
    greedy = model.decode(points._z)
    same = [a == b for a, b in zip(greedy["smiles"], written(points), strict=True)]
    assert all(kept for kept, valid in zip(same, greedy["valid"], strict=True) if valid)
    assert not any(kept for kept, valid in zip(same, greedy["valid"], strict=True) if not valid) and not all(same)


def test_the_loss_is_the_objective_s_and_the_weighted_mean_over_points(points, model, train):
    batch = train.batch(np.arange(30))
    loss = points(model, batch, 0, "model", torch.Generator().manual_seed(3))
    noise = torch.Generator().manual_seed(3)
    plain = points.objective(model, batch, 0, "model", noise)
    z, drawn = points.draw(10, model.device, noise)
    texts = train.vocabulary.decode_rows(drawn.token_ids.numpy())
    expected = -model.log_likelihood(z, texts, canonicalize=False).mean()
    assert len(z) == 10
    torch.testing.assert_close(loss.total, plain.total + 0.5 * expected)
    torch.testing.assert_close(loss.parts["points"], expected)


def test_before_anything_is_written_it_is_the_plain_objective(model, train):
    empty = OwnSamples(BetaELBO(lambda step: 0.01), train, weight=0.5)
    batch, seeded = train.batch(np.arange(8)), torch.Generator().manual_seed
    total = empty(model, batch, 0, "model", seeded(0)).total
    assert torch.equal(total, empty.objective(model, batch, 0, "model", seeded(0)).total)


def test_points_between_molecules_keep_their_distance_from_the_centre():
    a = torch.nn.functional.normalize(torch.randn(50, 6)) * 3.0
    b = torch.nn.functional.normalize(torch.randn(50, 6)) * 3.0
    between = _between(a, b, np.random.default_rng(0))
    torch.testing.assert_close(between.norm(dim=1), torch.full((50,), 3.0))
    torch.testing.assert_close(_between(a, a, np.random.default_rng(0)), a)


def test_state_brings_back_points_and_targets(points, train):
    other = OwnSamples(points.objective, train, weight=0.5)
    other.load(points.state())
    assert torch.equal(other._z, points._z) and written(other) == written(points)


def test_more_of_the_prior_decodes_to_molecules(train):
    def validity(weight):
        trainer = fitted(train, epochs=30, prior_points=weight)
        trainer.fit()
        z = torch.randn(1000, 6, generator=torch.Generator().manual_seed(5))
        return trainer.module.decode(z)["valid"].mean()

    assert validity(0.5) > validity(0.0) + 0.05


def assert_resumes_exactly(train, folder, **asked):
    """A run that is interrupted and gone on with has the weights of one that was not."""
    whole = fitted(train, **asked)
    whole.fit()
    with pytest.raises(InterruptedRunError):
        fitted(train, RunFolder(folder), (StopAt(8),), **asked).fit()
    again = fitted(train, RunFolder(folder), **asked)
    again.resume()
    again.fit()
    assert torch.equal(weights(whole.module), weights(again.module))


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupted_and_resumed_equals_uninterrupted(train, tmp_path, threads, monkeypatch):
    monkeypatch.setattr(OwnSamples, "refresh_steps", 15)
    assert_resumes_exactly(train, tmp_path, epochs=8, prior_points=0.5, batch_size=32, threads=threads)
