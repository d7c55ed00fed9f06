"""What an optimizer was told: each molecule once, failures apart, codes beside the utilities they belong to."""

import numpy as np
import pytest
import torch

from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_region import LatentRegion
from tests.design.toys import CELLS, ToyModel

SMILES = list(CELLS)[:6]
Z = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([1.0, 5.0, 3.0, torch.nan, 2.0, 4.0], dtype=torch.float64)


@pytest.fixture
def archive():
    return Archive(LatentRegion(ToyModel()))


def test_rows_stay_together_and_failures_apart(archive):
    archive.add(Z, Y, SMILES)
    kept = [0, 1, 2, 4, 5]
    assert archive.smiles == [SMILES[i] for i in kept] and archive.y.tolist() == Y[kept].tolist()
    assert torch.equal(archive.z, Z[kept])
    codes = torch.from_numpy(np.asarray(ToyModel().encode(SMILES), dtype=np.float32))
    assert torch.equal(archive.codes, codes[kept]) and torch.equal(archive.failed_codes, codes[[3]])
    assert archive.best_utility == 5.0 and archive.top(2).tolist() == [1, 4]


def test_a_molecule_told_before_changes_nothing_and_points_without_one_always_count(archive):
    archive.add(Z[:2], Y[:2], SMILES[:2])
    archive.add(Z[2:4], torch.tensor([9.0, 8.0], dtype=torch.float64), [SMILES[0], SMILES[1]])
    assert archive.y.tolist() == [1.0, 5.0]
    archive.add(Z[:2], Y[:2])
    archive.add(Z[:2], Y[:2])
    assert len(archive) == 6 and torch.equal(archive.codes[-2:], Z[:2])


def test_what_failed_first_is_known_when_it_comes_again(archive):
    archive.add(Z[3:4], Y[3:4], SMILES[3:4])
    archive.add(Z[3:4], torch.tensor([7.0], dtype=torch.float64), SMILES[3:4])
    assert len(archive) == 0 and len(archive.failed_codes) == 1 and archive.best_utility == -np.inf


def test_rows_as_parents_are_codes_with_their_molecules(archive):
    archive.add(Z, Y, SMILES)
    parents = archive.points(archive.top(1))
    assert parents.origins[0].parents == (SMILES[1],) and torch.equal(parents.z[0], archive.codes[1])
