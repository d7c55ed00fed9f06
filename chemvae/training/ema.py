"""Exponential moving average of the weights: what is evaluated and shipped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average of a model's trained parameters over training steps (Polyak & Juditsky 1992).

    The decay grows as (1 + step) / (10 + step) up to ``decay``, so early averages forget the random start.

    Examples
    --------
    >>> layer = nn.Linear(1, 1)
    >>> average = WeightAverage(layer, 0.5)
    >>> _ = nn.init.constant_(layer.weight, 3.0)
    >>> average.update(step=1_000_000)
    >>> bool(average.weights["weight"] != layer.weight)
    True
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self._own = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.weights = {name: value.detach().clone() for name, value in self._own.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the model's present weights."""
        own = [p.detach() for p in self._own.values()]
        torch._foreach_lerp_(list(self.weights.values()), own, 1 - self.decay_at(step))

    def decay_at(self, step: int) -> float:
        """How much of the average stays in this step."""
        return min(self.decay, (1 + step) / (10 + step))

    def load(self, weights: dict[str, Tensor]) -> None:
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @contextlib.contextmanager
    @torch.no_grad()
    def applied(self) -> Iterator[None]:
        """Give the model the averaged weights inside the block, and its own back after it."""
        own = {name: value.detach().clone() for name, value in self._own.items()}
        self.copy_to_model()
        try:
            yield
        finally:
            for name, value in self._own.items():
                value.copy_(own[name])

    @torch.no_grad()
    def copy_to_model(self) -> None:
        for name, value in self._own.items():
            value.copy_(self.weights[name])
