"""Molecules drawn as a reference lies: what both share at the same place, what is new in colour."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rdkit import Chem
from rdkit.Chem import rdDepictor, rdFMCS
from rdkit.Chem.Draw import rdMolDraw2D

from chemvae.chem.drawing import laid_out
from chemvae.chem.molecules import parse, parse_known, quiet

LONGEST_S = 1
"""For the common part of two molecules; what has been found by then is taken."""
LARGEST = 80  # heavy atoms: the search for a common part of larger ones does not end in time
SMALLEST_SHARE = 0.3
"""Of the smaller molecule's atoms that must be shared: below that nothing is gained by drawing one as the other lies."""


SMALLEST_PIECE, MOST_PIECES = 3, 5
"""Of what is shared elsewhere than in the largest common part: heavy atoms of a piece, and pieces that are looked for."""
_TAKEN = (117, 118)  # elements that no molecule here has, one for each of two molecules: what is marked so matches nothing


@lru_cache(maxsize=512)
def common_part(smiles: str, reference: str) -> Chem.Mol | None:
    """The largest connected part of two molecules, as a pattern; None where they share little.

    Elements and bond orders are those of both, and rings stay whole.

    Parameters
    ----------
    smiles, reference : str

    Examples
    --------
    >>> common_part("Cc1ccccc1", "Oc1ccccc1").GetNumAtoms(), common_part("CCCC", "c1ccccc1") is None
    (6, True)
    """
    mols = [mol for mol in (parse(smiles), parse(reference)) if mol is not None and 1 < mol.GetNumHeavyAtoms() <= LARGEST]
    if len(mols) < 2:
        return None
    return _largest_part(mols, SMALLEST_SHARE * min(mol.GetNumHeavyAtoms() for mol in mols))


def _largest_part(mols: Sequence[Chem.Mol], fewest: float) -> Chem.Mol | None:
    """The largest connected part of two molecules; None where it has fewer atoms than that."""
    with quiet():
        found = rdFMCS.FindMCS(list(mols), timeout=LONGEST_S, ringMatchesRingOnly=True, completeRingsOnly=True)
        pattern = Chem.MolFromSmarts(found.smartsString) if found.numAtoms > 1 else None
    return pattern if pattern is not None and pattern.GetNumAtoms() >= fewest else None


def differing_atoms(smiles: str, reference: str) -> list[int]:
    """Atoms of a molecule that the reference lacks, by index; none where the two share too little to say.

    What is shared may lie in several pieces: between two ends that both have, what is new is in the middle alone.

    Examples
    --------
    >>> differing_atoms("Cc1ccccc1", "Oc1ccccc1"), differing_atoms("CCCC", "c1ccccc1")
    ([0], [])
    >>> differing_atoms("c1ccccc1CCCN1CCOCC1", "c1ccccc1C(=O)N1CCOCC1")
    [7, 8]
    """
    pattern = common_part(smiles, reference)
    if pattern is None:
        return []
    mols = [Chem.RWMol(parse_known(text)) for text in (smiles, reference)]
    left = set(range(mols[0].GetNumAtoms()))
    for _ in range(MOST_PIECES):
        matches = [mol.GetSubstructMatch(pattern) for mol in mols]
        left -= set(matches[0])
        for mol, match, mark in zip(mols, matches, _TAKEN, strict=True):
            for index in match:
                mol.GetAtomWithIdx(index).SetAtomicNum(mark)
        pattern = _largest_part(mols, SMALLEST_PIECE) if all(matches) else None
        if pattern is None:
            break
    return sorted(left)


def aligned(smiles: str, reference: str) -> Chem.Mol | None:
    """A molecule laid out so that what it shares with a reference lies where it lies there; None where that is not possible.

    Examples
    --------
    >>> import numpy as np
    >>> one, other = aligned("Cc1ccccc1", "Oc1ccccc1"), laid_out(Chem.MolFromSmiles("Oc1ccccc1"))
    >>> ring = [mol.GetConformer().GetPositions()[1:] for mol in (one, other)]
    >>> bool(np.allclose(*ring, atol=0.2))
    True
    """
    pattern = common_part(smiles, reference)
    if pattern is None:
        return None
    template, mol = parse_known(reference), parse_known(smiles)
    pairs = list(zip(template.GetSubstructMatch(pattern), mol.GetSubstructMatch(pattern), strict=False))
    if not pairs:  # RDKit ends the process where it is given none
        return None
    template = laid_out(template)  # after the search: what is prepared for drawing has no aromatic bonds
    try:
        with quiet():
            rdDepictor.GenerateDepictionMatching2DStructure(mol, template, pairs)
    except (RuntimeError, ValueError):  # a layout that the shared part does not allow
        return None
    return rdMolDraw2D.PrepareMolForDrawing(mol)
