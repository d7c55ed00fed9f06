"""The adversarial autoencoder: a critic tells codes from draws of the prior, and the encoder learns to deceive it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext
from chemvae.seeding import seeded

WIDTH = 128


class AdversarialAutoencoder(Objective):
    """-log p(x|z) - weight log D(z) - property_weight log p(y|z), in nats per molecule; then D learns to tell codes from draws.

    D(z) is a critic's chance that z was drawn from the prior; at its best its log odds are log p(z) - log q(z), so that
    deceiving it brings q(z), of all molecules together, to p(z) (Makhzani et al. 2016, https://arxiv.org/abs/1511.05644; the
    encoder's loss is the one that does not saturate, Goodfellow et al. 2014). Two phases a step: "critic", which trains D
    alone by the cross-entropy of both kinds, and "model".

    Parameters
    ----------
    latent_dim : int
        D of z.
    weight : float
        Of the critic's word.
    property_weight : float
    seed : int
        Of the critic's first weights.
    """

    phases = ("critic", "model")
    trains_prior = False

    def __init__(self, latent_dim: int, weight: float = 10.0, property_weight: float = 1.0, seed: int = 0):
        self.weight, self.property_weight = weight, property_weight
        with seeded(seed):
            layers = [nn.Linear(latent_dim, WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2)]
            self.critic = nn.Sequential(*layers, nn.Linear(WIDTH, 1))

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> AdversarialAutoencoder:
        s = context.settings
        if context.model is None:
            raise SettingsError("the objective 'aae' takes the size of its critic from a model; build it with one")
        return cls(context.model.latent_dim, **{"property_weight": s.property_weight, "seed": s.seed, **settings})

    def networks(self) -> dict[str, nn.Module]:
        return {"critic": self.critic}

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        if phase == "critic":
            return self.critic_loss(*self._both(model, batch, generator))
        return super().__call__(model, batch, step, phase, generator)

    @torch.no_grad()
    def _both(self, model: MolVAE, batch: Batch, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Codes of the batch and as many draws from the prior [B, D]."""
        codes = model.posterior_of(batch).draw(1, generator)[0][0]
        return codes, model.trained_prior.sample(len(codes), generator).to(codes)

    def critic_loss(self, codes: Tensor, draws: Tensor) -> Loss:
        """Cross-entropy of the critic [nats]: codes [N, D] are to be told from draws [M, D]."""
        total = softplus(self.log_odds(codes)).mean() + softplus(-self.log_odds(draws)).mean()
        return Loss(total, {"critic": total.detach()})

    def log_odds(self, z: Tensor) -> Tensor:
        """The critic's log D(z) / (1 - D(z)) [...] of z [..., D]: towards log p(z) - log q(z)."""
        return self.critic.to(z.device)(z)[..., 0]

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy, property_nll = -terms.log_px_z.mean(), -terms.log_py_z.mean()
        found_out = softplus(-self.log_odds(terms.z.to(next(self.critic.parameters()).dtype))).mean()
        parts = {"cross_entropy": cross_entropy, "found_out": found_out, "property_nll": property_nll}
        total = cross_entropy + self.weight * found_out + self.property_weight * property_nll
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def state(self) -> dict[str, Tensor]:
        return {f"critic.{key}": value for key, value in self.critic.state_dict().items()}

    def load(self, state: dict[str, Tensor]) -> None:
        own = {key.removeprefix("critic."): value for key, value in state.items() if key.startswith("critic.")}
        if own:
            self.critic.load_state_dict(own)

    def collapse(self, facts: Any, settings: Any) -> list[str]:
        """As of every objective, but for the KL: where codes are matched as a whole, it may be anything."""
        return [one for one in super().collapse(facts, settings) if not one.startswith("KL")]
