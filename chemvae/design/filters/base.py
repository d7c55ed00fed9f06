"""What a filter is: a condition on molecules, with a label that rejections are counted under."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np


class Filter(ABC):
    """A condition on molecules."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The condition in a few words; rejections are counted under it."""

    @abstractmethod
    def allows(self, smiles: Sequence[str]) -> np.ndarray:
        """Tell for valid molecules which fulfil it: bool [N]."""

    def explain(self, smiles: str) -> str:
        """Say what a molecule that does not fulfil it does wrong."""
        return self.label
