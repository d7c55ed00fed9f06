"""The contract of an objective: from the model's Terms to one Loss in nats per molecule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE


@dataclass(frozen=True)
class Loss:
    """``total`` is what is minimised; ``parts`` are what to log. Scalars, nats per molecule."""

    total: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class ObjectiveContext:
    """What a run offers an objective that is built for it."""

    settings: Any
    """The run's TrainingSettings."""
    beta: Callable[[int], float]
    """Step to KL weight: the schedule of the settings."""
    train: SmilesDataset
    """Training molecules."""
    jobs: int = 1
    """Processes that may work beside the training."""
    model: MolVAE | None = None
    """What is trained: for what an objective must know of its sizes."""


class Objective:
    """Interface: ``loss(terms, step) -> Loss``. The trainer calls the objective once per phase of a step.

    ``splits`` says that the loss is a mean over molecules, so that threads may each take a part of the batch; leave it False
    where molecules of a batch meet (a contrast between them, a bound on the batch's mean). One that makes something from the
    model as it is says so in ``refresh_steps``: it is then asked to ``prepare`` every so many steps, with averaged weights.
    One whose networks are trained beside the model names the phase that each is trained in (:meth:`networks`).
    What is shown and logged while it trains are the ``parts`` of its losses, under the names it gives them.

    Examples
    --------
    >>> class Reconstruction(Objective):
    ...     splits = True
    ...
    ...     def loss(self, terms, step):
    ...         cross_entropy = -terms.log_px_z.mean()
    ...         return Loss(cross_entropy, {"cross_entropy": cross_entropy.detach()})
    """

    phases: tuple[str, ...] = ("model",)
    n_draws: int = 1
    splits: bool = False
    refresh_steps: int = 0
    trains_prior: bool = True
    """Whether log p(z) is part of the loss, so that a prior that is trained along learns something."""
    reads_any_z: bool = False
    """Whether it reads q(z|x) at a z with its parameters held, which takes a family that can."""
    has_free_bits: bool = False
    """Whether the setting ``free_bits`` means something to it."""

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Objective:
        """Build it for a run; ``settings`` are those given beside its name. By default they are the constructor's arguments."""
        return cls(**settings)

    @classmethod
    def reads_any_z_with(cls, settings: Mapping[str, Any]) -> bool:
        """What :attr:`reads_any_z` will be of one made with these settings."""
        return cls.reads_any_z

    def loss(self, terms: Terms, step: int) -> Loss:
        raise NotImplementedError

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        """What the loss is made of: by default the model's terms of the batch."""
        return model(batch, self.n_draws, generator)

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        return self.loss(self.terms(model, batch, step, generator), step)

    def networks(self) -> dict[str, nn.Module]:
        """Networks of its own, by the phase they are trained in; the model is not trained in those."""
        return {}

    # ---------------------------------------------------------------- what is made on the way

    def is_due(self, step: int) -> bool:
        """Whether :meth:`prepare` is to be called before this step."""
        return self.refresh_steps > 0 and step % self.refresh_steps == 0

    def prepare(self, model: MolVAE, step: int) -> None:  # noqa: B027  (optional: most have nothing to make)
        """Make what the next steps need from the model as it is."""

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint must hold besides the model."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:  # noqa: B027
        """Take what :meth:`state` returned."""

    def close(self) -> None:  # noqa: B027
        """Let go of processes and files; the objective may be used again."""

    # ---------------------------------------------------------------- how well it goes

    def schedule(self, step: int) -> dict[str, float]:
        """Numbers that change with the step, by name, for the epoch's line in metrics.csv."""
        return {}

    @torch.no_grad()
    def validate(
        self, model: MolVAE, batches: Iterable[Batch], step: int, generator: torch.Generator | None = None
    ) -> dict[str, float]:
        """Measure itself on held-out molecules, the model in eval mode: ``loss`` and its parts, means over the molecules.

        They go into metrics.csv beside what is measured of every model (:func:`chemvae.training.validation.measure`).
        """
        sums: dict[str, float] = {}
        count = 0
        for batch in batches:
            found = self(model, batch, step, self.phases[-1], generator)
            for name, value in {**found.parts, "loss": found.total}.items():
                sums[name] = sums.get(name, 0.0) + float(value) * len(batch)
            count += len(batch)
        return {name: value / count for name, value in sums.items()}

    def valid_loss(self, facts: Mapping[str, float]) -> float:
        """What early stopping looks at, the less the better, from an epoch's held-out figures; by default its own loss."""
        return facts["loss"]

    def collapse(self, facts: Mapping[str, float], settings: Any) -> list[str]:
        """Say what shows that the latent space carries (almost) nothing; [] if it carries something."""
        found = []
        if facts["kl"] < settings.min_kl:
            found.append(f"KL {facts['kl']:.2f} nats per molecule (at least {settings.min_kl:g} expected)")
        if facts["active_units"] < settings.min_active_units:
            found.append(
                f"{facts['active_units']:.0%} of the latent dimensions active (at least {settings.min_active_units:.0%})"
            )
        return found

    def collapse_remedy(self, settings: Any) -> str:
        """What to do about it, in words."""
        return "Raise --word-dropout to 0.1-0.2; if the loss barely moved, train longer."


def kl_of(terms: Terms) -> Tensor:
    """KL per molecule [B]: closed form, or log q - log p averaged over the draws."""
    return terms.kl if terms.kl is not None else torch.mean(terms.log_qz_x - terms.log_pz, dim=0)


class ObjectiveWrapper(Objective):
    """An objective, and something beside it: what is not overridden is the wrapped objective's.

    Parameters
    ----------
    objective : Objective
    """

    def __init__(self, objective: Objective):
        self.objective = objective
        self.phases, self.n_draws, self.splits = objective.phases, objective.n_draws, objective.splits
        self.trains_prior, self.reads_any_z = objective.trains_prior, objective.reads_any_z

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        return self.objective(model, batch, step, phase, generator)

    def loss(self, terms: Terms, step: int) -> Loss:
        return self.objective.loss(terms, step)

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        return self.objective.terms(model, batch, step, generator)

    def networks(self) -> dict[str, nn.Module]:
        return self.objective.networks()

    def refresh(self, model: MolVAE, step: int) -> None:  # noqa: B027
        """Make what the wrapper itself needs from the model as it is."""

    def is_due(self, step: int) -> bool:
        return super().is_due(step) or self.objective.is_due(step)

    def prepare(self, model: MolVAE, step: int) -> None:
        """Let the wrapped objective prepare, if it is due, then refresh what is its own."""
        wrapped_is_due = self.objective.is_due(step)
        if wrapped_is_due:
            self.objective.prepare(model, step)
        if super().is_due(step) or not wrapped_is_due:
            self.refresh(model, step)

    def state(self) -> dict[str, Tensor]:
        return self.objective.state()

    def load(self, state: dict[str, Tensor]) -> None:
        self.objective.load(state)

    def close(self) -> None:
        self.objective.close()

    def schedule(self, step: int) -> dict[str, float]:
        return self.objective.schedule(step)

    def validate(
        self, model: MolVAE, batches: Iterable[Batch], step: int, generator: torch.Generator | None = None
    ) -> dict[str, float]:
        return self.objective.validate(model, batches, step, generator)

    def valid_loss(self, facts: Mapping[str, float]) -> float:
        return self.objective.valid_loss(facts)

    def collapse(self, facts: Mapping[str, float], settings: Any) -> list[str]:
        return self.objective.collapse(facts, settings)

    def collapse_remedy(self, settings: Any) -> str:
        return self.objective.collapse_remedy(settings)
