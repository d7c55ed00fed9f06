"""Trees are kept where held-out molecules say that they help, and nowhere else."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.structure.trees import BoostedTrees, TreeSettings
from chemvae.training.posthoc.finish import calibrate_predictor
from chemvae.training.posthoc.structure import FEWEST_LABELS, best_share, fit_structure, labels_within
from tests.conftest import make_model

ENDS = ("O", "N", "Cl", "Br", "c1ccccc1", "C(=O)O", "C#N", "S", "F", "I", "C(F)(F)F", "N(C)C")
CHAINS = [f"{a}{'C' * n}{b}" for n in range(1, 14) for a in ("Cl", "O", "N", "Br") for b in ENDS]
SETTINGS = TreeSettings(rounds=60, leaves=8)


def halogens(smiles: str) -> float:
    """What fingerprints and descriptors tell at once, and a code that was never trained does not."""
    return sum(smiles.count(one) for one in ("Cl", "Br", "F", "I")) + 0.1 * len(smiles)


@pytest.fixture
def model(vocabulary):
    return make_model(vocabulary)


def data(model, smiles: list[str], labels: np.ndarray) -> SmilesDataset:
    return SmilesDataset(smiles, model.vocabulary, labels)


def split(model, labels: np.ndarray) -> tuple[SmilesDataset, SmilesDataset]:
    order = np.random.default_rng(0).permutation(len(CHAINS))
    parts = (order[:500], order[500:])
    found = [data(model, [CHAINS[i] for i in rows], labels[rows]) for rows in parts]
    model.predictor.fit_scale(torch.as_tensor(np.asarray(found[0].labels)))
    return found[0], found[1]


def test_trees_are_kept_where_they_are_nearer_to_the_truth(model):
    labels = np.stack([[halogens(one) for one in CHAINS], np.random.default_rng(1).normal(size=len(CHAINS))], axis=1)
    train, valid = split(model, labels)
    before = np.abs(model.predict(valid.smiles)["logP"] - valid.labels[:, 0]).mean()
    fit_structure(model, train, valid, SETTINGS)
    calibrate_predictor(model, valid)
    found = model.predict(valid.smiles)
    assert np.abs(found["logP"] - valid.labels[:, 0]).mean() < 0.3 * before
    inside = np.abs(found["logP"] - valid.labels[:, 0]) <= 1.645 * found["logP_std"]
    assert 0.88 <= inside.mean() <= 1.0
    structure = model.predictor.structure
    assert list(structure.trees) == [0] and structure.share[1] == 0, "noise is no better known by its fingerprint"


def test_few_labels_make_no_trees(model):
    labels = np.stack([[halogens(one) for one in CHAINS]] * 2, axis=1)
    train, valid = split(model, labels)
    few = np.array(train.labels)
    few[FEWEST_LABELS - 1 :, 0] = np.nan
    unjudged = np.array(valid.labels)
    unjudged[19:, 1] = np.nan
    fit_structure(model, data(model, list(train.smiles), few), data(model, list(valid.smiles), unjudged), SETTINGS)
    assert not model.predictor.structure.is_fitted


def test_little_time_means_fewer_labels_and_the_same_ones_each_time(model, monkeypatch):
    labels = np.stack([[halogens(one) for one in CHAINS]] * 2, axis=1)
    train, valid = split(model, labels)
    seen = []
    fit = BoostedTrees.fit
    monkeypatch.setattr(BoostedTrees, "fit", lambda inputs, *rest: seen.append(len(inputs)) or fit(inputs, *rest))
    fit_structure(model, train, valid, SETTINGS, limit_s=2.4)
    assert seen == [labels_within(2.4, 2, SETTINGS.rounds)] * 2 == [300, 300]


def test_molecules_that_were_learned_from_are_no_judges(model):
    """A set too small to hold any out is its own validation set; trees know all of it by heart."""
    labels = np.random.default_rng(1).normal(size=(len(CHAINS), 2))
    both = data(model, CHAINS, labels)
    fit_structure(model, both, both, SETTINGS)
    assert not model.predictor.structure.is_fitted


def test_the_same_seed_grows_the_same_trees(model, vocabulary):
    labels = np.stack([[halogens(one) for one in CHAINS]] * 2, axis=1)

    def grown():
        one = make_model(vocabulary)
        fit_structure(one, *split(one, labels), SETTINGS, seed=3)
        return one.predict(CHAINS)

    assert grown().equals(grown())


@pytest.mark.parametrize(
    ("mean", "answers", "labels", "expected"),
    [
        ([0.0, 0.0], [1.0, -1.0], [1.0, -1.0], (1.0, 1.0)),
        ([0.0, 0.0, 5.0], [1.0, -1.0, np.nan], [0.3, -0.3, np.nan], (0.3, 1.0)),
        ([0.0, 0.0], [1.0, -1.0], [-1.0, 1.0], (0.1, -0.1)),
        ([2.0], [9.0], [2.0], (0.1, 0.0)),
    ],
)
def test_the_share_is_the_tenth_that_errs_least(mean, answers, labels, expected):
    assert best_share(*map(np.array, (mean, answers, labels))) == pytest.approx(expected)
