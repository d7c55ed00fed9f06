"""A filter on plausibility: no ring system and no bond that is in no known molecule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chemvae.chem.plausibility.known import DEFAULT_TABLE, TABLES, strangeness
from chemvae.design.filters.base import Filter
from chemvae.registry import find


@dataclass(frozen=True)
class Plausible(Filter):
    """Ring systems that are known in ChEMBL, in whatever configuration, and bonds unless the table says rings alone.

    Examples
    --------
    >>> Plausible().allows(["c1ccccc1CCN", "C1=CC2=CC1=CC2"])
    array([ True, False])
    >>> Plausible().explain("C1=CC2=CC1=CC2")
    'known in chembl: ring system C1=CC2=CC1=CC2; bond in ...'
    """

    table: str = DEFAULT_TABLE
    """Of :data:`chemvae.chem.plausibility.known.TABLES`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", find(TABLES, self.table, "table of known molecules")[0])

    @property
    def label(self) -> str:
        """The table."""
        return f"known in {self.table}"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Look up each ring system and bond."""
        return np.array([not strangeness(text, self.table) for text in smiles], dtype=bool)

    def explain(self, smiles: str) -> str:
        """The label, and what is not known."""
        return f"{self.label}: {strangeness(smiles, self.table)}"
