"""The demo step by step, with the model that comes with chemvae or one that it trains. Each step is one public function."""

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
from chemvae.demo.card import ModelCard, read_card
from chemvae.demo.library import make_library, part_of, unknown_to
from chemvae.demo.mapping import DemoMap, draw_map
from chemvae.demo.molecule import DRUGS, Named, Study, can_write, check_molecule, study
from chemvae.demo.results import collect
from chemvae.demo.searches import Comparison, Improvement, choose_starts, improve, run_searches
from chemvae.demo.sizes import DemoSizes, choose_sizes
from chemvae.demo.small_model import train_small
from chemvae.errors import SettingsError
from chemvae.evaluation.protocols import Evaluation
from chemvae.models.storage import find_run
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder, write_atomically, write_json
from chemvae.training.trainer import Callback

log = logging.getLogger(__name__)

SHIPPED_NAME = "drug"


@dataclass
class Walk:
    """Everything the demo found on its way; :func:`collect` makes results.json of it, the page draws it."""

    folder: Path
    sizes: DemoSizes
    seed: int
    name: str
    """Of the model, as -m takes it."""
    is_trained: bool
    """Whether the model was trained in this demo, on the library."""
    start: Named | None = None
    """The molecule that the user named."""
    preparation: dict[str, Any] = field(default_factory=dict)
    """The card of the prepared library."""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The library: ``smiles``, ``logP``, ``qed``, ``SAS``, ``split``."""
    model: MolVAE | None = None
    card: ModelCard | None = None
    """What the model's own card says, if it has one."""
    learning: pd.DataFrame = field(default_factory=pd.DataFrame)
    """metrics.csv of the run; empty where nothing was trained."""
    evaluation: Evaluation | None = None
    given: list[Named] = field(default_factory=list)
    """Molecules to start from: the user's or a drug, then molecules of the library that the model was not trained on."""
    study: Study | None = None
    comparisons: list[Comparison] = field(default_factory=list)
    improvements: list[Improvement] = field(default_factory=list)
    map: DemoMap | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> wall time."""

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Announce a stage and take its time."""
        log.info("%d/7 %s", len(self.seconds) + 1, words)
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 1)

    @property
    def reference(self) -> pd.DataFrame:
        """Molecules that what was found is set beside: the training set, or the whole library."""
        return part_of(self.table, "train") if self.is_trained else self.table

    @property
    def reference_name(self) -> str:
        """What these are called."""
        return "training set" if self.is_trained else "virtual library"

    @property
    def held_out(self) -> pd.DataFrame:
        """Molecules of the library that the model has not seen."""
        return part_of(self.table, "test") if self.is_trained else unknown_to(self.model, self.table)

    @property
    def samples(self) -> pd.DataFrame:
        """The first samples: ``smiles`` as written, ``valid``."""
        return self.evaluation.samples.head(self.sizes.n_drawn)

    @property
    def data(self) -> Path:
        """The prepared library."""
        return self.folder / "data"


def run_demo(
    out: str | Path = "demo",
    model: str | Path | None = None,
    start: str | None = None,
    train: bool = False,
    seed: int = 0,
    fast: bool = False,
    *,
    callbacks: Sequence[Callback] | None = None,
) -> dict[str, Any]:
    """Show what a model can do, offline, and write a report.

    Makes the library "virtual-drugs"; measures the model on molecules of it that it was not trained on; sends a molecule
    through it and looks around it; improves given molecules; searches by all methods with the same number of oracle calls;
    draws the map; writes ``report.html`` and ``results.json``. A minute or two on two cores with the shipped model, about five
    with one that is trained first. What it does is logged.

    Parameters
    ----------
    out : path
        Folder for the report, ``data`` (the library), ``evaluation``, and with ``train`` ``run`` (the model). Those are
        replaced.
    model : str or path, optional
        A shipped name or a run folder; by default "drug".
    start : str, optional
        SMILES of a molecule to start from; by default a drug.
    train : bool
        Train a small model on the library first, and take that.
    seed : int
        Of training, evaluation and searches.
    fast : bool
        A hundred molecules and a few calls, in seconds: to try the machinery, not to judge it.
    callbacks : sequence of Callback, optional
        Told how training goes; without any, a line is logged every ten seconds.

    Returns
    -------
    dict
        What ``results.json`` holds.

    Raises
    ------
    SettingsError
        If ``train`` comes with a model or a molecule.
    RunFolderError, InvalidMoleculeError, UnknownTokenError
        If there is no such model, or the molecule is none that the model can read.
    CollapseError
        If training went wrong.

    Examples
    --------
    >>> results = run_demo("demo", start="CC(=O)Nc1ccc(O)cc1")  # doctest: +SKIP
    >>> results["molecule"]["came_back"]  # doctest: +SKIP
    True
    """
    if complaints := _complaints(model, start, train):
        raise SettingsError(complaints)
    name = Path(out, "run").as_posix() if train else str(model or SHIPPED_NAME)
    walk = Walk(Path(out), choose_sizes(train, fast), seed, name, train, check_molecule(start) if start else None)
    if train:
        _make_library(walk)
        _train(walk, callbacks)
    else:
        _load(walk)
        _make_library(walk)
    _evaluate(walk)
    _look(walk)
    _design(walk)
    _draw(walk)
    return _write(walk)


def _complaints(model: str | Path | None, start: str | None, train: bool) -> list[str]:
    why = "train makes its own model, which knows nothing but the library"
    found = [f"{why}; leave out the model, or leave out train"] if train and model is not None else []
    found += [f"{why}; start from a molecule of yours without train"] if train and start is not None else []
    return found


def _make_library(walk: Walk) -> None:
    with walk.stage("library", "Making a library: amide couplings, Suzuki couplings, ... carried out by RDKit"):
        walk.table, walk.preparation = make_library(walk.data, walk.sizes.limit)
    parts = ", ".join(f"{count:,} {part}" for part, count in walk.preparation["splits"].items())
    log.info("  %s molecules kept%s", f"{len(walk.table):,}", f": {parts}" if walk.is_trained else "")


def _train(walk: Walk, callbacks: Sequence[Callback] | None) -> None:
    with walk.stage("model", "Training a small model, with its predictor of logP, QED and SAS"):
        walk.model = train_small(walk.data, Path(walk.name), walk.sizes.training, walk.seed, callbacks)
        walk.learning = RunFolder(walk.name).read_metrics()


def _load(walk: Walk) -> None:
    with walk.stage("model", f"Loading the model '{walk.name}'"):
        walk.model = api.load(walk.name, device="cpu")
        walk.card = read_card(find_run(walk.name))
        if walk.start is not None:
            walk.model.vocabulary.encode(walk.start.smiles)  # complains now rather than after minutes


def _evaluate(walk: Walk) -> None:
    from chemvae.evaluation import write_report

    sizes = {name: value for name, value in asdict(walk.sizes).items() if name in EVALUATED}
    with walk.stage("evaluate", "Measuring it on molecules it has not seen"):
        walk.evaluation = api.evaluate_in_full(walk.model, walk.held_out, walk.seed, smiles_column="smiles", n_fcd=0, **sizes)
        history = walk.learning if len(walk.learning) else None
        write_report(walk.evaluation, walk.folder / "evaluation", name=walk.name, history=history)
    figures = walk.evaluation.figures
    log.info(
        "  reconstructs %.1f %% of %d; %.0f %% of its samples are valid",
        100 * figures["reconstruction_greedy"], figures["n_molecules"], 100 * walk.evaluation.samples["valid"].mean(),
    )  # fmt: skip


EVALUATED = ("n_molecules", "n_samples", "n_reconstruction", "n_curve")


def _look(walk: Walk) -> None:
    """Choose the molecules to start from, and look at the first."""
    with walk.stage("molecule", "Sending a molecule through it, and looking around"):
        walk.given, ends = _choose_given(walk)
        if len(ends) == 2:
            walk.study = study(walk.model, *ends, walk.sizes.n_near, walk.sizes.n_steps, walk.seed)
    if walk.study is not None:
        back = "comes back unchanged" if walk.study.came_back else "does not come back unchanged"
        name = walk.study.molecule.name or walk.study.molecule.smiles
        log.info("  %s %s; %d other molecules around it", name, back, len(walk.study.near))


def _choose_given(walk: Walk) -> tuple[list[Named], list[Named]]:
    """The molecules to start from, and the two ends of a path."""
    model, held_out = walk.model, walk.held_out
    drugs = [] if walk.is_trained else [drug for drug in DRUGS if can_write(model, drug.smiles)]
    first = [walk.start] if walk.start is not None else drugs[:1]
    n = walk.sizes.n_starts - len(first)
    found = choose_starts(model, held_out["smiles"].tolist(), held_out["qed"].to_numpy(), n)
    given = first + [Named("", smiles) for smiles in found]
    others = [*drugs, *given[1:], *(Named("", smiles) for smiles in held_out["smiles"].head(2))]
    other = [one for one in others if given and one.smiles != given[0].smiles]
    return given, given[:1] + other[:1]


def _design(walk: Walk) -> None:
    sizes = walk.sizes
    with walk.stage("design", "Designing molecules: improving given ones, then searching by every method"):
        walk.improvements = improve(walk.model, walk.given, sizes.start_budget, walk.seed)
        walk.comparisons = run_searches(walk.model, sizes.budget, walk.seed)
        for sentence in (sentence for comparison in walk.comparisons for sentence in comparison.verdict()):
            log.info("  %s", sentence)


def _draw(walk: Walk) -> None:
    with walk.stage("map", "Drawing the map"):
        walk.map = draw_map(
            walk.model, walk.reference, walk.reference_name, walk.evaluation.samples, walk.comparisons, walk.study,
            walk.sizes.n_mapped, walk.seed,
        )  # fmt: skip


def next_commands(walk: Walk) -> list[str]:
    """What to try next, as commands."""
    folder, own = walk.folder, "" if walk.name == SHIPPED_NAME else f" -m {walk.name}"
    start = walk.given[0].smiles if walk.given else "CC(=O)Nc1ccc(O)cc1"
    return [
        f"chemvae sample{own} -n 20",
        f"chemvae predict {walk.data}{own} --computed -o {folder / 'predicted.csv'}",
        f'chemvae optimize{own} --maximize qed --constraint "SAS<3" --budget 200 -o {folder / "hits"}',
        f'chemvae optimize{own} --start "{start}" --min-similarity 0.4 --maximize qed --budget 100 -o {folder / "near"}',
        f"chemvae map {walk.data}{own} --color qed -o {folder / 'map.html'}",
        "chemvae train YOUR.csv -p COLUMN --init drug -o runs/yours",
    ]


def _write(walk: Walk) -> dict[str, Any]:
    from chemvae.demo.page import render

    report = walk.folder / "report.html"
    log.info("7/7 Writing the report")
    results = collect(walk) | {"next": next_commands(walk)}
    write_json(walk.folder / "results.json", results)
    text = render(walk, results)
    write_atomically(report, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    log.info("Done in %.0f s. Open %s in a browser; the figures are in %s.", results["seconds"]["total"], report,
             walk.folder / "results.json")  # fmt: skip
    log.info("Try next:")
    for command in results["next"]:
        log.info("  %s", command)
    return results
