"""The weights of the best epoch, kept where a trained model is tuned: it never ends worse than it began."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from chemvae.training.ema import WeightAverage

START = 0  # the epoch before the first
NONE = -1


class BestWeights:
    """Averaged weights of the epoch with the lowest held-out loss, the start among them.

    Parameters
    ----------
    model : Module
        Whose trained parameters they are.

    Attributes
    ----------
    loss : float
        The lowest so far.
    epoch : int
        After which it was reached; 0 is the start.

    Examples
    --------
    >>> layer = nn.Linear(1, 1)
    >>> best, average = BestWeights(layer), WeightAverage(layer, 0.5)
    >>> best.offer(2.0, 0, average), best.offer(3.0, 1, average), best.epoch
    (True, False, 0)
    """

    def __init__(self, model: nn.Module):
        self._own = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.loss, self.epoch = math.inf, NONE
        self.weights: dict[str, Tensor] = {}

    def offer(self, loss: float, epoch: int, average: WeightAverage) -> bool:
        """Keep a copy of the averaged weights if their held-out loss is the lowest; whether it was."""
        if not loss < self.loss:
            return False
        self.loss, self.epoch = loss, epoch
        self.weights = {name: value.detach().clone() for name, value in average.weights.items()}
        return True

    @torch.no_grad()
    def copy_to_model(self) -> None:
        """Give the model the weights that were kept, if any were."""
        for name, value in self.weights.items():
            self._own[name].copy_(value)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"loss": self.loss, "epoch": self.epoch, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; one of before holds nothing, and the best is sought from there on.

        Raises
        ------
        ValueError
            If its weights are not those of this model.
        """
        found: dict[str, Tensor] = state.get("weights", {})
        if found and {name: value.shape for name, value in found.items()} != {n: p.shape for n, p in self._own.items()}:
            raise ValueError("the best weights are those of another model")
        self.weights = {name: value.to(self._own[name].device) for name, value in found.items()}
        self.loss, self.epoch = float(state.get("loss", math.inf)), int(state.get("epoch", NONE))
