"""Breed molecules: crossover of two graphs and mutation of one, the operators of a graph-based genetic algorithm.

A crossover cuts both parents in the same manner, one single bond outside rings or two bonds of a ring, and joins a part of the
one to a part of the other (:mod:`.fragments`). The mutations are in :mod:`.mutation`. Parents are never changed. A
stereocentre keeps its sense, a new neighbour standing where the old one stood; a double bond may lose its.

Manners, probabilities and limits are those of Jensen's program. Departures: all pairs of bond orders are tried when a ring is
closed (his program loses half of them); a bond between opposite charges is not cut; a ring may be as large as the largest of
the parents; a salt loses its counterion in a crossover.

References
----------
Jensen, A graph-based genetic algorithm, 2019. https://doi.org/10.1039/C8SC05372C
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from rdkit import Chem

from chemvae.chem.ga.fragments import closures, cut_bond, cut_ring, join
from chemvae.chem.ga.graphs import draw, open_graph, shuffled
from chemvae.chem.ga.mutation import MUTATIONS
from chemvae.chem.molecules import canonicalize, parse, quiet

TRIES = 10
MAX_PLACES = 10
"""Places at which one mutation is tried before another is drawn."""
_STRAINED = [Chem.MolFromSmarts(smarts) for smarts in ("[R]=[R]=[R]", "[r3,r4]=[r3,r4]")]


@dataclass(frozen=True)
class Limits:
    """What a child may look like."""

    min_atoms: int = 6
    """Fewest heavy atoms."""
    mean_atoms: float = 39.15
    """A child has fewer heavy atoms than a number drawn for it; this is the mean of that number."""
    std_atoms: float = 3.5
    """And this its standard deviation."""
    max_ring: int = 6
    """Atoms of the largest ring, where the parents have no larger one."""

    @classmethod
    def covering(cls, smiles: Sequence[str]) -> Limits:
        """Widen the published limits until all but a hundredth of the given molecules lie within the mean limit.

        Examples
        --------
        >>> Limits.covering(["CCO", "C" * 60]).min_atoms, Limits.covering(["CCO", "C" * 60]).mean_atoms > 55
        (3, True)
        """
        sizes = [mol.GetNumHeavyAtoms() for mol in map(parse, smiles) if mol is not None]
        if not sizes:
            return cls()
        return cls(min_atoms=min(cls.min_atoms, *sizes), mean_atoms=max(cls.mean_atoms, float(np.percentile(sizes, 99))))


def crossover(mol_a: Chem.Mol, mol_b: Chem.Mol, rng: np.random.Generator, limits: Limits | None = None) -> Chem.Mol | None:
    """Join a part of one molecule to a part of another.

    Parameters
    ----------
    mol_a, mol_b : Mol
        The parents, sanitized.
    rng : numpy Generator
        Advanced by a number of draws that depends on the outcome.
    limits : Limits, optional
        Size and rings of the child; as published by default.

    Returns
    -------
    Mol or None
        Sanitized, one fragment, and neither of the parents; None if ten tries bring no such molecule.

    Examples
    --------
    >>> import numpy as np
    >>> child = crossover(parse("c1ccccc1CCO"), parse("C1CCNCC1C#N"), np.random.default_rng(0))
    >>> child.GetNumAtoms() >= 6
    True
    """
    with quiet():
        return _cross(open_graph(mol_a), open_graph(mol_b), rng, limits or Limits())


def mutate(mol: Chem.Mol, rng: np.random.Generator, limits: Limits | None = None) -> Chem.Mol | None:
    """Make one small edit: add, insert, delete or exchange an atom, change a bond's order, open or close a ring.

    Parameters
    ----------
    mol : Mol
        Sanitized.
    rng : numpy Generator
    limits : Limits, optional
        As published by default.

    Returns
    -------
    Mol or None
        Sanitized; None if ten draws bring none within the limits.

    Examples
    --------
    >>> import numpy as np
    >>> Chem.MolToSmiles(mutate(parse("CCCCCO"), np.random.default_rng(0))) == "CCCCCO"
    False
    """
    with quiet():
        return _mutate(open_graph(mol), rng, limits or Limits())


def offspring(
    parents: Sequence[str], n: int, rng: np.random.Generator, mutation_rate: float = 0.067, limits: Limits | None = None
) -> list[str]:
    """Draw n pairs of parents, cross each pair, and mutate some of the children.

    Parameters
    ----------
    parents : sequence of SMILES
        Drawn with equal chances: give one more often to prefer it. What is not a molecule is passed over.
    n : int
        Pairs drawn.
    rng : numpy Generator
    mutation_rate : float
        Share of the children that are mutated.
    limits : Limits, optional
        As published by default.

    Returns
    -------
    list of str, at most n
        Canonical, distinct, none of them a parent as written; fewer where pairs have no child.

    Examples
    --------
    >>> import numpy as np
    >>> children = offspring(["c1ccccc1CCO", "C1CCNCC1C#N"], 5, np.random.default_rng(0), mutation_rate=0.5)
    >>> all(canonicalize(child) == child for child in children)
    True
    """
    return [child.smiles for child in breed(parents, n, rng, mutation_rate, limits)]


class Child(NamedTuple):
    """A molecule that was bred."""

    smiles: str
    """Canonical."""
    parents: tuple[str, str]
    """As they were given."""
    is_mutated: bool


def breed(
    parents: Sequence[str], n: int, rng: np.random.Generator, mutation_rate: float = 0.067, limits: Limits | None = None
) -> list[Child]:
    """As :func:`offspring`, with the parents of each child."""
    limits = limits or Limits()
    pool = [(text, parent) for text in parents if (parent := _open_smiles(text)) is not None]
    known, children = set(parents), dict[str, Child]()
    with quiet():
        for _ in range(n if pool else 0):
            (one, a), (other, b) = (pool[i] for i in rng.integers(len(pool), size=2))
            child, is_mutated = _cross(a, b, rng, limits), False
            if child is not None and rng.random() < mutation_rate:
                child, is_mutated = _mutate(open_graph(child), rng, limits), True
            text = canonicalize(Chem.MolToSmiles(child)) if child is not None else None
            if text is not None and text not in known:
                children.setdefault(text, Child(text, (one, other), is_mutated))
    return list(children.values())


@lru_cache(maxsize=4096)
def _open_smiles(smiles: str) -> Chem.RWMol | None:
    """Parents come back in many generations; what is kept here is never edited."""
    mol = parse(smiles)
    return None if mol is None else open_graph(mol)


def _cross(a: Chem.Mol, b: Chem.Mol, rng: np.random.Generator, limits: Limits) -> Chem.Mol | None:
    """:func:`crossover` of open molecules."""
    for _ in range(TRIES):
        cut = cut_bond if rng.random() < 0.5 else cut_ring
        parts_a, parts_b = cut(a, rng), cut(b, rng)
        plans = [plan for p in parts_a for q in parts_b for plan in closures(p, q)]
        for p, q, orders in shuffled(rng, plans):
            child = _judged(join(a, p, b, q, orders), (a, b), rng, limits)
            if child is not None and not any(_is_same(child, parent) for parent in (a, b)):
                return child
    return None


def _mutate(mol: Chem.Mol, rng: np.random.Generator, limits: Limits) -> Chem.Mol | None:
    """:func:`mutate` of an open molecule."""
    for _ in range(TRIES):
        edit = draw(rng, MUTATIONS)
        for edited in islice(edit(mol, rng), MAX_PLACES):
            child = _judged(edited, (mol,), rng, limits)
            if child is not None:
                return child
    return None


def _judged(
    edited: Chem.RWMol | None, parents: Sequence[Chem.Mol], rng: np.random.Generator, limits: Limits
) -> Chem.Mol | None:
    """The sanitized molecule, or None if it is impossible, too small, too large, or its rings are too large or too strained."""
    if edited is None or not limits.min_atoms <= edited.GetNumAtoms() < rng.normal(limits.mean_atoms, limits.std_atoms):
        return None
    if Chem.SanitizeMol(edited, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    if _largest_ring(edited) > max(limits.max_ring, *map(_largest_ring, parents)):
        return None
    if any(edited.HasSubstructMatch(pattern) for pattern in _STRAINED):
        return None
    Chem.AssignStereochemistry(edited, cleanIt=True, force=True)
    return Chem.Mol(edited)


def _largest_ring(mol: Chem.Mol) -> int:
    return max(map(len, mol.GetRingInfo().AtomRings()), default=0)


def _is_same(mol: Chem.Mol, parent: Chem.Mol) -> bool:
    """Whether a child is its (open) parent."""
    if mol.GetNumAtoms() != parent.GetNumAtoms():
        return False
    known = Chem.Mol(parent)
    Chem.SanitizeMol(known)  # aromatic again, as the child is
    return Chem.MolToSmiles(mol) == Chem.MolToSmiles(known)
