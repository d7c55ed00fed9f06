"""Open molecules, drawing, and stereocentres that keep their place."""

from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.ga.graphs import draw, forget_stereo, keep_place, open_graph, order_of, shuffled
from chemvae.chem.molecules import canonicalize, parse
from tests.chem.ga.drugs import DRUGS


@pytest.mark.parametrize("smiles", DRUGS)
def test_opening_keeps_the_molecule(smiles):
    opened = open_graph(parse(smiles))
    assert not any(bond.GetIsAromatic() for bond in opened.GetBonds())
    Chem.SanitizeMol(opened)
    assert Chem.MolToSmiles(opened) == canonicalize(smiles)


def test_draws_follow_their_shares():
    rng = np.random.default_rng(0)
    counts = Counter(draw(rng, {"a": 3.0, "b": 1.0}) for _ in range(4000))
    assert counts["a"] / 4000 == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("smiles", DRUGS)
def test_opening_leaves_the_original_and_the_number_of_hydrogens(smiles):
    mol = parse(smiles)
    opened = open_graph(mol)
    assert Chem.MolToSmiles(mol) == canonicalize(smiles)
    assert [a.GetTotalNumHs() for a in opened.GetAtoms()] == [a.GetTotalNumHs() for a in mol.GetAtoms()]


@pytest.mark.parametrize(
    ("smiles", "ends", "parts"),
    [
        ("c1c[nH]cc1C", (4, 5), {"c1cc[nH]c1", "C"}),
        ("C[NH2+]CC", (1, 2), {"C[NH3+]", "CC"}),
        ("[13CH3]O", (0, 1), {"[13CH4]", "O"}),
    ],
)
def test_an_open_atom_that_loses_a_bond_gains_a_hydrogen(smiles, ends, parts):
    opened = open_graph(parse(smiles))
    opened.RemoveBond(*ends)
    Chem.SanitizeMol(opened)
    assert set(Chem.MolToSmiles(opened).split(".")) == parts


def test_a_key_without_a_share_is_never_drawn():
    rng = np.random.default_rng(0)
    assert {draw(rng, {"a": 0.0, "b": 1.0, "c": 0.0}) for _ in range(500)} == {"b"}


def test_shuffling_loses_nothing():
    rng = np.random.default_rng(0)
    orders = {tuple(shuffled(rng, "abc")) for _ in range(200)}
    assert len(orders) == 6 and all(sorted(order) == ["a", "b", "c"] for order in orders)


def test_orders_of_bonds():
    mol = open_graph(parse("C#CC=Cc1ccccc1"))
    assert Counter(order_of(bond) for bond in mol.GetBonds()) == {3: 1, 2: 4, 1: 5}


@pytest.mark.parametrize("neighbour", range(4))
def test_a_centre_keeps_its_hand_when_a_bond_is_drawn_anew(neighbour):
    """The same bond taken away and put back gives the same molecule, wherever it stood among the four."""
    mol = Chem.RWMol(parse("[C@](F)(Cl)(Br)I"))
    other = [bond.GetOtherAtomIdx(0) for bond in mol.GetAtomWithIdx(0).GetBonds()][neighbour]
    keep_place(mol, 0, other)
    mol.RemoveBond(0, other)
    mol.AddBond(0, other, Chem.BondType.SINGLE)
    Chem.SanitizeMol(mol)
    assert Chem.MolToSmiles(mol) == canonicalize("[C@](F)(Cl)(Br)I")


def test_forgotten_centres_are_flat_and_others_stay():
    mol = Chem.RWMol(parse("F[C@H](Cl)[C@H](Br)I"))
    forget_stereo(mol, 1)
    assert [a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for a in mol.GetAtoms()][1:4:2] == [False, True]
