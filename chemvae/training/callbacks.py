"""What may listen to training."""

from __future__ import annotations

from chemvae.models.vae import MolVAE

STEP_FACTS = ("step", "n_steps", "epoch", "loss", "molecules_per_s", "eta_s")
"""What a callback is told of every step, whatever the objective."""


class Callback:
    """Told what happens; subclasses override what they want to hear of."""

    def on_step(self, info: dict[str, float]) -> None:
        """:data:`STEP_FACTS`, and the parts of the objective's loss under its own names; every 20 steps."""

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """The epoch's line of metrics.csv, and the model with averaged weights. Values added to ``row`` are kept."""
