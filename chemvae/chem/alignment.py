"""Molecules drawn as a reference lies: what both share at the same place, what is new in colour."""

from __future__ import annotations

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
    with quiet():
        found = rdFMCS.FindMCS(mols, timeout=LONGEST_S, ringMatchesRingOnly=True, completeRingsOnly=True)
        pattern = Chem.MolFromSmarts(found.smartsString) if found.numAtoms > 1 else None
    enough = SMALLEST_SHARE * min(mol.GetNumHeavyAtoms() for mol in mols)
    return pattern if pattern is not None and pattern.GetNumAtoms() >= enough else None


def differing_atoms(smiles: str, reference: str) -> list[int]:
    """Atoms of a molecule that the reference lacks, by index; none where the two share too little to say.

    Examples
    --------
    >>> differing_atoms("Cc1ccccc1", "Oc1ccccc1"), differing_atoms("CCCC", "c1ccccc1")
    ([0], [])
    """
    pattern = common_part(smiles, reference)
    if pattern is None:
        return []
    mol = parse_known(smiles)
    return sorted(set(range(mol.GetNumAtoms())) - set(mol.GetSubstructMatch(pattern)))


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
