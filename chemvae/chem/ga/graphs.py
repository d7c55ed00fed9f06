"""What editing molecular graphs needs: open molecules, bond orders, chance.

An *open* molecule has Kekule bonds, and hydrogens that RDKit fills in by itself, so that an atom that loses a bond gains one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rdkit import Chem

if TYPE_CHECKING:
    import numpy as np

ORDERS = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}


def open_graph(mol: Chem.Mol) -> Chem.RWMol:
    """Copy a molecule for editing: Kekule bonds, and hydrogens implicit wherever RDKit then fills in the same number."""
    out = Chem.RWMol(mol)
    Chem.Kekulize(out, clearAromaticFlags=True)
    written = [a for a in out.GetAtoms() if (a.GetNoImplicit() or a.GetNumExplicitHs()) and not a.GetNumRadicalElectrons()]
    before = [(atom.GetNoImplicit(), atom.GetNumExplicitHs(), atom.GetTotalNumHs()) for atom in written]
    for atom in written:
        _write_hydrogens(atom, False, 0)
    out.UpdatePropertyCache(strict=False)
    for atom, (fixed, count, total) in zip(written, before, strict=True):
        if atom.GetTotalNumHs() != total:
            _write_hydrogens(atom, fixed, count)
    out.UpdatePropertyCache(strict=False)
    return out


def _write_hydrogens(atom: Chem.Atom, fixed: bool, count: int) -> None:
    atom.SetNoImplicit(fixed)
    atom.SetNumExplicitHs(count)


def draw(rng: np.random.Generator, shares: dict[Any, float]) -> Any:
    """Draw one key with its share of the sum."""
    point = rng.random() * sum(shares.values())
    for key, share in shares.items():
        point -= share
        if point < 0:
            return key
    return key


def shuffled(rng: np.random.Generator, items: Sequence[Any]) -> Iterator[Any]:
    """The items in random order."""
    return (items[i] for i in rng.permutation(len(items)))


def order_of(bond: Chem.Bond) -> int:
    """1, 2 or 3; an open molecule has no other bonds, but for dative ones, which count as single."""
    return int(bond.GetBondTypeAsDouble())


def keep_place(mol: Chem.RWMol, index: int, neighbour: int) -> None:
    """Mark a stereocentre so that the bond added next stands for the one to ``neighbour``, which is to go.

    A mark is about the order of bonds, a hydrogen that is not written coming last. So it turns over when the old bond stands an
    odd number of places before the end.
    """
    atom = mol.GetAtomWithIdx(index)
    if atom.GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED:
        return
    place = [bond.GetOtherAtomIdx(index) for bond in atom.GetBonds()].index(neighbour)
    if (atom.GetDegree() - 1 - place) % 2:
        atom.InvertChirality()


def forget_stereo(mol: Chem.RWMol, *atoms: int) -> None:
    """Unmark centres that lose more than one neighbour, or their element."""
    for index in atoms:
        mol.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
