"""One benchmark run: every figure of ``chemvae bench``, measured on one machine within minutes of each other."""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from chemvae import api, sampling
from chemvae.bench.contenders import moses
from chemvae.bench.contenders.contender import (
    Contender,
    chemvae_sampling,
    chemvae_training,
    moses_sampling,
    moses_training,
    rounds,
    torch_gru_training,
)
from chemvae.bench.measures.breakdown import step_breakdown
from chemvae.bench.measures.flops import decoding_flops, encoding_flops, forward_flops, share_of_peak, training_flops
from chemvae.bench.measures.gate_step import measure_step
from chemvae.bench.measures.generation import Generator, end_to_end
from chemvae.bench.measures.growth import measure_growth, repeated
from chemvae.bench.measures.peak import measure_peak
from chemvae.bench.measures.startup import measure_startup
from chemvae.bench.protocol import PROTOCOL
from chemvae.bench.settings import BenchSettings
from chemvae.bench.timing import MIB, busy_neighbours, cores, peak_memory_mib, spread
from chemvae.bench.workload import Workload, read_workload
from chemvae.errors import NothingUsableError
from chemvae.models.storage import find_device, shipped_models
from chemvae.models.vae import MolVAE
from chemvae.parallel import limited_threads
from chemvae.runs import environment
from chemvae.seeding import seeded_everywhere

log = logging.getLogger(__name__)
SHIPPED = "drug"
BUSY = 0.5  # load per thread above which the figures would speak of something else
WARM_UP_SAMPLES = 256


def run_bench(settings: BenchSettings | None = None) -> dict[str, Any]:
    """Measure this machine and chemvae on it.

    Parameters
    ----------
    settings : BenchSettings or None

    Returns
    -------
    dict
        Flat, units in the names, medians of repetitions. ``repeats`` holds what was measured several times, ``<key>_spread``
        how far that scatters (largest minus smallest, over the median), ``protocol`` a sentence per key.

    Raises
    ------
    SettingsError, InputError, NothingUsableError, RunFolderError
        If the data or the model cannot be had.
    """
    settings = settings or BenchSettings()
    device = find_device(settings.device)
    threads = settings.threads or torch.get_num_threads()
    started = time.monotonic()
    seeds = seeded_everywhere(settings.seed, device)  # some contenders draw from torch's global stream
    with tempfile.TemporaryDirectory() as scratch, limited_threads(threads), seeds:
        figures = _Bench(settings, device, threads, Path(scratch)).measure()
    figures["elapsed_s"] = time.monotonic() - started
    figures["protocol"] = {key: words for key, words in PROTOCOL.items() if figures.get(key) is not None}
    return figures


@dataclass
class _Bench:
    """The run: what it works with, and the figures so far."""

    settings: BenchSettings
    device: torch.device
    threads: int
    scratch: Path
    figures: dict[str, Any] = field(default_factory=dict)
    repeats: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> dict[str, Any]:
        s = self.settings
        self.figures |= self._machine()
        log.info("Reading molecules.")
        work = read_workload(s.data, s.n_molecules, s.preset, s.seed, self.threads)
        self.figures |= self._describe(work)
        self._peak()
        ours = self._own_training(work)
        model, name = self._trained_model(work)
        generator = self._generation(model, work)
        contenders = self._contenders(work, ours, generator)
        self._rounds(contenders, work)
        if self.device.type == "cpu":
            self._beside_others(contenders)
        self._parts(work, ours.batch_size)
        if s.n_starts:
            log.info("Start-up, in fresh processes.")
            self.figures |= measure_startup(name, str(self.device), s.n_starts)
        if s.growth:
            log.info("How cost grows.")
            self.figures |= measure_growth(work, s, self.device, self.threads)
        return {**self.figures, "repeats": self.repeats}

    # ---------------------------------------------------------------- where and on what

    def _machine(self) -> dict[str, Any]:
        origin = environment()
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        if load is not None and load > BUSY * self.threads:
            log.warning("Other programs keep %.1f cores busy: the figures will be low, and scatter.", load)
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        facts = ("processor", "cores", "platform", "python", "versions", "commit")
        return {
            **{fact: origin[fact] for fact in facts},
            "device": name,
            "threads": self.threads,
            "load_average_before": load,
            "seed": self.settings.seed,
        }

    def _describe(self, work: Workload) -> dict[str, Any]:
        return {
            "data": work.name,
            "n_molecules": len(work.train),
            "mean_tokens": work.mean_tokens,
            "n_vocabulary": len(work.train.vocabulary),
            "preset": self.settings.preset,
            "model_parameters": sum(p.numel() for p in work.model.parameters()),
        }

    def _peak(self) -> None:
        """Large products; asked again after the rounds, and the best counts."""
        log.info("Matrix products.")
        for word, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
            found = measure_peak(dtype, self.device, self.settings.product_sizes, self.settings.seconds)
            shapes = {**self.figures.get(f"gemm_{word}_gflops_by_shape", {})}
            shapes |= {shape: max(rate, shapes.get(shape, 0.0)) for shape, rate in found.items()}
            self.figures[f"gemm_{word}_gflops_by_shape"] = shapes
            self.figures[f"gemm_{word}_gflops"] = max(shapes.values())

    # ---------------------------------------------------------------- training and generation

    def _own_training(self, work: Workload) -> Contender:
        log.info("Training, batch sizes %s.", ", ".join(map(str, self.settings.batch_sizes)))
        measure = chemvae_training(work, self.settings.preset, self.device)
        ours = Contender("train", measure, self.settings.batch_sizes[0], self.threads)
        ours, rates = ours.at_best_size(self.settings.batch_sizes, self.settings.seconds, self.settings.seed)
        self.figures |= {"train_batch_size": ours.batch_size, "train_molecules_per_s_by_batch_size": rates}
        self.figures["memory_peak_training_mib"] = peak_memory_mib()
        return ours

    def _trained_model(self, work: Workload) -> tuple[MolVAE, str | Path]:
        """The model that decodes, and what it is loaded by: an untrained one does not stop writing."""
        s = self.settings
        name = s.model or (SHIPPED if SHIPPED in shipped_models() else None)
        if name is not None:
            self.figures["model"] = str(name)
            return api.load(name, str(self.device)), name
        log.info("No model was named and none is shipped: training the %s preset for %.0f s first.", s.preset, s.train_s)
        run = self.scratch / "model"
        with _silenced("chemvae.training"):
            model = api.train(
                work.table, work.table.property_names, s.preset, run, seed=s.seed, device=str(self.device), jobs=self.threads,
                time_limit_min=s.train_s / 60, threads=self.threads, min_kl=0.0, min_active_units=0.0, epochs=1000,
                kl_warmup=0.0,
            )  # fmt: skip
        self.figures["model"] = f"{s.preset} preset, trained for {s.train_s:.0f} s"
        return model, run

    def _generation(self, model: MolVAE, work: Workload) -> Generator:
        s = self.settings
        usable = [one for one in work.train.smiles if model.vocabulary.complaint(one) is None]
        if not usable:
            raise NothingUsableError(
                f"The model {self.figures['model']} cannot write any molecule of {work.name}. "
                "Name another model with -m, or other data."
            )
        generator = Generator(model, repeated(usable, s.n_decoded), s.seconds, s.seed)
        log.info("Encoding, decoding, sampling with %s.", self.figures["model"])
        self.figures |= generator.figures()
        bits, batch = self._peak_gflops(model), s.batch_sizes[-1]
        encoding = encoding_flops(model, self.figures["encode_mean_tokens"], batch)
        decoding = decoding_flops(model, self.figures["encode_mean_tokens"], batch)
        self.figures["encode_share_of_peak"] = share_of_peak(self.figures["encode_molecules_per_s"], encoding, bits)
        self.figures["decode_share_of_peak"] = share_of_peak(self.figures["decode_molecules_per_s"], decoding, bits)
        self._end_to_end(generator)
        self.figures["memory_peak_mib"] = peak_memory_mib()
        if self.device.type == "cuda":
            self.figures["gpu_memory_peak_mib"] = torch.cuda.max_memory_allocated(self.device) / MIB
        return generator

    def _end_to_end(self, generator: Generator) -> None:
        s = self.settings
        log.info("Sampling %s molecules end to end.", f"{s.n_sampled:,}")
        sampling.sample(generator.model, WARM_UP_SAMPLES, s.seed, prior=generator.prior, jobs=1)
        found = [end_to_end(generator, s.n_sampled, self.threads) for _ in range(s.rounds)]
        self.figures["sample_end_to_end_n"] = s.n_sampled
        for key in found[0]:
            self._keep(key, [one[key] for one in found])

    def _peak_gflops(self, model: MolVAE) -> float:
        word = "bf16" if model.product_dtype == torch.bfloat16 else "fp32"
        return self.figures[f"gemm_{word}_gflops"]

    # ---------------------------------------------------------------- side by side

    def _contenders(self, work: Workload, ours: Contender, generator: Generator) -> list[Contender]:
        """Everyone at the batch size and thread count that suits them best."""
        s, found = self.settings, [ours]
        for key, autocast in (("nn_gru", False), ("nn_gru_autocast", True)):
            log.info("The same model on torch.nn.GRU%s.", " under bf16 autocast" if autocast else "")
            measure = torch_gru_training(work, s.preset, self.device, autocast=autocast)
            found.append(self._best(Contender(key, measure, s.batch_sizes[0], self.threads), s.batch_sizes))
        plain = Contender("train_fp32", chemvae_training(work.in_fp32(), s.preset, self.device), ours.batch_size, self.threads)
        found.append(plain)
        log.info("The MOSES-shaped model: training, sampling.")
        shaped = moses.MosesShapedVAE(len(work.train.vocabulary)).to(self.device)
        self.figures["moses_parameters"] = sum(p.numel() for p in shaped.parameters())
        training = Contender("moses", moses_training(work, shaped, self.device), s.moses_batch_sizes[0], self.threads)
        found.append(self._best(training, s.moses_batch_sizes))
        found.append(Contender("sample", chemvae_sampling(generator), s.n_decoded, self.threads))
        sampling = Contender("moses_sample", moses_sampling(work, shaped, self.device), s.moses_sample_sizes[0], self.threads)
        found.append(self._best(sampling, s.moses_sample_sizes))
        return found

    def _best(self, contender: Contender, sizes: tuple[int, ...]) -> Contender:
        s = self.settings
        contender, rates = contender.at_its_best(sizes, s.seconds, s.seed)
        key = contender.key
        self.figures |= {
            f"{key}_batch_size": contender.batch_size,
            f"{key}_threads": contender.threads,
            f"{key}_molecules_per_s_by_batch_size": rates,
        }
        return contender

    def _rounds(self, contenders: list[Contender], work: Workload) -> None:
        s, f = self.settings, self.figures
        log.info("All contenders in turn, rounds: %d.", s.rounds)
        rates = rounds(contenders, s.rounds, s.seconds, s.seed)
        self._peak()
        names = {"nn_gru": "nn_gru_train", "nn_gru_autocast": "nn_gru_autocast_train", "moses": "moses_train"}
        for key, values in rates.items():
            self._keep(f"{names.get(key, key)}_molecules_per_s", values)
        for ours, theirs, name in (
            ("train", "nn_gru", "train_vs_nn_gru"),
            ("train", "nn_gru_autocast", "train_vs_nn_gru_autocast"),
            ("train_fp32", "nn_gru", "train_fp32_vs_nn_gru"),
            ("train", "moses", "train_vs_moses"),
            ("sample", "moses_sample", "sample_vs_moses"),
        ):
            self._keep(name, [a / b for a, b in zip(rates[ours], rates[theirs], strict=True)])
        forward = forward_flops(work.model, work.mean_tokens, f["train_batch_size"])
        flops, peak = training_flops(forward), self._peak_gflops(work.model)
        f["train_flops_by_part"] = {part: 3 * count for part, count in forward.items()}
        f["train_flops_per_molecule"] = flops
        f["train_gflops"] = f["train_molecules_per_s"] * flops / 1e9
        f["train_peak"] = "bf16" if work.model.product_dtype == torch.bfloat16 else "fp32"
        self._keep("train_share_of_peak", [share_of_peak(rate, flops, peak) for rate in rates["train"]])
        of_moses = moses.moses_training_flops(len(work.train.vocabulary), work.mean_tokens)
        f["moses_train_flops_per_molecule"] = of_moses
        f["moses_train_share_of_fp32_peak"] = share_of_peak(f["moses_train_molecules_per_s"], of_moses, f["gemm_fp32_gflops"])
        f["moses_known_train_molecules_per_s"], f["moses_known_sample_molecules_per_s"] = moses.KNOWN_TRAIN, moses.KNOWN_SAMPLE
        f["memory_peak_with_baselines_mib"] = peak_memory_mib()

    def _beside_others(self, contenders: list[Contender]) -> None:
        """Training again while other programs want the cores."""
        s = self.settings
        log.info("Training beside a busy neighbour.")
        for contender in contenders[:2]:
            name = "train" if contender.key == "train" else f"{contender.key}_train"
            with busy_neighbours(cores() - self.threads + 1):
                rate = contender(s.seconds, s.seed)
            self.figures[f"{name}_busy_molecules_per_s"] = rate
            self.figures[f"{name}_busy_share"] = rate / self.figures[f"{name}_molecules_per_s"]

    def _keep(self, key: str, values: list[float]) -> None:
        self.repeats[key] = values
        self.figures[key], self.figures[f"{key}_spread"] = statistics.median(values), spread(values)

    # ---------------------------------------------------------------- inside a step

    def _parts(self, work: Workload, batch_size: int) -> None:
        s = self.settings
        log.info("Where the time of a training step goes, on one CPU thread.")
        self.figures |= step_breakdown(work.model, work.train, work.valid, s.preset, batch_size, s.seconds, s.seed)
        log.info("One GRU step%s.", ", and torch.compile" if s.compile else "")
        dtype = torch.bfloat16 if self.figures["train_peak"] == "bf16" else torch.float32
        with limited_threads(1):
            self.figures |= measure_step(dtype, s.seconds / 6, compiled=s.compile)


@contextlib.contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Keep a logger's warnings back inside the block: a time limit that the benchmark set itself is no news."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
