"""Parts of cut molecules, and what joins them."""

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.ga.fragments import Part, closures, cut_bond, cut_ring, join
from chemvae.chem.ga.graphs import open_graph
from chemvae.chem.molecules import canonicalize, parse
from tests.chem.ga.drugs import DRUGS


@pytest.mark.parametrize("cut", [cut_bond, cut_ring])
def test_parts_of_a_cut_are_the_whole(cut):
    rng = np.random.default_rng(0)
    for smiles in DRUGS:
        mol = open_graph(parse(smiles))
        for _ in range(20):
            parts = cut(mol, rng)
            assert len(parts) in (0, 2)
            if parts:
                p, q = parts
                assert not p.atoms & q.atoms and len(p.atoms) + len(q.atoms) == mol.GetNumAtoms()
                assert all(mol.GetBondBetweenAtoms(a, b) is not None for a, b in zip(p.ends, q.ends, strict=True))


@pytest.mark.parametrize("cut", [cut_bond, cut_ring])
def test_parts_joined_again_are_the_molecule_with_its_stereocentres(cut):
    rng, n_joined = np.random.default_rng(0), 0
    for smiles in [
        "C[C@H](NC(C)(C)C)C(=O)c1cccc(Cl)c1",
        "O=C(O[C@@H]1C[C@@H]2CC[C@H](C1)[NH2+]2)c1c[nH]c2ccccc12",
        "F[C@](Cl)(Br)CC",
    ]:
        mol = open_graph(parse(smiles))
        for _ in range(30):
            for p, q in filter(None, [cut(mol, rng)]):
                whole = join(mol, p, mol, q, p.orders)
                Chem.SanitizeMol(whole)
                assert canonicalize(Chem.MolToSmiles(whole)) == canonicalize(smiles)
                n_joined += 1
    assert n_joined > 50


def test_what_has_no_such_bond_is_not_cut():
    rng = np.random.default_rng(0)
    for smiles in ("C", "C=C", "c1ccccc1"):
        assert cut_bond(open_graph(parse(smiles)), rng) == []
    for smiles in ("CCCC", "C1CC1", "CC(C)(C)C"):
        assert cut_ring(open_graph(parse(smiles)), rng) == []


def test_the_two_atoms_of_an_ion_pair_stay_together():
    rng, mol = np.random.default_rng(0), open_graph(parse("C[N+](=O)[O-]"))
    ends = {frozenset(part.ends[0] for part in cut_bond(mol, rng)) for _ in range(50)}
    assert ends == {frozenset({0, 1})}  # C-N is cut, N-O never


def test_a_part_turned_twice_is_itself():
    part = Part(frozenset({0, 1, 2}), (0, 2), (3, 4), (1, 2))
    assert part.turned() == Part(frozenset({0, 1, 2}), (2, 0), (4, 3), (2, 1))
    assert part.turned().turned() == part


def test_closures_are_counted():
    one, two = Part(frozenset({0}), (0,), (1,), (1,)), Part(frozenset({0, 1}), (0, 1), (2, 3), (1, 1))
    at_one_atom = Part(frozenset({0}), (0, 0), (2, 3), (1, 1))
    assert closures(one, one) == [(one, one, (1,))]
    assert len(closures(two, two)) == len(closures(two, at_one_atom)) == 8  # turned or not, single or double at either end
    assert closures(one, two) == [] and closures(at_one_atom, at_one_atom) == []


def test_an_end_without_hydrogens_carries_no_double_bond():
    mol = open_graph(parse("FC(F)(F)C(F)(F)F"))
    p, q = (Part(frozenset(atoms), (end,), (lost,), (1,)) for atoms, end, lost in (({0, 1, 2, 3}, 1, 4), ({4, 5, 6, 7}, 4, 1)))
    assert join(mol, p, mol, q, (2,)) is None
    assert canonicalize(Chem.MolToSmiles(join(mol, p, mol, q, (1,)))) == canonicalize("FC(F)(F)C(F)(F)F")
