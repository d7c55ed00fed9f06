"""Settings of a training run and the presets users choose from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from chemvae.errors import SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.objectives import OBJECTIVES, Objective
from chemvae.registry import wrong_kinds

AS_OBJECT = "(given as an object)"
KL_SCHEDULES = ("linear", "cyclical")


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes
    ----------
    epochs : passes over the training molecules.
    batch_size : molecules in a batch.
    learning_rate : peak of the cosine schedule.
    warmup_steps : steps until that peak.
    final_learning_rate : share of the peak left at the end.
    weight_decay : AdamW's, on matrices only.
    clip_norm : largest gradient norm.
    ema_decay : of the averaged weights, which are the ones saved and evaluated.
    objective : what is minimised, a name in OBJECTIVES, or as JSON its name and settings; in Python a dict or an Objective.
    beta : weight of the KL in nats per molecule, at the end of its schedule.
    beta_start : the same at step 0.
    kl_schedule : "linear" or "cyclical".
    kl_warmup : share of all steps over which beta rises (linear), or over which the cycles run.
    kl_cycles : number of cycles of the cyclical schedule.
    free_bits : nats per dimension the KL is not pushed below.
    property_weight : weight of the labels' log likelihood.
    word_dropout : share of decoder inputs replaced by the mask token.
    random_smiles : share of molecules the encoder reads as a random SMILES.
    unlabelled : share of the molecules without any label that an epoch reads, others in each.
    prior_points : weight of molecules that the decoder wrote itself at points between training molecules; 0 asks for none.
    noised_codes : weight of molecules given noised codes of theirs, at every level of noise; 0 asks for none.
    sleep : weight of the encoder's surprise at where the decoder's own molecules were written; 0 asks for none.
    patience : epochs without a better validation loss before stopping; 0 never stops early.
    checkpoint_min : minutes between checkpoints within an epoch; one is written after every epoch in any case.
    time_limit_min : stop and save after so many minutes of this call; 0 is no limit.
    monitor_molecules : validation molecules measured after each epoch.
    min_kl : nats per molecule under which the model counts as collapsed.
    min_active_units : share of latent dimensions in use under which it counts as collapsed.
    threads : CPU threads; 0 takes torch's choice.
    seed : of everything random.
    """

    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    final_learning_rate: float = 0.01
    weight_decay: float = 1e-4
    clip_norm: float = 5.0
    ema_decay: float = 0.999
    objective: str = "beta-elbo"
    beta: float = 0.03
    beta_start: float = 0.0
    kl_schedule: str = "linear"
    kl_warmup: float = 0.3
    kl_cycles: int = 4
    free_bits: float = 0.0
    property_weight: float = 1.0
    word_dropout: float = 0.0
    random_smiles: float = 0.0
    unlabelled: float = 1.0
    prior_points: float = 0.0
    noised_codes: float = 0.0
    sleep: float = 0.0
    patience: int = 0
    checkpoint_min: float = 5.0
    time_limit_min: float = 0.0
    monitor_molecules: int = 1000
    min_kl: float = 2.0
    min_active_units: float = 0.1
    threads: int = 0
    seed: int = 0

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        if wrong := wrong_kinds(self, free=("objective",)):
            return wrong + self._objective_complaints()
        at_least_one = ("epochs", "batch_size", "kl_cycles", "monitor_molecules")
        positive = ("learning_rate", "clip_norm")
        shares = ("kl_warmup", "word_dropout", "random_smiles", "unlabelled", "final_learning_rate", "min_active_units")
        not_negative: tuple[str, ...] = ("beta", "beta_start", "free_bits", "property_weight", "prior_points", "patience")
        not_negative += ("warmup_steps", "noised_codes", "sleep", "time_limit_min")
        found = [f"{name} must be >= 1, got {getattr(self, name)}" for name in at_least_one if getattr(self, name) < 1]
        found += [f"{name} must be > 0, got {getattr(self, name)}" for name in positive if not getattr(self, name) > 0]
        found += [f"{name} must lie in 0..1, got {getattr(self, name)}" for name in shares if not 0 <= getattr(self, name) <= 1]
        found += [f"{name} must be >= 0, got {getattr(self, name)}" for name in not_negative if not getattr(self, name) >= 0]
        if not 0 <= self.ema_decay < 1:
            found.append(f"ema_decay must lie in 0..1 without 1, got {self.ema_decay}")
        if self.kl_schedule not in KL_SCHEDULES:
            found.append(f"kl_schedule must be one of {', '.join(KL_SCHEDULES)}, got '{self.kl_schedule}'")
        return found + self._objective_complaints()

    def _objective_complaints(self) -> list[str]:
        if isinstance(self.objective, Objective):
            return []
        name = self.objective.get("name") if isinstance(self.objective, Mapping) else self.objective
        if isinstance(name, str) and name in OBJECTIVES:
            return []
        return [f"objective must be one of {', '.join(OBJECTIVES)}, or an Objective; got {self.objective!r}"]

    def described(self) -> dict[str, Any]:
        """What config.json says of these settings; of an objective given as an object, its class in words."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        if isinstance(self.objective, Objective):
            values["objective"] = f"{type(self.objective).__name__} {AS_OBJECT}"
        return values

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)


PRESETS: dict[str, tuple[ModelSettings, TrainingSettings]] = {
    "tiny": (
        ModelSettings(embedding_dim=32, encoder_dim=96, decoder_dim=256, latent_dim=32, predictor_dim=64),
        TrainingSettings(epochs=6, batch_size=64, learning_rate=2e-3, warmup_steps=100, monitor_molecules=500),
    ),
    "cpu": (ModelSettings(), TrainingSettings()),
    "gpu": (
        ModelSettings(encoder_dim=512, decoder_dim=1024, latent_dim=128, predictor_dim=512),
        TrainingSettings(epochs=100, batch_size=512, learning_rate=1e-3, warmup_steps=1000),
    ),
}
