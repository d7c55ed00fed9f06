"""Codes inferred from other members of a scaffold family."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.objectives import BetaELBO, Homoencoder
from chemvae.objectives.homoencoder import Families
from chemvae.seeding import draw_seed
from tests.conftest import MOLECULES
from tests.contracts.objective import ObjectiveContract

FAMILY = ["Cc1ccccc1", "Oc1ccccc1", "Nc1ccccc1", "CCO", "CC", "C1CC1C"]


def families(smiles=MOLECULES):
    return Families(SmilesDataset(smiles, Vocabulary.from_smiles([*smiles, *MOLECULES])))


class TestHomoencoder(ObjectiveContract):
    n_read = 1

    def objective(self):
        return Homoencoder(lambda step: 1.0, families(), n_read=self.n_read)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["kl"] + parts["property_nll"]


class TestStatistician(TestHomoencoder):
    n_read = 3


def test_molecules_of_one_scaffold_are_a_family_and_those_without_a_ring_are_alone():
    found = families(FAMILY)
    assert [found.of_row(row).tolist() for row in range(6)] == [[0, 1, 2]] * 3 + [[3], [4], [5]]


def test_what_the_encoder_reads_is_of_the_family_and_not_always_the_molecule_itself():
    found = families(FAMILY)
    data = SmilesDataset(FAMILY, Vocabulary.from_smiles([*FAMILY, *MOLECULES]))
    batch, made = data.batch(np.array([0, 3])), Homoencoder(lambda step: 1.0, found)
    rng, read = np.random.default_rng(0), set()
    for _ in range(40):
        seen = made._read(batch, found.rows_of(batch), rng)
        texts = data.vocabulary.decode_rows(seen.encoder_ids.numpy())
        read.add(texts[0])
        assert texts[1] == "CCO" and torch.equal(seen.token_ids, batch.token_ids)
    assert read == set(FAMILY[:3])


def test_a_molecule_that_is_no_training_molecule_is_read_from_itself():
    data = SmilesDataset(["CCN"], Vocabulary.from_smiles([*FAMILY, *MOLECULES]))
    batch, made = data.batch(np.array([0])), Homoencoder(lambda step: 1.0, families(FAMILY))
    assert made.families.rows_of(batch) == [None]
    assert made._read(batch, [None], np.random.default_rng(0)) is batch


def test_the_kl_counts_once_for_a_family():
    data = SmilesDataset(FAMILY, Vocabulary.from_smiles([*FAMILY, *MOLECULES]))
    batch, made = data.batch(np.arange(6)), Homoencoder(lambda step: 1.0, families(FAMILY))
    plain = torch.full((6,), 6.0)
    from tests.objectives.test_bounds import terms

    given = terms(plain[:, None])
    found = made._once_a_family(given, made.families.rows_of(batch)).kl
    torch.testing.assert_close(found, torch.tensor([2.0, 2.0, 2.0, 6.0, 6.0, 6.0]))


def test_alone_in_every_family_it_is_the_plain_bound(tiny_model, labelled):
    tiny_model.train()
    alone = Families(SmilesDataset(["CCCCO"], tiny_model.vocabulary))
    generator = torch.Generator().manual_seed(5)
    draw_seed(generator)  # the seed of what is read
    batch = labelled.batch(np.arange(8))
    wanted = BetaELBO(lambda step: 1.0)(tiny_model, batch, 0, "model", generator)
    found = Homoencoder(lambda step: 1.0, alone)(tiny_model, batch, 0, "model", torch.Generator().manual_seed(5))
    torch.testing.assert_close(found.total, wanted.total)


def test_reading_nobody_is_refused():
    with pytest.raises(SettingsError, match="n_read must be >= 1"):
        Homoencoder(lambda step: 1.0, families(), n_read=0)
