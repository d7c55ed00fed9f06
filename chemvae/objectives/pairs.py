"""Adversarially learned inference: a critic tells (z, molecule) of the encoder from (z, molecule) of prior and decoder.

Dumoulin et al., Adversarially Learned Inference, 2017. https://arxiv.org/abs/1606.00704
Donahue, Krahenbuhl & Darrell, Adversarial Feature Learning, 2017. https://arxiv.org/abs/1605.09782
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from chemvae.data.tokens.datasets import Batch
from chemvae.data.tokens.vocabulary import BOS, EOS, PAD
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.adversarial import WIDTH, AdversarialAutoencoder
from chemvae.objectives.base import Loss, ObjectiveContext
from chemvae.seeding import draw_seed, seeded


class AdversarialPairs(AdversarialAutoencoder):
    """-log p(x|z) - weight [log D(z, x) + log (1 - D(z', x'))] - property_weight log p(y|z); then D learns to tell the pairs.

    (z, x) is a molecule with a draw of q(z|x), (z', x') a draw of the prior with what the decoder writes there at temperature
    1, and D a critic's chance that a pair is of the second kind. Where both kinds are alike, q(z) is p(z), and what is written
    at z' is encoded at z' again: the cycle that a match of q(z) alone (:class:`AdversarialAutoencoder`) says nothing of.

    Departures, since tokens have no gradient: the critic reads z and the mean of the decoder's hidden states along the text
    (as professor forcing does, Lamb et al. 2016, https://arxiv.org/abs/1610.09038), and -log p(x|z) stays in the loss.

    Parameters
    ----------
    latent_dim, state_dim : int
        D of z, H of the decoder's states.
    weight : float
        Of the critic's word.
    property_weight : float
    seed : int
        Of the critic's first weights.
    """

    def __init__(self, latent_dim: int, state_dim: int, weight: float = 3.0, property_weight: float = 1.0, seed: int = 0):
        super().__init__(latent_dim, weight, property_weight, seed)
        with seeded(seed):
            layers = [nn.Linear(latent_dim + state_dim, WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2)]
            self.critic = nn.Sequential(*layers, nn.Linear(WIDTH, 1))

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> AdversarialPairs:
        s, model = context.settings, context.model
        if model is None:
            raise SettingsError("the objective 'ali' takes the size of its critic from a model; build it with one")
        own = {"property_weight": s.property_weight, "seed": s.seed}
        return cls(model.latent_dim, model.settings.decoder_dim, **{**own, **settings})

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        if phase == "critic":
            with torch.no_grad():
                z = model.posterior_of(batch).draw(1, generator)[0][0]
                pairs = self._encoded(model, batch, z), self._written(model, batch, generator)
            return self.critic_loss(*pairs)
        terms = self.terms(model, batch, step, generator)
        loss = self.loss(terms, step)
        encoded, written = self._encoded(model, batch, terms.z[0]), self._written(model, batch, generator)
        found_out = softplus(-self.log_odds(encoded)).mean() + softplus(self.log_odds(written)).mean()
        return Loss(loss.total + self.weight * found_out, {**loss.parts, "found_out": found_out.detach()})

    def loss(self, terms: Terms, step: int) -> Loss:
        """What the critic has no word in."""
        cross_entropy, property_nll = -terms.log_px_z.mean(), -terms.log_py_z.mean()
        parts = {"cross_entropy": cross_entropy, "property_nll": property_nll}
        total = cross_entropy + self.property_weight * property_nll
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def _encoded(self, model: MolVAE, batch: Batch, z: Tensor) -> Tensor:
        """Molecules of the batch with their codes, as the critic sees them [B, D + H]."""
        return seen(model, z, batch.decoder_inputs)

    def _written(self, model: MolVAE, batch: Batch, generator: torch.Generator | None) -> Tensor:
        """As many draws of the prior with what is written there [B, D + H]; differentiable in the decoder's weights."""
        noise = torch.Generator(model.device).manual_seed(draw_seed(generator))
        with torch.no_grad():
            z = model.trained_prior.sample(len(batch), noise)
            ids, _ = model.decode_ids(z, 1.0, noise, max_length=batch.token_ids.shape[1] + 1)
        ids = ids.to(model.device)
        start = torch.full_like(ids[:, :1], BOS)
        return seen(model, z, torch.cat([start, torch.where(ids == EOS, PAD, ids)], dim=1))


def seen(model: MolVAE, z: Tensor, inputs: Tensor) -> Tensor:
    """z [B, D] beside the mean of the decoder's states over the tokens it was fed [B, T], padding left out: [B, D + H]."""
    states = model.decoder.states(z, inputs, model.product_dtype).to(z.dtype)
    fed = (inputs != PAD).to(z.dtype)[..., None]
    return torch.cat([z, (states * fed).sum(dim=1) / fed.sum(dim=1)], dim=1)
