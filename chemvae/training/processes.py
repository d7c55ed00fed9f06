"""Several processes that train one model, as torchrun starts them: each takes its share of every batch.

All hold the same weights. After each backward pass gradients are added up over the processes, weighted by their molecules, so a
step is that of one process with the whole batch, but for its random numbers. The first process alone writes and speaks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed, nn

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError

AnyBatch = TypeVar("AnyBatch", bound=Batch)
SEED_STRIDE = 7_919  # between the streams of random numbers of two processes


@dataclass(frozen=True)
class Processes:
    """This process, and how many there are.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    size : int
        How many there are.
    local_rank : int
        Number of this process on its machine: that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def of_environment(cls) -> Processes:
        """What torchrun says in WORLD_SIZE, RANK and LOCAL_RANK; one process without it.

        Raises
        ------
        SettingsError
            If they are no numbers that go together.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        given = [os.environ.get(name, "") for name in names]
        if not given[1]:
            return cls()
        try:
            found = cls(*(int(text or 0) for text in given))
        except ValueError:
            found = cls(-1)
        if not 0 <= found.rank < found.size or found.local_rank < 0:
            said = ", ".join(f"{name}={text!r}" for name, text in zip(names, given, strict=True))
            raise SettingsError(
                f"{said} do not go together; torchrun sets them: torchrun --nproc-per-node 2 -m chemvae train ..."
            )
        return found

    @property
    def is_first(self) -> bool:
        """Whether this one writes and speaks."""
        return self.rank == 0

    @property
    def seed_offset(self) -> int:
        """Added to a seed, so that no two processes draw the same numbers."""
        return SEED_STRIDE * self.rank

    @contextlib.contextmanager
    def together(self, device: torch.device) -> Iterator[None]:
        """Connected with the others."""
        if self.size == 1:
            yield
            return
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", rank=self.rank, world_size=self.size)
        try:
            yield
        finally:
            distributed.destroy_process_group()

    def wait(self) -> None:
        """Until all are here."""
        if self.size > 1:
            distributed.barrier()

    def share(self, batch: AnyBatch) -> AnyBatch:
        """This process's molecules of a batch: all of them where there are fewer than processes."""
        return batch if self.size == 1 or len(batch) < self.size else batch.part(self.rank, self.size)

    def weight(self, n_all: int, n_own: int) -> float:
        """Of this process's mean loss, in that of the batch.

        Examples
        --------
        >>> Processes(0, 2).weight(5, 3), Processes(1, 4).weight(2, 2)
        (0.6, 0.25)
        """
        return n_own / n_all if n_all >= self.size else 1 / self.size

    @torch.no_grad()
    def add_up(self, module: nn.Module, weight: float) -> None:
        """Replace each gradient by its weighted sum over the processes; one that none of them has stays None."""
        if self.size == 1:
            return
        parameters = [p for p in module.parameters() if p.requires_grad]
        known = torch.tensor([float(p.grad is not None) for p in parameters], device=parameters[0].device)
        parts = [weight * (torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters]
        total = torch.cat([known, *parts])
        distributed.all_reduce(total)
        known, *sums = total.split([len(parameters), *(p.numel() for p in parameters)])
        for parameter, has_one, value in zip(parameters, known.tolist(), sums, strict=True):
            parameter.grad = value.view_as(parameter).clone() if has_one else None

    def agreed(self, number: int, device: torch.device) -> int:
        """What the first process says."""
        if self.size == 1:
            return number
        said = torch.tensor([number], device=device)
        distributed.broadcast(said, 0)
        return int(said)


ALONE = Processes()
