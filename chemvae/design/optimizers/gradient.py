"""Gradient ascent in latent space: on the predictor's lower confidence bound, or on a Gaussian process fitted to the scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from chemvae.design.optimizers.base import Round
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points
from chemvae.design.optimizers.surrogate_based import Bound, SurrogateBased
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.parallel import limited_threads

N_CANDIDATE_ORIGINS = 512
BETAS = 0.9, 0.999  # of Adam


class GradientAscent(SurrogateBased):
    """Adam on a lower confidence bound of the utility, from given molecules or from the best known so far.

    The bound is the predictor's where it knows the goals, corrected by a Gaussian process once scores have come in; for any
    other oracle it is the process alone, after a first batch of random points. Three gates keep the ascent where the model
    can be trusted: points under the density that 99 % of the training latents exceed turn back and are never proposed, the
    norm is capped at the training latents' 95th percentile, and molecules are chosen by the bound at the code of the *decoded*
    molecule (round trip), so that a point that only fools the predictor does not count.

    Parameters
    ----------
    region, seed, predicted
        As for :class:`Optimizer`.
    kappa : float
        Standard deviations to subtract from the mean.
    n_steps : int
        Longest ascent; each proposal stops at a random step.
    rate : float
        Adam's learning rate, in standard deviations of the training latents.

    References
    ----------
    Kingma & Ba, Adam, 2015. https://arxiv.org/abs/1412.6980. Gates: Notin et al., Improving Black-box Optimization in VAE
    Latent Space Using Decoder Uncertainty, 2021. https://arxiv.org/abs/2107.00096 (the idea; they gate by the decoder).
    """

    pool_factor = 4

    def __init__(
        self,
        region: LatentRegion,
        seed: int = 0,
        predicted: PredictedUtility | None = None,
        kappa: float = 1.0,
        n_steps: int = 30,
        rate: float = 0.04,
    ):
        super().__init__(region, seed, predicted, random_share=0.0)
        self.kappa, self.n_steps, self.rate = kappa, n_steps, rate
        self.noise = 0.0

    def ask(self, n: int) -> Tensor:
        """Climb from n origins and stop each at a random step inside the gates: [n, D]."""
        bound = self.bound(self.kappa)
        if bound is None:
            return self._asked_for(self._without_bound(n))
        origins = self._origins(n, bound)
        path = climb(origins.z, bound, self.region, self.n_steps, self.rate)
        return self._asked_for(origins.moved(stop_inside(path, self.region, self.generator), "gradient"))

    def select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """Choose the n molecules whose own codes have the highest bound."""
        bound = self.bound(self.kappa)
        if bound is None:
            return super().select(z, smiles, n)
        with torch.no_grad():
            value = bound(self.archive.code(z, smiles))
        return value.argsort(descending=True, stable=True)[:n].tolist()

    def learn(self, last: Round) -> None:
        """Start from noisier origins while nothing new turns up."""
        crowded = last.n_new < last.n_points / (2 * self.pool_factor)
        self.noise = min(self.noise + 0.1, 1.0) if crowded else max(self.noise - 0.1, 0.0)

    def _without_bound(self, n: int) -> Points:
        if not len(self.starts):
            return self.region.explored(n, self.generator)
        around = self.start_points(n)
        moved = self.region.perturb(around.z, torch.rand(n, generator=self.generator), self.generator)
        return around.moved(moved, "neighbour")

    def _origins(self, n: int, bound: Bound) -> Points:
        """Given starts and the best molecules so far by turns; without either, the most promising of many points."""
        known = self.archive.points(self.archive.top(max(n // 4, 4)))
        if len(self.starts):
            known = Points.together([self.start_points(len(self.starts)), known])
        if len(known.z) < 4 and not len(self.starts):
            known = most_promising(self.region, bound, n, self.generator)
        widths = self.noise * torch.rand(n, generator=self.generator)
        around = known.take(torch.arange(n) % len(known.z))
        return around.moved(self.region.perturb(around.z, widths, self.generator), "neighbour")


def most_promising(region: LatentRegion, bound: Bound, n: int, generator: torch.Generator) -> Points:
    """The n points with the highest bound among training latents and points drawn from the region."""
    pool = region.explored(N_CANDIDATE_ORIGINS, generator)
    if region.anchors is None:
        pool = Points.together([Points.of(region.references, [""] * len(region.references)), pool])
    with torch.no_grad():
        return pool.take(bound(pool.z).argsort(descending=True, stable=True)[:n])


def climb(origins: Tensor, bound: Bound, region: LatentRegion, n_steps: int, rate: float) -> Tensor:
    """Ascend a bound with Adam under the region's gates, each point on its own.

    Where log p(z) is above the region's threshold a point follows the bound, below it the density; either way by the
    direction alone (gradients of length one), so that the two need no common scale. After each step the norm is capped.

    Parameters
    ----------
    origins : Tensor [N, D]
    bound : callable
        z [N, D] -> [N], differentiable.
    region : LatentRegion
    n_steps : int
    rate : float
        Adam's learning rate, in standard deviations of the training latents.

    Returns
    -------
    Tensor [S + 1, N, D]
        The path, origins first.
    """
    unit = region.scale
    x = origins / unit
    mean, square = torch.zeros_like(x), torch.zeros_like(x)
    path = [origins.clone()]
    with limited_threads(1):
        for step in range(1, n_steps + 1):  # Adam written out: torch.optim takes seconds to import
            gradient = unit_length(_direction(x * unit, bound, region) * unit)
            mean, square = mean.lerp(gradient, 1 - BETAS[0]), square.lerp(gradient.square(), 1 - BETAS[1])
            x = x + rate * (mean / (1 - BETAS[0] ** step)) / ((square / (1 - BETAS[1] ** step)).sqrt() + 1e-8)
            x = region.cap(x * unit) / unit
            path.append(x * unit)
    return torch.stack(path)


def unit_length(gradient: Tensor) -> Tensor:
    """Gradients [N, D] at length 1, however short or long they are; 0 stays 0.

    Examples
    --------
    >>> unit_length(torch.tensor([[3e-30, 4e-30], [3e30, 4e30], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    exponent = torch.frexp(gradient.abs().amax(dim=1, keepdim=True)).exponent.clamp_min(-100)
    return torch.nn.functional.normalize(torch.ldexp(gradient, -exponent))


def _direction(z: Tensor, bound: Bound, region: LatentRegion) -> Tensor:
    """Gradient [N, D] of the bound where z [N, D] lies inside the density gate, of the log density where it does not."""
    z = z.detach().requires_grad_(True)
    with torch.enable_grad():
        upward = torch.autograd.grad(bound(z).sum(), [z])[0].nan_to_num(0.0)
        log_density = region.log_density(z)
        outside = (log_density < region.density_threshold)[:, None]
        if not outside.any():
            return upward
        return torch.where(outside, torch.autograd.grad(log_density.sum(), [z])[0], upward)


def stop_inside(path: Tensor, region: LatentRegion, generator: torch.Generator) -> Tensor:
    """Take from each path [S + 1, N, D] one random step that passes the gates, its origin if none does: [N, D]."""
    n_steps, n, dim = path.shape
    inside = region.contains(path.reshape(-1, dim)).reshape(n_steps, n)
    inside[0] = False
    lottery = torch.rand(n_steps, n, generator=generator) * inside
    return path[lottery.argmax(dim=0), torch.arange(n)]
