"""Children are molecules made of their parents."""

from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.ga.breeding import Limits, crossover, mutate, offspring
from chemvae.chem.molecules import canonicalize, parse
from tests.chem.ga.drugs import DRUGS

ANY_SIZE = Limits(min_atoms=1)


def elements(mol: Chem.Mol) -> Counter:
    return Counter(atom.GetSymbol() for atom in mol.GetAtoms())


def test_a_child_is_made_of_its_parents():
    rng, n_children = np.random.default_rng(0), 0
    for a in DRUGS:
        for b in DRUGS:
            mol_a, mol_b = parse(a), parse(b)
            child = crossover(mol_a, mol_b, rng)
            if child is None:
                continue
            n_children += 1
            text = Chem.MolToSmiles(child)
            assert elements(child) <= elements(mol_a) + elements(mol_b)
            assert 6 <= child.GetNumAtoms() < 60 and "." not in text and text not in (a, b)
            assert canonicalize(text) is not None
            assert sum(atom.GetNumRadicalElectrons() for atom in child.GetAtoms()) == 0
            assert max(len(ring) for ring in child.GetRingInfo().AtomRings() or [()]) <= 6
    assert n_children > 0.9 * len(DRUGS) ** 2


def test_chains_meet_at_one_bond():
    rng = np.random.default_rng(0)
    children = {Chem.MolToSmiles(crossover(parse("CCCCCC"), parse("FSSSSSF"), rng)) for _ in range(50)}
    chains = {"C" * n + "S" * m + "F" for n in range(1, 6) for m in range(6)}
    assert children <= {canonicalize(chain) for chain in chains} and len(children) > 8


def test_rings_meet_at_two_bonds():
    rng, found = np.random.default_rng(0), set()
    for _ in range(100):
        child = crossover(parse("C1CCCCC1"), parse("N1NNNNN1"), rng, Limits(min_atoms=3))
        if child is not None:
            found.add(child.GetRingInfo().NumRings())
            bonds = Counter(
                "".join(sorted(b.GetBeginAtom().GetSymbol() + b.GetEndAtom().GetSymbol())) for b in child.GetBonds()
            )
            assert bonds["CN"] == 2
    assert found == {1}


@pytest.mark.parametrize("smiles", ["C", "[NH4+]", "[Na+].[Cl-]", "CC", "O=C=O"])
def test_the_smallest_molecules_have_no_children_and_do_no_harm(smiles):
    rng, mol = np.random.default_rng(0), parse(smiles)
    assert mutate(mol, rng) is None
    assert crossover(mol, mol, rng) is None
    assert offspring([smiles], 3, rng, mutation_rate=1.0) == []


def test_methane_grows_where_small_is_allowed():
    mols = filter(None, (mutate(parse("C"), np.random.default_rng(seed), ANY_SIZE) for seed in range(99)))
    children = {Chem.MolToSmiles(mol) for mol in mols}
    assert {"CC", "CO", "C=O", "CF", "N"} <= children
    assert all(parse(child).GetNumAtoms() in (1, 2) for child in children)


def test_charged_groups_are_left_whole():
    rng, nitro = np.random.default_rng(0), Chem.MolFromSmarts("[N+](=O)[O-]")
    mol = parse("COc1cc(Br)ccc1NC(=O)c1cccc([N+](=O)[O-])c1")
    for _ in range(100):
        assert mutate(mol, rng).HasSubstructMatch(nitro)
    children = [crossover(mol, mol, rng) for _ in range(100)]
    for child in filter(None, children):
        assert sum(atom.GetFormalCharge() for atom in child.GetAtoms()) == 0
        assert sum(atom.GetFormalCharge() > 0 for atom in child.GetAtoms()) == len(child.GetSubstructMatches(nitro))


def test_stereo_away_from_the_edit_survives_and_none_is_invented():
    rng = np.random.default_rng(0)
    kept = [mutate(parse("C[C@H](N)CCCCCCCCCCc1ccccc1"), rng) for _ in range(50)]
    assert sum("@" in Chem.MolToSmiles(mol) for mol in kept) > 30
    flat = [mutate(parse("CC(N)CCCC=CCCCCc1ccccc1"), rng) for _ in range(50)]
    assert not any(set(Chem.MolToSmiles(mol)) & set("@/\\") for mol in flat)


def test_parents_are_left_as_they_were():
    mols = [parse(smiles) for smiles in DRUGS]
    before = [Chem.MolToMolBlock(mol) for mol in mols]
    rng = np.random.default_rng(0)
    for a, b in zip(mols, mols[1:], strict=False):
        crossover(a, b, rng)
        mutate(a, rng)
    assert [Chem.MolToMolBlock(mol) for mol in mols] == before


def test_offspring_are_canonical_distinct_new_and_repeatable():
    children = offspring(DRUGS, 100, np.random.default_rng(3), mutation_rate=0.5)
    assert 80 < len(children) <= 100 and len(set(children)) == len(children)
    assert [canonicalize(child) for child in children] == children
    assert not set(children) & set(DRUGS)
    assert offspring(DRUGS, 100, np.random.default_rng(3), mutation_rate=0.5) == children
    assert offspring(DRUGS, 100, np.random.default_rng(4), mutation_rate=0.5) != children


def test_limits_hold():
    narrow = Limits(min_atoms=10, mean_atoms=15, std_atoms=0, max_ring=5)
    parents = ["CCC1CCCC1CCCCO", "CC1CCCN1CCC(F)Cl", "OC1CCC(CCCC)O1"]
    mols = [parse(child) for child in offspring(parents, 200, np.random.default_rng(0), 1.0, narrow)]
    assert mols and all(10 <= mol.GetNumAtoms() < 15 for mol in mols)
    assert max(len(ring) for mol in mols for ring in mol.GetRingInfo().AtomRings()) <= 5


def test_a_parent_with_a_large_ring_may_pass_it_on():
    children = [mutate(parse("CCCCC1CCCCCCCCCCC1"), np.random.default_rng(seed)) for seed in range(30)]
    sizes = {max(map(len, child.GetRingInfo().AtomRings()), default=0) for child in children}
    assert 12 in sizes and max(sizes) <= 12


def test_what_is_no_parent_is_passed_over():
    rng = np.random.default_rng(0)
    assert offspring([], 5, rng) == [] and offspring(["C1CC", ""], 5, rng) == []
    assert offspring(["C1CC", *DRUGS], 5, rng)


def test_a_salt_hands_on_one_of_its_parts():
    rng = np.random.default_rng(0)
    children = offspring(["[Na+].CCCC(=O)Nc1ccc(C(=O)[O-])cc1", "CCOC(=O)C1CCNCC1"], 30, rng)
    assert children and not any("." in child for child in children)


def test_the_limits_widen_for_larger_molecules():
    assert Limits.covering(["CCCCCCO"] * 9) == Limits() == Limits.covering([])
    wide = Limits.covering(["C" * 80] * 99 + ["CCO"])
    assert wide.min_atoms == 3 and wide.mean_atoms == 80
    parents = ["c1ccccc1" + "C" * 60, "N" + "C" * 50]
    largest = [
        max(parse(child).GetNumAtoms() for child in offspring(parents, 50, np.random.default_rng(0), 0.0, limits))
        for limits in (Limits(), wide)
    ]
    assert largest[0] < 55 < largest[1]
