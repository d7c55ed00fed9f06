"""Points of latent space: drawn from a prior, and on the way between two others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def usual_prior(model: Any) -> str:
    """The name of the prior to search from: "learned", or "normal" for a model that has no other."""
    return "learned" if "learned" in model.priors else "normal"


@torch.no_grad()
def draw_prior(model: Any, n: int, prior: str = "learned", seed: int = 0) -> Tensor:
    """Draw z [n, D] from one of a model's priors, on the model's device.

    Global random states are left as they were.

    Parameters
    ----------
    model : MolVAE
        Or what has ``priors`` and ``latent_statistics``.
    n : int
    prior : str
        One of ``model.priors``.
    seed : int
    """
    generator = torch.Generator(model.latent_statistics.mean.device).manual_seed(seed)
    return model.priors[prior].sample(n, generator)


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
