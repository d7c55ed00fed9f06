"""Steps away from codes, on a model whose every neighbourhood is known."""

import math

import numpy as np
import pytest
import torch

from chemvae.chem.properties import compute
from chemvae.evaluation.latent.smoothness import STEP_NAMES, neighbors_kept, properties_to_compare, smoothness
from chemvae.evaluation.roundtrip import Canonical, Encoded, encode_molecules
from chemvae.models.posteriors import gaussian_posterior
from tests.evaluation.fakes import MemoryModel

MOLECULES = ["CCO", "C[C@H](N)O", "c1ccc2ccccc2c1", "CCCC"]


def around(model, smiles=MOLECULES, **options):
    canonical = Canonical()
    return smoothness(model, encode_molecules(model, smiles, canonical), canonical, **options)


def test_within_reach_nothing_changes_and_beyond_it_everything_is_the_other_molecule():
    """Codes lie at 10 e_i, so their spread is sqrt(3) / 4 of 10 per dimension, and a step of 0.2 is some .87 e."""
    close = around(MemoryModel(MOLECULES, reach=1e6, scale=1e-3))
    assert [close[f"similarity_at_{step}"] for step in ("1sd", "3sd", "0.2")] == [1.0] * 3
    assert [close[f"property_change_at_{step}_logP"] for step in ("1sd", "3sd", "0.2")] == [0.0] * 3
    far = around(MemoryModel(MOLECULES, reach=1e-6, far="c1ccccc1", scale=1.0))
    change = np.mean([abs(compute("logP", "c1ccccc1") - compute("logP", s)) for s in MOLECULES])
    spread = np.std([compute("logP", s) for s in MOLECULES])
    for step in STEP_NAMES:
        assert far[f"similarity_at_{step}"] < 0.3 and far[f"valid_at_{step}"] == 1.0
        assert far[f"property_change_at_{step}_logP"] == pytest.approx(change / spread)


def test_what_is_no_molecule_is_counted_and_left_out_of_the_similarity():
    found = around(MemoryModel(MOLECULES, {"CCCC": "C1CC"}, reach=1e6, scale=1e-3))
    assert found["valid_at_1sd"] == 0.75 and found["similarity_at_1sd"] == 1.0
    none = around(MemoryModel(MOLECULES, reach=1e-6, scale=1.0))
    assert none["valid_at_1.0"] == 0.0 and math.isnan(none["similarity_at_1.0"])


def test_steps_are_as_long_as_they_say(monkeypatch):
    model, seen = MemoryModel(MOLECULES, scale=0.5), []
    decode = model.decode
    monkeypatch.setattr(model, "decode", lambda z, **options: seen.append(torch.as_tensor(z)) or decode(z, **options))
    around(model)
    steps = dict(zip(STEP_NAMES, [z - 10.0 * torch.eye(4) for z in seen], strict=True))
    torch.testing.assert_close(steps["3sd"], 3 * steps["1sd"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(steps["1.0"], 5 * steps["0.2"], atol=1e-4, rtol=1e-4)
    noise = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(steps["1.0"], 10 * math.sqrt(3) / 4 * noise, atol=1e-4, rtol=1e-4)


def test_only_the_first_molecules_are_stepped_away_from_and_none_is_survived():
    model = MemoryModel(MOLECULES, {"CCCC": "C"}, reach=1e6, scale=1e-3)
    assert around(model, n=3)["similarity_at_1sd"] == 1.0
    assert around(model, n=4)["similarity_at_1sd"] < 1.0
    assert all(math.isnan(value) for value in around(model, ["[Xe]"]).values())


def test_properties_are_those_of_the_model_that_follow_from_the_structure():
    model = MemoryModel(MOLECULES)
    assert properties_to_compare(model) == ["logP", "qed", "SAS"]
    model.property_names = ["heavy", "LOGP", "homo_of_nobody"]
    assert properties_to_compare(model) == ["logP"]


def at(smiles, z):
    """Molecules with codes z [N, 1]."""
    return Encoded(smiles, smiles, [None] * len(smiles), np.arange(len(smiles)), gaussian_posterior(z, torch.ones_like(z)), 1)


def test_neighbours_stay_where_z_groups_molecules_as_fingerprints_do_and_at_chance_where_it_is_random():
    smiles = ["C1CC1" + "C" * n for n in range(20)] + ["c1ccccc1" + "O" * n for n in range(20)]
    together = torch.cat([torch.linspace(0, 1, 20), torch.linspace(100, 101, 20)])[:, None]
    assert neighbors_kept(at(smiles, together), k=19) == 1.0, "each kind is its own neighbourhood"
    shuffled = together[torch.randperm(40, generator=torch.Generator().manual_seed(0))]
    assert neighbors_kept(at(smiles, shuffled), k=19) == pytest.approx(19 / 39, abs=0.1)


def test_neighbours_of_too_few_molecules_are_not_measured():
    chains = ["C" * n for n in range(4, 24)]
    found = at(chains, torch.arange(20.0)[:, None])
    assert math.isnan(neighbors_kept(found, n=10)) and 0 < neighbors_kept(found, n=11) <= 1
