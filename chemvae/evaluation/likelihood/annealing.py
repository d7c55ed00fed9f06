"""log p(x) between two bounds: annealed importance sampling with Hamiltonian moves, forward and in reverse.

Forward chains start at draws of q(z|x) and end near the true posterior: their mean weight is p(x) without bias, so its
logarithm is a lower bound in expectation. Reverse chains start at an exact draw of the true posterior, which exists for an x
that the model itself has written, and go back to q: they give an upper bound. Where both meet, the evidence is known
(bidirectional Monte Carlo).

The path is geometric, ``(1 - beta) log q(z|x) + beta log p(x, z)``, with beta equally spaced. Step widths follow the acceptance
in a pilot run and stay fixed in the runs that are reported: chains that adapted while they ran would no longer be unbiased.

References
----------
Neal, Annealed Importance Sampling, 2001. https://arxiv.org/abs/physics/9803008
Grosse, Ghahramani & Adams, Sandwiching the Marginal Likelihood Using Bidirectional Monte Carlo, 2015.
https://arxiv.org/abs/1511.02543
Wu, Burda, Salakhutdinov & Grosse, On the Quantitative Analysis of Decoder-Based Generative Models, 2017.
https://arxiv.org/abs/1611.04273. Departure: they start at p(z); q(z|x) is nearer, and many nats of rate need fewer
temperatures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from chemvae.errors import SettingsError
from chemvae.evaluation.latent.geometry import Flat, Sphere
from chemvae.models.posteriors import Posterior
from chemvae.seeding import forked_rng

WANTED_ACCEPTANCE = 0.65  # Neal, 2011, https://arxiv.org/abs/1206.1901
FIRST_STEP, ADAPTATION = 0.5, 0.2
N_LEAPFROG = 5
N_WIDTHS = 64  # draws of q that say how wide it is in each dimension

Density = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Annealing:
    """How a chain is run."""

    n_temperatures: int = 500
    """Steps from q(z|x) to p(x, z)."""
    n_chains: int = 4
    """Chains per molecule, C."""
    n_leapfrog: int = N_LEAPFROG
    """Gradients per move."""

    def __post_init__(self) -> None:
        found = [f"{name} must be >= 1, got {value}" for name, value in vars(self).items() if value < 1]
        if found:
            raise SettingsError(found)


@dataclass(frozen=True)
class Point:
    """Where chains are [C, B, D], with both densities [C, B] and their gradients [C, B, D] there."""

    z: Tensor
    start: Tensor
    end: Tensor
    start_slope: Tensor
    end_slope: Tensor

    def log_density(self, beta: float) -> Tensor:
        return (1 - beta) * self.start + beta * self.end

    def slope(self, beta: float) -> Tensor:
        return (1 - beta) * self.start_slope + beta * self.end_slope

    def where(self, taken: Tensor, other: Point) -> Point:
        """This point for chains where ``taken`` [C, B], the other one elsewhere."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Point(*(torch.where(taken[..., None] if a.ndim > taken.ndim else taken, a, b) for a, b in pairs))


class AnnealedPath:
    """From q(z|x) to p(x, z) for B molecules.

    Parameters
    ----------
    posterior : Posterior or Distribution
        q(z|x), batch [B], event [D], with a density that can be differentiated in z.
    joint : callable
        z [C, B, D] -> log p(x, z) [C, B], differentiable.
    settings : Annealing
    space : Flat or Sphere, optional
        Where z lives.
    generator : torch.Generator, optional
        Source of all draws; None takes torch's global stream.
    """

    def __init__(
        self,
        posterior: Posterior | Distribution,
        joint: Density,
        settings: Annealing | None = None,
        space: Flat | Sphere | None = None,
        generator: torch.Generator | None = None,
    ):
        self.posterior, self.joint, self.generator = posterior, joint, generator
        self.settings, self.space = settings or Annealing(), space or Flat()
        self.betas = torch.linspace(0.0, 1.0, self.settings.n_temperatures + 1, dtype=torch.float64).tolist()
        draws = self._draw(N_WIDTHS)
        flat = isinstance(self.space, Flat)
        self.width = draws.std(dim=0, correction=0).clamp_min(1e-6) if flat else torch.ones_like(draws[0])  # [B, D]
        self.steps = self._pilot()  # [T, B]

    def lower(self) -> Tensor:
        """log p(x) [B] from below, in expectation: forward chains from draws of q(z|x). Nats."""
        log_w = self._run(self._draw(self.settings.n_chains))
        return torch.logsumexp(log_w, dim=0) - math.log(len(log_w))

    def upper(self, z: Tensor) -> Tensor:
        """log p(x) [B] from above, in expectation: reverse chains from exact draws z [B, D] or [C, B, D] of p(z|x). Nats."""
        log_w = self._run(z.expand(self.settings.n_chains, *z.shape[-2:]), reverse=True)
        return math.log(len(log_w)) - torch.logsumexp(-log_w, dim=0)

    def _draw(self, n: int) -> Tensor:
        with torch.no_grad(), forked_rng(self.generator):
            return self.posterior.sample((n,))

    def _run(self, z: Tensor, reverse: bool = False) -> Tensor:
        """Log weight [C, B] of chains: sum over temperatures of the change in log density at the point held then."""
        point, log_w = self._at(z), torch.zeros(z.shape[:2], dtype=torch.float64)
        numbers = range(1, len(self.betas))
        for t in reversed(numbers) if reverse else numbers:
            log_w += (self.betas[t] - self.betas[t - 1]) * (point.end - point.start).double()
            then = t - 1 if reverse else t  # the density that the next move must leave as it is
            if 0 < then < len(self.betas) - 1:
                point, _ = self._move(point, self.betas[then], self.steps[then])
        return log_w

    def _pilot(self) -> Tensor:
        """Step widths [T, B] of a forward run whose steps follow the share of moves that are accepted."""
        z = self._draw(1)
        point, step, found = self._at(z), torch.full(z.shape[1:2], FIRST_STEP).to(z), []
        for beta in self.betas[:-1]:
            found.append(step)
            point, accepted = self._move(point, beta, step)
            step = step * (ADAPTATION * (accepted.mean(dim=0) - WANTED_ACCEPTANCE)).exp().to(step)
        return torch.stack(found)

    def _move(self, point: Point, beta: float, step: Tensor) -> tuple[Point, Tensor]:
        """One Hamiltonian move that leaves a density of the path as it is, and the probability [C, B] of its acceptance."""
        first = self.space.project(point.z, self._noise(point.z))
        moved, speed, time = point, first, step[:, None]
        for _ in range(self.settings.n_leapfrog):
            speed = self._kick(moved, speed, beta, time / 2)
            z, speed = self._drift(moved.z, speed, time)
            moved = self._at(z)
            speed = self._kick(moved, speed, beta, time / 2)
        gain = moved.log_density(beta) - point.log_density(beta) - 0.5 * (speed.square() - first.square()).sum(dim=-1)
        chance = gain.nan_to_num(nan=-math.inf).clamp(max=0.0).exp()
        return moved.where(self._chance(chance) < chance, point), chance

    def _kick(self, point: Point, speed: Tensor, beta: float, time: Tensor) -> Tensor:
        return speed + time * self.space.project(point.z, self.width * point.slope(beta))

    def _drift(self, z: Tensor, speed: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Move freely, in units of q's width."""
        scaled, speed = self.space.drift(z / self.width, speed, time)
        return scaled * self.width, speed

    def _at(self, z: Tensor) -> Point:
        z = z.detach().requires_grad_(True)
        with torch.enable_grad():
            start, end = self.posterior.log_prob(z), self.joint(z)
            slopes = [torch.autograd.grad(density.sum(), z)[0] for density in (start, end)]
        return Point(z.detach(), start.detach(), end.detach(), *(slope.nan_to_num(0.0) for slope in slopes))

    def _noise(self, z: Tensor) -> Tensor:
        return torch.randn(z.shape, generator=self.generator, dtype=z.dtype)

    def _chance(self, like: Tensor) -> Tensor:
        return torch.rand(like.shape, generator=self.generator, dtype=like.dtype)
