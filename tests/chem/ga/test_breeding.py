"""Children are molecules made of their parents; each edit does what its name says."""

from collections import Counter

import numpy as np
import pytest
from rdkit import Chem

from chemvae.chem.ga.breeding import Limits, crossover, mutate, offspring
from chemvae.chem.ga.fragments import cut_bond, cut_ring, join
from chemvae.chem.ga.graphs import draw, open_graph
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

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "C[C@H](NC(C)(C)C)C(=O)c1cccc(Cl)c1",
    "C[NH+](C)CCc1c[nH]c2ccc(CS(=O)(=O)N3CCCC3)cc12",
    "O=C(O[C@@H]1C[C@@H]2CC[C@H](C1)[NH2+]2)c1c[nH]c2ccccc12",
    "CC/C(=C(/CC)c1ccc(O)cc1)c1ccc(O)cc1",
    "COc1cc(Br)ccc1NC(=O)c1cccc([N+](=O)[O-])c1",
    "CN(C)c1ccc(C=[N+]=[N-])cc1",
    "[2H]C([2H])([2H])Oc1ccc(B(O)O)cc1P(C)(C)=O",
    "C1CCC2(CC1)OC1CCCCC1O2",
    "N[S@@](=O)(=O)c1ccc2[se]ccc2c1",
]
ANY_SIZE = Limits(min_atoms=1)


def elements(mol: Chem.Mol) -> Counter:
    return Counter(atom.GetSymbol() for atom in mol.GetAtoms())


def results(edit, smiles: str, n_draws: int = 60) -> set[str]:
    """Everything an edit makes of a molecule, canonical."""
    rng, out = np.random.default_rng(0), set()
    for _ in range(n_draws):
        for edited in edit(open_graph(parse(smiles)), rng):
            Chem.SanitizeMol(edited)
            out.add(Chem.MolToSmiles(edited))
    return out


@pytest.mark.parametrize("smiles", DRUGS)
def test_opening_keeps_the_molecule(smiles):
    opened = open_graph(parse(smiles))
    assert not any(bond.GetIsAromatic() for bond in opened.GetBonds())
    Chem.SanitizeMol(opened)
    assert Chem.MolToSmiles(opened) == canonicalize(smiles)


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


def test_draws_follow_their_shares():
    rng = np.random.default_rng(0)
    counts = Counter(draw(rng, {"a": 3.0, "b": 1.0}) for _ in range(4000))
    assert counts["a"] / 4000 == pytest.approx(0.75, abs=0.03)


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


def test_a_new_atom_takes_the_place_of_the_hydrogen():
    assert "F[C@@](Cl)(Br)I" in results(append_atom, "[C@@H](Cl)(Br)I", 200)
    assert "F[C@](Cl)(Br)I" not in results(append_atom, "[C@@H](Cl)(Br)I", 200)
    assert canonicalize("[C@@H](Cl)(Br)I") in results(delete_atom, "F[C@@](Cl)(Br)I")


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
