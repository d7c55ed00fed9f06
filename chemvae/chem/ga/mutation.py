"""Seven small edits of a molecular graph, the mutations of a graph-based genetic algorithm.

An edit is a function ``(mol, rng) -> iterator of edited copies``, one copy per place where the edit fits, in random order; it
draws what it does (element, bond order, ring size) once. The molecule it gets is *open* (:mod:`.graphs`), and its
copies are neither sanitized nor judged. A new edit is a function and a line in :data:`MUTATIONS`.

Kinds and probabilities are those of Jensen's program. Departures: charged atoms, what is doubly bound to them and the orders of
their bonds stay as they are (a nitro group is not taken apart); a bond may be raised wherever the hydrogens suffice; a ring
closes between any two atoms outside rings at the right distance; of the two ways to bridge the gap that an atom with four
neighbours leaves, the commoner is kept.

References
----------
Jensen, A graph-based genetic algorithm, 2019. https://doi.org/10.1039/C8SC05372C
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from rdkit import Chem

from chemvae.chem.ga.graphs import ORDERS, draw, forget_stereo, keep_place, order_of, shuffled

if TYPE_CHECKING:
    import numpy as np

ORDER_SHARES = {1: 0.60, 2: 0.35, 3: 0.05}
"""How often an atom comes with a single, double or triple bond."""
APPENDED = {1: (6, 7, 8, 9, 16, 17, 35), 2: (6, 7, 8), 3: (6, 7)}
"""Atomic numbers that may hang on a bond of each order."""
INSERTED = {1: (6, 7, 8, 16), 2: (6, 7), 3: (6,)}
"""Atomic numbers that may sit inside a chain and carry a bond of each order."""
EXCHANGED = {6: 0.15, 7: 0.15, 8: 0.14, 9: 0.14, 16: 0.14, 17: 0.14, 35: 0.14}
"""How often each element is the one to go, and the one to come."""
VALENCES = {6: (0, 1, 2, 3, 4), 7: (0, 1, 2, 3), 8: (0, 1, 2), 9: (0, 1), 16: (0, 1, 2, 4, 6), 17: (0, 1), 35: (0, 1)}
"""Sums of bond orders to heavy atoms that an element may be put to."""
RING_SHARES = {3: 0.05, 4: 0.05, 5: 0.45, 6: 0.45}
DEGREE_SHARES = {1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25}
"""How often the atom to delete has so many neighbours."""
ORDER_CHANGES = {((2, 3), 1): 0.45, ((1,), 2): 0.45, ((3,), 2): 0.05, ((1, 2), 3): 0.05}
"""(Orders before, order after): how often."""

Edit = Callable[[Chem.Mol, "np.random.Generator"], Iterator[Chem.RWMol]]


def append_atom(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Hang a new atom on one that has the hydrogens for it."""
    order = draw(rng, ORDER_SHARES)
    element = int(rng.choice(APPENDED[order]))
    for index in shuffled(rng, [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetTotalNumHs() >= order]):
        edited = Chem.RWMol(mol)
        edited.AddBond(index, edited.AddAtom(Chem.Atom(element)), ORDERS[order])
        yield edited


def insert_atom(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Put a new atom into a bond: by a bond of the drawn order to one end, by a single one to the other."""
    order = draw(rng, ORDER_SHARES)
    element = int(rng.choice(INSERTED[order]))
    ends = [(bond, *pair) for bond in _free_bonds(mol) for pair in _both_ways(bond)]
    fitting = [(a, b) for bond, a, b in ends if _capacity(mol, a, bond) >= order]
    for a, b in shuffled(rng, fitting):
        edited = _without_bond(mol, a, b)
        new = edited.AddAtom(Chem.Atom(element))
        edited.AddBond(a, new, ORDERS[order])
        edited.AddBond(new, b, ORDERS[1])
        yield edited


def delete_atom(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Take an atom out and string its neighbours together by single bonds, in random order."""
    degree = draw(rng, DEGREE_SHARES)
    for atom in shuffled(rng, [atom for atom in _free_atoms(mol) if atom.GetDegree() == degree]):
        bonds = {bond.GetOtherAtomIdx(atom.GetIdx()): bond for bond in atom.GetBonds()}
        chain = list(shuffled(rng, list(bonds)))
        if any(_capacity(mol, index, bonds[index]) < 2 for index in chain[1:-1]):
            continue
        if any(mol.GetBondBetweenAtoms(a, b) is not None for a, b in pairwise(chain)):
            continue
        edited = Chem.RWMol(mol)
        for end in {chain[0], chain[-1]}:
            keep_place(edited, end, atom.GetIdx())
        for a, b in pairwise(chain):
            edited.AddBond(a, b, ORDERS[1])
        forget_stereo(edited, *chain[1:-1])
        edited.RemoveAtom(atom.GetIdx())
        yield edited


def change_atom(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Exchange the element of an atom."""
    free = _free_atoms(mol)
    present = {atom.GetAtomicNum() for atom in free}
    shares = {element: share for element, share in EXCHANGED.items() if element in present}
    if not shares:
        return
    old = draw(rng, shares)
    new = draw(rng, {element: share for element, share in EXCHANGED.items() if element != old})
    fitting = [atom.GetIdx() for atom in free if atom.GetAtomicNum() == old and _bond_sum(atom) in VALENCES[new]]
    for index in shuffled(rng, fitting):
        edited = Chem.RWMol(mol)
        edited.GetAtomWithIdx(index).SetAtomicNum(new)
        edited.GetAtomWithIdx(index).SetIsotope(0)
        forget_stereo(edited, index)
        yield edited


def change_bond_order(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Raise or lower a bond; no triple bond in a ring."""
    before, after = draw(rng, ORDER_CHANGES)
    for bond in shuffled(rng, [bond for bond in _free_bonds(mol) if order_of(bond) in before]):
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if min(_capacity(mol, a, bond), _capacity(mol, b, bond)) < after or (after == 3 and bond.IsInRing()):
            continue
        edited = Chem.RWMol(mol)
        edited.GetBondBetweenAtoms(a, b).SetStereo(Chem.BondStereo.STEREONONE)
        edited.GetBondBetweenAtoms(a, b).SetBondType(ORDERS[after])
        yield edited


def delete_ring_bond(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Open a ring."""
    for bond in shuffled(rng, [bond for bond in _free_bonds(mol) if bond.IsInRing()]):
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        yield _without_bond(mol, a, b)


def add_ring_bond(mol: Chem.Mol, rng: np.random.Generator) -> Iterator[Chem.RWMol]:
    """Close a ring of three to six atoms between two atoms outside rings."""
    size = draw(rng, RING_SHARES)
    free = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetTotalNumHs() and not atom.IsInRing()]
    steps = Chem.GetDistanceMatrix(mol)
    pairs = [(a, b) for i, a in enumerate(free) for b in free[:i] if steps[a, b] == size - 1]
    for a, b in shuffled(rng, pairs):
        edited = Chem.RWMol(mol)
        edited.AddBond(a, b, ORDERS[1])
        yield edited


def _free_atoms(mol: Chem.Mol) -> list[Chem.Atom]:
    """Atoms without charge or radical, and not doubly bound to a charged one (the oxygens of a nitro group are one thing)."""
    bound = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetFormalCharge()}
    for bond in mol.GetBonds():
        ends = {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
        if order_of(bond) > 1 and any(mol.GetAtomWithIdx(i).GetFormalCharge() for i in ends):
            bound |= ends
    return [atom for atom in mol.GetAtoms() if atom.GetIdx() not in bound and not atom.GetNumRadicalElectrons()]


def _free_bonds(mol: Chem.Mol) -> list[Chem.Bond]:
    """Bonds between uncharged atoms."""
    charged = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetFormalCharge()}
    return [bond for bond in mol.GetBonds() if not charged & {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}]


def _without_bond(mol: Chem.Mol, a: int, b: int) -> Chem.RWMol:
    """A copy that lacks a bond, and whose stereocentres hold the place open."""
    edited = Chem.RWMol(mol)
    keep_place(edited, a, b)
    keep_place(edited, b, a)
    edited.RemoveBond(a, b)
    return edited


def _both_ways(bond: Chem.Bond) -> tuple[tuple[int, int], tuple[int, int]]:
    a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    return (a, b), (b, a)


def _capacity(mol: Chem.Mol, index: int, bond: Chem.Bond) -> int:
    """The order that a bond may have at this end if it spends all hydrogens there."""
    return mol.GetAtomWithIdx(index).GetTotalNumHs() + order_of(bond)


def _bond_sum(atom: Chem.Atom) -> int:
    return sum(map(order_of, atom.GetBonds()))


MUTATIONS: dict[Edit, float] = {
    insert_atom: 0.15,
    change_bond_order: 0.14,
    delete_ring_bond: 0.14,
    add_ring_bond: 0.14,
    delete_atom: 0.14,
    change_atom: 0.14,
    append_atom: 0.15,
}
"""Edit: how often it is drawn."""
