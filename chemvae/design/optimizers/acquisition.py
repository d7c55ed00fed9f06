"""How an optimizer judges molecules that came out of its points and that nobody has paid for yet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import count_tanimoto, unfolded_counts
from chemvae.design.optimizers.archive import Archive
from chemvae.design.surrogates.described import DescribedRows
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.design.surrogates.structure_gp import StructureGP

MIN_POINTS = 8
ALIKE = 0.6


class TanimotoAcquisition:
    """A Gaussian process on structures and descriptors of what was scored, over the predicted utility where that is known.

    Parameters
    ----------
    predicted : PredictedUtility, optional
        Its utility is the process's mean if it knows the goals.
    """

    def __init__(self, predicted: PredictedUtility | None = None):
        self.predicted = predicted if predicted is not None and predicted.is_complete else None
        self.gp = StructureGP()
        self._told = 0
        self._place: dict[str, int] = {}  # of the molecules judged since the last score, in self._counts
        self._counts = DescribedRows.of([])
        self._bounds, self._kappa = torch.empty(0, dtype=torch.float64), math.nan  # of the same molecules, NaN if not asked for

    def refresh(self, archive: Archive) -> bool:
        """Learn what was scored since; tell whether that is enough to go by."""
        if len(archive) < MIN_POINTS:
            return False
        counts = DescribedRows.of(archive.smiles[self._told :])
        new = np.flatnonzero(counts.totals)  # none for a point without a molecule, or for one that RDKit will not read again
        if len(new):
            rows = self._told + torch.from_numpy(new)
            self.gp.extend(counts[new], archive.y[rows] - self._mean(archive.codes, rows))
            self._forget()
        self._told = len(archive)
        return len(self.gp) >= MIN_POINTS

    @property
    def needs_codes(self) -> bool:
        """Whether the molecules' codes enter its judgement: only where the predictor knows the goals."""
        return self.predicted is not None

    def score(self, smiles: Sequence[str], codes: Tensor | None, kappa: float) -> Tensor:
        """Upper confidence bound [M] of each molecule's utility; codes [M, D], None where it does not need them."""
        counts = self._rows(smiles)
        read = np.flatnonzero(counts.totals)
        value = torch.full((len(smiles),), -torch.inf, dtype=torch.float64)
        value[read] = self._bound(smiles, counts, kappa)[read] + self._mean(codes, read)
        return value

    def select_batch(self, smiles: Sequence[str], codes: Tensor | None, n: int, kappa: float) -> list[int]:
        """Indices of n molecules of high bound, each pick taking away the doubt about its likes; best first. Codes as above."""
        counts = self._rows(smiles)
        read = np.flatnonzero(counts.totals)
        bound = self._bound(smiles, counts, kappa)[read]
        return read[self.gp.select_batch(counts[read], n, kappa, offset=self._mean(codes, read), bound=bound)].tolist()

    def count_similar(self, smiles: Sequence[str]) -> Tensor:
        """How many of the molecules before it each molecule resembles (Tanimoto of counts > 0.6): [M]."""
        counts = unfolded_counts(smiles)
        alike = torch.from_numpy(np.nan_to_num(count_tanimoto(counts, counts)) > ALIKE)
        return alike.tril(-1).sum(dim=1)

    def _mean(self, codes: Tensor | None, rows: np.ndarray | Tensor) -> Tensor:
        """The process's mean at some rows of the codes [R]: what the predictor says, or 0."""
        if self.predicted is None:
            return torch.zeros(len(rows), dtype=torch.float64)
        assert codes is not None, "needs_codes is asked first"
        with torch.no_grad():
            return self.predicted.lower_bound(codes[rows], 0.0)

    def _bound(self, smiles: Sequence[str], counts: DescribedRows, kappa: float) -> Tensor:
        """The process's bound of each molecule [M], remembered until the next score; NaN for what cannot be read."""
        if kappa != self._kappa:
            self._bounds, self._kappa = torch.empty(0, dtype=torch.float64), kappa
        place = torch.tensor([self._place[text] for text in smiles], dtype=torch.long)
        self._bounds = torch.cat([self._bounds, torch.full((len(self._counts) - len(self._bounds),), torch.nan).double()])
        new = np.flatnonzero(self._bounds[place].isnan().numpy() & (counts.totals > 0))
        self._bounds[place[new]] = self.gp.bound(counts[new], kappa)
        return self._bounds[place]

    def _forget(self) -> None:
        """Drop what was remembered of molecules that nobody had paid for: the process has changed."""
        self._place, self._counts = {}, DescribedRows.of([])
        self._bounds = self._bounds[:0]

    def _rows(self, smiles: Sequence[str]) -> DescribedRows:
        missing = list(dict.fromkeys(text for text in smiles if text not in self._place))
        self._place |= {text: len(self._counts) + i for i, text in enumerate(missing)}
        self._counts = self._counts + DescribedRows.of(missing)
        return self._counts[[self._place[text] for text in smiles]]
