"""Autoencoders without a prior: the plain one, and the denoising one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.data.tokens.vocabulary import MASK, PAD
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext


class Autoencoder(Objective):
    """-log p(x|z) - weight log p(y|z), in nats per molecule: the bound without its KL.

    With the posterior "deterministic" it is the plain autoencoder (Hinton & Salakhutdinov 2006,
    https://doi.org/10.1126/science.1127647); the spread of another family shrinks by itself, since noise only does harm.
    Nothing asks q(z) to look like a prior: sample from the learned one, fitted to the codes (Ghosh et al. 2020,
    https://arxiv.org/abs/1903.12436).

    Parameters
    ----------
    property_weight : float
        Weight of the labels' log likelihood.
    """

    splits = True
    trains_prior = False

    def __init__(self, property_weight: float = 1.0):
        self.property_weight = property_weight

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Autoencoder:
        return cls(**{"property_weight": context.settings.property_weight, **settings})

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy, property_nll = -terms.log_px_z.mean(), -terms.log_py_z.mean()
        parts = {"cross_entropy": cross_entropy, "property_nll": property_nll}
        total = cross_entropy + self.property_weight * property_nll
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def collapse_remedy(self, settings: Any) -> str:
        return "Train longer or with a higher --learning-rate; nothing in this objective holds z back."


class DenoisingAutoencoder(Autoencoder):
    """The autoencoder whose encoder reads molecules with some symbols masked, and whose decoder must write them whole.

    -log p(x|z), z from the code of x~, in which every symbol is the mask token with probability ``noise`` (Vincent et al. 2008,
    https://doi.org/10.1145/1390156.1390294). Held-out molecules are read as they are.

    Parameters
    ----------
    noise : float
        Share of the encoder's symbols that are masked, 0-1.
    property_weight : float
    """

    def __init__(self, noise: float = 0.15, property_weight: float = 1.0):
        if not 0 <= noise < 1:
            raise SettingsError(f"noise must lie in 0..1 without 1, got {noise}")
        super().__init__(property_weight)
        self.noise = noise

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        return super().terms(model, masked(batch, self.noise, generator) if model.training else batch, step, generator)


def masked(batch: Batch, share: float, generator: torch.Generator | None = None) -> Batch:
    """The batch, of which the encoder reads the mask token in place of a share of the symbols."""
    ids = batch.token_ids if batch.encoder_ids is None else batch.encoder_ids
    lengths = batch.lengths if batch.encoder_lengths is None else batch.encoder_lengths
    source = ids.device if generator is None else generator.device
    hit: Tensor = torch.rand(ids.shape, generator=generator, device=source).to(ids.device) < share
    return Batch(batch.token_ids, batch.lengths, batch.labels, torch.where(hit & (ids != PAD), MASK, ids), lengths)
