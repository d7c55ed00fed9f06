"""How cost grows: time against number of molecules, against length, batch size and decoder width."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from chemvae.bench.measures.training import train_for, training_settings
from chemvae.bench.settings import BenchSettings
from chemvae.bench.workload import Workload, new_model
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.models.vae import MolVAE

BATCH_SIZE = 128
N_LONG = 512  # synthetic molecules of one length
MARKS = ("C", "N", "O", "c", "n", "1", "2", "(", ")", "=")


def measure_growth(workload: Workload, settings: BenchSettings, device: torch.device, threads: int) -> dict[str, Any]:
    """Measure all curves; each is a list, beside the list of what it grows with.

    ``growth_n_molecules``: ``growth_token_set_s``, ``growth_batching_s`` (one pass over all batches of 128);
    ``growth_n_encoded``: ``growth_encode_s``; ``growth_tokens``: ``growth_tokens_train_step_s`` and
    ``growth_tokens_encode_s`` (batch of 128 synthetic molecules of that length); ``growth_batch_size``:
    ``growth_batch_train_step_s``; ``growth_decoder_width``: ``growth_width_train_step_s``.
    """

    def step_s(model: MolVAE, train: SmilesDataset, valid: SmilesDataset, batch_size: int = BATCH_SIZE) -> float:
        chosen = training_settings(settings.preset, batch_size, settings.seconds / 2, threads, settings.seed)
        speed, steps = train_for(model, train, valid, chosen, device)
        return speed.seconds / steps

    return {
        **_with_molecules(workload, settings),
        **_with_length(workload, settings, device, step_s),
        **_with_batch(workload, settings, step_s),
        **_with_width(workload, settings, step_s),
    }


def clock(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def repeated(smiles: list[str], n: int) -> list[str]:
    """The first ``n`` of endlessly repeated molecules.

    Examples
    --------
    >>> repeated(["C", "CC"], 5)
    ['C', 'CC', 'C', 'CC', 'C']
    """
    return [smiles[i % len(smiles)] for i in range(n)]


def synthetic(n_tokens: int, n: int, seed: int) -> list[str]:
    """Strings of ``n_tokens`` random one-letter symbols; no molecules, but that is all the same to the model.

    Examples
    --------
    >>> [len(one) for one in synthetic(5, n=2, seed=0)]
    [5, 5]
    """
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(MARKS, size=(n, n_tokens))]


def _with_molecules(workload: Workload, settings: BenchSettings) -> dict[str, Any]:
    building, batching, encoding = [], [], []
    known = list(workload.train.smiles)
    for n in settings.growth_molecules:
        smiles = repeated(known, n)
        made: list[SmilesDataset] = []
        building.append(clock(lambda: made.append(SmilesDataset(smiles, workload.train.vocabulary))))  # noqa: B023
        batching.append(clock(lambda: sum(len(one) for one in made[0].epoch(0, BATCH_SIZE, settings.seed))))  # noqa: B023
    for n in settings.growth_encoded:
        smiles = repeated(known, n)
        encoding.append(clock(lambda: workload.model.eval().encode(smiles, canonicalize=False)))  # noqa: B023
    return {
        "growth_n_molecules": list(settings.growth_molecules),
        "growth_token_set_s": building,
        "growth_batching_s": batching,
        "growth_n_encoded": list(settings.growth_encoded),
        "growth_encode_s": encoding,
    }


def _with_length(
    workload: Workload, settings: BenchSettings, device: torch.device, step_s: Callable[..., float]
) -> dict[str, Any]:
    training, encoding = [], []
    vocabulary = Vocabulary(sorted(MARKS))
    for n_tokens in settings.growth_lengths:
        data = SmilesDataset(synthetic(n_tokens, N_LONG, settings.seed), vocabulary)
        model = new_model(data, [], settings.preset, settings.seed).to(device)
        training.append(step_s(model, data, data))
        batch = data.smiles[:BATCH_SIZE]
        model.eval().encode(batch, canonicalize=False)
        encoding.append(clock(lambda: model.encode(batch, canonicalize=False)))  # noqa: B023
    return {
        "growth_tokens": list(settings.growth_lengths),
        "growth_tokens_train_step_s": training,
        "growth_tokens_encode_s": encoding,
    }


def _with_batch(workload: Workload, settings: BenchSettings, step_s: Callable[..., float]) -> dict[str, Any]:
    sizes = [size for size in settings.growth_batch_sizes if size <= len(workload.train)]
    times = [step_s(workload.model, workload.train, workload.valid, size) for size in sizes]
    return {"growth_batch_size": sizes, "growth_batch_train_step_s": times}


def _with_width(workload: Workload, settings: BenchSettings, step_s: Callable[..., float]) -> dict[str, Any]:
    times = []
    for width in settings.growth_widths:
        model = new_model(workload.train, workload.table.property_names, settings.preset, settings.seed, decoder_dim=width)
        times.append(step_s(model, workload.train, workload.valid))
    return {"growth_decoder_width": list(settings.growth_widths), "growth_width_train_step_s": times}
