"""Morgan fingerprints, Tanimoto similarity and scaffolds; molecules that cannot be read are None or NaN, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from chemvae.chem.molecules import parse, quiet

RADIUS = 2
N_BITS = 2048


@lru_cache(maxsize=8)
def _generator(radius: int, n_bits: int):
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)


def _as_mols(molecules: Sequence[str | Chem.Mol | None] | str) -> list[Chem.Mol | None]:
    if isinstance(molecules, str):
        molecules = [molecules]
    return [item if isinstance(item, Chem.Mol) else parse(item) for item in molecules]


def morgan(molecules: Sequence[str | Chem.Mol], radius: int = RADIUS, n_bits: int = N_BITS) -> list[Any]:
    """Compute folded Morgan bit fingerprints (radius 2 is ECFP4), None where there is no molecule.

    Parameters
    ----------
    molecules : sequence of SMILES or RDKit molecules, length N
    radius : int
        Bonds around each atom.
    n_bits : int
        Length of the bit vector.

    Returns
    -------
    list of ExplicitBitVect or None, length N

    References
    ----------
    Rogers & Hahn, Extended-Connectivity Fingerprints, 2010. https://doi.org/10.1021/ci100050t

    Examples
    --------
    >>> [None if bits is None else bits.GetNumBits() for bits in morgan(["CCO", "C1"])]
    [2048, None]
    """
    make = _generator(radius, n_bits).GetFingerprint
    return [None if mol is None else make(mol) for mol in _as_mols(molecules)]


def count_morgan(molecules: Sequence[str | Chem.Mol], radius: int = RADIUS, n_bits: int = N_BITS) -> list[Any]:
    """Compute folded Morgan count fingerprints, None where there is no molecule.

    Examples
    --------
    >>> count_morgan(["CCCC"])[0].GetTotalVal() > len(morgan(["CCCC"])[0].GetOnBits())
    True
    """
    make = _generator(radius, n_bits).GetCountFingerprint
    return [None if mol is None else make(mol) for mol in _as_mols(molecules)]


def _as_fingerprints(items: Sequence[Any] | str) -> list[Any]:
    """Take fingerprints as they are and compute those of SMILES and molecules."""
    if isinstance(items, str):
        items = [items]
    items = list(items)
    is_structure = all(item is None or isinstance(item, (str, Chem.Mol, float)) for item in items)
    return morgan(items) if is_structure else items


def tanimoto(query: Sequence[Any], reference: Sequence[Any]) -> np.ndarray:
    """Tanimoto similarity of every query to every reference.

    Parameters
    ----------
    query : sequence of SMILES, molecules or fingerprints, length Nq
    reference : the same, length Nr

    Returns
    -------
    ndarray [Nq, Nr]
        In 0..1; NaN where either is not a molecule.

    Examples
    --------
    >>> tanimoto(["CCO", "CCN"], ["OCC"]).round(2).tolist()
    [[1.0], [0.33]]
    """
    rows, columns = _as_fingerprints(query), _as_fingerprints(reference)
    known = [j for j, bits in enumerate(columns) if bits is not None]
    present = [columns[j] for j in known]
    out = np.full((len(rows), len(columns)), np.nan)
    for i, bits in enumerate(rows):
        if bits is not None and present:
            out[i, known] = DataStructs.BulkTanimotoSimilarity(bits, present)
    return out


def nearest(query: Sequence[Any], reference: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Find for every query its most similar reference; memory holds one row of similarities at a time.

    Returns
    -------
    index : ndarray of int [Nq]
        Into ``reference``; -1 where there is no molecule to compare.
    similarity : ndarray [Nq]
        Tanimoto; NaN there.

    Examples
    --------
    >>> index, similarity = nearest(["CCCO"], ["c1ccccc1", "CCO"])
    >>> int(index[0]), round(float(similarity[0]), 2)
    (1, 0.56)
    """
    rows, columns = _as_fingerprints(query), _as_fingerprints(reference)
    index, similarity = np.full(len(rows), -1), np.full(len(rows), np.nan)
    for i, bits in enumerate(rows):
        values = tanimoto([bits], columns)[0] if bits is not None else np.empty(0)
        if np.isfinite(values).any():
            index[i] = int(np.nanargmax(values))
            similarity[i] = values[index[i]]
    return index, similarity


def scaffold(smiles: str | Chem.Mol) -> str | None:
    """Return the Murcko scaffold (rings and the chains between them), "" if there is no ring, None if not a molecule.

    References
    ----------
    Bemis & Murcko, The Properties of Known Drugs, 1996. https://doi.org/10.1021/jm9602928

    Examples
    --------
    >>> scaffold("CC(=O)Oc1ccccc1C(=O)O"), scaffold("CCO"), scaffold("C1")
    ('c1ccccc1', '', None)
    """
    mol = _as_mols([smiles])[0]
    if mol is None:
        return None
    with quiet():
        return Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
