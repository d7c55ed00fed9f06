"""The contract of a posterior family: from the encoder's h to q(z|x), drawn together with its log density."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.distributions import Distribution


@dataclass(frozen=True)
class Posterior:
    """q(z|x) for a batch.

    ``distribution`` has batch shape [B] and event shape [D]; ``point`` [B, D] is the one z that stands for each molecule;
    ``kl_dims`` [B, D] is the KL to the prior split over dimensions and ``kl`` [B] its total, where the family has them in
    closed form (None where not). Densities are in nats.
    """

    distribution: Distribution
    point: Tensor
    kl: Tensor | None = None
    kl_dims: Tensor | None = None

    def draw(self, n_draws: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw z [K, B, D] with gradients to the parameters, and log q(z|x) [K, B]."""
        with forked_rng(generator):
            z = self.distribution.rsample((n_draws,))
        return z, self.distribution.log_prob(z)


class forked_rng:
    """Let ``generator`` drive a block of code that only knows torch's global random state, and leave that state as it was.

    A generator of None changes nothing: the block draws from the global stream. That stream is one for all threads, so with a
    generator only one thread at a time is inside such a block.
    """

    _alone = threading.RLock()

    def __init__(self, generator: torch.Generator | None):
        self.generator = generator
        on_cuda = generator is not None and generator.device.type == "cuda"
        self._source = torch.cuda if on_cuda else torch.random

    def __enter__(self) -> None:
        if self.generator is not None:
            self._alone.acquire()
            self._before = self._source.get_rng_state()
            self._source.set_rng_state(self.generator.get_state())

    def __exit__(self, *_: object) -> None:
        if self.generator is not None:
            try:
                self.generator.set_state(self._source.get_rng_state())
                self._source.set_rng_state(self._before)
            finally:
                self._alone.release()


class PosteriorFamily(nn.Module):
    """Interface: ``forward(h [B, H]) -> Posterior`` and ``prior()``, the density z is measured against."""

    latent_dim: int

    def forward(self, h: Tensor) -> Posterior:
        raise NotImplementedError

    def prior(self) -> Distribution:
        raise NotImplementedError
