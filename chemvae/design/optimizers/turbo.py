"""Bayesian optimization with a trust region in latent space."""

from __future__ import annotations

import torch
from torch import Tensor

from chemvae.design.optimizers.base import Round
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points
from chemvae.design.optimizers.surrogate_based import SurrogateBased, TrustRegionSize
from chemvae.design.surrogates.predicted import PredictedUtility

EXPLORED_SHARE = 0.25


class BayesianOptimization(SurrogateBased):
    """A Gaussian process on latent codes (BoTorch), Thompson sampling, and a trust region around the best molecule.

    Candidates are sparse perturbations of the region's centre, and for a quarter samples of the prior; the campaign decodes
    them, and the process chooses among the molecules that came out. The centre is the code of the best molecule so far
    (recentring); the region widens after successes and narrows after failures, and when it has become too narrow it starts
    anew around another good molecule. Points that do not decode and molecules the oracle fails on never enter the process as
    values: the latter lower the odds of their neighbours.

    References
    ----------
    Eriksson et al., Scalable Global Optimization via Local Bayesian Optimization (TuRBO), 2019.
    https://arxiv.org/abs/1910.01739. Recentring in latent space: Maus et al., Local Latent Space Bayesian Optimization over
    Structured Inputs, 2022. https://arxiv.org/abs/2201.11872. Feasibility: Eriksson & Poloczek, Scalable Constrained Bayesian
    Optimization, 2021. https://arxiv.org/abs/2002.08526 (there a process; here the nearest neighbours).
    """

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None):
        super().__init__(region, seed, predicted)
        self.width = TrustRegionSize()
        self._centre_rank = 0

    def ask(self, n: int) -> Tensor:
        """Propose n points [n, D]: around the centre, and for a quarter anywhere in the region."""
        centre = self._centre()
        n_explored = n if centre is None else round(EXPLORED_SHARE * n)
        explored = self.region.explored(n_explored, self.generator)
        if centre is None:
            return self._asked_for(explored)
        n_local = n - n_explored
        widths = self.width.value * 2.0 ** (2.0 * torch.rand(n_local, generator=self.generator) - 1.0)
        around = centre.take(torch.arange(n_local) % len(centre.z))
        moved = around.moved(self.region.perturb(around.z, widths, self.generator), "trust region")
        return self._asked_for(Points.together([moved, explored]))

    def learn(self, last: Round) -> None:
        """Adapt the trust region; recentre on the best molecule, or elsewhere on a restart."""
        if last.improved:
            self._centre_rank = 0
        if self.width.adapt(last.improved, last.n_new, last.n_failed / max(last.n_points, 1)):
            self._centre_rank += 1

    def _centre(self) -> Points | None:
        """Code and decoded point of the molecule in the middle, or the starts while nothing is scored."""
        if not len(self.archive):
            return self.start_points(len(self.starts)) if len(self.starts) else None
        order = self.archive.top(len(self.archive))
        row = order[self._centre_rank % len(order)]
        return Points.of(torch.stack([self.archive.codes[row], self.archive.z[row]]), [self.archive.smiles[int(row)]] * 2)
