"""Morgan fingerprints, Tanimoto similarity and scaffolds; molecules that cannot be read are None or NaN, never dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from chemvae.chem.molecules import parse, quiet

RADIUS = 2
N_BITS = 2048
BLOCK = 256  # references at a time: their dense columns then stay in the processor's cache


@lru_cache(maxsize=8)
def _generator(radius: int, n_bits: int) -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)


def _as_mols(molecules: Sequence[str | Chem.Mol | None] | str) -> list[Chem.Mol | None]:
    if isinstance(molecules, str):
        molecules = [molecules]
    return [item if isinstance(item, Chem.Mol) else parse(item) for item in molecules]


def morgan(molecules: Sequence[str | Chem.Mol | None], radius: int = RADIUS, n_bits: int = N_BITS) -> list[Any]:
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


def count_morgan(molecules: Sequence[str | Chem.Mol | None], radius: int = RADIUS, n_bits: int = N_BITS) -> list[Any]:
    """Compute folded Morgan count fingerprints, None where there is no molecule.

    Examples
    --------
    >>> count_morgan(["CCCC"])[0].GetTotalVal() > len(morgan(["CCCC"])[0].GetOnBits())
    True
    """
    make = _generator(radius, n_bits).GetCountFingerprint
    return [None if mol is None else make(mol) for mol in _as_mols(molecules)]


def folded_counts(molecules: Sequence[str | Chem.Mol | None], radius: int = RADIUS, n_bits: int = N_BITS) -> np.ndarray:
    """Count folded Morgan environments: float32 [N, n_bits], NaN where there is no molecule.

    Examples
    --------
    >>> folded_counts(["CCCC", "C1"]).sum(axis=1)
    array([ 9., nan], dtype=float32)
    """
    counts = np.zeros((len(molecules), n_bits), dtype=np.float32)
    for row, found in zip(counts, count_morgan(molecules, radius, n_bits), strict=True):
        if found is None:
            row[:] = np.nan
        else:
            places = found.GetNonzeroElements()
            row[list(places)] = list(places.values())
    return counts


def ring_counts(molecules: Sequence[str | Chem.Mol | None], largest: int = 8) -> np.ndarray:
    """Count rings (smallest set of smallest rings) by size: float32 [N, largest - 2], NaN where there is no molecule.

    Places are sizes 3, 4, ... ``largest``, the last one for every larger ring, too. A Morgan environment knows that an atom is
    in a ring, and not in how large a one.

    Examples
    --------
    >>> ring_counts(["C1CC1c1ccccc1", "C1CCCCCCCCC1", "C1"], largest=7).tolist()[:2]
    [[1.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    """
    counts = np.zeros((len(molecules), largest - 2), dtype=np.float32)
    for row, mol in zip(counts, _as_mols(molecules), strict=True):
        if mol is None:
            row[:] = np.nan
        else:
            np.add.at(row, [min(len(ring), largest) - 3 for ring in mol.GetRingInfo().AtomRings()], 1)
    return counts


@dataclass(frozen=True)
class CountRows:
    """How often each atom environment occurs in N molecules: sparse rows, unfolded, so that no two environments share a place.

    Attributes
    ----------
    ids : ndarray of uint32 [E]
        Environments, ascending within a molecule.
    counts : ndarray of uint16 [E]
        Occurrences of each, >= 1.
    starts : ndarray of int64 [N + 1]
        Molecule i holds the entries ``starts[i]:starts[i + 1]``: none where there was no molecule.

    Examples
    --------
    >>> rows = unfolded_counts(["CCCC", "C1", "CCO"])
    >>> len(rows), rows.totals.tolist(), rows[[2, 0]].totals.tolist(), len(rows[:1] + rows)
    (3, [9, 0, 6], [6, 9], 4)
    """

    ids: np.ndarray
    counts: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def totals(self) -> np.ndarray:
        """Environments of each molecule, counted as often as they occur: int64 [N]."""
        return np.diff(np.concatenate([[0], np.cumsum(self.counts, dtype=np.int64)])[self.starts])

    def __getitem__(self, rows: Any) -> CountRows:
        """Return some molecules, by a slice, a mask or indices [K] (array, tensor or list)."""
        rows = np.arange(len(self))[rows].reshape(-1)
        starts = _cumulated(np.diff(self.starts)[rows])
        entries = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], np.diff(starts))
        return CountRows(self.ids[entries], self.counts[entries], starts)

    def __add__(self, other: CountRows) -> CountRows:
        """Return these molecules, then the others."""
        starts = np.concatenate([self.starts, other.starts[1:] + self.starts[-1]])
        return CountRows(np.append(self.ids, other.ids), np.append(self.counts, other.counts), starts)


def unfolded_counts(molecules: Sequence[str | Chem.Mol | None], radius: int = RADIUS) -> CountRows:
    """Compute Morgan counts without folding; an empty row where there is no molecule.

    Parameters
    ----------
    molecules : sequence of SMILES or RDKit molecules, length N
    radius : int
        Bonds around each atom.
    """
    make = _generator(radius, N_BITS).GetSparseCountFingerprint
    rows = [{} if mol is None else make(mol).GetNonzeroElements() for mol in _as_mols(molecules)]
    starts = _cumulated([len(row) for row in rows])
    ids = np.fromiter(chain.from_iterable(rows), np.uint32, starts[-1])
    counts = np.fromiter(chain.from_iterable(row.values() for row in rows), np.uint16, starts[-1])
    return CountRows(ids, counts, starts)


def count_tanimoto(query: CountRows, reference: CountRows) -> np.ndarray:
    """Tanimoto similarity of counts, sum of minima over sum of maxima, of every query to every reference.

    A count c is the set {1, ..., c} of levels reached, so that the sum of minima is the number of (environment, level) pairs
    in common: a sparse product of zeros and ones. The sum of maxima is what both hold less that. Nothing is folded or hashed:
    a column for each pair costs a sparse product nothing, and the result is exact.

    Parameters
    ----------
    query : CountRows, length Nq
    reference : CountRows, length Nr

    Returns
    -------
    ndarray of float64 [Nq, Nr]
        In 0..1; NaN where neither has any environment.

    Examples
    --------
    >>> count_tanimoto(unfolded_counts(["CCCC"]), unfolded_counts(["CCCC", "CCCCC", "O"])).round(2).tolist()
    [[1.0, 0.57, 0.0]]
    """
    common = _in_common(query, reference).astype(np.float64)
    either = query.totals[:, None] + reference.totals - common
    with np.errstate(invalid="ignore"):
        return np.divide(common, either, out=common)


def _in_common(query: CountRows, reference: CountRows) -> np.ndarray:
    """Sums of minima, uint16 [Nq, Nr]."""
    wanted, held = _levels(query), _levels(reference)
    keys = np.unique(held)
    q_columns, r_columns = np.searchsorted(keys, wanted), np.searchsorted(keys, held)
    known = q_columns < len(keys)
    known[known] = keys[q_columns[known]] == wanted[known]
    q_columns = np.where(known, q_columns, len(keys))  # one column more, which no reference holds
    q_starts, r_starts = _cumulated(query.totals), _cumulated(reference.totals)
    out = np.empty((len(query), len(reference)), np.uint16)
    for first in range(0, len(reference), BLOCK):
        part = r_starts[first : first + BLOCK + 1]
        out[:, first : first + BLOCK] = _product(q_columns, q_starts, r_columns[part[0] : part[-1]], part, len(keys) + 1)
    return out


def _product(q_columns: np.ndarray, q_starts: np.ndarray, r_columns: np.ndarray, r_starts: np.ndarray, n: int) -> np.ndarray:
    """Columns (out of n) in common, from sparse rows; only the columns that the references hold are written out."""
    from scipy.sparse import csr_array

    present = np.zeros(n, bool)
    present[r_columns] = True
    place = np.cumsum(present, dtype=np.int32) - 1
    dense = np.zeros((present.sum(), len(r_starts) - 1), np.uint16)
    dense[place[r_columns], np.repeat(np.arange(dense.shape[1]), np.diff(r_starts))] = 1
    kept = present[q_columns]
    starts = _cumulated(kept)[q_starts]
    ones = np.ones(starts[-1], np.uint16)
    return csr_array((ones, place[q_columns[kept]], starts), shape=(len(starts) - 1, len(dense))) @ dense


def _levels(rows: CountRows) -> np.ndarray:
    """One key per (environment, level reached), molecule after molecule: uint64 [sum of totals]."""
    before = _cumulated(rows.counts)[:-1]
    level = np.arange(rows.counts.sum(dtype=np.int64)) - np.repeat(before, rows.counts)
    return np.repeat(rows.ids.astype(np.uint64) << np.uint64(16), rows.counts) + level.astype(np.uint64)


def _cumulated(sizes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Where each of the pieces starts, and where the last ends: int64 [N + 1]."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


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
    if not mol.GetRingInfo().NumRings():
        return ""  # RDKit's answer too, after taking a long chain apart atom by atom
    with quiet():
        return Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))
