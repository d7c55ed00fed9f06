"""What may listen to training."""

from __future__ import annotations

from chemvae.models.vae import MolVAE


class Callback:
    """Told what happens; subclasses override what they want to hear of."""

    def on_step(self, info: dict[str, float]) -> None:
        """``step, n_steps, epoch, loss, cross_entropy, kl, property_nll, molecules_per_s, eta_s``; every 20 steps."""

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        """The epoch's line of metrics.csv, and the model with averaged weights. Values added to ``row`` are kept."""
