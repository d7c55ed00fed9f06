"""Structures and descriptors in one process: as much of each as the scores speak for."""

import numpy as np
import pytest
import torch

from chemvae.chem.properties import compute
from chemvae.design.surrogates import structure_gp
from chemvae.design.surrogates.described import DESCRIPTORS, DescribedRows, descriptors
from chemvae.design.surrogates.structure_gp import StructureGP
from chemvae.design.surrogates.tanimoto_gp import TanimotoGP
from chemvae.errors import InputError

RINGS = ["c1ccccc1", "C1CCNCC1", "c1ccncc1", "C1CCOC1", "c1ccsc1", "C1CCC1"]
TAILS = ["O", "N", "OC(=O)", "N#C", "CO", "FC(F)(F)", "CS(=O)(=O)", "Cl"]
SMILES = [f"{tail}{'C' * n}{ring}" for ring in RINGS for tail in TAILS for n in range(1, 4)]
TRAIN, TEST = SMILES[::2], SMILES[1::2]


def polarity(smiles):
    return torch.tensor([compute("TPSA", text) / 30 - compute("logP", text) for text in smiles], dtype=torch.float64)


def rmse(gp, train, y, test, truth):
    return float((gp.fit(train, y).predict(test)[0] - truth).square().mean().sqrt())


def test_a_goal_that_goes_with_descriptors_is_learned_from_few_scores():
    few, y = TRAIN[:40], polarity(TRAIN[:40])
    gp = StructureGP()
    ours, theirs = rmse(gp, few, y, TEST, polarity(TEST)), rmse(TanimotoGP(), few, y, TEST, polarity(TEST))
    assert gp.share > 0 and ours < 0.5 * theirs


def test_without_descriptors_it_is_the_process_on_structures(monkeypatch):
    monkeypatch.setattr(structure_gp, "SHARES", (0.0,))
    ours, theirs = StructureGP().fit(TRAIN, polarity(TRAIN)), TanimotoGP().fit(TRAIN, polarity(TRAIN))
    assert ours.noise_ratio == theirs.noise_ratio
    for mine, other in zip(ours.predict(TEST), theirs.predict(TEST), strict=True):
        assert torch.equal(mine, other)


def test_the_covariance_is_one_and_its_diagonal_is_the_variance():
    gp = StructureGP().fit(TRAIN, polarity(TRAIN))
    rows = DescribedRows.of(TEST)
    kernel = gp._similarity(rows, rows)
    assert gp.share > 0 and torch.allclose(kernel.diagonal(), gp._variances(rows))
    assert float(torch.linalg.eigvalsh(kernel).min()) > -1e-9
    _, covariance = gp.joint(TEST)
    np.testing.assert_allclose(covariance.diagonal().sqrt(), gp.predict(TEST)[1], rtol=1e-6)


def test_taken_one_after_another_molecules_teach_what_they_teach_together():
    gp = StructureGP().fit(TRAIN[:50], polarity(TRAIN[:50])).extend(TRAIN[50:60], polarity(TRAIN[50:60]))
    again = StructureGP(noise_ratio=gp.noise_ratio)
    again.share, again.length = gp.share, gp.length
    again.fit(TRAIN[:60], polarity(TRAIN[:60]))
    torch.testing.assert_close(gp.predict(TEST)[0], again.predict(TEST)[0])


def test_beyond_so_many_scores_no_descriptor_is_computed(monkeypatch):
    monkeypatch.setattr(structure_gp, "MOST_DESCRIBED", 30)
    monkeypatch.setattr(DescribedRows, "values", property(lambda self: pytest.fail("descriptors were computed")))
    gp = StructureGP().fit(TRAIN, polarity(TRAIN))
    assert gp.share == 0.0 and len(gp.predict(TEST)[0]) == len(TEST)


def test_descriptors_are_bounded_numbers_and_what_is_no_molecule_has_none():
    assert descriptors("not a molecule") == (0.0,) * len(DESCRIPTORS)
    assert all(abs(value) <= 3.0 for value in descriptors("C" * 300))
    with pytest.raises(InputError, match="is no molecule"):
        StructureGP().fit(["CCO", "C1"], [0.0, 1.0])
