"""A filter on novelty: no molecule that the model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chemvae.design.filters.base import Filter
from chemvae.errors import SettingsError

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

WORD = "novel"
"""How a constraint asks for it."""


class Novel(Filter):
    """Molecules that are not in the model's training set, told by its index of their hashes.

    Parameters
    ----------
    model : MolVAE, optional
        Whose set it is; a search fills it in.

    Raises
    ------
    SettingsError
        If the model keeps no index.
    """

    def __init__(self, model: MolVAE | None = None):
        if model is not None and model.is_known([]) is None:
            raise SettingsError(f"the model keeps no index of its training molecules, so that none can be called {WORD}")
        self.model = model

    def __repr__(self) -> str:
        return "Novel()"

    @property
    def label(self) -> str:
        """What is asked for."""
        return "new to the model"

    def explain(self, smiles: str) -> str:
        """What is wrong with one that is not new."""
        return f"{self.label}: it is in the training set"

    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Look up each canonical SMILES; without a model all are new."""
        known = None if self.model is None else self.model.is_known(list(smiles))
        return np.ones(len(smiles), dtype=bool) if known is None else ~known
