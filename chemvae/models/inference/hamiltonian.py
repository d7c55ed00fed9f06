"""Hamiltonian Monte Carlo on codes: one move that leaves a density as it is, and a chain on a molecule's true posterior.

Velocities are drawn anew before every move, followed by leapfrog steps in units of the density's width in each dimension, and
the end is accepted by Metropolis' rule. On a sphere the free motion follows great circles.

References
----------
Neal, MCMC using Hamiltonian Dynamics, 2011. https://arxiv.org/abs/1206.1901
Byrne & Girolami, Geodesic Monte Carlo on Embedded Manifolds, 2013. https://arxiv.org/abs/1301.6064
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from chemvae.models.inference.geometry import Flat, Sphere

WANTED_ACCEPTANCE = 0.65  # Neal, section 4.4.1: where a move brings most for its gradients
FIRST_STEP, ADAPTATION = 0.5, 0.2
N_LEAPFROG = 5

Density = Callable[[Tensor], Tensor]
"""z [C, B, D] -> log density [C, B] in nats, up to a constant; differentiable."""


@dataclass(frozen=True)
class Place:
    """Where chains are, z [C, B, D]; what else is known there is added by those who need it."""

    z: Tensor

    def where(self: P, taken: Tensor, other: P) -> P:
        """This place for chains where ``taken`` [C, B], the other one elsewhere."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return type(self)(*(torch.where(taken[..., None] if a.ndim > taken.ndim else taken, a, b) for a, b in pairs))


P = TypeVar("P", bound=Place)
Held = Callable[[P], tuple[Tensor, Tensor]]
"""place -> the log density that a move leaves as it is [C, B], and its gradient [C, B, D]."""


@dataclass(frozen=True)
class Moves:
    """How chains move.

    Parameters
    ----------
    width : Tensor [B, D]
        The unit of length in each dimension; ones on a sphere.
    space : Flat or Sphere
    n_leapfrog : int
        Gradients per move.
    generator : torch.Generator, optional
        Source of velocities and of the chance to be accepted; None takes torch's global stream.
    """

    width: Tensor
    space: Flat | Sphere
    n_leapfrog: int = N_LEAPFROG
    generator: torch.Generator | None = None

    def __call__(self, place: P, at: Callable[[Tensor], P], held: Held[P], step: Tensor) -> tuple[P, Tensor]:
        """One move of every chain by steps [B] of ``width``, and the probability [C, B] of its acceptance."""
        first = self.space.project(place.z, torch.randn(place.z.shape, generator=self.generator, dtype=place.z.dtype))
        moved, speed, time = place, first, step[:, None]
        for _ in range(self.n_leapfrog):
            speed = self._kick(moved, held, speed, time / 2)
            z, speed = self.space.drift(moved.z / self.width, speed, time)
            moved = at(z * self.width)
            speed = self._kick(moved, held, speed, time / 2)
        gained = held(moved)[0] - held(place)[0] - 0.5 * (speed.square() - first.square()).sum(dim=-1)
        chance = gained.nan_to_num(nan=-math.inf).clamp(max=0.0).exp()
        drawn = torch.rand(chance.shape, generator=self.generator, dtype=chance.dtype)
        return moved.where(drawn < chance, place), chance

    def _kick(self, place: P, held: Held[P], speed: Tensor, time: Tensor) -> Tensor:
        return speed + time * self.space.project(place.z, self.width * held(place)[1])


def widths(draws: Tensor, space: Flat | Sphere) -> Tensor:
    """The unit of length in each dimension [B, D] by draws [K, B, D] of a distribution; ones on a sphere."""
    if isinstance(space, Sphere):
        return torch.ones_like(draws[0])
    return draws.std(dim=0, correction=0).clamp_min(1e-6)


def adapted(step: Tensor, chance: Tensor) -> Tensor:
    """Step widths [B] after a move that was accepted with a probability [C, B]: towards the wanted share."""
    return step * (ADAPTATION * (chance.mean(dim=0) - WANTED_ACCEPTANCE)).exp().to(step)


def slope(density: Density, z: Tensor) -> tuple[Tensor, Tensor]:
    """A log density [C, B] and its gradient [C, B, D] at z; no slope where it is not finite."""
    z = z.detach().requires_grad_(True)
    with torch.enable_grad():
        value = density(z)
        return value.detach(), torch.autograd.grad(value.sum(), z)[0].nan_to_num(0.0)


@dataclass(frozen=True)
class Known(Place):
    """A place with its log density [C, B] and the gradient of that [C, B, D]."""

    value: Tensor
    slope: Tensor

    def held(self) -> tuple[Tensor, Tensor]:
        return self.value, self.slope


class Chain(NamedTuple):
    """What a chain leaves: its mean [B, D], on the sphere pulled back to it, and the share of accepted moves [B]."""

    mean: Tensor
    accepted: Tensor


def chain_mean(density: Density, start: Tensor, n_moves: int, moves: Moves) -> Chain:
    """The mean of a density by one chain for each molecule.

    The first half of the moves finds the step width and is forgotten; the second half is averaged.

    Parameters
    ----------
    density : callable
        z [1, B, D] -> log density [1, B].
    start : Tensor [B, D]
    n_moves : int
        2 or more.
    moves : Moves

    Examples
    --------
    >>> normal = lambda z: -0.5 * (z - 3).square().sum(-1)
    >>> moves = Moves(torch.ones(1, 1), Flat(), generator=torch.Generator().manual_seed(0))
    >>> found = chain_mean(normal, torch.zeros(1, 1), 2000, moves)
    >>> abs(float(found.mean) - 3) < 0.1, float(found.accepted) > 0.5
    (True, True)
    """

    def at(z: Tensor) -> Known:
        return Known(z.detach(), *slope(density, z))

    place, step = at(start[None]), torch.full(start.shape[:1], FIRST_STEP).to(start)
    warming = n_moves // 2
    for _ in range(warming):
        place, chance = moves(place, at, Known.held, step)
        step = adapted(step, chance)
    total, accepted = torch.zeros_like(start, dtype=torch.float64), torch.zeros_like(step, dtype=torch.float64)
    for _ in range(n_moves - warming):
        place, chance = moves(place, at, Known.held, step)
        total, accepted = total + place.z[0], accepted + chance[0]
    kept = n_moves - warming
    return Chain(moves.space.nearest((total / kept).to(start)), (accepted / kept).to(start))
