"""Molecules as a process on structures and descriptors sees them: Morgan counts, and what RDKit computes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from rdkit import Chem

from chemvae.chem.fingerprints import CountRows, unfolded_counts
from chemvae.chem.molecules import parse, quiet
from chemvae.chem.properties import PROPERTIES

DESCRIPTORS = ("logP", "qed", "SAS", "TPSA", "MW", "HBD", "rotatable_bonds", "aromatic_rings", "fraction_csp3")
"""What many goals rise or fall with, each cheap to compute."""
MOST_REMEMBERED = 50_000
WIDEST = 3.0  # a quarter of the usual range is one unit, and nothing counts as further than this from the middle


@dataclass(frozen=True)
class DescribedRows:
    """N molecules: their Morgan counts, and their descriptors when somebody looks at them.

    Examples
    --------
    >>> rows = DescribedRows.of(["CCO", "c1ccccc1"])
    >>> len(rows), rows[1:].smiles, rows.values.shape, len(rows + rows[:1])
    (2, ['c1ccccc1'], (2, 9), 3)
    """

    counts: CountRows
    smiles: list[str]

    @classmethod
    def of(cls, smiles: Sequence[str]) -> DescribedRows:
        """Molecules by their SMILES; what cannot be read has no counts."""
        return cls(unfolded_counts(smiles), list(smiles))

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, rows: Any) -> DescribedRows:
        chosen = np.arange(len(self))[rows].reshape(-1)
        return DescribedRows(self.counts[chosen], [self.smiles[i] for i in chosen.tolist()])

    def __add__(self, other: DescribedRows) -> DescribedRows:
        return DescribedRows(self.counts + other.counts, self.smiles + other.smiles)

    @property
    def totals(self) -> np.ndarray:
        """As :attr:`CountRows.totals`."""
        return self.counts.totals

    @property
    def values(self) -> np.ndarray:
        """Descriptors [N, P], in quarters of their usual ranges about the middle."""
        return np.array([descriptors(text) for text in self.smiles], dtype=float).reshape(len(self), len(DESCRIPTORS))


@lru_cache(MOST_REMEMBERED)
def descriptors(smiles: str) -> tuple[float, ...]:
    """Descriptors [P] of one molecule, in quarters of their usual ranges about the middle; 0 for what has no value."""
    mol = parse(smiles)
    return (0.0,) * len(DESCRIPTORS) if mol is None else tuple(_scaled(name, mol) for name in DESCRIPTORS)


def _scaled(name: str, mol: Chem.Mol) -> float:
    row = PROPERTIES[name]
    with quiet():
        value = float(row.function(mol))
    scaled = (value - (row.low + row.high) / 2) / ((row.high - row.low) / 4)
    return min(max(scaled, -WIDEST), WIDEST) if scaled == scaled else 0.0
