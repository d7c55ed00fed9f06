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
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from chemvae.errors import SettingsError
from chemvae.models.inference.geometry import Flat, Sphere
from chemvae.models.inference.hamiltonian import FIRST_STEP, N_LEAPFROG, Density, Moves, Place, adapted, slope, widths
from chemvae.models.posteriors import Posterior
from chemvae.seeding import forked_rng

N_WIDTHS = 64  # draws of q that say how wide it is in each dimension


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
class Point(Place):
    """Where chains are [C, B, D], with both densities [C, B] and their gradients [C, B, D] there."""

    start: Tensor
    end: Tensor
    start_slope: Tensor
    end_slope: Tensor

    def between(self, beta: float) -> tuple[Tensor, Tensor]:
        """The density of the path at ``beta``, and its gradient."""
        return (1 - beta) * self.start + beta * self.end, (1 - beta) * self.start_slope + beta * self.end_slope


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
        self.settings, space = settings or Annealing(), space or Flat()
        self.betas = torch.linspace(0.0, 1.0, self.settings.n_temperatures + 1, dtype=torch.float64).tolist()
        draws = self._draw(N_WIDTHS)
        self.moves = Moves(widths(draws, space), space, self.settings.n_leapfrog, generator)
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
            step = adapted(step, accepted)
        return torch.stack(found)

    def _move(self, point: Point, beta: float, step: Tensor) -> tuple[Point, Tensor]:
        """One Hamiltonian move that leaves a density of the path as it is, and the probability [C, B] of its acceptance."""
        return self.moves(point, self._at, lambda held: held.between(beta), step)

    def _at(self, z: Tensor) -> Point:
        start, start_slope = slope(self.posterior.log_prob, z)
        end, end_slope = slope(self.joint, z)
        return Point(z.detach(), start, end, start_slope, end_slope)
