"""The contract of an objective: from the model's Terms to one Loss in nats per molecule."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE


@dataclass(frozen=True)
class Loss:
    """``total`` is what is minimised; ``parts`` are what to log. Scalars, nats per molecule."""

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)


class Objective:
    """Interface: ``loss(terms, step) -> Loss``. The trainer calls the objective once per phase of a step.

    ``splits`` says that the loss is a mean over molecules, so that threads may each take a part of the batch; leave it False
    where molecules of a batch meet (a contrast between them, a bound on the batch's mean). One that makes something from the
    model as it is says so in ``refresh_steps``: it is then asked to ``prepare`` every so many steps, with averaged weights.
    """

    phases: tuple[str, ...] = ("model",)
    n_draws: int = 1
    splits: bool = False
    refresh_steps: int = 0

    def loss(self, terms: Terms, step: int) -> Loss:
        raise NotImplementedError

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        return self.loss(model(batch, self.n_draws, generator), step)

    def prepare(self, model: MolVAE, step: int) -> None:  # noqa: B027  (optional: most have nothing to make)
        """Make what the next steps need from the model as it is."""

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold besides the model."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:  # noqa: B027
        """Take what :meth:`state` returned."""

    def close(self) -> None:  # noqa: B027
        """Let go of processes and files; the objective may be used again."""
