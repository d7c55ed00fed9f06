"""Particles that follow Stein's direction, and an encoder that follows the particles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext


class SteinVAE(Objective):
    """-log p(x|z) - weight log p(y|z) for decoder and predictor; the encoder's draws move along Stein's direction.

    Of each molecule K draws z_k of q(z|x) are particles. Each is to move by

        phi_k = 1/K sum_j  k(z_j, z_k) grad log pi(z_j) + grad_{z_j} k(z_j, z_k),
        log pi(z) = log p(x|z) + beta log p(z) + weight log p(y|z),

    the direction in which the kernel's KL to pi falls fastest (Liu & Wang 2016, https://arxiv.org/abs/1608.04471): towards
    where pi is high, and away from each other. -phi_k takes the place of the loss's own gradient at z_k on its way to the
    encoder, as in the Stein VAE (Pu et al. 2017, https://arxiv.org/abs/1704.05155), so that no density of q is asked for.
    The kernel is exp(-d^2 / h) with h = median d^2 / log(K + 1) of each molecule's particles.

    Parameters
    ----------
    beta : callable
        Step to weight of log p(z).
    n_draws : int
        Particles K, >= 2: one alone has nothing to move away from, and its spread would shrink.
    property_weight : float

    Raises
    ------
    SettingsError
        If there are fewer than two particles.
    """

    splits = True
    trains_prior = False

    def __init__(self, beta: Callable[[int], float], n_draws: int = 5, property_weight: float = 1.0):
        if n_draws < 2:
            raise SettingsError(f"n_draws must be >= 2 particles, got {n_draws}")
        self.beta, self.n_draws, self.property_weight = beta, n_draws, property_weight

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> SteinVAE:
        return cls(context.beta, **{"property_weight": context.settings.property_weight, **settings})

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        posterior = model.posterior_of(batch)
        z, log_qz_x = posterior.draw(self.n_draws, generator)  # [K, B, D]
        if z.requires_grad:
            wanted = -stein_direction(z.detach(), self._slope(model, batch, z.detach(), step)) / z[..., 0].numel()
            z = z.view_as(z)
            z.register_hook(lambda gradient: wanted)
        return model.terms_at(z, log_qz_x, posterior, batch, generator)

    def _slope(self, model: MolVAE, batch: Batch, z: Tensor, step: int) -> Tensor:
        """Gradient of log pi at particles z [K, B, D], word dropout left out."""
        with torch.enable_grad():
            at = z.requires_grad_(True)
            log_pi = torch.stack([model.log_px_z(one, batch, None) for one in at]) + self.beta(step) * model.log_pz(at)
            if model.property_names:
                log_pi = log_pi + self.property_weight * model.predictor.log_prob(at, batch.labels)
            return torch.autograd.grad(log_pi.sum(), at)[0].nan_to_num(0.0)

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy, property_nll = -terms.log_px_z.mean(), -terms.log_py_z.mean()
        parts = {"cross_entropy": cross_entropy, "property_nll": property_nll}
        total = cross_entropy + self.property_weight * property_nll
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def schedule(self, step: int) -> dict[str, float]:
        return {"beta": self.beta(step)}

    def collapse(self, facts: Any, settings: Any) -> list[str]:
        """As of every objective, but for the KL: q has no density that this objective ever asked for."""
        return [one for one in super().collapse(facts, settings) if not one.startswith("KL")]


def stein_direction(z: Tensor, slope: Tensor) -> Tensor:
    """Where each particle z [K, B, D] is to move, given the gradient [K, B, D] of the log density that they should follow.

    Examples
    --------
    >>> z = torch.tensor([[[0.0]], [[1.0]]])                 # two particles of one molecule, on a flat density
    >>> stein_direction(z, torch.zeros_like(z))[:, 0, 0].sign().tolist()   # they part
    [-1.0, 1.0]
    """
    gaps = z[:, None] - z[None]  # [j, k, B, D]: z_j - z_k
    squares = gaps.square().sum(dim=-1)  # [K, K, B]
    n = len(z)
    others = squares[~torch.eye(n, dtype=torch.bool, device=z.device)]  # [K (K - 1), B]
    width = others.median(dim=0).values.clamp_min(1e-12) / math.log(n + 1)  # [B]
    kernel = (-squares / width).exp()
    drawn = torch.einsum("jkb,jbd->kbd", kernel, slope)
    apart = (-2 / width)[:, None] * torch.einsum("jkb,jkbd->kbd", kernel, gaps)
    return (drawn + apart) / n
