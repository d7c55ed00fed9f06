"""Constraints: what a molecule must fulfil to be sent to the oracle. They hold by construction in everything returned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from chemvae.chem.properties import PROPERTIES
from chemvae.chem.property_table import PropertyTable
from chemvae.design.filters.base import Filter
from chemvae.design.filters.novelty import Novel
from chemvae.design.filters.property_bounds import Constraint, Range
from chemvae.errors import UnknownNameError
from chemvae.naming import prediction_columns
from chemvae.registry import find

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


MOST_REMEMBERED = 100_000  # verdicts: the same molecules come back, round after round


class FilterChain:
    """Checks molecules against all constraints and counts, under their labels, how many distinct ones each turned away.

    Properties that RDKit computes come from RDKit; others from the model's predictor.

    Parameters
    ----------
    filters : sequence of Filter
    model : MolVAE, optional
    computed : PropertyTable, optional
        What is known of molecules: it is not computed again, and what is computed here goes into it.

    Raises
    ------
    UnknownNameError
        If a constraint names a property that is neither computed nor predicted.
    SettingsError
        If molecules must be new to a model that keeps no index of its training set.

    Examples
    --------
    >>> gate = FilterChain([Constraint("rings", ">", 0), Constraint("HBD", "<", 1)])
    >>> gate.reasons(["c1ccccc1", "CCO", "CCC"]), dict(gate.counts)
    (['', 'rings > 0', 'rings > 0'], {'rings > 0': 2, 'HBD < 1': 1})
    """

    def __init__(self, filters: Sequence[Filter], model: MolVAE | None = None, computed: PropertyTable | None = None):
        self.filters = [Novel(model) if isinstance(item, Novel) and item.model is None else item for item in filters]
        self.model = model
        self.computed = PropertyTable() if computed is None else computed
        self.counts: Counter[str] = Counter({item.label: 0 for item in self.filters})
        self._reasons: dict[str, str] = {}  # of the last molecules that were asked for
        self._refused: set[int] = set()  # hashes of all that were turned away, each of which counts once
        bounds = [item for item in self.filters if isinstance(item, (Constraint, Range))]
        self._sources = {item.name: self._source(item.name) for item in bounds}

    def reasons(self, smiles: Sequence[str]) -> list[str]:
        """Say for each canonical molecule what is wrong by the first constraint it breaks, "" if it breaks none."""
        if not self.filters:
            return [""] * len(smiles)
        new = [text for text in dict.fromkeys(smiles) if text not in self._reasons]
        if new:
            self._judge(new)
        found = [self._reasons[text] for text in smiles]
        for text in list(islice(self._reasons, max(len(self._reasons) - MOST_REMEMBERED, 0))):
            del self._reasons[text]
        return found

    def _judge(self, smiles: list[str]) -> None:
        table = self._properties(smiles)
        first, is_new = [""] * len(smiles), np.array([hash(text) not in self._refused for text in smiles], dtype=bool)
        for item in self.filters:
            fine = item.holds(table[item.name]) if isinstance(item, (Constraint, Range)) else item.allows(smiles)
            self.counts[item.label] += int((is_new & ~fine).sum())
            for i in np.flatnonzero(~fine):
                first[i] = first[i] or item.explain(smiles[i])
        self._reasons.update(zip(smiles, first, strict=True))
        self._refused |= {hash(text) for text, why in zip(smiles, first, strict=True) if why}

    def _properties(self, smiles: list[str]) -> dict[str, np.ndarray]:
        computed = sorted({key for kind, key in self._sources.values() if kind == "computed"})
        frames = self.computed.compute(smiles, computed) if computed else {}
        needs_model = any(kind == "predicted" for kind, _ in self._sources.values())
        predicted, named = {}, {}
        if self.model is not None and needs_model:
            predicted, named = self.model.predict(smiles), prediction_columns(self.model.property_names)[0]
        return {
            name: np.asarray(frames[key] if kind == "computed" else predicted[named[key][0]], dtype=float)
            for name, (kind, key) in self._sources.items()
        }

    def _source(self, name: str) -> tuple[str, str]:
        try:
            return "computed", find(PROPERTIES, name, "property")[0]
        except UnknownNameError:
            predicted = {key: None for key in getattr(self.model, "property_names", ())}
            if name.lower() in (key.lower() for key in predicted):
                return "predicted", find(predicted, name, "property")[0]
            return find({key: None for key in (*PROPERTIES, *predicted)}, name, "property")  # raises, naming the choices
