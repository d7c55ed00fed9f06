"""Speed of chemvae's own training: the Trainer as a user runs it, stopped by its time limit."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import numpy as np
import torch

from chemvae.bench.timing import Speed, wait_for
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import InterruptedRunError
from chemvae.models.vae import MolVAE
from chemvae.training.settings import PRESETS, TrainingSettings
from chemvae.training.trainer import Trainer

ENDLESS = 100_000  # epochs: the time limit ends a measurement, never the schedule
WARM_UP_S = 0.5


def training_settings(preset: str, batch_size: int, seconds: float, threads: int, seed: int) -> TrainingSettings:
    """The preset's settings with a time limit, and nothing on the way that is not training."""
    return replace(
        PRESETS[preset][1], batch_size=batch_size, epochs=ENDLESS, time_limit_min=seconds / 60, threads=threads, seed=seed,
        checkpoint_min=0.0, min_kl=0.0, min_active_units=0.0,
    )  # fmt: skip


def train_for(
    model: MolVAE, train: SmilesDataset, valid: SmilesDataset, settings: TrainingSettings, device: torch.device
) -> tuple[Speed, int]:
    """Train a copy of the model until the time limit; return its speed and the number of steps.

    The clock runs over ``Trainer.fit`` as a whole: batches, forward, backward, clipping, optimizer, weight average.
    """
    trainer = Trainer(copy.deepcopy(model), train, valid, settings, device=str(device))
    wait_for(device)
    started = time.perf_counter()
    try:
        trainer.fit()
    except InterruptedRunError:  # its words promise a saved run
        raise KeyboardInterrupt from None
    wait_for(device)
    elapsed_s = time.perf_counter() - started
    steps = trainer.progress.step
    seen = molecules_seen(train, settings.batch_size, settings.seed, steps)
    return Speed(len(seen), int(train.tokens.lengths[seen].sum()), elapsed_s), steps


def molecules_seen(train: SmilesDataset, batch_size: int, seed: int, steps: int) -> np.ndarray:
    """Indices of the molecules of the first ``steps`` batches [n]."""
    batches: list[np.ndarray] = []
    epoch = 0
    while len(batches) < steps:
        batches += train.order(epoch, batch_size, seed)
        epoch += 1
    return np.concatenate(batches[:steps]) if steps else np.zeros(0, dtype=np.int64)
