"""How an optimizer judges molecules that came out of its points and that nobody has paid for yet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from chemvae.chem.fingerprints import CountRows, unfolded_counts
from chemvae.design.optimizer import Archive
from chemvae.design.surrogate import PredictedUtility
from chemvae.design.tanimoto import TanimotoGP

MIN_POINTS = 8


class TanimotoChooser:
    """A Gaussian process with a Tanimoto kernel on what was scored, over the predicted utility where that is known.

    Parameters
    ----------
    predicted : PredictedUtility, optional
        Its utility is the process's mean if it knows the goals.
    """

    def __init__(self, predicted: PredictedUtility | None = None):
        self.predicted = predicted if predicted is not None and predicted.is_complete else None
        self.gp = TanimotoGP()
        self._told = 0
        self._place: dict[str, int] = {}  # of the molecules judged since the last score, in self._counts
        self._counts = unfolded_counts([])

    def refresh(self, archive: Archive) -> bool:
        """Learn what was scored since; tell whether that is enough to go by."""
        if len(archive) < MIN_POINTS:
            return False
        new = [i for i in range(self._told, len(archive)) if archive.smiles[i]]
        if new:
            self.gp.extend(unfolded_counts([archive.smiles[i] for i in new]), archive.y[new] - self._mean(archive.codes[new]))
            self._place, self._counts = {}, unfolded_counts([])
        self._told = len(archive)
        return len(self.gp) >= MIN_POINTS

    def judge(self, smiles: Sequence[str], codes: Tensor, kappa: float) -> Tensor:
        """Upper confidence bound [M] of each molecule's utility; codes [M, D]."""
        return self.gp.bound(self._rows(smiles), kappa) + self._mean(codes)

    def choose(self, smiles: Sequence[str], codes: Tensor, n: int, kappa: float) -> list[int]:
        """Indices of n molecules of high bound, each pick taking away the doubt about its likes; best first."""
        return self.gp.choose(self._rows(smiles), n, kappa, offset=self._mean(codes))

    def _mean(self, codes: Tensor) -> Tensor:
        if self.predicted is None:
            return torch.zeros(len(codes), dtype=torch.float64)
        with torch.no_grad():
            return self.predicted.lower_bound(codes, 0.0)

    def _rows(self, smiles: Sequence[str]) -> CountRows:
        missing = list(dict.fromkeys(text for text in smiles if text not in self._place))
        self._place |= {text: len(self._counts) + i for i, text in enumerate(missing)}
        self._counts = self._counts + unfolded_counts(missing)
        return self._counts[[self._place[text] for text in smiles]]
