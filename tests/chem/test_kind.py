"""What is not of the kind that a model has seen is said before its numbers are."""

import dataclasses
import logging

import numpy as np
import pandas as pd
import pytest

from chemvae import tables
from chemvae.chem.kind import KindCheck, oddities
from chemvae.chem.molecules import neutralize
from chemvae.models.storage import find_run, load_model


@pytest.fixture(scope="module")
def drug():
    return load_model(find_run("drug"))


@pytest.mark.parametrize(
    ("smiles", "kinds"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", set()),
        ("CC(=O)[O-].[Na+]", {"salts or mixtures", "metals"}),
        ("CCO.CCN", {"salts or mixtures"}),
        ("OB(O)c1ccccc1", {"unusual elements"}),
        ("C[Si](C)(C)C", {"unusual elements"}),
        ("Cl[Pt](Cl)(N)N", {"metals"}),
        ("C[Sn](C)(C)C", {"metals"}),
        ("no molecule", set()),
    ],
)
def test_metals_boron_and_salts_are_no_organic_molecules(smiles, kinds):
    assert set(oddities(smiles)) == kinds


def test_lengths_are_counted_in_symbols():
    check = KindCheck(longest=4)
    check.look_at(["CCCC", "ClCCBr", "CCCCC"])
    assert check.examples == {"long": ["CCCCC"]}


def test_predictions_of_what_is_no_such_molecule_come_with_a_warning(drug, caplog):
    with caplog.at_level(logging.WARNING):
        found = tables.predict_table(drug, ["CC(=O)Oc1ccccc1C(=O)O", "C" * 120])
    assert len(found) == 2 and "longer than any molecule learned from" in caplog.text


def test_what_a_table_has_taught_is_nothing_unusual(drug, caplog, molecules):
    boronic = [f"OB(O)c1ccc({'C' * n})cc1" for n in range(1, 30)]
    labels = pd.DataFrame({"smiles": boronic, "y": np.arange(29.0)})
    models = tables.fit_properties(drug, labels, ["y"])
    with caplog.at_level(logging.WARNING):
        tables.predict_new_table(models, ["OB(O)c1ccc(CCC)cc1"])
        assert "elements" not in caplog.text
        tables.predict_new_table(models, ["C[Hg]C", "C[Si](C)(C)C"])
    assert "1 of 2 molecules hold a metal" in caplog.text and "hold elements that hardly any" in caplog.text


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("C[NH2+]C", "CNC"),
        ("[NH3+][C@@H](C)C(=O)[O-]", "C[C@H](N)C(=O)O"),
        ("Cl.CN", "CN"),
        ("C[n+]1ccccc1", None),
        ("C[N+]([O-])=O", "C[N+](=O)[O-]"),
        ("nothing", None),
    ],
)
def test_a_neutral_molecule_keeps_its_stereo_and_what_cannot_be_neutral_is_none(smiles, expected):
    assert neutralize(smiles) == expected


def test_a_sentence_of_large_molecules_stays_one_that_can_be_read():
    check = KindCheck(longest=10)
    check.look_at(["C" * 600, "CCO"])
    (said,) = check.sentences()
    assert len(said) < 200 and "C" * 80 + "…" in said


def test_elements_that_a_model_has_learned_from_are_not_odd(caplog):
    oled = load_model(find_run("oled"))
    facts = oled.training_facts
    for elements, is_odd in ((facts.elements, False), (frozenset(), True)):
        oled.training_facts = dataclasses.replace(facts, elements=elements)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            tables.predict_table(oled, ["C[Si](C)(C)c1ccccc1", "c1ccccc1"])
        assert ("hardly any molecule" in caplog.text) == is_odd


def test_boron_is_no_oddity_of_the_emitters(caplog):
    oled = load_model(find_run("oled"))
    with caplog.at_level(logging.WARNING):
        tables.predict_table(oled, ["CB(C)c1ccccc1", "c1ccccc1"])
    assert "B" in oled.training_facts.elements and "hardly any molecule" not in caplog.text
