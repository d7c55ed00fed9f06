"""Bounds on log p(x): the evidence lower bound with a weighted KL and free bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext, kl_of

if TYPE_CHECKING:
    from typing_extensions import Self


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
    final_beta : float
        What beta ends at: the KL weight of the validation loss.
    """

    has_free_bits = True

    def __init__(
        self,
        beta: Callable[[int], float],
        free_bits: float = 0.0,
        property_weight: float = 1.0,
        n_draws: int = 1,
        final_beta: float = 1.0,
    ):
        self.beta, self.free_bits, self.property_weight, self.n_draws = beta, free_bits, property_weight, n_draws
        self.final_beta = final_beta
        self.splits = free_bits <= 0  # free bits bound the batch's mean

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Self:
        s = context.settings
        return cls(
            context.beta, **{"free_bits": s.free_bits, "property_weight": s.property_weight, "final_beta": s.beta, **settings}
        )

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy = -terms.log_px_z.mean()
        property_nll = -terms.log_py_z.mean()
        total = cross_entropy + self.beta(step) * self._penalty(terms) + self.property_weight * property_nll
        parts = {"cross_entropy": cross_entropy, "kl": kl_of(terms).mean(), "property_nll": property_nll}
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def schedule(self, step: int) -> dict[str, float]:
        return {"beta": self.beta(step)}

    def validate(
        self, model: MolVAE, batches: Iterable[Batch], step: int, generator: torch.Generator | None = None
    ) -> dict[str, float]:
        """Nothing: cross-entropy, KL and the labels' likelihood are measured of every model."""
        return {}

    def valid_loss(self, facts: Mapping[str, float]) -> float:
        return facts["cross_entropy"] + self.final_beta * facts["kl"] + self.property_weight * facts["property_nll"]

    def collapse_remedy(self, settings: Any) -> str:
        return (
            f"Lower --beta (now {settings.beta:g}) by a factor of 3 to 10, raise --word-dropout to 0.1-0.2, set --free-bits "
            "0.1 or lengthen --kl-warmup; if the loss barely moved, train longer."
        )

    def _penalty(self, terms: Terms) -> Tensor:
        if self.free_bits <= 0:
            return kl_of(terms).mean()
        if terms.kl_dims is not None:
            return terms.kl_dims.mean(dim=0).clamp(min=self.free_bits).sum()
        return kl_of(terms).mean().clamp(min=self.free_bits * terms.z.shape[-1])
