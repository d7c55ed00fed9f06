"""TD-DFTB3: states in order, silent, and a reason where there is none."""

import math

import pytest

from chemvae.chem.properties import compute, conformer, missing_reason
from chemvae.chem.quantum import tddftb
from chemvae.chem.quantum.methods import METHODS
from chemvae.chem.quantum.structure import Structure
from tests.chem.quantum.programs import needs

needs("scine_sparrow", "qc")


def test_the_triplet_lies_below_the_singlet_and_nothing_is_printed(capfd):
    found = tddftb.excited_states(Structure.from_mol(conformer("c1ccc2[nH]ccc2c1")))
    assert 2.0 < found["T1"] < found["S1"] < 5.5  # eV
    assert found["dE_ST"] == found["S1"] - found["T1"]
    assert capfd.readouterr().out == ""


def test_what_has_no_parameters_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))
    assert math.isnan(compute("tddftb_S1", "C[SiH3]"))
    assert METHODS["tddftb"].refusal(Structure.from_mol(conformer("C[SiH3]"))) == "tddftb has no parameters for Si"


def test_the_lowest_of_several_states_is_taken():
    one = tddftb._calculator(Structure.from_mol(conformer("C=O")))
    one.settings["spin_block"] = "singlet"
    states = list(one.calculate().excited_states.singlet.eigenstates.eigenvalues)
    assert len(states) == tddftb.N_STATES and tddftb._lowest(one, "singlet") == pytest.approx(min(states) * 27.2114, abs=1e-3)


def test_a_singlet_without_its_triplet_is_kept(tmp_path, monkeypatch):
    """3ob has no spin constants for fluorine."""
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))
    assert 3.0 < compute("tddftb_S1", "Fc1ccccc1") < 6.5
    assert math.isnan(compute("tddftb_T1", "Fc1ccccc1")) and "spin constants" in missing_reason("tddftb_T1", "Fc1ccccc1")
