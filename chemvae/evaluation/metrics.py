"""Measures of a set of molecules, and of predictions against labels. No model in here.

A *generated* list holds one entry per decode: a canonical SMILES, or None where the decode was no molecule, as
:func:`chemvae.chem.molecules.canonicalize` returns them (NaN, which pandas makes of None, means the same). Rates name their
denominator. Definitions follow MOSES (Polykovskiy et al., 2020, https://arxiv.org/abs/1811.12823) where it has one, so that
figures can stand beside its table.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from chemvae.chem.fingerprints import morgan, scaffold
from chemvae.chem.molecules import parse, quiet
from chemvae.parallel import map_ordered

RADIUS, N_BITS = 2, 1024  # MOSES; similarity elsewhere in chemvae uses 2048 bits
MIN_SCAFFOLD_RINGS = 2  # MOSES
BLOCK_ROWS = 512  # rows of a similarity block in memory at a time
COVERAGE_Z = 1.6448536269514722  # standard normal quantile of 0.95: 90 % lie within +- this


def validity(generated: Sequence[str | None]) -> float:
    """Share of decodes that are molecules; NaN for an empty list.

    Examples
    --------
    >>> validity(["CCO", None, "CCO", "c1ccccc1"])
    0.75
    """
    return sum(isinstance(s, str) for s in generated) / len(generated) if len(generated) else math.nan


def unique_at(generated: Sequence[str | None], k: int | None = None) -> float:
    """Share of distinct molecules among the first ``k`` valid ones (all of them if there are fewer, or for None).

    Examples
    --------
    >>> unique_at(["CCO", None, "CCO", "CCN"]), unique_at(["CCO", None, "CCO", "CCN"], k=2)
    (0.6666666666666666, 0.5)
    """
    valid = [s for s in generated if isinstance(s, str)][:k]
    return len(set(valid)) / len(valid) if valid else math.nan


def novelty(generated: Sequence[str | None], known: Collection[str]) -> float:
    """Share of the distinct valid molecules that ``known`` (canonical SMILES; a set is fast) does not hold.

    Examples
    --------
    >>> novelty(["CCO", "CCO", "CCN", None], known={"CCO"})
    0.5
    """
    distinct = {s for s in generated if isinstance(s, str)}
    return sum(s not in known for s in distinct) / len(distinct) if distinct else math.nan


def internal_diversity(generated: Sequence[str | None] | np.ndarray, p: float = 1.0) -> float:
    """One minus the mean Tanimoto similarity over all ordered pairs, each molecule with itself included (IntDiv_p of MOSES).

    Parameters
    ----------
    generated : sequence of str or None, or their :func:`fingerprint_matrix`
        Valid ones count as often as they occur.
    p : float
        Exponent; 1 gives the plain mean, 2 punishes clusters: ``1 - mean(T**p)**(1/p)``.

    Returns
    -------
    float
        In 0..1; NaN if nothing is valid.

    Examples
    --------
    >>> internal_diversity(["CCO", "CCO"]), internal_diversity(["CC", "O"])
    (0.0, 0.5)
    """
    bits = fingerprint_matrix(generated)
    n = len(bits)
    if n == 0:
        return math.nan
    total = 0.0
    for start in range(0, n, BLOCK_ROWS):  # similarity is symmetric: blocks right of the diagonal count twice
        rows = bits[start : start + BLOCK_ROWS]
        diagonal = (_block(rows, rows) ** p).sum(dtype=np.float64)
        total += diagonal + sum(2 * (s**p).sum(dtype=np.float64) for s in _blocks(rows, bits[start + BLOCK_ROWS :]))
    return float(1.0 - (total / n**2) ** (1.0 / p))


def snn(generated: Sequence[str | None] | np.ndarray, reference: Sequence[str | None] | np.ndarray) -> float:
    """Mean Tanimoto similarity of a generated molecule to its nearest neighbour in the reference; NaN if either is empty.

    Examples
    --------
    >>> snn(["CCO", None], ["OCC", "CCCC"])
    1.0
    """
    query, target = fingerprint_matrix(generated), fingerprint_matrix(reference)
    if len(query) == 0 or len(target) == 0:
        return math.nan
    nearest = [
        np.max([block.max(axis=1) for block in _blocks(query[start : start + BLOCK_ROWS], target)], axis=0)
        for start in range(0, len(query), BLOCK_ROWS)
    ]
    return float(np.concatenate(nearest).mean(dtype=np.float64))


def fingerprint_matrix(molecules: Sequence[str | None] | np.ndarray) -> np.ndarray:
    """Morgan bits (radius 2, 1024) of the valid molecules, uint8 [n, 1024]; such a matrix comes back as it is.

    Examples
    --------
    >>> fingerprint_matrix(["CCO", None, "CCO"]).shape
    (2, 1024)
    """
    if isinstance(molecules, np.ndarray) and molecules.dtype == np.uint8:
        return molecules
    valid = [s for s in molecules if isinstance(s, str)]
    distinct = list(dict.fromkeys(valid))
    bits = np.zeros((len(distinct), N_BITS), np.uint8)
    for start in range(0, len(distinct), BLOCK_ROWS):  # RDKit's molecules are large: few at a time
        vectors = morgan(distinct[start : start + BLOCK_ROWS], radius=RADIUS, n_bits=N_BITS)
        for row, vector in enumerate(vectors, start):
            if vector is not None:
                bits[row, list(vector.GetOnBits())] = 1
    rows = {s: row for row, s in enumerate(distinct) if bits[row].any()}  # without a bit there is no molecule
    return bits[[rows[s] for s in valid if s in rows]]


def _blocks(rows: np.ndarray, columns: np.ndarray, width: int = 8 * BLOCK_ROWS) -> Iterator[np.ndarray]:
    for start in range(0, len(columns), width):
        yield _block(rows, columns[start : start + width])


def _block(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Tanimoto similarity [n, m] of two bit matrices: |a and b| / (|a| + |b| - |a and b|). Counts are exact in float32."""
    a, b = rows.astype(np.float32), columns.astype(np.float32)
    both = a @ b.T
    return both / (a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - both)


def scaffold_similarity(generated: Sequence[str | None], reference: Sequence[str | None], jobs: int = 1) -> float:
    """Cosine between the counts of Murcko scaffolds with at least two rings (Scaf of MOSES).

    Examples
    --------
    >>> scaffold_similarity(["Cc1ccc2ccccc2c1"], ["c1ccc2ccccc2c1", "c1ccccc1"])
    1.0
    """
    return _cosine(_counts(_ring_scaffold, generated, jobs), _counts(_ring_scaffold, reference, jobs))


def fragment_similarity(generated: Sequence[str | None], reference: Sequence[str | None], jobs: int = 1) -> float:
    """Cosine between the counts of BRICS fragments (Frag of MOSES; Degen et al., 2008, https://doi.org/10.1002/cmdc.200800178).

    Examples
    --------
    >>> fragment_similarity(["CCO"], ["OCC"]), fragment_similarity(["CCO"], ["CCN"])
    (1.0, 0.0)
    """
    return _cosine(_counts(brics_fragments, generated, jobs), _counts(brics_fragments, reference, jobs))


def brics_fragments(smiles: str) -> list[str]:
    """Break all BRICS bonds at once and return the pieces, with the numbered link atoms; [] if it is not a molecule.

    Examples
    --------
    >>> sorted(brics_fragments("CCNC(=O)c1ccccc1"))
    ['[1*]C([6*])=O', '[16*]c1ccccc1', '[4*]CC', '[5*]N[5*]']
    """
    mol = parse(smiles)
    if mol is None:
        return []
    with quiet():
        return Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol)).split(".")


def _ring_scaffold(smiles: str) -> list[str]:
    core = scaffold(smiles)
    mol = parse(core) if core else None
    return [core] if core and mol is not None and rdMolDescriptors.CalcNumRings(mol) >= MIN_SCAFFOLD_RINGS else []


def _counts(function: Callable[[str], list[str]], molecules: Iterable[str | None], jobs: int) -> Counter[str]:
    """Count what ``function`` finds, computing each distinct molecule once."""
    times = Counter(s for s in molecules if isinstance(s, str))
    counts: Counter[str] = Counter()
    for found, n in zip(map_ordered(function, list(times), jobs=jobs, chunk=256), times.values(), strict=True):
        for piece in found:
            counts[piece] += n
    return counts


def _cosine(a: Counter[str], b: Counter[str]) -> float:
    """Cosine of two count vectors; NaN if one is empty."""
    lengths = math.sqrt(sum(n * n for n in a.values())) * math.sqrt(sum(n * n for n in b.values()))
    return min(sum(n * b[key] for key, n in a.items()) / lengths, 1.0) if lengths else math.nan


def regression(labels: np.ndarray, mean: np.ndarray, std: np.ndarray | None = None) -> dict[str, float]:
    """Errors of predictions against labels; pairs with a NaN in either are left out.

    Parameters
    ----------
    labels, mean : ndarray [N]
        In the data's unit.
    std : ndarray [N], optional
        Predicted standard deviation.

    Returns
    -------
    dict
        ``n``, ``mae`` and ``rmse`` (unit of the labels), ``r2`` (1 - residual / total sum of squares), ``spearman`` (average
        ranks for ties), ``coverage90`` (share of labels within mean +- 1.645 std). NaN where it is not defined: no pair; fewer
        than two distinct values for r2 and spearman; no std.

    Examples
    --------
    >>> regression(np.array([1.0, 2.0, 3.0, np.nan]), np.array([1.0, 2.0, 4.0, 9.0]), np.array([1.0, 1.0, 0.1, 1.0]))["mae"]
    0.3333333333333333
    """
    y, m = np.asarray(labels, float), np.asarray(mean, float)
    s = np.full_like(m, np.nan) if std is None else np.asarray(std, float)
    seen = np.isfinite(y) & np.isfinite(m)
    y, m, s = y[seen], m[seen], s[seen]
    if len(y) == 0:
        return {"n": 0} | dict.fromkeys(("mae", "rmse", "r2", "spearman", "coverage90"), math.nan)
    error = y - m
    total = float(((y - y.mean()) ** 2).sum())
    return {
        "n": len(y),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": 1.0 - float((error**2).sum()) / total if total > 0 else math.nan,
        "spearman": _correlation(*(pd.Series(v).rank().to_numpy() for v in (y, m))),
        "coverage90": float((np.abs(error) <= COVERAGE_Z * s).mean()) if np.isfinite(s).all() else math.nan,
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale > 0 else math.nan
