"""Atoms in space: what belongs to the molecule, and in which unit."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers

from chemvae.chem.properties import conformer
from chemvae.chem.quantum.structure import BOHR_ANGSTROM, CalculationError, Structure, heavy_smiles


def test_hydrogens_are_atoms_of_the_structure_but_not_of_its_name():
    acetate = Structure.from_mol(conformer("CC(=O)[O-]"))
    assert acetate.smiles == "CC(=O)[O-]" and acetate.charge == -1
    assert sorted(acetate.symbols) == ["C", "C", "H", "H", "H", "O", "O"]
    assert acetate.n_electrons == 2 * 6 + 3 + 2 * 8 + 1 and acetate.n_heavy == 4


def test_bohr_are_shorter_than_angstrom_so_there_are_more_of_them():
    water = Structure.from_mol(conformer("O"))
    bond = np.linalg.norm(water.positions_bohr[0] - water.positions_bohr[1])
    assert bond == pytest.approx(0.969 / BOHR_ANGSTROM, abs=0.02) and bond > 1.8


@pytest.mark.parametrize("smiles", ["c1cc[nH]c1", "C[N+](C)(C)C", "[2H]c1ccccc1", "F/C=C/[C@H](N)O", "C1COP2(O1)=CC=CC=C2"])
def test_hydrogens_that_come_and_go_leave_the_name(smiles):
    """The ring with phosphorus is read, but RDKit does not find its bonds again when it is asked a second time."""
    mol = Chem.MolFromSmiles(smiles)
    assert heavy_smiles(Chem.AddHs(mol)) == heavy_smiles(mol) == Chem.MolToSmiles(mol)


def test_a_molecule_without_a_conformer_is_refused():
    with pytest.raises(CalculationError, match="no conformer"):
        Structure.from_mol(Chem.AddHs(Chem.MolFromSmiles("O")))


def test_boron_which_mmff_does_not_know_is_laid_out_by_uff():
    """An embedded geometry alone would be a poor start: its bonds are off by a tenth of an Angstrom."""
    ring = conformer("B1(c2ccccc2)c2ccccc2Oc2ccccc21")
    boron = next(atom.GetIdx() for atom in ring.GetAtoms() if atom.GetSymbol() == "B")
    places = ring.GetConformer().GetPositions()
    bonds = [np.linalg.norm(places[boron] - places[atom.GetIdx()]) for atom in ring.GetAtomWithIdx(boron).GetNeighbors()]
    assert not rdForceFieldHelpers.MMFFHasAllMoleculeParams(ring) and bonds == pytest.approx([1.56] * 3, abs=0.06)
