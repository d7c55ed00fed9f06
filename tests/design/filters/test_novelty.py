"""Molecules that must be new to the model."""

import dataclasses

import numpy as np
import pytest

from chemvae.design import run_campaign
from chemvae.design.filters.chain import FilterChain
from chemvae.design.filters.novelty import Novel
from chemvae.design.filters.parsing import gather_constraints
from chemvae.errors import SettingsError
from chemvae.models.training_facts import smiles_hash


@pytest.fixture
def model(tiny_model):
    """One that has seen propane and ethanol."""
    facts = tiny_model.training_facts
    tiny_model.training_facts = dataclasses.replace(facts, hashes=np.sort(smiles_hash(["CCC", "CCO"])))
    yield tiny_model
    tiny_model.training_facts = facts


def test_what_was_trained_on_is_turned_away_and_counted(model):
    gate = FilterChain(gather_constraints(["Novel", "MW<500"]), model)
    assert gate.reasons(["CCC", "CCN", "CCO"]) == ["not in the training set", "", "not in the training set"]
    assert gate.counts["not in the training set"] == 2


def test_a_model_without_an_index_cannot_tell(model):
    model.training_facts = dataclasses.replace(model.training_facts, hashes=None)
    with pytest.raises(SettingsError, match="keeps no index"):
        FilterChain([Novel()], model)


def test_a_search_hands_out_new_molecules_alone():
    import chemvae

    drug = chemvae.load("drug", "cpu")
    found = run_campaign(drug, "qed", budget=20, batch_size=10, method="random", constraints="novel", seed=0)
    assert found.molecules["novel"].all() and len(found.history) == 20
