"""What the optimizers with a surrogate share: when to fit it, how to choose among decoded molecules, how far to move."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from chemvae.design.optimizers.base import Optimizer
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.surrogates.latent_gp import LatentGP
from chemvae.design.surrogates.predicted import PredictedUtility

GP_POINTS = 500  # keeps a fit near one second on one core
MIN_POINTS = 8  # scores before a process is fitted at all
BOLDNESS = 0.3  # of the posterior's spread that enters a draw: 1 explored too much within a few hundred calls in 64 dimensions
N_NEIGHBOURS = 5
ONE_FIT = threading.Lock()  # BoTorch judges a fit by the warnings it gives, and those of all threads come to one place
Bound = Callable[[Tensor], Tensor]


class SurrogateBased(Optimizer):
    """An optimizer with a Gaussian process on what was scored, and the model's predictor where it knows the goals.

    Parameters
    ----------
    region, seed, predicted
        As for :class:`Optimizer`.
    random_share : float
        Share of each batch taken at random from the molecules that passed, against the surrogate's blind spots.
    """

    pool_factor = 8

    def __init__(
        self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None, random_share: float = 0.1
    ):
        super().__init__(region, seed, predicted)
        self.random_share = random_share
        self.gp = LatentGP(predicted)
        self._fitted_on = -1

    @property
    def knows_goals(self) -> bool:
        """Whether the predictor says the utility without any score."""
        return self.predicted is not None and self.predicted.is_complete

    def refresh(self) -> LatentGP | None:
        """Fit the process to what was told since; None while that is too little."""
        n = len(self.archive)
        if n >= MIN_POINTS and n != self._fitted_on:
            rows = self.archive.training_rows(GP_POINTS, self.generator)
            with ONE_FIT:
                self.gp.fit(self.archive.codes[rows], self.archive.y[rows])
            self._fitted_on = n
        return self.gp if self.gp.is_fitted else None

    def bound(self, kappa: float) -> Bound | None:
        """Lower confidence bound of the utility as a function of z, from the best source there is; None if there is none.

        To compare and to climb: a process gives it in a unit of its own (:attr:`LatentGP.unit`), so that single precision, in
        which gradients are had, holds it whatever the oracle's unit.
        """
        gp = self.refresh()
        if gp is not None:
            return lambda z: gp.lower_bound(z, kappa) / gp.unit
        predicted = self.predicted
        if self.knows_goals and predicted is not None:
            return lambda z: predicted.lower_bound(z, kappa)
        return None

    def select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """Choose n molecules by Thompson sampling, and a few at random.

        Each place goes to the best molecule under one function drawn from the posterior, its deviation from the mean
        shrunk to 30 %. Where the oracle has failed before,
        a molecule takes part in a draw only with the share of its neighbours that did not fail.
        """
        if len(z) <= n:
            return list(range(len(z)))
        codes = self.archive.code(z, smiles)
        draws = self._draws(codes, n)
        if draws is None:
            return torch.randperm(len(z), generator=self.generator)[:n].tolist()
        feasible = feasibility(codes, self.archive.codes, self.archive.failed_codes)
        takes_part = torch.rand(draws.shape, generator=self.generator) < feasible
        return self._pick(torch.where(takes_part, draws, -torch.inf), n)

    def _draws(self, codes: Tensor, n: int) -> Tensor | None:
        """n plausible utilities of each molecule: [n, M]; None when nothing is known."""
        gp = self.refresh()
        if gp is not None:
            with torch.no_grad():
                mean = gp.posterior(codes)[0]
            return mean + BOLDNESS * (gp.draw(codes, n, self.generator) - mean)
        if not self.knows_goals or self.predicted is None:
            return None
        with torch.no_grad():
            mean = self.predicted.lower_bound(codes, 0.0)
            spread = mean - self.predicted.lower_bound(codes, 1.0)
        return mean + spread * torch.randn(n, len(codes), generator=self.generator, dtype=torch.float64)

    def _pick(self, draws: Tensor, n: int) -> list[int]:
        free = torch.ones(draws.shape[1], dtype=torch.bool)
        chosen: list[int] = []
        for draw in draws:
            if torch.rand(1, generator=self.generator) < self.random_share:
                draw = torch.rand(len(draw), generator=self.generator, dtype=torch.float64)
            best = int(torch.where(free, draw.clamp_min(-1e300), -torch.inf).argmax())
            free[best] = False
            chosen.append(best)
        return chosen[:n]


def feasibility(codes: Tensor, scored: Tensor, failed: Tensor) -> Tensor:
    """Share of the 5 nearest told molecules that did not fail, with one success and half a failure added.

    Parameters
    ----------
    codes : Tensor [M, D]
    scored : Tensor [N, D]
        Codes of molecules with a score.
    failed : Tensor [F, D]
        Codes of molecules the oracle failed on.

    Returns
    -------
    Tensor [M]
        In 0..1; 1 everywhere while nothing has failed.

    Examples
    --------
    >>> here = torch.zeros(1, 2)
    >>> feasibility(here, torch.ones(5, 2), torch.empty(0, 2)), feasibility(here, torch.ones(5, 2) * 9, torch.ones(5, 2))
    (tensor([1.]), tensor([0.1538]))
    """
    if not len(failed):
        return torch.ones(len(codes))
    told = torch.cat([scored, failed])
    good = torch.cat([torch.ones(len(scored)), torch.zeros(len(failed))])
    nearest = torch.cdist(codes, told).topk(min(N_NEIGHBOURS, len(told)), largest=False).indices
    return (good[nearest].sum(dim=1) + 1.0) / (nearest.shape[1] + 1.5)


@dataclass
class TrustRegionSize:
    """How far to move, in standard deviations of the training latents: wider after successes, narrower after failures."""

    value: float = 0.3
    start: float = 0.3
    low: float = 0.05
    high: float = 1.0
    successes: int = 0
    failures: int = 0

    def adapt(self, improved: bool, n_new: int, failed_share: float) -> bool:
        """Learn from one round; tell whether the width has run out and was set back to its start.

        Rounds with hardly a new molecule widen, rounds that mostly fail narrow; else three rounds with a better best widen
        and five without one narrow.
        """
        if improved:
            self.successes, self.failures = self.successes + 1, 0
        else:
            self.successes, self.failures = 0, self.failures + 1
        if n_new == 0 and failed_share < 0.5:
            return self._scale(1.5)
        if failed_share > 0.8:
            return self._scale(1 / 1.3)
        if self.successes >= 3:
            return self._scale(1.5)
        return self._scale(1 / 1.5) if self.failures >= 5 else False

    def _scale(self, factor: float) -> bool:
        self.successes = self.failures = 0
        self.value = min(self.value * factor, self.high)
        if self.value >= self.low:
            return False
        self.value = self.start
        return True
