"""The default optimizer: several ways to propose around diverse good molecules, one surrogate to choose among what decodes."""

from __future__ import annotations

import torch
from torch import Tensor

from chemvae.design.gradient import climb, most_promising, stop_inside
from chemvae.design.model_based import ModelBased, StepWidth
from chemvae.design.optimizer import Round
from chemvae.design.region import LatentRegion
from chemvae.design.surrogate import PredictedUtility

STREAMS = {"local": 0.3, "crossover": 0.1, "gradient": 0.4, "explore": 0.2}
"""Share of the proposals by each way of making them."""
RANK_OFFSET = 1e-3  # of the molecules scored: weight of a parent is 1 / (offset * N + rank) (Tripp et al. 2020)
MAX_PARENTS = 256
N_STEPS = 25


class Auto(ModelBased):
    """Elite-local search with adaptive width, crossover, gradient steps and prior samples, chosen by Thompson sampling.

    Each round proposes many points: sparse moves around good molecules, picked by rank; crosses of two good molecules, by
    spherical interpolation or coordinate by coordinate; short ascents of the surrogate; and samples of the prior. They are
    decoded, and a Gaussian process chooses among the molecules that passed all checks, apart from one in ten taken at random.
    Where the model's predictor knows the goals, its utility is the process's mean, and the first round already climbs from
    the most promising of many latents; where it does not, its properties are inputs of the process, and the first scores come
    from the starts and the prior.

    References
    ----------
    Rank weights: Tripp, Daxberger & Hernandez-Lobato, Sample-Efficient Optimization in the Latent Space of Deep Generative
    Models via Weighted Retraining, 2020. https://arxiv.org/abs/2006.09191 (there they weigh training data).
    """

    pool_factor = 10

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None):
        super().__init__(region, seed, predicted)
        self.width = StepWidth()

    def ask(self, n: int) -> Tensor:
        """Propose n points [n, D] by all streams."""
        if not len(self.archive):
            return self._first(n)
        counts = {name: round(share * n) for name, share in STREAMS.items() if name != "local"}
        local = self._local(n - sum(counts.values()))
        explored = self.region.explore(counts["explore"], self.generator)
        crossed = self.region.mix(self._parents(counts["crossover"]), self._parents(counts["crossover"]), self.generator)
        return torch.cat([local, crossed, self._climbed(counts["gradient"]), explored])

    def learn(self, last: Round) -> None:
        """Adapt how far local moves go."""
        self.width.adapt(last.improved, last.n_new, last.n_failed / max(last.n_points, 1))

    def _first(self, n: int) -> Tensor:
        """Before any score: around the starts, and anywhere; with a predictor, climbing from the most promising points."""
        explored = self.region.explore(n if not len(self.starts) else n // 2, self.generator)
        if self.knows_goals:
            half = len(explored) // 2
            promising = most_promising(self.region, self.bound(1.0), half, self.generator)
            explored = torch.cat([explored[half:], self._climb_from(promising)])
        if not len(self.starts):
            return explored
        around = self.starts[torch.arange(n - len(explored)) % len(self.starts)]
        return torch.cat([self.region.perturb(around, self._widths(len(around)), self.generator), explored])

    def _local(self, n: int) -> Tensor:
        return self.region.perturb(self._parents(n), self._widths(n), self.generator)

    def _widths(self, n: int) -> Tensor:
        """The adapted width, halved to doubled: [n]."""
        return self.width.value * 2.0 ** (2.0 * torch.rand(n, generator=self.generator) - 1.0)

    def _parents(self, n: int) -> Tensor:
        """Draw n good molecules by rank, each as its code or as the point it was decoded from: [n, D]."""
        order = self.archive.top(MAX_PARENTS)
        weights = 1.0 / (RANK_OFFSET * len(self.archive) + torch.arange(1, len(order) + 1))
        rows = order[torch.multinomial(weights, n, replacement=True, generator=self.generator)] if n else order[:0]
        as_code = torch.rand(n, 1, generator=self.generator) < 0.5
        return torch.where(as_code, self.archive.codes[rows], self.archive.z[rows])

    def _climbed(self, n: int) -> Tensor:
        """Ascend from good molecules, or move around them where nothing says which way is up."""
        parents = self._parents(n)
        if self.bound(0.0) is None or not n:
            return self.region.perturb(parents, self._widths(n), self.generator)
        return self._climb_from(parents)

    def _climb_from(self, origins: Tensor) -> Tensor:
        if not len(origins):
            return origins
        kappa = float(2.0 * torch.rand(1, generator=self.generator) - 1.0)  # now careful, now curious
        path = climb(origins, self.bound(kappa), self.region, N_STEPS, rate=0.03)
        return stop_inside(path, self.region, self.generator)
