"""The small training run of ``chemvae demo --train``."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chemvae import api
from chemvae.demo.library import LABELS
from chemvae.models.vae import MolVAE
from chemvae.training.callbacks import Callback

log = logging.getLogger(__name__)

LINE_EVERY_S = 10.0


def train_small(
    data: Path, run: Path, settings: Mapping[str, Any], seed: int, callbacks: Sequence[Callback] | None = None
) -> MolVAE:
    """Train on a prepared folder with the preset "tiny", and load what came of it as anyone would.

    Parameters
    ----------
    data, run : path
        The prepared data; the run folder, which is replaced.
    settings : mapping
        What differs from the preset.
    seed : int
    callbacks : sequence of Callback, optional
        Without any, a line is logged every ten seconds.
    """
    told = [Lines()] if callbacks is None else list(callbacks)
    api.train(
        data, LABELS, "tiny", run, seed=seed, overwrite=True, callbacks=told, device="cpu", smiles_column="smiles",
        split_column="split", **settings,
    )  # fmt: skip
    return api.load(run, device="cpu")


class Lines(Callback):
    """A line of the log every ten seconds and after each epoch."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def on_step(self, info: dict[str, float]) -> None:
        if time.monotonic() - self.last < LINE_EVERY_S:
            return
        self.last = time.monotonic()
        done, speed = f"{info['step']:,} of {info['n_steps']:,}", f"{info['molecules_per_s']:,.0f} molecules/s"
        log.info("  step %s: loss %.1f, KL %.1f nats, %s, %.0f s left", done, info["loss"], info["kl"], speed, info["eta_s"])

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        log.info(
            "  epoch %d: loss %.1f, KL %.1f nats, reconstruction %.0f %%, %s molecules/s",
            row["epoch"], row["valid_loss"], row["valid_kl"], 100 * row["valid_reconstruction_greedy"],
            f"{row['molecules_per_s']:,.0f}",
        )  # fmt: skip
