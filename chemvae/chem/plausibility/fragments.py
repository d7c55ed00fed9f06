"""What of a molecule can be looked up in a table: its ring systems, and its bonds with what stands around them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from rdkit import Chem

from chemvae.chem.molecules import quiet

Invariant = list[int]


def ring_systems(mol: Chem.Mol) -> list[str]:
    """The ring systems of a molecule: rings that share atoms, with what is doubly bonded to them and without substituents.

    Every single bond outside of rings is cut and its ends become hydrogen; pieces with a ring are kept.

    Returns
    -------
    list of str
        Canonical SMILES, as often as they occur; none for a molecule without rings.

    References
    ----------
    Walters, Identifying ring systems in molecules, 2022; the definition is that of ``useful_rdkit_utils``.

    Examples
    --------
    >>> ring_systems(Chem.MolFromSmiles("O=C1CCN1c1ccccc1CC"))
    ['O=C1CCN1', 'c1ccccc1']
    """
    if not mol.GetRingInfo().NumRings():
        return []
    with quiet():
        return [Chem.MolToSmiles(_without_ends(piece)) for piece in _pieces(mol) if piece.GetRingInfo().NumRings()]


def _pieces(mol: Chem.Mol) -> tuple[Chem.Mol, ...]:
    single = Chem.BondType.SINGLE
    cut = [bond.GetIdx() for bond in mol.GetBonds() if bond.GetBondType() == single and not bond.IsInRing()]
    return Chem.GetMolFrags(Chem.FragmentOnBonds(mol, cut) if cut else mol, asMols=True)


def _without_ends(piece: Chem.Mol) -> Chem.Mol:
    """Where bonds were cut, hydrogen; a double bond to an end that is alone has no configuration."""
    for atom in piece.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomicNum(1)
        if atom.GetAtomicNum() == 1:
            atom.SetIsotope(0)
    piece = Chem.RemoveAllHs(piece)
    for bond in piece.GetBonds():
        if bond.GetBondType() == Chem.BondType.DOUBLE and 1 in (bond.GetBeginAtom().GetDegree(), bond.GetEndAtom().GetDegree()):
            bond.SetStereo(Chem.BondStereo.STEREONONE)
    return piece


def bond_keys(mol: Chem.Mol) -> list[str]:
    """A text for each bond, in RDKit's order, the same where both ends and their neighbours are of the same kind.

    An end is its atom (element, neighbours, hydrogens, charge, no ring, ring or aromatic ring), the bond, and the same of its
    other neighbours.

    References
    ----------
    Dehaen, LACAN, 2024: the environments are those of that score.

    Examples
    --------
    >>> len(bond_keys(Chem.MolFromSmiles("CCO"))), len(set(bond_keys(Chem.MolFromSmiles("CCCC"))))
    (2, 2)
    """
    atoms = [_atom(atom) for atom in mol.GetAtoms()]
    ends = ((bond, _end(bond, bond.GetBeginAtom(), atoms), _end(bond, bond.GetEndAtom(), atoms)) for bond in mol.GetBonds())
    return ["{} {}".format(*sorted((first, second))) for _, first, second in ends]


def _atom(atom: Chem.Atom) -> Invariant:
    ring = int(atom.IsInRing()) + int(atom.GetIsAromatic())
    return [atom.GetAtomicNum(), atom.GetDegree(), atom.GetTotalNumHs(), atom.GetFormalCharge(), ring]


def _end(bond: Chem.Bond, atom: Chem.Atom, atoms: list[Invariant]) -> int:
    """One end of a bond as a number."""
    others = sorted(_neighbours(bond, atom, atoms))
    own = (*atoms[atom.GetIdx()], int(bond.GetBondType()))
    return _number((*own, *(value for other in others for value in other)))


def _neighbours(bond: Chem.Bond, atom: Chem.Atom, atoms: list[Invariant]) -> Iterator[Invariant]:
    for other in atom.GetBonds():
        if other.GetIdx() != bond.GetIdx():
            yield [*atoms[other.GetOtherAtomIdx(atom.GetIdx())], int(other.GetBondType())]


@lru_cache(maxsize=2**16)
def _number(values: tuple[int, ...]) -> int:
    """The first 32 bits of the MD5 of a list, the same in every process."""
    return int.from_bytes(hashlib.md5(str(list(values)).encode(), usedforsecurity=False).digest()[:4], "big", signed=True)
