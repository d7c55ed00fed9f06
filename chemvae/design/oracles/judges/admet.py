"""ADMET properties by ADMET-AI: ensembles of five graph networks on the data sets of the Therapeutics Data Commons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chemvae.chem.kind import oddities
from chemvae.design.oracles.judges.worker import JudgePackage, JudgeWorker
from chemvae.design.oracles.learned import split_kappa
from chemvae.design.oracles.uncertain import UncertainOracle
from chemvae.registry import find

ADMET_AI = JudgePackage("admet-ai", "admet_ai", "admet", "admet.py")
_predicted: dict[str, tuple[list[float], list[float]]] = {}
"""Canonical SMILES -> means and spreads of all properties: several goals are one prediction."""


class AdmetOracle(UncertainOracle):
    """Properties that ADMET-AI predicts, the mean of five models; their spread stands for the uncertainty.

    A classification is the probability of what its name says, 0..1. The spread says where the five models disagree. It is no
    calibrated interval: where all five are wrong alike it is small.

    Parameters
    ----------
    *names : str
        Of properties, case does not matter; a beginning that only one has is enough: "Solubility".
    kappa : float, optional
        As in :class:`PredictorOracle`.

    Raises
    ------
    MissingExtraError
        If ADMET-AI is not installed, here or where ``CHEMVAE_ADMET_PYTHON`` points to.
    UnknownNameError
        If it predicts no such property.

    References
    ----------
    Swanson et al., ADMET-AI, 2024. https://doi.org/10.1093/bioinformatics/btae416
    """

    def __init__(self, *names: str, kappa: float | None = None):
        told = self._worker(f"'admet:{', '.join(names)}'").facts
        self.names = tuple(find_beginning(told["names"], name) for name in names)
        self.kappa, self._columns = kappa, [told["names"].index(name) for name in self.names]
        self._told = {name: told["facts"].get(name, {}) for name in self.names}
        self.label = f"admet:{', '.join(self.names)}"

    def estimate(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Predict: [N, P] each."""
        new = [text for text in dict.fromkeys(smiles) if text not in _predicted]
        if new:
            answer = self._worker(self.label).ask({"smiles": new})
            _predicted.update(zip(new, zip(answer["mean"], answer["std"], strict=True), strict=True))
        rows = np.array([_predicted[text] for text in smiles], dtype=float).reshape(len(smiles), 2, -1)[:, :, self._columns]
        return rows[:, 0], rows[:, 1]

    def warnings(self, smiles: Sequence[str]) -> list[list[str]]:
        """Molecules of a kind that the data sets hardly hold: salts, metals, unusual elements."""
        words = ["; ".join(oddities(text)) for text in smiles]
        return [[f"hardly of a kind that was learned from: {word}" if word else ""] * len(self.names) for word in words]

    def facts(self) -> list[dict[str, Any]]:
        """Nothing: the labels are not told with the models, so neither their range nor our own error on them is known."""
        return []

    def published(self) -> dict[str, dict[str, str]]:
        """Unit, kind, number of labels and published error (AUROC or MAE) of each property."""
        return self._told

    @staticmethod
    def _worker(purpose: str) -> JudgeWorker:
        return ADMET_AI.worker(purpose)


def find_beginning(names: Sequence[str], wanted: str) -> str:
    """The name that is meant, by all of it or by a beginning that only one has, whatever the case.

    Raises
    ------
    UnknownNameError

    Examples
    --------
    >>> find_beginning(["hERG", "Solubility_AqSolDB"], "solubility"), find_beginning(["NR-AR", "NR-AR-LBD"], "nr-ar")
    ('Solubility_AqSolDB', 'NR-AR')
    """
    alike = [name for name in names if name.lower().startswith(wanted.strip().lower())]
    exact = [name for name in alike if name.lower() == wanted.strip().lower()]
    if exact or len(alike) == 1:
        return (exact or alike)[0]
    return find({name: None for name in names}, wanted.strip(), "property of ADMET-AI")[0]


def make_admet(argument: str, model: Any) -> AdmetOracle:
    """``NAME[,kappa=K]``."""
    name, kappa = split_kappa(argument)
    return AdmetOracle(name, kappa=kappa)
