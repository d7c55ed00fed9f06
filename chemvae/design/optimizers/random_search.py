"""Random search: samples from the learned prior, or around the start where similarity to it is asked. Everyone's baseline."""

from __future__ import annotations

from torch import Tensor

from chemvae.design.optimizers.base import Optimizer


class RandomSearch(Optimizer):
    """Proposes without learning anything."""

    def ask(self, n: int) -> Tensor:
        """Draw n points [n, D] from the region."""
        return self._asked_for(self.region.explored(n, self.generator))
