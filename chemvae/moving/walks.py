"""A random walk that stays where a prior puts its molecules: a film of what a model can write."""

from __future__ import annotations

import math

import pandas as pd
import torch
from torch import Tensor

from chemvae.errors import SettingsError
from chemvae.models.latent_space import find_prior
from chemvae.models.vae import MolVAE
from chemvae.moving.steps import spread_of
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.sampler import best_of, draw_latents
from chemvae.seeding import as_count, as_seed


def random_walk(
    model: MolVAE, n: int = 24, radius: float = 0.15, prior: str = "learned", seed: int | None = 0, n_samples: int = 8
) -> pd.DataFrame:
    """Walk at random under a prior and decode on the way.

    Every step is a proposal of Metropolis' rule, so that however long the walk is, its points are distributed as the prior: a
    step to where the density is lower is taken with the ratio of the two as its probability, else the walk stays.

    Parameters
    ----------
    model : MolVAE
    n : int
        Points, the first one drawn from the prior.
    radius : float
        Length of a proposed step, in standard deviations of the training codes per dimension.
    prior : str
        One of :data:`chemvae.sampling.sampler.MODEL_PRIORS`.
    seed : int or None
    n_samples : int
        Decodes tried where the greedy one is no molecule.

    Returns
    -------
    DataFrame
        ``step``, ``smiles``, ``valid``, and ``moved``: whether the point is another one than before.

    References
    ----------
    Metropolis et al., Equation of State Calculations by Fast Computing Machines, 1953. https://doi.org/10.1063/1.1699114
    """
    n, seed = as_count(n, "n"), as_seed(seed)
    if not 0 < radius < math.inf:
        raise SettingsError(f"radius must be a number above 0, got {radius}")
    check_amount(n * max(1, n_samples), model.latent_dim, "n times n_samples")
    path, moved = walk_latents(model, n, radius, prior, seed)
    return best_of(model, path.numpy(), n_samples, seed).rename(columns={"row": "step"}).assign(moved=moved.numpy())


@torch.no_grad()
def walk_latents(model: MolVAE, n: int, radius: float, prior: str, seed: int) -> tuple[Tensor, Tensor]:
    """Points [n, D] of a random walk on the CPU, and whether each differs from the one before [n]."""
    z = draw_latents(model, 1, prior, seed)
    density = find_prior(model, prior)
    generator = torch.Generator().manual_seed(seed)
    width = radius * spread_of(model).to(z.device)
    path, moved, here = [z], [True], density.log_prob(z)
    for _ in range(n - 1):
        proposal = model.latent_space.perturb(z, width, generator)
        there = density.log_prob(proposal)
        accept = math.log(max(float(torch.rand(1, generator=generator)), 1e-300)) < float(there - here)
        if accept:
            z, here = proposal, there
        path.append(z)
        moved.append(accept)
    return torch.cat(path).cpu(), torch.tensor(moved)
