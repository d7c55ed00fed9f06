"""The evidence log p(x) by importance sampling, in nats per molecule, the end token included."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.distributions import Distribution

from chemvae.errors import SettingsError
from chemvae.models.latent_space import find_prior
from chemvae.models.posteriors import Posterior
from chemvae.seeding import forked_rng

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

BATCH_SIZE = 64
CHUNK_DRAWS = 16


def log_evidence(
    model: MolVAE,
    smiles: Sequence[str],
    *,
    n_draws: int = 1_000,
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    prior: str = "trained",
) -> Tensor:
    """Estimate log p(x) for each molecule by importance sampling from q(z|x), with p(z) the prior it was trained with.

    Biased low; the bias falls as 1/n_draws. Memory is bounded: draws are taken in chunks.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    smiles : sequence of str, length B
        As the decoder should write them: canonical.
    n_draws : int
        Draws per molecule, K >= 1.
    seed : int
    batch_size : int
        Molecules at a time; at most 16 draws of each are in memory.
    prior : str
        Another one of ``model.priors`` to be p(z); "trained" is the one the model was trained with.

    Returns
    -------
    Tensor [B]
        Nats per molecule, end token included.

    Raises
    ------
    SettingsError
        If ``n_draws`` < 1.
    UnknownTokenError
        If the vocabulary cannot write a molecule.

    References
    ----------
    Burda, Grosse & Salakhutdinov, Importance Weighted Autoencoders, 2016. https://arxiv.org/abs/1509.00519
    """
    check_draws(n_draws)
    generator = torch.Generator().manual_seed(seed)
    found = [torch.empty(0)]
    for start in range(0, len(smiles), batch_size):
        batch = list(smiles[start : start + batch_size])
        joint = log_joint(model, batch, prior)
        found.append(importance_log_evidence(model.posterior(batch), joint, n_draws, generator=generator))
    return torch.cat(found)


def log_joint(model: MolVAE, smiles: Sequence[str], prior: str = "trained") -> Callable[[Tensor], Tensor]:
    """Return the function z [K, B, D] -> log p(x|z) + log p(z) [K, B] of these molecules, p(z) one of the model's priors."""
    smiles = list(smiles)

    def joint(z: Tensor) -> Tensor:
        flat = z.reshape(-1, z.shape[-1])  # [K * B, D]
        log_px_z = model.log_likelihood(flat, smiles * z.shape[0])
        log_pz = find_prior(model, prior).log_prob(flat.to(model.device)).to(log_px_z)
        return (log_px_z + log_pz).reshape(z.shape[:-1])

    return joint


@torch.no_grad()
def importance_log_evidence(
    posterior: Posterior | Distribution,
    joint: Callable[[Tensor], Tensor],
    n_draws: int = 1_000,
    *,
    generator: torch.Generator | None = None,
    chunk: int = CHUNK_DRAWS,
) -> Tensor:
    """Estimate log integral exp(joint(z)) dz by importance sampling: log mean_k exp(joint(z_k)) / q(z_k), z_k ~ q.

    Exact for every K when q is the true posterior.

    Parameters
    ----------
    posterior : Distribution
        Batch [B], event [D].
    joint : callable
        z [K, B, D] -> log p(x, z) [K, B].
    n_draws : int
        K >= 1.
    generator : torch.Generator, optional
        Source of the draws; None takes torch's global stream.
    chunk : int
        Draws at a time.

    Returns
    -------
    Tensor [B]
        Nats.

    Examples
    --------
    >>> from torch.distributions import Independent, Normal
    >>> q = Independent(Normal(torch.zeros(2, 3), torch.ones(2, 3)), 1)
    >>> importance_log_evidence(q, lambda z: q.log_prob(z) - 5.0, n_draws=10)  # p(z|x) = q and log p(x) = -5
    tensor([-5., -5.])
    """
    check_draws(n_draws)
    total: Tensor | None = None
    for start in range(0, n_draws, chunk):
        z, log_qz_x = _draw(posterior, min(chunk, n_draws - start), generator)  # [k, B, D], [k, B]
        log_w = torch.logsumexp(joint(z) - log_qz_x, dim=0)  # [B]
        total = log_w if total is None else torch.logaddexp(total, log_w)
    assert total is not None, "there is at least one draw"
    return total - math.log(n_draws)


def _draw(posterior: Posterior | Distribution, n: int, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """z [n, B, D] and its log density [n, B]: together where the density of a given z costs a posterior many times as much."""
    if isinstance(posterior, Posterior) and not posterior.reads_any_z:
        return posterior.draw(n, generator)
    with forked_rng(generator):
        z = posterior.sample((n,))
    return z, posterior.log_prob(z)


def check_draws(n_draws: int) -> None:
    """Raise SettingsError unless there is at least one draw."""
    if n_draws < 1:
        raise SettingsError(f"n_draws must be >= 1, got {n_draws}")
