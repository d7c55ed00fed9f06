"""How far a step goes, in one unit for all of them: standard deviations of the training codes, per dimension.

A step of radius r has the length that independent noise of r standard deviations in every dimension has on average, whichever
way it points; so random steps, steps along a property and steps up a gradient compare, in every latent space.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from chemvae.models.vae import MolVAE

SMALLEST_SPREAD = 1e-6
"""Of the largest dimension's: a dimension that the encoder leaves unused is no way to go."""


def spread_of(model: MolVAE) -> Tensor:
    """Standard deviation of the training codes in every dimension [D], on the CPU; never 0."""
    std = model.latent_statistics.std.detach().float().cpu()
    return std.clamp_min(max(SMALLEST_SPREAD * float(std.max()), torch.finfo(std.dtype).tiny))


def as_step(model: MolVAE, direction: Tensor, radius: Tensor | float) -> Tensor:
    """A step [N, D] of some radius (a number, or [N, 1]) along directions [N, D] given in standard deviations; 0 stays 0.

    Examples
    --------
    >>> import chemvae
    >>> model = chemvae.load("drug", "cpu")  # 64 dimensions
    >>> step = as_step(model, torch.ones(1, 64), 0.5) / model.latent_statistics.std
    >>> bool(torch.allclose(step, torch.full((1, 64), 0.5)))
    True
    """
    unit = torch.nn.functional.normalize(direction, dim=-1)
    return radius * math.sqrt(direction.shape[-1]) * unit * spread_of(model)


def go_along(model: MolVAE, z: Tensor, direction: Callable[[Tensor], Tensor], radius: float, n_steps: int) -> Tensor:
    """Follow a direction that may change on the way: n equal steps from z [N, D] that are ``radius`` long together.

    Parameters
    ----------
    direction : callable
        z [N, D] -> [N, D], in standard deviations of the codes; its length does not matter.

    Returns
    -------
    Tensor [n_steps + 1, N, D]
        The points, z first.
    """
    space = model.latent_space
    path = [space.project(z)]
    for _ in range(n_steps):
        path.append(space.move(path[-1], as_step(model, direction(path[-1]), radius / n_steps)))
    return torch.stack(path)


def gradient_of(model: MolVAE, index: int, sign: float = 1.0) -> Callable[[Tensor], Tensor]:
    """The direction in which the predictor's mean of one property rises fastest (``sign`` -1: falls), for :func:`go_along`.

    Parameters
    ----------
    index : int
        Of the property among the model's.
    """
    spread = spread_of(model)

    def direction(z: Tensor) -> Tensor:
        here = z.detach().clone().to(model.device).requires_grad_(True)
        with torch.enable_grad():
            mean = model.predict_latent(here)[0][:, index].sum()
            upward = torch.autograd.grad(mean, [here])[0]
        return sign * upward.cpu() * spread  # by the chain rule: z is mean + spread times the standardised point

    return direction


def random_direction(like: Tensor, seed: int) -> Tensor:
    """Directions [N, D] that are uniform among all."""
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))
