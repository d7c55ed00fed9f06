"""Each edit does what its name says, and leaves a molecule."""

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.ga.graphs import open_graph
from chemvae.chem.ga.mutation import (
    MUTATIONS,
    add_ring_bond,
    append_atom,
    change_atom,
    change_bond_order,
    delete_atom,
    delete_ring_bond,
    insert_atom,
)
from chemvae.chem.molecules import canonicalize, parse
from tests.chem.ga.drugs import DRUGS


def results(edit, smiles: str, n_draws: int = 60) -> set[str]:
    """Everything an edit makes of a molecule, canonical."""
    rng, out = np.random.default_rng(0), set()
    for _ in range(n_draws):
        for edited in edit(open_graph(parse(smiles)), rng):
            Chem.SanitizeMol(edited)
            out.add(Chem.MolToSmiles(edited))
    return out


@pytest.mark.parametrize(
    "edit, before, after",
    [
        (delete_ring_bond, "C1CCCCC1", {"CCCCCC"}),
        (add_ring_bond, "CCCC", {"CC1CC1", "C1CCC1"}),
        (add_ring_bond, "CCCCCC", {"C1CCCCC1", "CC1CCCC1", "CCC1CCC1", "CC1CCC1C", "CCCC1CC1", "CCC1CC1C"}),
        (change_atom, "c1ccccc1", {"c1ccncc1"}),
        (change_atom, "C#N", {"C#C", "N#N"}),
        (delete_atom, "CC", {"C"}),
        (delete_atom, "CC(O)N", {"CCO", "CCN", "NO", "CON", "CNO", "NCO"} - {"NO"}),
        (delete_atom, "C1CC1", set()),
        (change_bond_order, "CC", {"C=C", "C#C"}),
        (change_bond_order, "C#C", {"CC", "C=C"}),
        (change_bond_order, "CF", set()),
        (append_atom, "F", {"FF", "FCl", "FBr", "CF", "NF", "OF", "FS"}),
        (insert_atom, "FCl", {"FCCl", "FNCl", "FOCl", "FSCl"}),
        (insert_atom, "C=C", {"CCC", "CNC", "COC", "CSC", "C=CC", "C=NC", "C#CC"}),
    ],
)
def test_edits_of_small_molecules_are_known(edit, before, after):
    if before == "CCCCCC":  # the draws also take shorter paths than the chain's ends
        assert {"C1CCCCC1", "CC1CCCC1"} <= results(edit, before) <= after
    else:
        assert results(edit, before) == {canonicalize(text) for text in after}


@pytest.mark.parametrize("smiles", DRUGS)
@pytest.mark.parametrize("edit", MUTATIONS, ids=lambda edit: edit.__name__)
def test_an_edit_changes_as_many_atoms_as_it_says_and_leaves_a_molecule(edit, smiles):
    rng, mol = np.random.default_rng(1), open_graph(parse(smiles))
    change = {append_atom: 1, insert_atom: 1, delete_atom: -1}.get(edit, 0)
    rings = {add_ring_bond: 1, delete_ring_bond: -1}.get(edit)
    for _ in range(5):
        for edited in edit(mol, rng):
            assert Chem.SanitizeMol(edited, catchErrors=True) == Chem.SanitizeFlags.SANITIZE_NONE
            assert edited.GetNumAtoms() == mol.GetNumAtoms() + change
            assert len(Chem.GetMolFrags(edited)) == 1
            assert Chem.GetFormalCharge(edited) == Chem.GetFormalCharge(mol)
            assert sum(atom.GetNumRadicalElectrons() for atom in edited.GetAtoms()) == 0
            if rings is not None:
                n_rings = edited.GetNumBonds() - edited.GetNumAtoms() - mol.GetNumBonds() + mol.GetNumAtoms()
                assert n_rings == rings


def test_a_new_atom_takes_the_place_of_the_hydrogen():
    assert "F[C@@](Cl)(Br)I" in results(append_atom, "[C@@H](Cl)(Br)I", 200)
    assert "F[C@](Cl)(Br)I" not in results(append_atom, "[C@@H](Cl)(Br)I", 200)
    assert canonicalize("[C@@H](Cl)(Br)I") in results(delete_atom, "F[C@@](Cl)(Br)I")


@pytest.mark.parametrize("edit", MUTATIONS, ids=lambda edit: edit.__name__)
def test_an_edit_leaves_the_molecule_it_was_given(edit):
    rng = np.random.default_rng(2)
    for smiles in DRUGS:
        mol = open_graph(parse(smiles))
        before = Chem.MolToMolBlock(mol, kekulize=False)
        list(edit(mol, rng))
        assert Chem.MolToMolBlock(mol, kekulize=False) == before
