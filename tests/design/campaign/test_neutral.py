"""Charges and salts are the user's choice, and held by construction."""

import logging

import pandas as pd
import pytest
from rdkit import Chem

from chemvae.chem.molecules import neutralize
from chemvae.design import run_campaign
from chemvae.design.campaign.spec import CampaignSpec
from chemvae.design.campaign.task import canonical_starts
from chemvae.design.evaluators.results_table import read_measurements
from chemvae.errors import SettingsError
from chemvae.models.storage import find_run, load_model
from chemvae.sampling import sample


@pytest.fixture(scope="module")
def drug():
    return load_model(find_run("drug"))


def charge(smiles):
    return sum(abs(atom.GetFormalCharge()) for atom in Chem.MolFromSmiles(smiles).GetAtoms())


def test_samples_are_neutral_and_otherwise_as_many_and_as_valid(drug):
    plain, neutral = (sample(drug, 80, seed=1, jobs=1, neutral=one) for one in (False, True))
    assert len(plain) == len(neutral) == 80 and neutral["valid"].dtype == bool
    valid = neutral[neutral["valid"]]
    assert all(neutralize(text) == text for text in valid["smiles"])
    assert any(neutralize(text) != text for text in plain[plain["valid"]]["smiles"])
    same = plain["valid"] & (plain["smiles"] == neutral["smiles"])
    assert same.sum() > 20 and len(valid) > 20


def test_what_cannot_be_neutral_is_drawn_again():
    from chemvae.sampling.sampler import _neutral

    drawn = []

    def draw(n, seed):
        drawn.append((n, seed))
        return pd.DataFrame({"smiles": ["C[N+](C)(C)C"] * (n - 1) + ["CO"], "valid": [True] * n})

    found = _neutral(pd.DataFrame({"smiles": ["C[N+](C)(C)C", "CC(=O)[O-]", "C1"], "valid": [True, True, False]}), draw, 5)
    assert found["smiles"].tolist() == ["CO", "CC(=O)O", "C1"] and found["valid"].tolist() == [True, True, False]
    assert drawn == [(1, 7)]


def test_a_search_scores_neutral_molecules_only_and_begins_with_neutral_ones(drug):
    asked = []

    def oracle(smiles):
        asked.append(smiles)
        return float(len(smiles))

    start = ["C[NH+](C)Cc1ccccc1.[Cl-]", "C[N+](C)(C)CC(=O)[O-]"]
    result = run_campaign(drug, oracle, budget=25, start=start, neutral=True, method="random", batch_size=10)
    assert all(neutralize(text) == text for text in asked) and asked[0] == "CN(C)Cc1ccccc1"
    assert "neutral" in result.rejections


def test_start_molecules_lose_their_salts_unless_asked_otherwise(caplog):
    salt = "C[NH+](C)Cc1ccccc1.[Cl-]"
    with caplog.at_level(logging.INFO):
        assert canonical_starts(salt, CampaignSpec().cleaning) == ["C[NH+](C)Cc1ccccc1"]
    assert "stripped of salts" in caplog.text
    assert canonical_starts([salt], CampaignSpec(standardize="none").cleaning) == ["C[NH+](C)Cc1ccccc1.[Cl-]"]
    assert canonical_starts([salt], CampaignSpec(neutral=True).cleaning) == ["CN(C)Cc1ccccc1"]
    with pytest.raises(SettingsError, match="standardize must be one of none, salts, neutral"):
        CampaignSpec(standardize="all")


def test_a_laboratory_may_tell_of_the_salt_that_it_weighed_in():
    told = pd.DataFrame({"smiles": ["Cl.CN(C)Cc1ccccc1", "OCC"], "pIC50": ["6.1", "5"]})
    handed_out = {"m0001": "CN(C)Cc1ccccc1"}
    assert [one.smiles for one in read_measurements(told, ["pIC50"], handed_out, "salts")] == ["CN(C)Cc1ccccc1", "CCO"]
    assert read_measurements(told, ["pIC50"], handed_out)[0].smiles == "CN(C)Cc1ccccc1.Cl"


def test_what_was_measured_before_is_taken_whatever_its_columns_are_called():
    before = pd.DataFrame({"id": ["X-17", "X-18"], "Ligand structure": ["OCC", "c1ccccc1O"], "pIC50": ["6.1", "5"]})
    found = read_measurements(before, ["pIC50"], {}, "salts")
    assert [(one.smiles, one.values) for one in found] == [("CCO", (6.1,)), ("Oc1ccccc1", (5.0,))]


def test_limit_and_side_of_a_bound_are_kept():
    told = pd.DataFrame({"smiles": ["OCC", "CN", "CO"], "pIC50": [">9", "≤ 4.5", "6"]})
    found = read_measurements(told, ["pIC50"], {})
    assert [one.values for one in found] == [(9.0,), (4.5,), (6.0,)] and not any(one.failed for one in found)
    assert [one.reason for one in found] == [">9 is a bound", "<4.5 is a bound", ""]
    assert [one.bounds for one in found] == [(">",), ("<",), ()]


def test_metals_and_salts_among_start_molecules_are_said(drug, caplog):
    with caplog.at_level(logging.WARNING):
        run_campaign(drug, len, budget=3, start=["CCO", "C[Hg]C"], method="random", batch_size=3)
    assert "Start: 1 of 2 molecules hold a metal" in caplog.text
