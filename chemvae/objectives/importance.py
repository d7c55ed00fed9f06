"""The importance-weighted bound, with doubly reparameterised gradients as an option."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext


class IWAE(Objective):
    """-log mean_k w_k - weight log p(y|z), nats per molecule, with log w_k = log p(x|z_k) + beta (log p(z_k) - log q(z_k|x)).

    beta = 1 is the importance-weighted bound, which rises towards log p(x) with the number of draws K (Burda et al. 2016,
    https://arxiv.org/abs/1509.00519); K = 1 is the evidence lower bound. beta < 1 gives up the bound for reconstruction, as in
    :class:`~chemvae.objectives.bounds.BetaELBO`.

    The gradient of the encoder has a signal that fades as K grows. Doubly reparameterised (Tucker et al. 2019,
    https://arxiv.org/abs/1810.04152) it is sum_k s_k (1 - beta (1 - s_k)) d log w_k / dz_k dz_k, with s the normalised weights
    and no derivative of log q(z|x) to its parameters at fixed z: the same mean, less noise (their s_k^2, where beta = 1).

    Parameters
    ----------
    beta : callable
        Step to weight.
    n_draws : int
        K, >= 1.
    doubly_reparameterized : bool
        Takes a posterior that reads any z cheaply.
    property_weight : float
        Weight of the labels' log likelihood, a plain mean over the draws.
    """

    splits = True

    def __init__(
        self,
        beta: Callable[[int], float],
        n_draws: int = 8,
        *,
        doubly_reparameterized: bool = False,
        property_weight: float = 1.0,
    ):
        if n_draws < 1:
            raise SettingsError(f"n_draws must be >= 1, got {n_draws}")
        self.beta, self.n_draws, self.property_weight = beta, n_draws, property_weight
        self.reads_any_z = doubly_reparameterized

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> IWAE:
        return cls(context.beta, **{"property_weight": context.settings.property_weight, **settings})

    @classmethod
    def reads_any_z_with(cls, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("doubly_reparameterized"))

    def log_weights(self, terms: Terms, step: int) -> Tensor:
        """log w [K, B]."""
        return terms.log_px_z + self.beta(step) * (terms.log_pz - terms.log_qz_x)

    def loss(self, terms: Terms, step: int) -> Loss:
        log_w = self.log_weights(terms, step)
        bound = (log_w.logsumexp(dim=0) - math.log(len(log_w))).mean()
        property_nll = -terms.log_py_z.mean()
        parts = {"iwae": bound, "cross_entropy": -terms.log_px_z.mean(), "property_nll": property_nll}
        total = self.property_weight * property_nll - bound
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        if not self.reads_any_z or not torch.is_grad_enabled():
            return super().terms(model, batch, step, generator)
        h = model.hidden_of(batch)
        drawn, _ = model.posterior_family(h).draw(self.n_draws, generator)
        with torch.no_grad():
            held = model.posterior_family(h)
        z = drawn.view_as(drawn)  # the bound's own: what the labels say of z is no part of the weights
        terms = model.terms_at(z, held.log_prob(z), held, batch, generator)
        share = self.log_weights(terms, step).detach().softmax(dim=0)
        factor = 1 - self.beta(step) * (1 - share)  # the loss has a factor of share already
        z.register_hook(lambda gradient: gradient * factor[..., None])
        labels = model.predictor.log_prob(drawn, batch.labels) if model.property_names else terms.log_py_z
        return replace(terms, log_py_z=labels)

    def schedule(self, step: int) -> dict[str, float]:
        return {"beta": self.beta(step)}
