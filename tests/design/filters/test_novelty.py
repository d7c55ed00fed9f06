"""Molecules that must be new to the model."""

import dataclasses

import numpy as np
import pytest

from chemvae.chem.molecules import canonicalize
from chemvae.design import run_campaign
from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.novelty import Novel
from chemvae.design.filters.parsing import gather_constraints
from chemvae.errors import SettingsError
from chemvae.models.training_facts import smiles_hash
from chemvae.sampling.sampler import draw_latents


@pytest.fixture
def model(tiny_model):
    """One that has seen propane and ethanol."""
    facts = tiny_model.training_facts
    tiny_model.training_facts = dataclasses.replace(facts, hashes=np.sort(smiles_hash(["CCC", "CCO"])))
    yield tiny_model
    tiny_model.training_facts = facts


def test_what_was_trained_on_is_turned_away_and_counted(model):
    gate = FilterChain(gather_constraints(["Novel", "MW<500"]), model)
    assert gate.reasons(["CCC", "CCN", "CCO"]) == [
        "new to the model: it is in the training set",
        "",
        "new to the model: it is in the training set",
    ]
    assert gate.counts["new to the model"] == 2


def test_a_model_without_an_index_cannot_tell(model):
    model.training_facts = dataclasses.replace(model.training_facts, hashes=None)
    with pytest.raises(SettingsError, match="keeps no index"):
        FilterChain([Novel()], model)


def test_a_search_hands_out_new_molecules_alone(model):
    seen = [one for one in model.decode(draw_latents(model, 300, "normal", seed=1))["smiles"] if canonicalize(one)]
    known = list(dict.fromkeys(map(canonicalize, seen)))[::2]
    model.training_facts = dataclasses.replace(model.training_facts, hashes=np.sort(smiles_hash(known)))
    options = {"budget": 6, "batch_size": 3, "method": "random", "seed": 1}
    free, found = (run_campaign(model, "MW", **options, constraints=bound) for bound in (None, "novel"))
    assert set(free.history["smiles"]) & set(known), "else there is nothing to test"
    assert not set(found.history["smiles"]) & set(known) and found.rejections["new to the model"] > 0
