"""One GRU step, 128 rows of width 512: compiled gates, the same in torch operations, and the matrix product alone."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from chemvae.bench.timing import repeat
from chemvae.models.gru.kernels import kernels
from chemvae.models.gru.layer import GRU
from chemvae.seeding import seeded

ROWS, WIDTH, N_TOKENS, EMBEDDING, CONTEXT = 128, 512, 40, 64, 64
STEPS = 40  # per repetition: a single step is too short for a clock


def measure_step(dtype: torch.dtype, seconds: float, *, compiled: bool = False) -> dict[str, float | None]:
    """Microseconds of one step on the CPU, medians.

    Parameters
    ----------
    dtype : torch.dtype
        Of the products.
    seconds : float
        Of each measurement.
    compiled : bool
        Also time the step as ``torch.compile`` makes it.

    Returns
    -------
    dict
        ``gate_step_product_us`` the product [128, 512] x [512, 1536] alone; ``gate_step_kernels_us`` (None without a compiler)
        and ``gate_step_eager_us`` product and gates without gradients, as decoding runs them;
        ``gate_step_train_kernels_us`` and ``gate_step_train_eager_us`` forward and backward with all gradients;
        ``gate_step_compiled_us`` and ``gate_step_compiling_s`` if asked for.
    """
    case = Case(dtype)
    found: dict[str, float | None] = {"gate_step_product_us": microseconds(case.product, seconds)}
    has_kernels = kernels() is not None
    found["gate_step_kernels_us"] = microseconds(case.walk(), seconds) if has_kernels else None
    found["gate_step_train_kernels_us"] = microseconds(case.train, seconds) if has_kernels else None
    with without_kernels():
        found["gate_step_eager_us"] = microseconds(case.walk(), seconds)
        found["gate_step_train_eager_us"] = microseconds(case.train, seconds)
    if compiled:
        started = time.perf_counter()
        work = case.plain(torch.compile(plain_step))
        work()
        found["gate_step_compiling_s"] = time.perf_counter() - started
        found["gate_step_compiled_us"] = microseconds(work, seconds)
    return found


def microseconds(work: Callable[[], object], seconds: float) -> float:
    """Median time of one of the :data:`STEPS` steps that ``work`` does."""
    return 1e6 * statistics.median(repeat(work, seconds)) / STEPS


@contextlib.contextmanager
def without_kernels() -> Iterator[None]:
    """Switch the compiled gates off inside the block, as CHEMVAE_NO_COMPILER does."""
    before = os.environ.get("CHEMVAE_NO_COMPILER")
    os.environ["CHEMVAE_NO_COMPILER"] = "1"
    kernels.cache_clear()
    try:
        yield
    finally:
        del os.environ["CHEMVAE_NO_COMPILER"]
        if before is not None:
            os.environ["CHEMVAE_NO_COMPILER"] = before
        kernels.cache_clear()


def plain_step(h: Tensor, gates: Tensor, weight: Tensor, bias_hn: Tensor) -> Tensor:
    """One step as the equation reads: state h [R, H] float, token's and context's gates [R, 3H], weight [H, 3H]."""
    a_r, a_u, a_n = (h.to(weight.dtype) @ weight).to(h.dtype).chunk(3, dim=1)
    g_r, g_u, g_n = gates.chunk(3, dim=1)
    u = torch.sigmoid(g_u + a_u)
    n = torch.tanh(g_n + torch.sigmoid(g_r + a_r) * (a_n + bias_hn))
    return u * h + (1 - u) * n


class Case:
    """A layer with random weights and tokens."""

    def __init__(self, dtype: torch.dtype):
        self.dtype, generator = dtype, torch.Generator().manual_seed(0)
        with seeded(0):
            self.gru = GRU(EMBEDDING, CONTEXT, WIDTH)
        self.embedding = torch.randn(N_TOKENS, EMBEDDING, generator=generator)
        self.context = torch.randn(ROWS, CONTEXT, generator=generator)
        self.tokens = torch.randint(0, N_TOKENS, (STEPS, ROWS), generator=generator)
        self.h0 = torch.zeros(ROWS, WIDTH)
        self.weight = self.gru.weight_hh_l0.detach().to(dtype).t()
        self.state = torch.randn(ROWS, WIDTH, generator=generator).to(dtype)

    def product(self) -> None:
        """The matrix product of each step."""
        for _ in range(STEPS):
            self.state @ self.weight

    def walk(self) -> Callable[[], Tensor]:
        """All steps one after the other, as decoding does; returns the last state."""

        def run() -> Tensor:
            stepper = self.gru.stepper(self.embedding, self.context, self.h0, self.dtype)
            for tokens in self.tokens:
                state = stepper.step(tokens)
            return state

        return run

    def train(self) -> None:
        """Forward and backward."""
        steps = self.gru.steps(self.embedding, self.tokens, self.context, self.h0)
        states, _ = self.gru(steps, self.dtype)
        self.gru.zero_grad()
        states.float().sum().backward()

    def plain(self, step: Callable[..., Tensor]) -> Callable[[], Tensor]:
        """All steps by a function of (h, gates, weight, bias_hn); returns the last state."""

        @torch.no_grad()
        def run() -> Tensor:
            table, context = self.gru.table(self.embedding), self.gru.context_gates(self.context)
            h, bias = self.h0, self.gru.bias_hn()[0]
            for tokens in self.tokens:
                h = step(h, table[tokens] + context, self.weight, bias)
            return h

        return run
