"""What a search's table says of each molecule beside its score: every goal, and every property that a constraint is about.

A column is called as its property and holds what is computed of it, else what is predicted; then ``P_low`` and ``P_high`` are
the ends of its 90 % interval. ``P_scored`` is what the search scored in place of the prediction (the cautious end of the
interval: :mod:`chemvae.design.oracles.uncertain`), and ``P_warning`` what is to be said against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES, affordable, compute_table
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.filters.property_bounds import Constraint, Range
from chemvae.design.results.learned import intervals
from chemvae.design.results.result import Result
from chemvae.models.vae import MolVAE
from chemvae.naming import prediction_columns
from chemvae.qsar.model import HALF_WIDTH

ENDS = {"": 0.0, "_low": -HALF_WIDTH, "_high": HALF_WIDTH}
"""Ends of a column's name, and how many standard deviations from the mean it lies."""


class Values:
    """The properties that a search is about.

    Parameters
    ----------
    model : MolVAE
    settings : dict
        Of the job.
    """

    def __init__(self, model: MolVAE, settings: dict[str, Any]):
        self.model = model
        asked = [one["name"] for one in settings.get("goals") or []]
        bounds = gather_constraints(settings.get("constraints") or [])
        asked += [one.name for one in bounds if isinstance(one, (Constraint, Range))]
        computed = {name.lower(): name for name in affordable(list(PROPERTIES))}
        predicted = {name.lower(): name for name in model.property_names}
        lower = dict.fromkeys(name.lower() for name in asked)
        self.computed = [computed[name] for name in lower if name in computed]
        self.predicted = [predicted[name] for name in lower if name in predicted and name not in computed]

    def of(self, smiles: Sequence[str], known: pd.DataFrame | None = None) -> pd.DataFrame:
        """The values of canonical molecules: [N, P]; NaN where there is none.

        Parameters
        ----------
        smiles : sequence of str, length N
        known : DataFrame [N, ...], optional
            Computed values that need not be computed again.
        """
        known = pd.DataFrame() if known is None else known
        there = [name for name in self.computed if name in known]
        table = compute_table(list(smiles), [name for name in self.computed if name not in there])
        for name in there:
            table[name] = known[name].to_numpy(dtype=float)
        return table[self.computed].join(self._predictions(smiles))

    def _predictions(self, smiles: Sequence[str]) -> pd.DataFrame:
        """What the model predicts of them, with the ends of the intervals."""
        told = self.model.predict(list(smiles)) if self.predicted and len(smiles) else pd.DataFrame()
        named = prediction_columns(self.model.property_names)[0]
        found: dict[str, Any] = {}
        for name in self.predicted:
            mean, std = (told[one].to_numpy(dtype=float) if len(told) else np.zeros(0) for one in named[name])
            found |= {f"{name}{end}": mean + k * std for end, k in ENDS.items()}
        return pd.DataFrame(found, index=range(len(smiles)))

    def beside(self, result: Result) -> pd.DataFrame:
        """The history of a search with the values of each molecule; what was scored in place of a prediction says so."""
        history = result.history.reset_index(drop=True)
        scored = history[[name for name in _names(result) if name in history]]
        own = history.drop(columns=[*scored.columns, *(f"{name}_learned" for name in scored)], errors="ignore")
        goals = result.utility.names
        found = self.of(
            own["smiles"], own.rename(columns={"score": goals[0]}) if len(goals) == 1 and not _names(result) else own
        )
        found = self._learned(found, result, own["smiles"].tolist(), scored)
        own = own.drop(columns=[name for name in found if name in own])
        place = own.columns.get_loc("score") + 1
        return pd.concat([own.iloc[:, :place], found, own.iloc[:, place:]], axis=1)

    def _learned(self, found: pd.DataFrame, result: Result, smiles: list[str], scored: pd.DataFrame) -> pd.DataFrame:
        """The values with what the oracles that predict say of N molecules; a warning where one of these has one."""
        told = intervals(result.predictors, smiles)
        columns = {name: found[name] for name in found}
        for name in _names(result):
            mine = f"{name}_predicted" if name in self.computed else name
            columns |= {f"{mine}{end}": told[f"{name}_learned{end}"] for end in ENDS}
            if name in scored:
                columns[f"{mine}_scored"] = scored[name]
            if (told[f"{name}_learned_warning"] != "").any():
                columns[f"{mine}_warning"] = told[f"{name}_learned_warning"]
        return pd.DataFrame(columns, index=found.index)


def _names(result: Result) -> list[str]:
    """What the oracles of a search predict."""
    return list(dict.fromkeys(name for one in result.predictors for name in one.names))
