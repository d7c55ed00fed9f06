"""The model of emitters that comes with the package: there, small, and worth its card."""

import os
import re

import numpy as np
import pytest

import chemvae
from chemvae.chem.molecules import canonicalize
from chemvae.data.catalog.locate import load_dataset
from chemvae.models.storage import SHIPPED, shipped_models
from tests.models.test_shipped import come_back, lowest

EMITTERS = {  # of ordinary size, from textbooks
    "CBP": "c1ccc2c(c1)c1ccccc1n2-c1ccc(-c2ccc(-n3c4ccccc4c4ccccc43)cc2)cc1",
    "mCP": "c1cc(-n2c3ccccc3c3ccccc32)cc(-n2c3ccccc3c3ccccc32)c1",
    "TPD": "Cc1cccc(N(c2ccccc2)c2ccc(-c3ccc(N(c4ccccc4)c4cccc(C)c4)cc3)cc2)c1",
    "anthracene": "c1ccc2cc3ccccc3cc2c1",
    "coumarin 153": "O=c1cc(C(F)(F)F)c2cc3c4c(c2o1)CCCN4CCC3",
    "PXZ-TRZ": "c1ccc(-c2nc(-c3ccccc3)nc(-c3ccc(N4c5ccccc5Oc5ccccc54)cc3)n2)cc1",
}
SHORT = {"HOMO", "LUMO", "S1", "T1", "dE_ST", "f", "emission", "PLQY", "FWHM", "dE_ST_measured", "gap"}


@pytest.fixture(scope="module")
def oled():
    return chemvae.load("oled")


@pytest.fixture(scope="module")
def card():
    """What the card says: figure -> value."""
    text = (SHIPPED / "oled" / "card.md").read_text(encoding="utf-8")
    assert all(word in text for word in ("run.py", "Limits", "Licence", "Stokes", "`S1` is `oled_dft_S1_eV`"))
    return {name: float(value) for name, value in re.findall(r"^\| `([\w.]+)` \| (-?[\d.]+) \|", text, re.MULTILINE)}


def test_it_is_small_and_has_the_names_a_search_is_asked_with(oled):
    assert "oled" in shipped_models()
    assert sum(path.stat().st_size for path in (SHIPPED / "oled").iterdir()) < 20e6
    assert set(oled.property_names) > SHORT and oled.property_units["S1"] == "eV" and oled.property_units["emission"] == "nm"


def test_known_emitters_are_read_and_most_come_back(oled):
    """All but two: they are no molecules of the split that the card's figures are taken on."""
    smiles = [canonicalize(one) for one in EMITTERS.values()]
    assert oled.encode_reasons(smiles) == [None] * len(smiles)
    assert come_back(oled, smiles) * len(smiles) >= len(smiles) - 2


def test_a_drug_is_less_sure_than_an_emitter(oled):
    said = oled.predict([EMITTERS["PXZ-TRZ"], "CC(C)Cc1ccc(C(C)C(=O)O)cc1"])
    assert said["S1_std"][1] > 1.2 * said["S1_std"][0]


def test_an_emitter_of_small_gap_is_told_from_one_without(oled):
    """PXZ-TRZ was made for a small gap, anthracene has one of more than an eV."""
    said = oled.predict([EMITTERS["PXZ-TRZ"], EMITTERS["anthracene"]])
    assert said["dE_ST"][0] < 0.3 < 0.8 < said["dE_ST"][1]


def test_as_much_of_the_prior_decodes_to_molecules_as_the_card_says(oled, card):
    drawn = chemvae.sample(oled, 300, seed=5)
    assert drawn["valid"].mean() >= lowest(card["validity_learned_sampled"], 300)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("CHEMVAE_DATA"), reason="CHEMVAE_DATA names no folder with the data sets")
def test_held_out_molecules_come_back_and_are_predicted_as_the_card_says(oled, card):
    table = load_dataset("oled")
    held_out = table[table["split"] == "test"].drop_duplicates("smiles").sample(200, random_state=0)
    smiles = held_out["smiles"].tolist()
    readable = [one for one, reason in zip(smiles, oled.encode_reasons(smiles), strict=True) if reason is None]
    share = come_back(oled, readable) * len(readable) / len(smiles)
    assert share >= lowest(card["reconstruction_greedy"], 200)
    labelled = table[(table["split"] == "test") & table["oled_dft_S1_eV"].notna()].drop_duplicates("smiles").head(200)
    said = oled.predict(labelled["smiles"])
    error = (said["S1"] - labelled["oled_dft_S1_eV"].set_axis(said.index)).abs().dropna()
    assert error.mean() <= card["mae_S1"] + 4 * error.std() / len(error) ** 0.5
    within = (error <= 1.645 * said["S1_std"].loc[error.index]).mean()
    assert abs(within - card["coverage90_S1"]) <= 4 * np.sqrt(0.09 / len(error))
