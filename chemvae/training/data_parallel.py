"""Gradients of one batch on several CPU cores: every thread takes a share of the molecules, none waits inside an operation.

OpenMP splits each matrix product over the cores and waits for the slowest at the end of every one, some 500 times a step;
beside a busy neighbour that is ruinous. Here threads meet once a step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from chemvae.data.tokens.datasets import Batch
from chemvae.objectives import Loss
from chemvae.training.ema import WeightAverage

Part = TypeVar("Part", bound=Batch)
LossOfPart = Callable[[Part, torch.Generator], Loss]
SMALLEST_PART = 16  # molecules: below, a product's fixed costs outweigh what another core adds


def _weighted(weights: Sequence[float], values: Sequence[Tensor]) -> Tensor:
    """The sum of values, each times its weight."""
    return reduce(operator.add, (weight * value for weight, value in zip(weights, values, strict=True)))


def _gradients(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Those that there are."""
    return [p.grad for p in parameters if p.grad is not None]


class DataParallel:
    """Compute mean losses over a batch and their gradients in threads.

    Parameters
    ----------
    module : nn.Module
        Shared by all threads; only its ``grad`` is written.
    threads : int
        Parts per batch.
    seed : int
        Each part of each step draws from a stream of its own, so results depend on ``threads`` but not on timing.
    """

    def __init__(self, module: nn.Module, threads: int, seed: int = 0):
        self.threads, self.seed = threads, seed
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        self._names, self.parameters = [name for name, _ in named], [p for _, p in named]
        self._shares = share_out(self.parameters, threads)
        self._pool = ThreadPoolExecutor(threads, "chemvae-train", initializer=torch.set_num_threads, initargs=(1,))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True)

    def backward(self, batch: Part, loss_of: LossOfPart[Part], step: int) -> Loss:
        """Set every parameter's gradient to that of the mean loss over the batch, and return that loss.

        ``loss_of(part, generator)`` must be a mean over the part's molecules.
        """
        n_parts = max(1, min(self.threads, len(batch) // SMALLEST_PART))
        parts = [batch.part(i, n_parts) for i in range(n_parts)]
        weights = [len(part) / len(batch) for part in parts]
        seeds = [((self.seed * 1_000_003 + step) * 1024 + i) % 2**63 for i in range(n_parts)]
        results = list(self._pool.map(lambda *job: self._part(loss_of, *job), parts, weights, seeds))
        gradients = [gradient for _, gradient in results]
        list(self._pool.map(lambda share: self._add(gradients, share), self._shares))
        losses = [loss for loss, _ in results]
        total = _weighted(weights, [loss.total.detach() for loss in losses])
        return Loss(total, {name: _weighted(weights, [loss.parts[name] for loss in losses]) for name in losses[0].parts})

    def update(self, optimizer: torch.optim.AdamW, clip_norm: float, average: WeightAverage | None, step: int) -> Tensor:
        """Clip the gradient, step the optimizer and move the average, each thread on its share of the parameters.

        The numbers are those of the three calls one after the other (two, without an average); on one thread they take a tenth
        of a step, in which the other threads would wait. Returns the gradient's norm before clipping.
        """
        if not all(optimizer.state[p] for p in self.parameters if p.grad is not None):  # the first step makes the state
            norm = nn.utils.clip_grad_norm_(self.parameters, clip_norm)
            optimizer.step()
            if average is not None:
                average.update(step)
            return norm
        norms = [norm for share in self._pool.map(self._norms, self._shares) for norm in share]
        norm = torch.linalg.vector_norm(torch.stack(norms))
        scale = torch.clamp(clip_norm / (norm + 1e-6), max=1.0)  # as clip_grad_norm_
        averages = None if average is None else [average.weights[name] for name in self._names]
        decay = 0.0 if average is None else average.decay_at(step)
        list(self._pool.map(lambda share: self._update(optimizer, share, scale, averages, decay), self._shares))
        return norm

    def _with_gradient(self, share: Sequence[int]) -> list[int]:
        return [i for i in share if self.parameters[i].grad is not None]

    def _norms(self, share: Sequence[int]) -> list[Tensor]:
        return list(torch._foreach_norm(_gradients([self.parameters[i] for i in share])))

    @torch.no_grad()
    def _update(
        self,
        optimizer: torch.optim.AdamW,
        share: Sequence[int],
        scale: Tensor,
        averages: list[Tensor] | None,
        decay: float,
    ) -> None:
        known = {id(p): group for group in optimizer.param_groups for p in group["params"]}
        moving = self._with_gradient(share)
        for group in optimizer.param_groups:
            own: list[Tensor] = [self.parameters[i] for i in moving if known[id(self.parameters[i])] is group]
            if not own:
                continue
            gradients, states = _gradients(own), [optimizer.state[p] for p in own]
            torch._foreach_mul_(gradients, scale)
            first, second = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
            beta1, beta2 = group["betas"]
            adamw(
                own, gradients, first, second, [], [state["step"] for state in states], fused=True, amsgrad=False, beta1=beta1,
                beta2=beta2, lr=group["lr"], weight_decay=group["weight_decay"], eps=group["eps"], maximize=False,
            )  # fmt: skip
        if averages is not None:
            torch._foreach_lerp_([averages[i] for i in share], [self.parameters[i].detach() for i in share], 1 - decay)

    def _part(self, loss_of: LossOfPart[Part], part: Part, weight: float, seed: int) -> tuple[Loss, Sequence[Tensor | None]]:
        loss = loss_of(part, torch.Generator().manual_seed(seed))
        return loss, torch.autograd.grad(loss.total * weight, self.parameters, allow_unused=True)

    def _add(self, gradients: list[Sequence[Tensor | None]], share: Sequence[int]) -> None:
        for i in share:
            parts = [part for one in gradients if (part := one[i]) is not None]
            self.parameters[i].grad = None
            if parts:
                total = parts[0].contiguous()
                for other in parts[1:]:
                    total += other
                self.parameters[i].grad = total


def share_out(parameters: Sequence[Tensor], shares: int) -> list[list[int]]:
    """Divide parameters, by their number, into shares of about equal size.

    Examples
    --------
    >>> share_out([torch.empty(6), torch.empty(3), torch.empty(2)], 2)
    [[0], [1, 2]]
    """
    found: list[list[int]] = [[] for _ in range(shares)]
    sizes = [0] * shares
    for i in sorted(range(len(parameters)), key=lambda i: -parameters[i].numel()):
        smallest = sizes.index(min(sizes))
        found[smallest].append(i)
        sizes[smallest] += parameters[i].numel()
    return found
