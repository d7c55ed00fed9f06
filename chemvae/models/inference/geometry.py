"""How far a step is taken in latent space, and how a Hamiltonian trajectory moves there.

In all of R^D, and on the unit sphere, on which some posterior families put every code.
"""

from __future__ import annotations

import torch
from torch import Tensor

from chemvae.models.latent_space import space_of


class Flat:
    """R^D: steps are straight.

    Examples
    --------
    >>> Flat().step(torch.zeros(1, 2), torch.ones(1, 2))
    tensor([[1., 1.]])
    """

    def step(self, z: Tensor, tangent: Tensor) -> Tensor:
        """The point [..., D] that a tangent vector [..., D] leads to from z [..., D]."""
        return z + tangent

    def towards(self, z: Tensor, other: Tensor) -> Tensor:
        """The tangent vector that leads from z to another point."""
        return other - z

    def project(self, z: Tensor, vector: Tensor) -> Tensor:
        """The part of a vector [..., D] that is tangent to the space at z."""
        return vector

    def drift(self, z: Tensor, velocity: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Move freely for a time [..., 1]: the point and the velocity there."""
        return z + time * velocity, velocity

    def nearest(self, z: Tensor) -> Tensor:
        """The point of the space that lies nearest to z [..., D], such as a mean of points."""
        return z


class Sphere:
    """The unit sphere: steps follow great circles.

    Examples
    --------
    >>> pole, quarter = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, torch.pi / 2]])
    >>> Sphere().step(pole, quarter).round(decimals=4).abs()
    tensor([[0., 1.]])
    >>> Sphere().towards(pole, torch.tensor([[0.0, 1.0]]))
    tensor([[0.0000, 1.5708]])
    """

    def step(self, z: Tensor, tangent: Tensor) -> Tensor:
        return self.drift(z, self.project(z, tangent), torch.ones_like(z[..., :1]))[0]

    def towards(self, z: Tensor, other: Tensor) -> Tensor:
        flat = self.project(z, other)
        length = flat.norm(dim=-1, keepdim=True)
        angle = torch.atan2(length, (z * other).sum(dim=-1, keepdim=True))
        return angle * flat / length.clamp_min(torch.finfo(z.dtype).tiny)

    def project(self, z: Tensor, vector: Tensor) -> Tensor:
        return vector - (z * vector).sum(dim=-1, keepdim=True) * z

    def drift(self, z: Tensor, velocity: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Along the great circle of the velocity, which turns with it (Byrne & Girolami, 2013, https://arxiv.org/abs/1301.6064)."""
        speed = velocity.norm(dim=-1, keepdim=True)
        u = velocity / speed.clamp_min(torch.finfo(z.dtype).tiny)
        cos, sin = (time * speed).cos(), (time * speed).sin()
        moved = z * cos + u * sin
        return moved / moved.norm(dim=-1, keepdim=True), speed * (u * cos - z * sin)

    def nearest(self, z: Tensor) -> Tensor:
        return torch.nn.functional.normalize(z, dim=-1)


def latent_geometry(model: object) -> Flat | Sphere:
    """Where a model's codes live."""
    return Sphere() if space_of(model).kind == "sphere" else Flat()
