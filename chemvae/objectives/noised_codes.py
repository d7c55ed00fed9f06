"""Teach the decoder which molecules a point of latent space may stand for, at every level of noise.

With a small weight of the KL the codes of molecules are islands, and an example of what to write between them is never seen.
Here every third molecule of a batch is decoded a second time from a noised code,

    z' = m + a (z - m) + sqrt(1 - a^2) s e,    a ~ U(0, 0.8),  e ~ N(0, I),

towards N(0, I) or towards the learned prior, fitted to the codes as they are (``diffuse`` of :mod:`chemvae.models.priors`). If
the codes are distributed as that density, so is z' for every a. Levels stop short of 1: nearer to a molecule's own code the
decoder should be sure what it is, and noise there costs reconstruction by sampling. The decoder thereby learns p(x | z') = the
average of p(x | z) over all z that could have become z': at a draw from either prior it writes what the molecules of that
neighbourhood have in common, and over the whole prior its texts are distributed as the data, because its examples were. The
gradient goes on to the encoder, which moves molecules together that are alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.latent_space import find_prior
from chemvae.models.priors import GaussianPrior, MixturePrior, NormalPrior, Prior, SphericalMixture, noised_codes, quick_prior
from chemvae.models.vae import MolVAE, eval_mode
from chemvae.objectives.base import Loss, Objective, ObjectiveContext, ObjectiveWrapper

log = logging.getLogger(__name__)

REFRESH_STEPS = 1000  # between two fits of the learned prior
MOLECULES_PER_NOISED = 3
LEARNED_SHARE = 0.5  # chance that a batch's codes go towards the learned prior, else towards N(0, I)
STATE_PREFIX = "noised_codes."
KINDS: dict[str, Callable[[int], Prior]] = {"root": GaussianPrior, "weights": MixturePrior, "directions": SphericalMixture}
"""By a tensor that only one has."""


class NoisedCodes(ObjectiveWrapper):
    """An objective, and beside it the cross-entropy of molecules given noised codes of theirs.

    total = objective + weight * mean over every third molecule of -log p(x | z')

    Parameters
    ----------
    objective : Objective
        One with a ``loss`` of the model's terms, and a call that is no more than that.
    train : SmilesDataset
        Training molecules, to whose codes the learned prior is fitted.
    weight : float
        Of the noised codes' mean cross-entropy.
    seed : int
    base : Prior, optional
        The posterior family's own; N(0, I) by default.

    Raises
    ------
    SettingsError
        If the objective does more in its call than ask for its loss: then there are no terms to share.
    """

    refresh_steps = REFRESH_STEPS

    def __init__(self, objective: Objective, train: SmilesDataset, weight: float, seed: int = 0, base: Prior | None = None):
        super().__init__(objective)
        if type(objective).__call__ is not Objective.__call__:
            raise SettingsError(
                f"noised_codes goes with objectives that are a loss of the model's terms; {objective} is not one"
            )
        self.train, self.weight, self.seed = train, weight, seed
        # whatever the dimensions: diffusing towards N(0, I) needs none of its tensors
        self._normal: Prior = base or NormalPrior(1)
        self._prior: Prior | None = None

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> NoisedCodes:
        base = None if context.model is None else cast(Prior, find_prior(context.model, "normal"))
        return cls(train=context.train, seed=context.settings.seed, base=base, **settings)

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        terms = self.terms(model, batch, step, generator)
        loss = self.objective.loss(terms, step)
        n_parts = min(MOLECULES_PER_NOISED, len(batch))
        source = generator.device if generator is not None else torch.device("cpu")
        number = int(torch.randint(n_parts, (1,), generator=generator, device=source))
        noised = self.noised(terms.z[0][number::n_parts], generator)
        cross_entropy = -model.log_px_z(noised, batch.part(number, n_parts), generator).mean()
        return Loss(loss.total + self.weight * cross_entropy, {**loss.parts, "noised": cross_entropy.detach()})

    def noised(self, z: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return z' [N, D] of codes z [N, D]; differentiable."""
        source = generator.device if generator is not None else torch.device("cpu")
        prior = self._normal
        if self._prior is not None and float(torch.rand(1, generator=generator, device=source)) < LEARNED_SHARE:
            prior = self._prior
        return noised_codes(z, prior, generator)

    @torch.no_grad()
    def refresh(self, model: MolVAE, step: int) -> None:
        """Fit the learned prior to the codes as they are."""
        with eval_mode(model):
            rng = np.random.default_rng((self.seed, step))
            prior = quick_prior(model.settings.fitted_prior, model.posterior_family)
            chosen = self.train.shuffled(rng)[: prior.fit_points]
            noise = torch.Generator().manual_seed(int(rng.integers(2**31)))
            codes = model.posterior(self.train.smiles.take(chosen), canonicalize=False).draw(1, noise)[0][0]
            self._prior = prior.fit(codes.numpy(), int(rng.integers(2**31))).to(model.device)

    def state(self) -> dict[str, Tensor]:
        """Return the learned prior as it is now, beside the objective's own."""
        own = {} if self._prior is None else self._prior.state_dict()
        return {**self.objective.state(), **{STATE_PREFIX + key: value for key, value in own.items()}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take what :meth:`state` returned."""
        self.objective.load(state)
        own = {key.removeprefix(STATE_PREFIX): value for key, value in state.items() if key.startswith(STATE_PREFIX)}
        if own:
            kind = next(kind for mark, kind in KINDS.items() if mark in own)
            where = own["loc"] if "loc" in own else own["directions"]
            self._prior = kind(where.shape[-1]).requires_grad_(False).to(where.device)
            self._prior.load_state_dict(own)
