"""Encoding, decoding and sampling: molecules per second, alone and with RDKit's part."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from chemvae import sampling
from chemvae.bench.timing import repeat
from chemvae.chem.molecules import canonicalize, parse
from chemvae.data.tokens.vocabulary import split_smiles
from chemvae.models.vae import MolVAE
from chemvae.sampling.sampler import draw_latents


@dataclass(frozen=True)
class Generator:
    """A trained model and what its speed is measured on."""

    model: MolVAE
    smiles: list[str]
    """Molecules the model can read, N."""
    seconds: float
    """Of one measurement."""
    seed: int = 0

    @property
    def prior(self) -> str:
        """The learned prior where it was fitted, else the normal one."""
        return "learned" if self.model.latent_statistics.is_fitted else "normal"

    def draw(self) -> torch.Tensor:
        """Latent points [N, D] from the prior."""
        return draw_latents(self.model, len(self.smiles), self.prior, self.seed)

    def rate(self, work: Callable[[], object], *, warm_up: bool = True) -> list[float]:
        """Molecules per second of each repetition of work on all N molecules."""
        return [len(self.smiles) / time_s for time_s in repeat(work, self.seconds, self.model.device, warm_up=warm_up)]

    # ------------------------------------------------------------------ the measurements

    def sample_rates(self, *, warm_up: bool = True) -> list[float]:
        """Sampling at temperature 1: draw z, decode, join the tokens."""
        return self.rate(lambda: self.model.decode(self.draw(), temperature=1.0, seed=self.seed, check=False), warm_up=warm_up)

    def figures(self) -> dict[str, Any]:
        """Encoding, greedy decoding and sampling, each with and without RDKit, and RDKit alone; medians."""
        model, smiles = self.model, self.smiles
        z = model.encode(smiles, canonicalize=False)
        sampled = model.decode(self.draw(), temperature=1.0, seed=self.seed, check=False)["smiles"].tolist()
        rates = {
            "encode": self.rate(lambda: model.encode(smiles, canonicalize=False)),
            "encode_checked": self.rate(
                lambda: model.encode([canonicalize(one) or "" for one in smiles], canonicalize=False), warm_up=False
            ),
            "decode": self.rate(lambda: model.decode(z, check=False)),
            "decode_checked": self.rate(lambda: model.decode(z), warm_up=False),
            "sample": self.sample_rates(),
            "sample_checked": self.rate(lambda: model.decode(self.draw(), temperature=1.0, seed=self.seed), warm_up=False),
            "rdkit_parse": self.rate(lambda: [parse(one) for one in sampled], warm_up=False),
            "rdkit_canonical": self.rate(lambda: [canonicalize(one) for one in sampled], warm_up=False),
        }
        return {
            **{f"{name}_molecules_per_s": statistics.median(found) for name, found in rates.items()},
            "encode_mean_tokens": mean_tokens(smiles, model),
            "sample_mean_tokens": mean_tokens(sampled, model),
            "sample_validity": float(np.mean([parse(one) is not None for one in sampled])),
            "sample_prior": self.prior,
        }


def mean_tokens(smiles: list[str], model: MolVAE) -> float:
    """Tokens per molecule, without the end token."""
    return float(np.mean([len(split_smiles(one, model.vocabulary.mode)) for one in smiles]))


def cpu_seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock and seconds of processor time, all threads together, that some work takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def end_to_end(generator: Generator, n: int, jobs: int) -> dict[str, float]:
    """``sampling.sample`` with validation, beside what decoding and RDKit allow together.

    Both parts are measured alone, in processor seconds: decoding of the generator's N points, and RDKit (parse, canonicalise)
    on one core over the strings that gives. The ideal time for n molecules shares the sum evenly among ``jobs`` cores:
    (decoding + RDKit) n / N / jobs. Starting worker processes belongs to the call and is not in the ideal.

    Returns
    -------
    dict
        ``sample_end_to_end_molecules_per_s`` and ``_s``, the ideal of both, and their ratio, ``sample_end_to_end_share``.
    """
    model, n_alone = generator.model, len(generator.smiles)
    z = generator.draw()
    decoded: list[str] = []
    decode = cpu_seconds(lambda: decoded.extend(model.decode(z, temperature=1.0, seed=generator.seed, check=False)["smiles"]))
    rdkit = cpu_seconds(lambda: [canonicalize(one) for one in decoded])
    ideal_s = (decode[1] + rdkit[1]) * n / n_alone / jobs
    took_s, _ = cpu_seconds(lambda: sampling.sample(model, n, generator.seed, prior=generator.prior, jobs=jobs))
    return {
        "sample_end_to_end_s": took_s,
        "sample_end_to_end_molecules_per_s": n / took_s,
        "sample_end_to_end_ideal_s": ideal_s,
        "sample_end_to_end_share": ideal_s / took_s,
        "sample_decode_processor_s": decode[1] * n / n_alone,
        "sample_rdkit_processor_s": rdkit[1] * n / n_alone,
    }
