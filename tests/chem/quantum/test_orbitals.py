"""Frontier orbitals of textbook molecules: shares and signs that Hueckel's theory gives, and their drawing."""

import re

import numpy as np
import pytest

from chemvae.chem.conformers import conformer
from chemvae.chem.quantum.orbitals import frontier_orbitals, local_normals
from chemvae.chem.quantum.structure import CalculationError
from tests.chem.quantum.programs import needs

needs("tblite", "qc")


def test_ethylene_has_one_sign_below_and_two_above():
    homo, lumo = frontier_orbitals("C=C")
    np.testing.assert_allclose(homo.shares, [0.5, 0.5], atol=0.02)
    np.testing.assert_allclose(lumo.shares, [0.5, 0.5], atol=0.02)
    assert homo.amplitudes[0] * homo.amplitudes[1] > 0 > lumo.amplitudes[0] * lumo.amplitudes[1]
    assert homo.energy < lumo.energy and (homo.name, lumo.name) == ("HOMO", "LUMO")


def test_butadiene_s_orbitals_are_those_of_hueckel():
    """Coefficients .602, .372, -.372, -.602 of the HOMO, and .602, -.372, -.372, .602 of the LUMO."""
    homo, lumo = frontier_orbitals("C=CC=C")
    for orbital, signs in ((homo, [1, 1, -1, -1]), (lumo, [1, -1, -1, 1])):
        np.testing.assert_allclose(np.abs(orbital.amplitudes), [0.602, 0.372, 0.372, 0.602], atol=0.05)
        assert (np.sign(orbital.amplitudes) * np.sign(orbital.amplitudes[0])).tolist() == signs


def test_amplitudes_belong_to_the_atoms_of_the_text_however_it_was_given():
    for text in ("C=CC(=O)OC", "COC(=O)C=C"):
        lumo = frontier_orbitals(text)[1]
        assert lumo.smiles == "C=CC(=O)OC"
        assert lumo.shares[[0, 2]].min() > 0.15 and lumo.shares[4:].max() < 0.1  # on beta carbon and carbonyl, not on OMe


def test_a_donor_and_an_acceptor_have_an_orbital_each():
    homo, lumo = frontier_orbitals("N#Cc1ccc(N2c3ccccc3Oc3ccccc32)cc1")  # phenoxazine on benzonitrile
    from rdkit import Chem

    mol = Chem.MolFromSmiles(homo.smiles)
    donor = list(mol.GetSubstructMatch(Chem.MolFromSmarts("N1c2ccccc2Oc2ccccc21")))
    assert homo.shares[donor].sum() > 0.7 > 0.5 > lumo.shares[donor].sum()


def test_normals_lie_on_one_side_all_around_a_ring():
    normals = local_normals(conformer("c1ccc2ccccc2c1"))[:10]
    assert (normals @ normals[0] > 0.95).all()


def test_the_drawing_has_a_circle_for_each_atom_that_matters_and_a_title():
    homo, _ = frontier_orbitals("C=CC=C")
    svg = homo.svg()
    assert len(re.findall("<ellipse", svg)) == 4 and "HOMO" in svg and 'role="img"' in svg
    assert "#E59E00" in svg.upper() and "#56B5E8" in svg.upper()


def test_what_is_no_molecule_has_no_orbitals():
    with pytest.raises(CalculationError, match="is not a molecule"):
        frontier_orbitals("C1CC")
