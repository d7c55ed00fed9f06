"""Teach the encoder, while the model trains, to read its own decoder: from what was written at a draw of the prior, the draw.

The bound trains the encoder on molecules of the data alone. Between their codes the decoder writes molecules whose codes lie
elsewhere: they do not tell where they were written, and whoever searches there finds something else than he asked for. Here the
decoder dreams: it writes at draws from both priors, at temperature 1, and the encoder learns -log q(z|x) of the molecules that
come out, so that it uses all that they say about their z. This is the sleep phase of the wake-sleep algorithm (Hinton et al.
1995, https://doi.org/10.1126/science.7761831) beside the bound, which goes on as the wake phase; the decoder learns nothing
from its dreams.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.latent_space import find_prior
from chemvae.models.priors import quick_prior
from chemvae.models.vae import MolVAE, eval_mode
from chemvae.objectives.base import Loss, ObjectiveContext
from chemvae.objectives.own_samples import POINTS_PER_MOLECULE, OwnSamples

log = logging.getLogger(__name__)


class Sleep(OwnSamples):
    """An objective, and beside it how badly the encoder tells where the decoder's own molecules were written.

    total = objective + weight * mean over molecules x, written at draws z of the priors, of -log q(z|x)

    Half of the draws are from the posterior family's own prior, half from a learned one fitted to the codes as they are; there
    is one for every three molecules of a batch. Texts that are no molecule are left out; molecules are read in their canonical
    form.

    Parameters
    ----------
    objective, train, weight, n_points, jobs, seed
        As of :class:`~chemvae.objectives.own_samples.OwnSamples`.

    Raises
    ------
    SettingsError
        If the model's posterior cannot read a z that it has not drawn itself.
    """

    prefix = "sleep."

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Sleep:
        s = context.settings
        if context.model is not None and not context.model.posterior_family.reads_any_z:
            raise SettingsError("sleep asks q(z|x) for its density at a z of another draw, which this posterior does not have")
        n_points = round(cls.refresh_steps * s.batch_size * POINTS_PER_MOLECULE)
        return cls(train=context.train, n_points=n_points, jobs=context.jobs, seed=s.seed, **settings)

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        loss = self.objective(model, batch, step, phase, generator)
        n = self.n_beside(batch)
        if not n or phase != self.phases[-1]:
            return loss
        z, dreams = self.draw(n, model.device, generator)
        surprise = -model.posterior_of(dreams).log_prob(z).mean()
        return Loss(loss.total + self.weight * surprise, {**loss.parts, "sleep": surprise.detach()})

    @torch.no_grad()
    def refresh(self, model: MolVAE, step: int) -> None:
        """Dream anew, with the model as it is."""
        with eval_mode(model):
            rng = np.random.default_rng((self.seed, step))
            z = torch.cat(list(self.points(model, rng).values()))
            texts, valid = self.write(model, z, 1.0, int(rng.integers(2**31)))
            dreamed = {i: canonicalize(one[0]) for i, one in enumerate(texts) if valid[i, 0]}
            self.keep(model, z, {i: [smiles] for i, smiles in dreamed.items() if smiles is not None})
            self.facts = {"valid": float(valid.mean()), "kept": float(len(self._z))}
            log.info("dreams at step %d: %s", step, self.facts)

    def points(self, model: MolVAE, rng: np.random.Generator) -> dict[str, Tensor]:
        """Where to write [n, D]: half from each prior."""
        draw = torch.Generator().manual_seed(int(rng.integers(2**31)))
        chosen = rng.integers(len(self.train), size=min(len(self.train), self.n_points))
        codes = model.posterior(self.train.smiles.take(chosen), canonicalize=False).draw(1, draw)[0][0]
        learned = quick_prior(model.settings.fitted_prior, model.posterior_family).fit(codes.numpy(), int(rng.integers(2**31)))
        n_learned = self.n_points // 2
        return {
            "normal": find_prior(model, "normal").sample(self.n_points - n_learned, draw).cpu(),
            "learned": learned.sample(n_learned, draw),
        }
