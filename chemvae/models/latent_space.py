"""Latent space: points drawn from a prior, on the way between two others, and a step away from one.

Two kinds: all of R^D (:data:`FLAT`), and the unit sphere in it (:data:`SPHERE`), on which some posteriors put every code.
"""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from chemvae.models.latent_statistics import LatentStatistics


class FlatSpace:
    """R^D: a step is added, and what lies between two points lies on the arc of :func:`slerp`."""

    kind = "flat"

    def project(self, z: Tensor) -> Tensor:
        """The point of the space [N, D] that is nearest to z [N, D]."""
        return z

    def move(self, z: Tensor, step: Tensor) -> Tensor:
        """Where a step [N, D] from z [N, D] leads to."""
        return z + step

    def perturb(self, z: Tensor, std: Tensor | float, generator: torch.Generator | None = None) -> Tensor:
        """A random step from z [N, D], of standard deviation ``std`` (a number, [D] or [N, D]) in every dimension."""
        source = z.device if generator is None else generator.device
        noise = torch.randn(z.shape, generator=generator, device=source, dtype=z.dtype)
        return self.move(z, std * noise.to(z.device))

    def between(self, first: Tensor, second: Tensor, share: Tensor, most_parallel: float = 1.0) -> Tensor:
        """Go part of the way from one point to another; see :func:`slerp`."""
        return slerp(first, second, share, most_parallel)

    def unit_variance(self, latent_dim: int) -> float:
        """Variance of one dimension under the prior that a family has by default."""
        return 1.0


class SphereSpace(FlatSpace):
    """The unit sphere in R^D: steps and ways follow great circles.

    Examples
    --------
    >>> pole = torch.tensor([[1.0, 0.0, 0.0]])
    >>> SPHERE.move(pole, torch.tensor([[9.0, torch.pi / 2, 0.0]])).round(decimals=4)  # what points outward is no step
    tensor([[-0., 1., 0.]])
    """

    kind = "sphere"

    def project(self, z: Tensor) -> Tensor:
        return z / z.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)

    def move(self, z: Tensor, step: Tensor) -> Tensor:
        """Follow the great circle of the step's tangent part for its length, in radians (the exponential map)."""
        z = self.project(z)
        tangent = step - (step * z).sum(dim=-1, keepdim=True) * z
        angle = tangent.norm(dim=-1, keepdim=True)
        return self.project(angle.cos() * z + torch.sinc(angle / torch.pi) * tangent)

    def between(self, first: Tensor, second: Tensor, share: Tensor, most_parallel: float = 1.0) -> Tensor:
        """Go part of the way along the great circle."""
        return self.project(slerp(self.project(first), self.project(second), share, most_parallel))

    def unit_variance(self, latent_dim: int) -> float:
        return 1.0 / latent_dim


FLAT, SPHERE = FlatSpace(), SphereSpace()


class PriorDensity(Protocol):
    """What every prior of a model can do (:class:`~chemvae.models.priors.base.Prior`)."""

    def distribution(self) -> Distribution: ...

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor: ...

    def log_prob(self, z: Tensor) -> Tensor: ...


class HasPriors(Protocol):
    """A model, or a stand-in for one: its priors by name and what is known of its training codes."""

    priors: nn.ModuleDict
    latent_statistics: LatentStatistics

    @property
    def device(self) -> torch.device: ...


def space_of(model: object) -> FlatSpace:
    """The latent space of a model; R^D for a stand-in that does not say."""
    return getattr(model, "latent_space", FLAT)


def usual_prior(model: HasPriors) -> str:
    """The name of the prior to search from: "learned", or "normal" for a model that has no other."""
    return "learned" if "learned" in model.priors else "normal"


@torch.no_grad()
def draw_prior(model: HasPriors, n: int, prior: str = "learned", seed: int = 0) -> Tensor:
    """Draw z [n, D] from one of a model's priors, on the model's device.

    Global random states are left as they were.

    Parameters
    ----------
    model : MolVAE
        Or what has ``priors`` and ``latent_statistics``.
    n : int
    prior : str
        One of ``model.priors``; "trained" is "normal" for a model that was trained with no other.
    seed : int
    """
    generator = torch.Generator(model.latent_statistics.mean.device).manual_seed(seed)
    return find_prior(model, prior).sample(n, generator)


def find_prior(model: HasPriors, name: str) -> PriorDensity:
    """One of a model's priors: "normal", "learned", or "trained", the one that it was trained with."""
    return cast(PriorDensity, model.priors["normal" if name == "trained" and "trained" not in model.priors else name])


def slerp(first: Tensor, second: Tensor, share: Tensor, most_parallel: float = 1.0) -> Tensor:
    """Go part of the way from one point to another along the arc, at constant angular speed; norms change evenly.

    A straight line passes nearer to the origin than any training molecule lies; the arc keeps its distance. Where there is no
    arc (parallel, opposite or zero vectors) it is the straight line.

    Parameters
    ----------
    first, second : Tensor [N, D]
        One row stands for all.
    share : Tensor [N, 1]
        0 at the first, 1 at the second.
    most_parallel : float
        Cosines are taken to lie within plus or minus this. Below 1 it bounds what rounding of an angle near 0 can do.

    Returns
    -------
    Tensor [N, D]

    References
    ----------
    White, Sampling Generative Networks, 2016. https://arxiv.org/abs/1609.04468

    Examples
    --------
    >>> slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([[0.0], [0.5], [1.0]])).norm(dim=1)
    tensor([1.0000, 1.5000, 2.0000])
    """
    a, b = first.norm(dim=1, keepdim=True), second.norm(dim=1, keepdim=True)
    u, v = first / a.clamp_min(1e-9), second / b.clamp_min(1e-9)
    angle = (u * v).sum(dim=1, keepdim=True).clamp(-most_parallel, most_parallel).arccos()
    direction = ((1.0 - share) * angle).sin() / angle.sin() * u + (share * angle).sin() / angle.sin() * v
    arc, line = ((1.0 - share) * a + share * b) * direction, (1.0 - share) * first + share * second
    unknown = angle.sin() < 4 * torch.finfo(angle.dtype).eps ** 0.5  # rounding of its cosine is all there is of the angle
    return torch.where(unknown | (a == 0) | (b == 0), line, arc)
