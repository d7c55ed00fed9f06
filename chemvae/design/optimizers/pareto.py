"""Several goals at once: a search for the front, where nothing can be had without giving up something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.design.optimizers.acquisition import MIN_POINTS, TanimotoAcquisition
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.base import Round
from chemvae.design.optimizers.latent_ga import LatentGA
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.surrogates.described import DescribedRows
from chemvae.design.surrogates.hypervolume import boxes, check_goals, choose_by_gain, expected_gain
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.design.surrogates.structure_gp import StructureGP
from chemvae.design.surrogates.tanimoto_gp import SHORTLIST

FLAT_SHARE = 0.05  # of the sum beside the smallest term, so that no goal is forgotten (Knowles 2006)


class ParetoGA(LatentGA):
    """The default search, for a front instead of one best molecule.

    Every goal has a Gaussian process of its own on the desirabilities, uncut. A round sets out in one direction of the front,
    drawn at random: its parents are those whose smallest weighted desirability (the augmented Chebyshev function) is largest.
    What is bred between two payments is judged by the hypervolume it would add at its confidence bounds, and what is paid for
    is chosen by expected hypervolume improvement, each choice taken as known for the next. With one goal it is the default
    search.

    Parameters
    ----------
    region, seed, predicted
        As for :class:`Optimizer`.
    **settings
        As for :class:`LatentGA`.

    Raises
    ------
    SettingsError
        For more than four goals.

    References
    ----------
    Random directions: Knowles, ParEGO, 2006. https://doi.org/10.1109/TEVC.2005.851274. Expected hypervolume improvement:
    Emmerich et al., 2006. https://doi.org/10.1109/TEVC.2005.859463. Its noisy, batched form: Daulton et al., 2021.
    https://arxiv.org/abs/2105.08195
    """

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None, **settings: Any):
        check_goals(1 if predicted is None else len(predicted.utility.goals))  # before anything is paid for
        super().__init__(region, seed, predicted, **settings)
        self._values: dict[str, Tensor] = {}
        self._weights: Tensor | None = None

    def on_scores(self, smiles: Sequence[str], desirabilities: np.ndarray) -> None:
        """Remember each goal's desirability [N, P] of molecules that have been scored."""
        if desirabilities.shape[1] == 1:
            return
        if not isinstance(self.acquisition, HypervolumeAcquisition):
            self.acquisition = HypervolumeAcquisition(self._values)
            self._turn(desirabilities.shape[1])
        rows = torch.as_tensor(desirabilities, dtype=torch.float64)
        self._values |= {text: row for text, row in zip(smiles, rows, strict=True) if text and row.isfinite().all()}

    def learn(self, last: Round) -> None:
        """Adapt as the default search does, and set out in another direction."""
        super().learn(last)
        if self._weights is not None:
            self._turn(len(self._weights))

    @property
    def _volume(self) -> HypervolumeAcquisition:
        """The acquisition of several goals, which the first scores bring."""
        assert isinstance(self.acquisition, HypervolumeAcquisition)
        return self.acquisition

    def _turn(self, n_goals: int) -> None:
        """Draw weights, evenly over those that add up to 1."""
        weights = -torch.rand(n_goals, generator=self.generator, dtype=torch.float64).clamp_min(1e-12).log()
        self._weights = self._volume.weights = weights / weights.sum()

    def _best_rows(self, k: int) -> Tensor:
        """Return the archive's k best rows in this round's direction."""
        if self._weights is None:
            return super()._best_rows(k)
        worth = chebyshev(self._volume.values_of(self.archive.smiles), self._weights)
        return worth.argsort(descending=True, stable=True)[:k]


class HypervolumeAcquisition(TanimotoAcquisition):
    """A Gaussian process on structures and descriptors for each goal.

    Parameters
    ----------
    values : dict
        SMILES -> desirabilities [P] of what was scored; it grows outside.

    Attributes
    ----------
    weights : Tensor [P]
        Direction in which :meth:`judge` looks.
    """

    def __init__(self, values: dict[str, Tensor]):
        super().__init__(None)
        self._values = values
        self.weights = torch.ones(1)
        self._processes: list[StructureGP] = []
        self._scored = torch.empty(0, 0, dtype=torch.float64)

    def values_of(self, smiles: Sequence[str]) -> Tensor:
        """Desirabilities [N, P] of scored molecules; -inf for what has none, a point told without its molecule."""
        lost = torch.full_like(self.weights, -torch.inf)
        return torch.stack([self._values.get(text, lost) for text in smiles]) if len(smiles) else lost[None][:0]

    def refresh(self, archive: Archive) -> bool:
        """Learn what was scored since; tell whether that is enough to go by."""
        self._processes = self._processes or [StructureGP() for _ in self.weights]
        if len(archive) < MIN_POINTS:
            return False
        texts = archive.smiles[self._told :]
        values, counts = self.values_of(texts), DescribedRows.of(texts)
        new = np.flatnonzero((counts.totals > 0) & values.isfinite().all(dim=1).numpy())
        if len(new):
            for goal, process in enumerate(self._processes):
                process.extend(counts[new], values[new, goal])
            self._scored = torch.cat([self._scored.reshape(-1, len(self.weights)), values[new]])
            self._forget()
        self._told = len(archive)
        return len(self._scored) >= MIN_POINTS

    def score(self, smiles: Sequence[str], codes: Tensor | None, kappa: float) -> Tensor:
        """Volume each molecule adds at its upper confidence bounds; those that add none follow, by direction: [M]."""
        counts = self._rows(smiles)
        read = np.flatnonzero(counts.totals)
        value = torch.full((len(smiles),), -torch.inf, dtype=torch.float64)
        bounds = torch.stack([one.bound(counts[read], kappa) for one in self._processes], dim=1)
        gain = expected_gain(bounds, torch.zeros_like(bounds), *boxes(*self.front()))
        inside = chebyshev(bounds, self.weights)
        value[read] = torch.where(gain > 0, torch.cat([torch.zeros(1), inside]).amax() + gain, inside)
        return value

    def select_batch(self, smiles: Sequence[str], codes: Tensor | None, n: int, kappa: float) -> list[int]:
        """Indices of n molecules of high expected hypervolume improvement, each choice taken as known; best first."""
        counts = self._rows(smiles)
        read = np.flatnonzero(counts.totals)
        front, reference = self.front()
        predicted = [one.predict(counts[read]) for one in self._processes]
        mean, std = (torch.stack(part, dim=1) for part in zip(*predicted, strict=True))
        gain = expected_gain(mean, std, *boxes(front, reference))
        short = gain.argsort(descending=True, stable=True)[: max(SHORTLIST, 2 * n)]
        joint = [one.joint(counts[read[short.numpy()]]) for one in self._processes]
        mean, covariance = torch.stack([m for m, _ in joint], dim=1), torch.stack([c for _, c in joint])
        return read[short[choose_by_gain(mean, covariance, front, reference, n)].numpy()].tolist()

    def front(self) -> tuple[Tensor, Tensor]:
        """The scored molecules that no other beats [F, P], and the reference point [P]: 0, or a little below the front."""
        from botorch.utils.multi_objective.hypervolume import infer_reference_point
        from botorch.utils.multi_objective.pareto import is_non_dominated

        front = self._scored[is_non_dominated(self._scored)]
        return front, infer_reference_point(front).clamp_max(0.0)


def chebyshev(values: Tensor, weights: Tensor) -> Tensor:
    """The smallest weighted value and a little of their sum: [M, P] and [P] -> [M], to be maximised.

    Its maxima, over all weights, are the whole front, also where that is not convex.

    Examples
    --------
    >>> chebyshev(torch.tensor([[1.0, 1.0], [3.0, 0.5]]), torch.tensor([0.5, 0.5]))
    tensor([0.5500, 0.3375])
    """
    weighted = values * weights
    return weighted.amin(dim=1) + FLAT_SHARE * weighted.sum(dim=1)
