"""Whether z decides, of models that read it and models that do not."""

import math

import torch

from chemvae.chem.fingerprints import tanimoto
from chemvae.evaluation.latent.code_use import mean_of_pairs, own_code_found, text_similarity
from chemvae.evaluation.roundtrip import Canonical
from tests.evaluation.fakes import MemoryModel

MOLECULES = ["CCO", "CCN", "c1ccccc1", "CCCC"]
CODES = 10.0 * torch.eye(4)


def test_a_model_that_reads_z_finds_every_code_and_one_that_ignores_it_finds_one_of_all():
    assert own_code_found(MemoryModel(MOLECULES), CODES, MOLECULES) == 1.0
    assert own_code_found(MemoryModel(MOLECULES), CODES, ["CCN"] * 4) == 0.25


def test_the_nearest_of_the_draws_counts_however_far_it_is():
    draws = CODES + torch.tensor([3.0, -2.0, 1.0, 0.5])
    assert own_code_found(MemoryModel(MOLECULES), draws, MOLECULES) == 1.0


def test_what_is_no_molecule_or_cannot_be_encoded_is_not_found():
    assert own_code_found(MemoryModel(MOLECULES), CODES, ["CCO", None, "[Xe]", math.nan]) == 0.25
    nowhere = torch.zeros(1, 4)
    assert own_code_found(MemoryModel(MOLECULES), nowhere, [None]) == 0.0
    assert math.isnan(own_code_found(MemoryModel(MOLECULES), CODES[:0], []))


def test_texts_of_one_z_are_one_text_where_z_decides():
    within, between = text_similarity(MemoryModel(MOLECULES), CODES, Canonical(), n_texts=3)
    assert within == 1.0
    pairs = [tanimoto([a], [b])[0, 0] for i, a in enumerate(MOLECULES) for b in MOLECULES[i + 1 :]]
    assert between == sum(pairs) / 6


def test_texts_of_one_z_are_as_unlike_as_those_of_others_where_it_does_not():
    class Deaf(MemoryModel):
        def decode(self, z, n_samples=1, temperature=0.0, seed=0):
            table = super().decode(torch.as_tensor(z), n_samples, temperature, seed)
            generator = torch.Generator().manual_seed(seed)
            picked = torch.randint(len(self.smiles), (len(table),), generator=generator).tolist()
            return table.assign(smiles=[self.smiles[i] for i in picked], valid=True)

    within, between = text_similarity(Deaf(MOLECULES), torch.zeros(200, 4), Canonical(), n_texts=8)
    assert abs(within - between) < 0.03


def test_invalid_texts_are_left_out_and_a_z_without_two_has_no_pair():
    model = MemoryModel(MOLECULES, {"CCO": "C1CC"}, noisy=True)
    within, between = text_similarity(model, CODES, Canonical(), n_texts=4)
    assert within == 1.0 and 0 < between < 1
    assert all(math.isnan(value) for value in text_similarity(model, CODES[:1], Canonical(), n_texts=4))
    assert math.isnan(mean_of_pairs([])) and math.isnan(mean_of_pairs(["CCO"]))


def test_what_is_no_molecule_is_not_encoded_and_so_not_complained_of():
    class Strict(MemoryModel):
        def encode(self, smiles):
            assert all(smiles)
            return super().encode(smiles)

    assert own_code_found(Strict(MOLECULES), CODES, [MOLECULES[0], None, MOLECULES[2], None]) == 0.5
