"""The demo step by step: prepare, train, evaluate, design, map, write. Each step is one public function of chemvae."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae import api
from chemvae.data.catalog import load_dataset
from chemvae.data.preparation import Table, load_table, prepare
from chemvae.demo.mapping import DemoMap, draw_map
from chemvae.demo.results import collect
from chemvae.demo.searches import Comparison, Improvement, choose_starts, improve, run_searches
from chemvae.evaluation.protocols import Evaluation
from chemvae.models.vae import MolVAE
from chemvae.parallel import count_jobs
from chemvae.runs import RunFolder, write_atomically, write_json
from chemvae.training.trainer import Callback

log = logging.getLogger(__name__)

LIBRARY = "virtual-drugs"
LABELS = ("logP", "qed", "SAS")
MOST_JOBS = 4
LINE_EVERY_S = 10.0


@dataclass(frozen=True)
class DemoSizes:
    """How much of everything; ``run_demo(fast=True)`` takes :data:`FAST`, which is for tests and says little.

    Attributes
    ----------
    limit : molecules of the library; None takes all of it.
    training : settings that differ from the preset "tiny".
    n_molecules, n_samples, n_reconstruction, n_curve : as in EvaluationSettings.
    budget : oracle calls of each search.
    n_starts, start_budget : molecules to improve, and calls for each.
    n_mapped : training molecules on the map.
    n_drawn : samples drawn in the report.
    """

    limit: int | None = None
    training: dict[str, Any] = field(default_factory=lambda: {"epochs": 8, "beta": 0.1})
    n_molecules: int = 500
    n_samples: int = 2_000
    n_reconstruction: int = 50
    n_curve: int = 100
    budget: int = 200
    n_starts: int = 4
    start_budget: int = 40
    n_mapped: int = 2_000
    n_drawn: int = 12


FULL = DemoSizes()
FAST = DemoSizes(
    limit=600,
    training={
        "epochs": 8, "beta": 0.05, "encoder_dim": 48, "decoder_dim": 96, "batch_size": 32, "learning_rate": 4e-3,
        "ema_decay": 0.9, "warmup_steps": 10, "min_kl": 0.0, "min_active_units": 0.0,
    },
    n_molecules=40, n_samples=100, n_reconstruction=2, n_curve=5, budget=24, n_starts=1, start_budget=12, n_mapped=150,
    n_drawn=6,
)  # fmt: skip


@dataclass
class Walk:
    """Everything the demo found on its way; :func:`collect` makes results.json of it, the page draws it."""

    folder: Path
    sizes: DemoSizes
    seed: int
    preparation: dict[str, Any] = field(default_factory=dict)
    """The card of the prepared data."""
    table: Table | None = None
    model: MolVAE | None = None
    learning: pd.DataFrame = field(default_factory=pd.DataFrame)
    """metrics.csv of the run."""
    evaluation: Evaluation | None = None
    samples: pd.DataFrame = field(default_factory=pd.DataFrame)
    comparisons: list[Comparison] = field(default_factory=list)
    improvements: list[Improvement] = field(default_factory=list)
    map: DemoMap | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> wall time."""

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Announce a stage and take its time."""
        log.info("%s", words)
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)

    def part(self, name: str) -> pd.DataFrame:
        """The prepared molecules of one part of the split."""
        frame = self.table.frame()
        return frame[frame["split"] == name].reset_index(drop=True)

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.folder / "run"

    @property
    def data(self) -> Path:
        """The prepared data."""
        return self.folder / "data"


def run_demo(
    out: str | Path = "demo",
    train: bool = True,
    seed: int = 0,
    fast: bool = False,
    *,
    callbacks: Sequence[Callback] | None = None,
) -> dict[str, Any]:
    """Walk the whole path from SMILES to designed molecules, offline, and write a report.

    Makes and prepares the library "virtual-drugs", trains a small model with its property predictor, evaluates it on held-out
    molecules, searches by gradient ascent, Bayesian optimization and random sampling with the same number of oracle calls,
    draws the map, and writes ``report.html`` and ``results.json``. About four minutes on two cores. What it does is logged.

    Parameters
    ----------
    out : path
        Folder for the report, ``data`` (prepared), ``run`` (the model) and ``evaluation``; those are replaced.
    train : bool
        False takes the data and the model of an earlier demo in the same folder.
    seed : int
        Of training, evaluation and searches.
    fast : bool
        A few hundred molecules and a few calls, in seconds: to try the machinery, not to judge it.
    callbacks : sequence of Callback, optional
        Told how training goes; without any, a line is logged every ten seconds.

    Returns
    -------
    dict
        What ``results.json`` holds.

    Raises
    ------
    RunFolderError
        With ``train=False``, if the folder holds no demo.
    CollapseError
        If training went wrong.

    Examples
    --------
    >>> results = run_demo("demo")  # doctest: +SKIP
    >>> results["evaluation"]["reconstruction_greedy"]  # doctest: +SKIP
    0.68
    """
    walk = Walk(Path(out), FAST if fast else FULL, seed)
    _get_data(walk, train)
    _get_model(walk, train, callbacks)
    with walk.stage("evaluate", "3/6 Evaluating it on molecules it has not seen"):
        _evaluate(walk)
    with walk.stage("design", "4/6 Designing molecules: gradient ascent, Bayesian optimization, random sampling"):
        _design(walk)
    with walk.stage("map", "5/6 Drawing the map"):
        walk.map = draw_map(walk.model, walk.part("train"), walk.comparisons, walk.sizes.n_mapped, seed)
    return _write(walk)


def _get_data(walk: Walk, anew: bool) -> None:
    if not anew:
        RunFolder(walk.run).check()
    with walk.stage("prepare", "1/6 Making the molecules: amide couplings, Suzuki couplings, ... carried out by RDKit"):
        if anew or not (walk.data / "card.json").exists():
            jobs = 1 if walk.sizes.limit else min(count_jobs(0), MOST_JOBS)
            data = LIBRARY if walk.sizes.limit is None else load_dataset(LIBRARY, limit=walk.sizes.limit)
            prepare(data, walk.data, smiles_column="smiles", properties=LABELS, standardize="none", overwrite=True, jobs=jobs)
        walk.preparation = RunFolder(walk.data).read_json("card.json")
        walk.table = load_table(walk.data, smiles_column="smiles", properties=LABELS)
    parts = ", ".join(f"{count:,} {part}" for part, count in walk.preparation["splits"].items())
    log.info("  %s molecules kept: %s (%.0f s)", f"{len(walk.table):,}", parts, walk.seconds["prepare"])


def _get_model(walk: Walk, anew: bool, callbacks: Sequence[Callback] | None) -> None:
    with walk.stage("train", "2/6 Training a small model, with its predictor of logP, QED and SAS"):
        if anew:
            told = [Lines()] if callbacks is None else list(callbacks)
            api.train(
                walk.data, LABELS, "tiny", walk.run, seed=walk.seed, overwrite=True, callbacks=told, device="cpu",
                smiles_column="smiles", split_column="split",
                **walk.sizes.training,
            )  # fmt: skip
        walk.model = api.load(walk.run, device="cpu")  # what anyone gets who loads the run folder
        walk.learning = RunFolder(walk.run).read_metrics()


class Lines(Callback):
    """A line of the log every ten seconds and after each epoch."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def on_step(self, info: dict[str, float]) -> None:
        if time.monotonic() - self.last < LINE_EVERY_S:
            return
        self.last = time.monotonic()
        done, speed = f"{info['step']:,} of {info['n_steps']:,}", f"{info['molecules_per_s']:,.0f} molecules/s"
        log.info("  step %s: loss %.1f, KL %.1f nats, %s, %.0f s left", done, info["loss"], info["kl"], speed, info["eta_s"])

    def on_epoch(self, row: dict[str, float], model: MolVAE) -> None:
        log.info(
            "  epoch %d: loss %.1f, KL %.1f nats, reconstruction %.0f %%, %s molecules/s",
            row["epoch"], row["valid_loss"], row["valid_kl"], 100 * row["valid_reconstruction_greedy"],
            f"{row['molecules_per_s']:,.0f}",
        )  # fmt: skip


def _evaluate(walk: Walk) -> None:
    from chemvae.evaluation import write_report

    names = ("n_molecules", "n_samples", "n_reconstruction", "n_curve")
    sizes = {name: value for name, value in asdict(walk.sizes).items() if name in names}
    walk.evaluation = api.evaluate_in_full(
        walk.model, walk.data, walk.seed, split="test", smiles_column="smiles", n_fcd=0, **sizes
    )
    write_report(walk.evaluation, walk.folder / "evaluation", name="the demo's model", history=walk.learning)
    walk.samples = walk.evaluation.samples.head(walk.sizes.n_drawn)
    figures = walk.evaluation.figures
    log.info(
        "  reconstructs %.0f %%, valid samples %.0f %%, KL %.1f nats",
        100 * figures["reconstruction_greedy"], 100 * (figures["validity_learned_prior"] or 0), figures["kl"],
    )  # fmt: skip


def _design(walk: Walk) -> None:
    walk.comparisons = run_searches(walk.model, walk.sizes.budget, walk.seed)
    for comparison in walk.comparisons:
        for sentence in comparison.verdict():
            log.info("  %s", sentence)
    test = walk.part("test")
    starts = choose_starts(walk.model, test["smiles"].tolist(), test["qed"].to_numpy(), walk.sizes.n_starts)
    walk.improvements = improve(walk.model, starts, walk.sizes.start_budget, walk.seed)


def next_commands(folder: Path) -> list[str]:
    """What to try next, as commands."""
    return [
        f"chemvae sample -m {folder / 'run'} -n 20",
        f'chemvae optimize -m {folder / "run"} --maximize qed --constraint "SAS<3" --budget 200 -o {folder / "hits"}',
        f"chemvae map {folder / 'data'} -m {folder / 'run'} --color qed -o {folder / 'map.html'}",
        "chemvae train YOUR.csv -p COLUMN --preset cpu -o runs/yours",
    ]


def _write(walk: Walk) -> dict[str, Any]:
    from chemvae.demo.page import render

    report = walk.folder / "report.html"
    commands = next_commands(walk.folder)
    log.info("6/6 Writing the report")
    results = collect(walk) | {"next": commands}
    write_json(walk.folder / "results.json", results)
    text = render(walk, results)
    write_atomically(report, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    log.info("Done in %.0f s. Open %s in a browser; the figures are in %s.", results["seconds"]["total"], report,
             walk.folder / "results.json")  # fmt: skip
    log.info("Try next:")
    for command in commands:
        log.info("  %s", command)
    return results
