"""Bounds on log p(x): the evidence lower bound with a weighted KL and free bits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from chemvae.models.terms import Terms
from chemvae.objectives.base import Loss, Objective


class BetaELBO(Objective):
    """-log p(x|z) + beta KL(q(z|x) || p(z)) - weight log p(y|z), every term summed, in nats per molecule.

    beta = 1 is the evidence lower bound (Kingma & Welling 2014); beta < 1 gives up the bound for reconstruction (Higgins
    et al. 2017 in the other direction). Free bits: a dimension is not pushed below ``free_bits`` nats, averaged over the
    batch (Kingma et al. 2016, https://arxiv.org/abs/1606.04934); applied per dimension where the KL splits, else to the
    total.

    Parameters
    ----------
    beta : callable
        Step to KL weight.
    free_bits : float
        Nats per dimension.
    property_weight : float
        Weight of the labels' log likelihood.
    n_draws : int
        Draws of z per molecule, K.
    """

    def __init__(self, beta: Callable[[int], float], free_bits: float = 0.0, property_weight: float = 1.0, n_draws: int = 1):
        self.beta, self.free_bits, self.property_weight, self.n_draws = beta, free_bits, property_weight, n_draws
        self.splits = free_bits <= 0  # free bits bound the batch's mean

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy = -terms.log_px_z.mean()
        property_nll = -terms.log_py_z.mean()
        total = cross_entropy + self.beta(step) * self._penalty(terms) + self.property_weight * property_nll
        parts = {"cross_entropy": cross_entropy, "kl": _kl(terms).mean(), "property_nll": property_nll}
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def _penalty(self, terms: Terms) -> Tensor:
        if self.free_bits <= 0:
            return _kl(terms).mean()
        if terms.kl_dims is not None:
            return terms.kl_dims.mean(dim=0).clamp(min=self.free_bits).sum()
        return _kl(terms).mean().clamp(min=self.free_bits * terms.z.shape[-1])


def _kl(terms: Terms) -> Tensor:
    """KL per molecule [B]: closed form, or log q - log p averaged over the draws."""
    return terms.kl if terms.kl is not None else torch.mean(terms.log_qz_x - terms.log_pz, dim=0)
