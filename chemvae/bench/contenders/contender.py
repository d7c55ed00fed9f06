"""Who is measured against whom in training, and the batch size and thread count each is best at."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from chemvae.bench.contenders.moses import MosesShapedVAE, framed, moses_batches, moses_step
from chemvae.bench.contenders.torch_gru import bucketed, step_for, torch_gru_step
from chemvae.bench.measures.generation import Generator
from chemvae.bench.measures.training import WARM_UP_S, train_for, training_settings
from chemvae.bench.timing import repeat
from chemvae.bench.workload import Workload
from chemvae.parallel import limited_threads

WARM_UP_MOLECULES = 64

Measure = Callable[[int, int, float, int], float]
"""(batch size, threads, seconds, seed) -> molecules per second."""


@dataclass(frozen=True)
class Contender:
    """One way to do the work, at the size and thread count it is measured at."""

    key: str
    measure: Measure
    batch_size: int
    threads: int

    def __call__(self, seconds: float, seed: int) -> float:
        """Molecules per second of one measurement."""
        return self.measure(self.batch_size, self.threads, seconds, seed)

    def at_best_size(self, sizes: Sequence[int], seconds: float, seed: int) -> tuple[Contender, dict[int, float]]:
        """Return the contender at the fastest of these batch sizes, and molecules/s of each size."""
        rates = {size: self.measure(size, self.threads, seconds, seed) for size in sizes}
        return replace(self, batch_size=max(rates, key=rates.__getitem__)), rates

    def at_its_best(self, sizes: Sequence[int], seconds: float, seed: int) -> tuple[Contender, dict[int, float]]:
        """Return the contender at the best batch size and on all its threads or one, and molecules/s of each size.

        Threads gain with the batch: where all of them win at the smallest size they win at every size, and where one wins
        there, all are tried again at the best size.
        """
        smallest = replace(self, batch_size=min(sizes))
        first = smallest._on_best_threads(seconds, seed)
        best, rates = first.at_best_size(sizes, seconds, seed)
        if best.threads < self.threads and best.batch_size > smallest.batch_size:
            best = replace(best, threads=self.threads)._on_best_threads(seconds, seed)
        return best, rates

    def _on_best_threads(self, seconds: float, seed: int) -> Contender:
        if self.threads == 1:
            return self
        rates = {n: self.measure(self.batch_size, n, seconds, seed) for n in (1, self.threads)}
        return replace(self, threads=max(rates, key=rates.__getitem__))


def chemvae_training(workload: Workload, preset: str, device: torch.device) -> Measure:
    """Training as ``chemvae train`` does it; the first measurement is preceded by a short one that does not count."""

    @functools.cache
    def warm_up(batch_size: int, threads: int) -> None:
        settings = training_settings(preset, batch_size, WARM_UP_S, threads, seed=0)
        train_for(workload.model, workload.train, workload.valid, settings, device)

    def measure(batch_size: int, threads: int, seconds: float, seed: int) -> float:
        warm_up(batch_size, threads)
        settings = training_settings(preset, batch_size, seconds, threads, seed)
        speed, _ = train_for(workload.model, workload.train, workload.valid, settings, device)
        return speed.molecules_per_s(workload.mean_tokens)

    return measure


def torch_gru_training(workload: Workload, preset: str, device: torch.device, *, autocast: bool) -> Measure:
    """The same model on torch.nn.GRU in a plain loop, on the same batches."""
    step = torch_gru_step(workload.model.to(device), preset, autocast=autocast)

    def measure(batch_size: int, threads: int, seconds: float, seed: int) -> float:
        warm_up = workload.train.batch(np.arange(min(WARM_UP_MOLECULES, len(workload.train))))
        with limited_threads(threads):
            speed = step_for(step, bucketed(workload.train, batch_size, seed), warm_up, seconds, device)
        return speed.molecules_per_s(workload.mean_tokens)

    return measure


def moses_training(workload: Workload, model: MosesShapedVAE, device: torch.device) -> Measure:
    """The MOSES-shaped model on the same molecules, in random batches."""
    step = moses_step(model)

    def measure(batch_size: int, threads: int, seconds: float, seed: int) -> float:
        warm_up = framed(workload.train, np.arange(min(WARM_UP_MOLECULES, len(workload.train))))
        with limited_threads(threads):
            batches = moses_batches(workload.train, batch_size, seed)
            speed = step_for(step, batches, warm_up, seconds, device, framing=2)
        return speed.molecules_per_s(workload.mean_tokens)

    return measure


def moses_sampling(workload: Workload, model: MosesShapedVAE, device: torch.device) -> Measure:
    """Sampling of the MOSES-shaped model: 100 steps for every batch, tokens joined to strings."""
    vocabulary = workload.train.vocabulary

    def measure(batch_size: int, threads: int, seconds: float, seed: int) -> float:
        with limited_threads(threads):
            work = lambda: vocabulary.decode_rows(model.eval().sample(batch_size).cpu().numpy())  # noqa: E731
            times = repeat(work, seconds, device, warm_up=False)
        return batch_size / statistics.median(times)

    return measure


def chemvae_sampling(generator: Generator) -> Measure:
    """Sampling of the trained model at temperature 1, without RDKit."""

    def measure(batch_size: int, threads: int, seconds: float, seed: int) -> float:
        with limited_threads(threads):
            return statistics.median(replace(generator, seconds=seconds, seed=seed).sample_rates(warm_up=False))

    return measure


def rounds(contenders: Iterable[Contender], n: int, seconds: float, seed: int) -> dict[str, list[float]]:
    """Measure all contenders in turn, ``n`` times over, so that what slows the machine slows all of them; rates by key."""
    contenders = list(contenders)
    found: dict[str, list[float]] = {contender.key: [] for contender in contenders}
    for number in range(n):
        for contender in contenders:
            found[contender.key].append(contender(seconds, seed + number))
    return found
