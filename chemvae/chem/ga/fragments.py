"""Cut a molecule in two, and join parts of two molecules: the halves of a crossover.

Molecules here are open, as :func:`chemvae.chem.ga.graphs.open_graph` makes them.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from rdkit import Chem

from chemvae.chem.ga.graphs import ORDERS, keep_place, order_of

if TYPE_CHECKING:
    import numpy as np

TRIES = 10
_SINGLE = Chem.MolFromSmarts("[*]-;!@[*]")
_RING_CUTS = {
    Chem.MolFromSmarts("[R]@[R]@[R]@[R]"): ((0, 1), (2, 3)),  # two neighbours in a ring leave
    Chem.MolFromSmarts("[R]@[R;!D2]@[R]"): ((0, 1), (1, 2)),  # one leaves with what hangs on it
}


class Part(NamedTuple):
    """A part of a cut molecule."""

    atoms: frozenset[int]
    """What belongs to it."""
    ends: tuple[int, ...]
    """Its atom at each cut bond."""
    lost: tuple[int, ...]
    """The atom beyond each cut bond."""
    orders: tuple[int, ...]
    """The orders that those bonds had."""

    def turned(self) -> Part:
        """The same part with its cut bonds in the reverse order."""
        return Part(self.atoms, self.ends[::-1], self.lost[::-1], self.orders[::-1])


def cut_bond(mol: Chem.Mol, rng: np.random.Generator) -> list[Part]:
    """Cut one single bond outside rings: two parts, or none if there is no such bond."""
    places = [place for place in mol.GetSubstructMatches(_SINGLE) if not _is_ion_pair(mol, *place)]
    return _parts(mol, [places[rng.integers(len(places))]]) if places else []


def cut_ring(mol: Chem.Mol, rng: np.random.Generator) -> list[Part]:
    """Cut two bonds of a ring: two parts, or none if ten tries find no two bonds that hold them together."""
    for _ in range(TRIES):
        pattern = list(_RING_CUTS)[rng.integers(len(_RING_CUTS))]
        places = mol.GetSubstructMatches(pattern)
        if not places:
            return []
        place = places[rng.integers(len(places))]
        parts = _parts(mol, [(place[i], place[j]) for i, j in _RING_CUTS[pattern]])
        if parts:
            return parts
    return []


def _parts(mol: Chem.Mol, bonds: list[tuple[int, int]]) -> list[Part]:
    """The two parts that cutting these bonds leaves; none if it leaves the bonds' ends in one part or in three."""
    cut = Chem.RWMol(mol)
    orders = tuple(order_of(mol.GetBondBetweenAtoms(a, b)) for a, b in bonds)
    for a, b in bonds:
        cut.RemoveBond(a, b)
    touched = [frozenset(atoms) for atoms in Chem.GetMolFrags(cut) if any(end in atoms for bond in bonds for end in bond)]
    if len(touched) != 2 or any((a in touched[0]) == (b in touched[0]) for a, b in bonds):
        return []
    return [
        Part(atoms, tuple(a if a in atoms else b for a, b in bonds), tuple(b if a in atoms else a for a, b in bonds), orders)
        for atoms in touched
    ]


def closures(p: Part, q: Part) -> list[tuple[Part, Part, tuple[int, ...]]]:
    """Ways to join the ends of two parts: the parts, the second one turned round or not, and the orders of the new bonds."""
    if len(p.ends) != len(q.ends) or len(set(p.ends)) == len(set(q.ends)) < len(p.ends):
        return []  # two bonds would lie between the same two atoms
    if len(p.ends) == 1:
        return [(p, q, (1,))]
    return [(p, turned, orders) for turned in (q, q.turned()) for orders in product((1, 2), repeat=2)]


def join(a: Chem.Mol, p: Part, b: Chem.Mol, q: Part, orders: tuple[int, ...]) -> Chem.RWMol | None:
    """One part of each molecule in one, stereocentres at the ends kept; None where an end cannot carry its bond."""
    if not (_can_carry(a, p, orders) and _can_carry(b, q, orders)):
        return None
    n_a = a.GetNumAtoms()
    both = Chem.RWMol(Chem.CombineMols(a, b))
    for i, lost_i, j, lost_j, order in zip(p.ends, p.lost, q.ends, q.lost, orders, strict=True):
        for end, lost in ((i, lost_i), (n_a + j, n_a + lost_j)):
            keep_place(both, end, lost)
            both.RemoveBond(end, lost)
        both.AddBond(i, n_a + j, ORDERS[order])
    kept = p.atoms | {n_a + j for j in q.atoms}
    both.BeginBatchEdit()
    for index in set(range(both.GetNumAtoms())) - kept:
        both.RemoveAtom(index)
    both.CommitBatchEdit()
    return both


def _can_carry(mol: Chem.Mol, part: Part, orders: tuple[int, ...]) -> bool:
    """Whether each end has the hydrogens for what its new bonds ask beyond its lost ones."""
    asked = dict.fromkeys(part.ends, 0)
    for end, old, new in zip(part.ends, part.orders, orders, strict=True):
        asked[end] += new - old
    return all(more <= mol.GetAtomWithIdx(end).GetTotalNumHs() for end, more in asked.items())


def _is_ion_pair(mol: Chem.Mol, a: int, b: int) -> bool:
    return mol.GetAtomWithIdx(a).GetFormalCharge() * mol.GetAtomWithIdx(b).GetFormalCharge() < 0
