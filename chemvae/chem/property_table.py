"""Values of properties that have been computed once and are not computed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.registry import find

if TYPE_CHECKING:
    import pandas as pd


MOST_CHEAP = 100_000


class PropertyTable:
    """Properties of molecules, each value computed at most once; what others have computed can be put in.

    Of a property that is cheap it keeps the last 100,000 values, so that a long search does not fill the memory.

    It belongs to whoever makes it, such as one search, and is handed to all who ask for properties there. Molecules are told
    apart by their text, so they should be canonical.

    Examples
    --------
    >>> table = PropertyTable()
    >>> table.add("rings", "c1ccccc1", 7.0)
    >>> table.compute(["c1ccccc1", "CCO"], ["rings"])["rings"].tolist()
    [7.0, 0.0]
    """

    def __init__(self) -> None:
        self._values: dict[str, dict[str, float]] = defaultdict(dict)  # property -> SMILES -> value

    def add(self, name: str, smiles: str, value: float) -> None:
        """Take a value of a property (in the spelling of ``PROPERTIES``) that someone has computed; NaN is one too."""
        self._values[name][smiles] = value

    def knows(self, name: str, smiles: str) -> bool:
        """Whether a property (in the spelling of ``PROPERTIES``) of a molecule is known."""
        return smiles in self._values[name]

    def known(self, smiles: Sequence[str], name: str) -> np.ndarray:
        """The values of a property [N] as far as they are known; NaN for the others, and nothing is computed."""
        values = self._values[name]
        return np.array([values.get(text, np.nan) for text in smiles], dtype=float)

    def compute(self, smiles: Sequence[str], names: Iterable[str], jobs: int = 1) -> pd.DataFrame:
        """Give several properties of many molecules, computing what is not known.

        Parameters
        ----------
        smiles : sequence of str, length N
        names : iterable of str, length P
            Of :data:`PROPERTIES`, case does not matter; columns carry the table's spelling.
        jobs : int
            As for :func:`compute_table`.

        Returns
        -------
        DataFrame [N, P]

        Raises
        ------
        UnknownNameError
            If there is no such property.
        """
        import pandas as pd

        columns = [find(PROPERTIES, name, "property")[0] for name in names]
        for missing, texts in self._missing(smiles, columns).items():
            for name, values in compute_table(texts, missing, jobs).items():
                self._values[name].update(zip(texts, values.tolist(), strict=True))
                self._forget_oldest(name, max(MOST_CHEAP, len(texts)))
        return pd.DataFrame({name: self.known(smiles, name) for name in columns}, index=range(len(smiles)), columns=columns)

    def _forget_oldest(self, name: str, most: int) -> None:
        """Keep no more than so many values of a property that is cheap to compute again."""
        values = self._values[name]
        if len(values) > most and not PROPERTIES[name].is_dear:
            for text in list(islice(values, len(values) - most)):
                del values[text]

    def _missing(self, smiles: Sequence[str], columns: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
        """Which properties are to be computed, and of which distinct molecules."""
        work: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for text in dict.fromkeys(smiles):
            missing = tuple(name for name in columns if text not in self._values[name])
            if missing:
                work[missing].append(text)
        return work
