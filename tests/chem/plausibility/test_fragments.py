"""Ring systems and bonds: known answers, and the same whatever way a molecule is written."""

import pytest
from rdkit import Chem

from chemvae.chem.plausibility.fragments import bond_keys, ring_systems

DRUGS = (
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "C1CCC2(CC1)OCCO2",
)


@pytest.mark.parametrize(
    ("smiles", "systems"),
    [
        ("CCO", []),
        ("Cc1ccccc1", ["c1ccccc1"]),
        ("Cn1cccc1", ["c1cc[nH]c1"]),  # the cut bond becomes hydrogen
        ("O=C1CCCCC1C", ["O=C1CCCCC1"]),  # what is doubly bonded stays
        ("c1ccc(cc1)-c1ccncc1", ["c1ccccc1", "c1ccncc1"]),
        ("C1CCC2(CC1)OCCO2", ["C1CCC2(CC1)OCCO2"]),  # rings that share an atom are one
        ("c1ccccc1.c1ccccc1", ["c1ccccc1", "c1ccccc1"]),
        ("OC1CCCCC1", ["C1CCCCC1"]),
    ],
)
def test_ring_systems(smiles, systems):
    assert sorted(ring_systems(Chem.MolFromSmiles(smiles))) == systems


@pytest.mark.parametrize("smiles", DRUGS)
def test_neither_depends_on_the_order_of_atoms(smiles):
    mol = Chem.MolFromSmiles(smiles)
    other = Chem.RenumberAtoms(mol, list(reversed(range(mol.GetNumAtoms()))))
    assert sorted(ring_systems(mol)) == sorted(ring_systems(other))
    assert sorted(bond_keys(mol)) == sorted(bond_keys(other))


def test_bonds_of_the_same_kind_have_the_same_key_and_others_not():
    first, second = bond_keys(Chem.MolFromSmiles("CC(C)O"))[:2]
    assert first == second
    assert bond_keys(Chem.MolFromSmiles("CC")) != bond_keys(Chem.MolFromSmiles("C=C"))
    assert bond_keys(Chem.MolFromSmiles("CC(=O)O")) != bond_keys(Chem.MolFromSmiles("CC(=O)[O-]"))


def test_the_molecule_is_left_as_it_was():
    mol = Chem.MolFromSmiles(DRUGS[2])
    before = Chem.MolToSmiles(mol)
    ring_systems(mol), bond_keys(mol)
    assert Chem.MolToSmiles(mol) == before


def test_a_molecule_without_bonds_has_none():
    assert ring_systems(Chem.MolFromSmiles("C")) == [] == bond_keys(Chem.MolFromSmiles("C"))
