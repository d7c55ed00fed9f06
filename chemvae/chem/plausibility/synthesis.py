"""What of a molecule makes it hard to make: its rarest bond, and how much of it can be bought. Routes are not searched for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from rdkit import Chem
from rdkit.Chem import BRICS
from rdkit.Chem import rdFingerprintGenerator as generators

from chemvae.chem.molecules import parse, quiet
from chemvae.chem.plausibility.catalogs import is_purchasable, require_stock
from chemvae.chem.plausibility.known import smiles_around

RADIUS = 2
UNSEEN = -4.0  # what SA gives an environment that none of its million molecules has


def hardest_bond(smiles: str) -> str:
    """The bond at which a molecule is most unlike what has been made, with the neighbours of its ends, as SMILES.

    The SA score rates the environments of atoms by how often they occur among a million molecules of PubChem. A bond is as
    hard as the environments around its two ends are rare. "" where there is no bond, or no molecule.

    References
    ----------
    Ertl & Schuffenhauer, 2009. https://doi.org/10.1186/1758-2946-1-8

    Examples
    --------
    >>> hardest_bond("CCCCCCCC1(F)OO1"), hardest_bond("C")
    ('CC1(F)OO1', '')
    """
    mol = parse(smiles)
    if mol is None or not mol.GetNumBonds():
        return ""
    commonness = atom_commonness(mol)
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    return smiles_around(mol.GetBondWithIdx(int(np.argmin([commonness[i] + commonness[j] for i, j in ends]))))


def atom_commonness(mol: Chem.Mol) -> np.ndarray:
    """How common the environments of radius 0 to 2 around each heavy atom are: the mean of SA's logarithms [N]."""
    scores, rows = _scores(), generators.AdditionalOutput()
    rows.AllocateBitInfoMap()
    _generator().GetSparseCountFingerprint(mol, additionalOutput=rows)
    found: list[list[float]] = [[] for _ in range(mol.GetNumAtoms())]
    for environment, places in rows.GetBitInfoMap().items():
        for atom, _ in places:
            found[atom].append(scores.get(environment, UNSEEN))
    return np.array([np.mean(one) if one else UNSEEN for one in found])


def building_block_share(mol: Chem.Mol) -> float:
    """Share of the heavy atoms that lie in BRICS pieces which are in stock, as the molecules that they are with hydrogen.

    Pieces of fewer than three heavy atoms count as sold.

    References
    ----------
    Degen et al., On the art of compiling and using drug-like chemical fragment spaces, 2008.
    https://doi.org/10.1002/cmdc.200800178

    Raises
    ------
    MissingExtraError
        Without molbloom.
    """
    require_stock("'building_blocks'")
    with quiet():
        pieces = [_capped(piece) for piece in Chem.GetMolFrags(BRICS.BreakBRICSBonds(mol), asMols=True)]
    sizes = [piece.GetNumHeavyAtoms() for piece in pieces]
    sold = sum(size for size, piece in zip(sizes, pieces, strict=True) if size < 3 or is_purchasable(piece))
    return sold / max(sum(sizes), 1)


def require_blocks() -> None:
    """Raise MissingExtraError unless molbloom is installed."""
    require_stock("'building_blocks'")


def _capped(piece: Chem.Mol) -> Chem.Mol:
    """A piece with hydrogen where it was cut."""
    for atom in piece.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomicNum(1)
            atom.SetIsotope(0)
    return Chem.RemoveAllHs(piece)


@lru_cache(maxsize=1)
def _generator() -> generators.FingerprintGenerator64:
    return generators.GetMorganGenerator(radius=RADIUS)


@lru_cache(maxsize=1)
def _scores() -> dict[int, float]:
    """SA's table, as its own module has read it: environment -> logarithm of how common it is."""
    from chemvae.chem.plausibility.sa import sa_scorer

    scorer = sa_scorer()
    if scorer._fscores is None:
        scorer.readFragmentScores()
    return scorer._fscores
