"""The encoder looks at the decoder: each molecule's own posterior, fitted by gradients from the encoder's answer on.

The encoder answers for all molecules at once and for each of them less well than it could. Here the few numbers that one
molecule's posterior depends on (:meth:`PosteriorFamily.summary`) climb its bound

    E log p(x|z) + beta (log p(z) - log q(z|x)),    z ~ q(z|x),

while the weights stay: stochastic variational inference that starts from the encoder's answer. Where the family is still too
narrow for what p(z|x) is, a Hamiltonian chain goes on from there on the density that this bound is about,
p(z) p(x|z)^(1/beta), and its mean is the point; where the KL has no weight, on p(z) p(x|z).

References
----------
Hoffman, Blei, Wang & Paisley, Stochastic Variational Inference, 2013. https://arxiv.org/abs/1206.7051
Kim, Wiseman, Miller, Sontag & Rush, Semi-Amortized Variational Autoencoders, 2018. https://arxiv.org/abs/1802.02550
Cremer, Li & Duvenaud, Inference Suboptimality in Variational Autoencoders, 2018. https://arxiv.org/abs/1801.03558
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.inference.geometry import latent_geometry
from chemvae.models.inference.hamiltonian import Density, Moves, chain_mean, widths
from chemvae.models.latent_space import find_prior
from chemvae.models.posteriors import Deterministic
from chemvae.models.vae import MolVAE, eval_mode

RATE = 0.01  # Adam's, in units of the summary
DRAWS = 4  # of z a step
JUDGING_DRAWS = 32  # of z, the same before and after, in the bounds that are compared
WIDTH_DRAWS = 64  # of z, which say how wide a posterior is in each dimension
BATCH_SIZE = 64
MOST_STEPS = 10_000

Bound = Callable[[Tensor, int, torch.Generator], Tensor]
"""(summary [B, S], draws of z, generator) -> bound [B] in nats, differentiable in the summary."""


def evidence_bound(model: MolVAE, batch: Batch, beta: float = 1.0, prior: str = "trained") -> Bound:
    """The bound on log p(x) of a batch, as a function of its posteriors' summaries.

    Parameters
    ----------
    model : MolVAE
        In eval mode; only read.
    batch : Batch
        On the model's device.
    beta : float
        Weight of the KL; 1 is the evidence lower bound.
    prior : str
        p(z): one of ``model.priors``; "trained" is the one that the model was trained with.
    """
    density = find_prior(model, prior)

    def bound(summary: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
        z, log_qz_x = model.posterior_from(summary).draw(n_draws, generator)  # [K, B, D], [K, B]
        flat = z.flatten(0, 1).to(model.device)
        log_px_z = model.log_px_z(flat, repeated(batch, n_draws), None).to(z).view(z.shape[:-1])
        if not beta:
            return log_px_z.mean(dim=0)
        return (log_px_z + beta * (density.log_prob(flat).to(z).view(z.shape[:-1]) - log_qz_x)).mean(dim=0)

    return bound


def repeated(batch: Batch, n: int) -> Batch:
    """A batch n times over, for z [n, B, D] laid flat."""
    parts = (batch.token_ids, batch.lengths, batch.labels)
    return Batch(*(part.repeat(n, *[1] * (part.ndim - 1)) for part in parts))


def fit_summary(summary: Tensor, bound: Bound, n_steps: int, generator: torch.Generator, rate: float = RATE) -> Tensor:
    """Climb a bound by ``n_steps`` of Adam from a summary [B, S]; each molecule climbs on its own."""
    own = summary.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([own], rate)
    for _ in range(n_steps):
        with torch.enable_grad():
            own.grad = torch.autograd.grad(-bound(own, DRAWS, generator).sum(), own)[0].nan_to_num(0.0)
        optimizer.step()
    return own.detach()


def gain(before: Tensor, after: Tensor, bound: Bound, n_draws: int, seed: int) -> Tensor:
    """What the second summary's bound has over the first's [B], nats: read at the same random numbers."""
    with torch.no_grad():
        found = [bound(one, n_draws, torch.Generator().manual_seed(seed)) for one in (after, before)]
    return (found[0] - found[1]).double()


class Refined(NamedTuple):
    """What refining N molecules leaves."""

    z: np.ndarray
    """Their points [N, D], float32."""
    gained: np.ndarray
    """Nats of the bound [N] that the steps brought."""
    accepted: np.ndarray
    """Share [N] of a chain's moves that were accepted; NaN without one."""


def refine(
    model: MolVAE,
    smiles: Sequence[str],
    n_steps: int,
    *,
    n_moves: int = 0,
    beta: float | None = None,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> Refined:
    """Fit each molecule's own posterior from the encoder's answer on, and return the points that stand for them.

    A molecule keeps the encoder's answer where its bound did not rise: nothing becomes worse by the measure that is climbed.

    Parameters
    ----------
    model : MolVAE, only read
    smiles : sequence of str, length N
        As the model reads them: canonical, written by its vocabulary.
    n_steps : int
        Steps of Adam, 0-10,000; 0 is the encoder's answer.
    n_moves : int
        Moves of a Hamiltonian chain that starts where the steps ended, 2-10,000, each of five gradients; its first half finds
        the width of its steps, the mean of its second half is the point. 0: the steps' answer is.
    beta : float, optional
        Weight of the KL; by default the one that the model was trained with.
    seed : int
    progress : callable, optional
        Told the number of molecules done.

    Returns
    -------
    Refined

    Raises
    ------
    SettingsError
        If ``n_steps`` or ``n_moves`` lies outside its range, beta below 0, or a chain is asked of a posterior without width.
    """
    beta = model.training_facts.kl_weight if beta is None else beta
    check_steps(n_steps, n_moves, beta)
    if n_moves and isinstance(model.posterior_family, Deterministic):
        raise SettingsError("a chain needs the width of the posterior, and this model's is a point: refine by steps alone")
    tokens = model.tokens(list(smiles))
    found = Refined(np.zeros((len(tokens), model.latent_dim), np.float32), np.zeros(len(tokens)), np.full(len(tokens), np.nan))
    order = np.argsort(tokens.lengths, kind="stable")
    with eval_mode(model):
        for start in range(0, len(order), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            batch = Batch(*tokens.rows(rows), torch.zeros(len(rows), 0)).to(model.device)
            for whole, part in zip(found, _refine_batch(model, batch, n_steps, n_moves, beta, seed + start), strict=True):
                whole[rows] = part
            if progress is not None:
                progress(start + len(rows))
    return found


def check_steps(n_steps: int, n_moves: int = 0, beta: float = 1.0) -> None:
    """SettingsError unless a refinement can have so many steps at this weight of the KL, and its chain so many moves."""
    if not beta >= 0:
        raise SettingsError(f"beta must be >= 0, got {beta:g}")
    if not 0 <= n_steps <= MOST_STEPS:
        raise SettingsError(f"refine must lie in 0..{MOST_STEPS:,} steps, got {n_steps}")
    if n_moves and not 2 <= n_moves <= MOST_STEPS:
        raise SettingsError(f"chain must lie in 2..{MOST_STEPS:,} moves, or be 0, got {n_moves}")


def tempered(model: MolVAE, batch: Batch, beta: float) -> Density:
    """z [C, B, D] -> log p(z) + log p(x|z) / beta [C, B]: of which the bound at ``beta`` is the variational one."""
    density = find_prior(model, "trained")

    def log_density(z: Tensor) -> Tensor:
        flat = z.flatten(0, 1).to(model.device)
        log_px_z = model.log_px_z(flat, repeated(batch, len(z)), None)
        return (density.log_prob(flat).to(z) + log_px_z.to(z) / beta).view(z.shape[:-1])

    return log_density


def _refine_batch(
    model: MolVAE, batch: Batch, n_steps: int, n_moves: int, beta: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points [B, D], nats gained [B] and share of accepted moves [B] of one batch."""
    bound, before = evidence_bound(model, batch, beta), summary_of(model, batch)
    after = fit_summary(before, bound, n_steps, torch.Generator().manual_seed(seed))
    gained = gain(before, after, bound, JUDGING_DRAWS, seed)
    posterior = model.posterior_from(torch.where((gained > 0)[:, None], after, before))
    point, accepted = posterior.point, np.full(len(posterior), np.nan)
    if n_moves:
        generator, space = torch.Generator().manual_seed(seed), latent_geometry(model)
        with torch.no_grad():
            width = widths(posterior.draw(WIDTH_DRAWS, generator)[0], space)
        moves = Moves(width, space, generator=generator)
        chain = chain_mean(tempered(model, batch, beta or 1.0), point.detach(), n_moves, moves)
        point, accepted = chain.mean, chain.accepted.numpy()
    return point.numpy(), gained.clamp_min(0.0).numpy(), accepted


@torch.no_grad()
def summary_of(model: MolVAE, batch: Batch) -> Tensor:
    """What the posteriors of a batch depend on [B, S], on the CPU."""
    return model.posterior_family.summary(model.hidden_of(batch)).float().cpu()
