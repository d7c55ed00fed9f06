"""GFN2-xTB: published orbitals of benzene, the right units, the right spins."""

import numpy as np
import pytest

from chemvae.chem.properties import compute, compute_table, conformer, missing_reason
from chemvae.chem.quantum import xtb
from chemvae.chem.quantum.structure import CalculationError, Structure
from tests.chem.quantum.programs import needs

needs("tblite", "qc")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def benzene():
    return Structure.from_mol(conformer("c1ccccc1"))


def test_the_orbitals_of_benzene_are_where_they_are(benzene):
    found = xtb.frontier(benzene)
    assert [found[name] for name in ("HOMO", "LUMO", "gap")] == pytest.approx([-10.91, -6.08, 4.83], abs=0.02)
    assert found["gap"] == found["LUMO"] - found["HOMO"] and found["dipole"] < 0.01
    assert 4.0 < found["T1"] < 5.0


def test_more_conjugation_is_less_energy():
    benzene, naphthalene = (xtb.frontier(Structure.from_mol(conformer(smiles))) for smiles in ("c1ccccc1", "c1ccc2ccccc2c1"))
    assert naphthalene["gap"] < benzene["gap"] and naphthalene["T1"] < benzene["T1"]


def test_polarized_spins_lower_the_triplet(benzene):
    from tblite.interface import Calculator

    plain = Calculator("GFN2-xTB", benzene.numbers, benzene.positions_bohr, uhf=2)
    plain.set("verbosity", 0)
    assert xtb.single_point(benzene, unpaired=2)["energy"] < plain.singlepoint()["energy"]


def test_an_optimised_geometry_has_no_forces_and_stays_a_molecule():
    water = xtb.optimized(Structure.from_mol(conformer("O")))
    assert np.abs(xtb.single_point(water)["gradient"]).max() < 2 * xtb.GRADIENT_TOLERANCE
    assert np.linalg.norm(water.positions[0] - water.positions[1]) == pytest.approx(0.96, abs=0.02)  # Angstrom
    assert xtb.frontier(water)["dipole"] == pytest.approx(2.2, abs=0.3)  # debye; measured 1.85 in the gas


def test_charges_that_do_not_settle_are_a_reason(benzene, monkeypatch):
    class Stubborn:
        def singlepoint(self, *_):
            raise RuntimeError("SCF not converged")

    monkeypatch.setattr(xtb, "new_calculator", lambda *_: Stubborn())
    with pytest.raises(CalculationError, match="no self-consistent charges .SCF not converged"):
        xtb.frontier(benzene)


def test_workers_give_what_this_process_gives():
    smiles = ["c1ccccc1", "CCO", "[CH3]", "c1cc[nH]c1"]
    alone = compute_table(smiles, ["xtb_gap", "xtb_T1"])
    assert missing_reason("xtb_gap", "[CH3]").startswith("it has an odd number of electrons")
    assert np.isnan(alone).sum().tolist() == [1, 1]
    assert compute_table(smiles, ["xtb_gap", "xtb_T1"], jobs=2).equals(alone)


def test_an_anion_is_calculated_as_one():
    assert compute("xtb_HOMO", "CC(=O)[O-]") > compute("xtb_HOMO", "CC(=O)O") + 3.0  # eV: its electrons are held loosely
