"""Codes that decode to their own molecule."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.models.settings import ModelSettings
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.moving.editing import EditSettings, edit_molecule
from chemvae.moving.labelled import LabelledCodes
from chemvae.moving.vectors import fit_vector
from chemvae.sampling import interpolate, invert
from chemvae.sampling.inversion import encode_one, own_point
from chemvae.seeding import forked_rng
from chemvae.training.settings import TrainingSettings
from chemvae.training.trainer import Trainer
from tests.objectives.test_own_samples import CHAINS, SETTINGS, fitted


@pytest.fixture(scope="module")
def model():
    """Half trained: some molecules come back, some do not."""
    trainer = fitted(SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS)), epochs=28, beta=0.003, threads=1)
    trainer.fit()
    trainer.module.zero_grad()
    return trainer.module.requires_grad_(False)


def came_back(model, z):
    return np.array([a == b for a, b in zip(model.decode(z)["smiles"], CHAINS, strict=True)])


def test_what_did_not_come_back_does_after_a_few_steps(model):
    before = came_back(model, model.encode(CHAINS))
    z, exact = invert(model, CHAINS)
    assert 0 < before.sum() < len(CHAINS)  # else there is nothing to test
    assert exact.sum() > before.sum() + 0.3 * (~before).sum()
    assert exact[before].all()
    assert (came_back(model, z) == exact).all()


def test_codes_move_only_where_it_helped(model):
    plain = model.encode(CHAINS)
    z, exact = invert(model, CHAINS)
    moved = (z != plain).any(axis=1)
    assert moved.any() and not moved[came_back(model, plain)].any() and exact[moved].all()


def test_ways_set_out_from_the_molecule_itself_where_a_point_near_its_code_writes_it(model):
    exact, plain = invert(model, CHAINS)[1], came_back(model, model.encode(CHAINS))
    lost = [CHAINS[i] for i in np.flatnonzero(exact & ~plain)[:3]]
    codes = model.encode(CHAINS)
    vector = fit_vector(model, LabelledCodes("length", codes, np.array([float(len(one)) for one in CHAINS]), False, "chains"))
    for one in lost:
        assert model.decode(own_point(model, one)[None])["smiles"][0] == one
        assert edit_molecule(model, one, vector, EditSettings(steps=1))["smiles"][0] == one
        way = interpolate(model, one, lost[0], n_steps=2)
        assert way["smiles"].tolist() == [one, lost[0]] and way["similarity_start"][0] == 1
    np.testing.assert_array_equal(own_point(model, CHAINS[plain.argmax()]), encode_one(model, CHAINS[plain.argmax()]))


def test_points_found_on_a_sphere_lie_on_it_and_decode_there():
    data = SmilesDataset(CHAINS, Vocabulary.from_smiles(CHAINS))
    with forked_rng(torch.Generator().manual_seed(0)):
        begun = MolVAE(data.vocabulary, ModelSettings(16, 32, 64, 6, 8, posterior="vmf", precision="fp32"))
    begun.training_facts = TrainingFacts(max_tokens=16)
    settings = {**SETTINGS, "epochs": 60, "beta": 0.003, "threads": 1}
    trainer = Trainer(begun, data, data, TrainingSettings(**settings), None, device="cpu")
    trainer.fit()
    sphere = trainer.module.eval().requires_grad_(False)
    before = came_back(sphere, sphere.encode(CHAINS))
    z, exact = invert(sphere, CHAINS)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1.0, atol=1e-5)
    assert exact.sum() > before.sum() and (came_back(sphere, z) == exact).all()


def test_no_steps_only_look(model):
    z, exact = invert(model, CHAINS, n_steps=0)
    np.testing.assert_array_equal(z, model.encode(CHAINS))
    assert (exact == came_back(model, z)).all()


def test_what_cannot_be_encoded_is_nan_and_not_exact(model):
    z, exact = invert(model, ["CCO", "[Au]", "", "CCN"])
    assert np.isnan(z).all(axis=1).tolist() == [False, True, True, False]
    assert not exact[1] and not exact[2]
    z, exact = invert(model, [])
    assert z.shape == (0, 6) and exact.shape == (0,)


def test_molecules_do_not_depend_on_who_is_searched_beside_them(model):
    z, exact = invert(model, CHAINS)
    parts = [invert(model, CHAINS[i : i + 7], batch_size=3) for i in range(0, len(CHAINS), 7)]
    assert (np.concatenate([good for _, good in parts]) == exact).mean() > 0.95  # sums in another order may tip one over
    np.testing.assert_allclose(np.concatenate([part for part, _ in parts])[exact], z[exact], atol=0.2)


def test_the_model_is_only_read(model):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    invert(model, CHAINS)
    torch.testing.assert_close(dict(model.state_dict()), before, atol=0, rtol=0, equal_nan=True)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_searches_start_from_codes_that_come_back(model):
    region = LatentRegion(model)
    z = region.encode_exactly(CHAINS)
    np.testing.assert_array_equal(z.numpy(), invert(model, CHAINS)[0])
    assert region.encode_exactly([]).shape == (0, 6)
