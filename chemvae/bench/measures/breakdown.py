"""Where each millisecond of a training step goes: products, gates, loss, optimizer, batching, and the rest.

One thread, so that the parts add up. Torch's own operations are timed by its profiler and sorted by name, the compiled kernels
and the making of batches by a clock around each call; what is left of the wall clock is autograd, copies and Python.

A kernel that walks all steps of a recurrence calls the matrix product itself, through an address it is handed. Its two kinds of
work are told apart by walking once more with a product that does nothing: what is left then is the gates.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.autograd.profiler import profile

from chemvae.bench.measures.training import WARM_UP_S, train_for, training_settings
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.models.gru.kernels import kernels
from chemvae.models.vae import MolVAE
from chemvae.objectives import BetaELBO
from chemvae.parallel import limited_threads

PARTS = ("products", "gates", "loss", "optimizer", "batching", "other")
LARGEST = 12  # operations listed by name

_PRODUCTS = ("aten::mm", "aten::bmm", "aten::addmm", "aten::baddbmm", "aten::mkldnn_", "aten::_scaled_mm", "gemm")
_LOSS = ("cross_entropy", "log_softmax", "LogSoftmax", "nll_loss", "NllLoss", "logsumexp", "softmax")
_OPTIMIZER = ("Optimizer.", "adam", "aten::_foreach_", "aten::linalg_vector_norm", "aten::lerp", "clip_coef")
_GATES = ("aten::sigmoid", "aten::tanh", "gates", "forward_", "backward_")
_WALKS = "run_"  # kernels of this name take the addresses of the product and of its clean-up as their last two arguments
_FEW_STEPS = 10  # without products


def part_of(name: str) -> str | None:
    """The part that an operation of this name belongs to; None if the name does not tell.

    Examples
    --------
    >>> part_of("aten::bmm"), part_of("Optimizer.step#AdamW.step"), part_of("aten::copy_")
    ('products', 'optimizer', None)
    """
    tables = (("products", _PRODUCTS), ("loss", _LOSS), ("optimizer", _OPTIMIZER), ("gates", _GATES))
    return next((part for part, words in tables if any(word in name for word in words)), None)


class Meter:
    """Seconds spent in calls, by what they are."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._depth = 0

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with a clock around it; calls inside timed calls count once."""

        def call(*arguments: Any, **named: Any) -> Any:
            self._depth += 1
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self.seconds[name] += time.perf_counter() - started

        return call

    @property
    def walks(self) -> float:
        """Seconds in kernels that call the product themselves."""
        return sum(spent_s for name, spent_s in self.seconds.items() if name.startswith(_WALKS))

    @contextlib.contextmanager
    def kernels(self, *, products: bool = True) -> Iterator[None]:
        """Time every function of the compiled library inside the block; ``products=False`` lets walks multiply nothing."""
        library = kernels()
        functions = {} if library is None else {name: f for name, f in vars(library).items() if hasattr(f, "argtypes")}
        try:
            for name, function in functions.items():
                idle = name.startswith(_WALKS) and not products
                setattr(library, name, self.timed(name, without_product(function) if idle else function))
            yield
        finally:
            for name, function in functions.items():
                setattr(library, name, function)


def without_product(walk: Callable[..., Any]) -> Callable[..., Any]:
    """The same kernel, handed a C function that does nothing in place of the product and its clean-up."""
    nothing = ctypes.cast(ctypes.CDLL(None).abs, ctypes.c_void_p).value
    return lambda *arguments: walk(*arguments[:-2], nothing, nothing)


class TimedDataset(SmilesDataset):
    """The molecules of another data set, the making of batches on a meter."""

    def __init__(self, source: SmilesDataset, meter: Meter):
        vars(self).update(vars(source))
        self._make = meter.timed("batching", super().batch)

    def batch(self, index: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        return self._make(index, rng)


def step_breakdown(
    model: MolVAE, train: SmilesDataset, valid: SmilesDataset, preset: str, batch_size: int, seconds: float, seed: int
) -> dict[str, Any]:
    """Train for so many seconds on one thread of the CPU under the profiler; milliseconds per step of each part.

    Returns
    -------
    dict
        ``step_<part>_ms`` and ``step_<part>_share`` for each of :data:`PARTS`, ``step_total_ms``, ``step_threads``,
        ``step_batch_size``, and ``step_largest_operations``, a list of [name, ms].
    """
    device = torch.device("cpu")
    model = copy.deepcopy(model).to(device)
    settings = training_settings(preset, batch_size, seconds, threads=1, seed=seed)
    meter = Meter()
    with limited_threads(1):
        train_for(model, train, valid, replace(settings, time_limit_min=WARM_UP_S / 60), device)
        with meter.kernels(), profiled() as trace:
            speed, steps = train_for(model, TimedDataset(train, meter), valid, settings, device)
        inside_s = 0.0
        if meter.walks:
            few = islice(train.epoch(0, batch_size, seed), min(steps, _FEW_STEPS))
            inside_s = max(0.0, meter.walks - speed.tokens * gates_per_token_s(model, few))
    parts, operations = sort_events(trace.function_events)
    for name, spent_s in meter.seconds.items():
        parts["batching" if name == "batching" else part_of(name) or "gates"] += spent_s
        operations[name] += spent_s
    parts["gates"] -= inside_s
    parts["products"] += inside_s
    parts["other"] = max(0.0, speed.seconds - sum(parts[part] for part in PARTS if part != "other"))
    largest = sorted(operations.items(), key=lambda item: -item[1])[:LARGEST]
    return {
        "step_total_ms": 1e3 * speed.seconds / steps,
        **{f"step_{part}_ms": 1e3 * parts[part] / steps for part in PARTS},
        **{f"step_{part}_share": parts[part] / speed.seconds for part in PARTS},
        "step_threads": 1,
        "step_batch_size": batch_size,
        "step_n": steps,
        "step_largest_operations": [[name, round(1e3 * spent_s / steps, 4)] for name, spent_s in largest],
    }


@contextlib.contextmanager
def profiled() -> Iterator[profile]:
    """Profile the block; what torch's profiler says about itself on stderr when it starts and stops is held back."""
    trace = profile(use_kineto=False)
    with muted_stderr():
        trace.__enter__()
    try:
        yield trace
    finally:
        with muted_stderr():
            trace.__exit__(None, None, None)


@contextlib.contextmanager
def muted_stderr() -> Iterator[None]:
    """Let what C++ writes to stderr inside the block go nowhere."""
    sys.stderr.flush()
    with open(os.devnull, "w") as nowhere:
        kept = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def gates_per_token_s(model: MolVAE, batches: Iterable[Batch]) -> float:
    """Seconds per token in kernels that walk all steps, were products free; forward and backward, no optimizer.

    Losses and gradients mean nothing here, and are thrown away.
    """
    meter, tokens, objective = Meter(), 0, BetaELBO(lambda step: 1.0)
    model.train()
    with meter.kernels(products=False):
        for batch in batches:
            objective(model, batch, 0, "model").total.backward()
            tokens += int(batch.lengths.sum())
    model.zero_grad()
    return meter.walks / tokens


def sort_events(events: Any) -> tuple[dict[str, float], dict[str, float]]:
    """Sum the profiler's own times (seconds) by part and by operation.

    An operation whose name does not tell belongs where the nearest operation around it belongs.
    """
    parts: defaultdict[str, float] = defaultdict(float)
    operations: defaultdict[str, float] = defaultdict(float)
    for event in events:
        spent_s = event.self_cpu_time_total / 1e6
        operations[event.name] += spent_s
        around, part = event, part_of(event.name)
        while part is None and (around := around.cpu_parent) is not None:
            part = part_of(around.name)
        if part is not None:
            parts[part] += spent_s
    return parts, operations
