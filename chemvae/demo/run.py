"""The demo step by step, with the model that comes with chemvae or one that it trains. Each step is one public function."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chemvae import api
from chemvae.demo.card import read_card
from chemvae.demo.findings import Findings
from chemvae.demo.library import make_library
from chemvae.demo.mapping import draw_map
from chemvae.demo.molecule import DRUGS, Named, can_write, check_molecule, study
from chemvae.demo.results import collect
from chemvae.demo.searches import choose_starts, improve, run_searches
from chemvae.demo.sizes import choose_sizes
from chemvae.demo.small_model import train_small
from chemvae.disk.files import write_atomically
from chemvae.errors import SettingsError
from chemvae.models.storage import find_run
from chemvae.runs import RunFolder, write_json
from chemvae.training.callbacks import Callback

log = logging.getLogger(__name__)

SHIPPED_NAME = "drug"


def run_demo(
    out: str | Path = "demo",
    model: str | Path | None = None,
    start: str | None = None,
    *,
    train: bool = False,
    seed: int = 0,
    fast: bool = False,
    callbacks: Sequence[Callback] | None = None,
) -> dict[str, Any]:
    """Show what a model can do, offline, and write ``report.html`` and ``results.json``, whose content is returned.

    Two or three minutes of one core with the shipped model, about five with one that is trained first. What it does is logged.

    Parameters
    ----------
    out : path
        Folder for the report, ``data`` (the library), ``evaluation``, and with ``train`` ``run``. Those are replaced.
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

    Raises
    ------
    SettingsError
        If ``train`` comes with a model or a molecule.
    RunFolderError, InvalidMoleculeError, UnknownTokenError
        If there is no such model, or the molecule is none that the model can read.
    CollapseError
        If training went wrong.
    """
    if complaints := _complaints(model, start, train):
        raise SettingsError(complaints)
    name = Path(out, "run").as_posix() if train else str(model or SHIPPED_NAME)
    sizes = choose_sizes(train=train, fast=fast)
    findings = Findings(Path(out), sizes, seed, name, train, check_molecule(start) if start else None)
    return _walk(findings, callbacks)


def _walk(findings: Findings, callbacks: Sequence[Callback] | None) -> dict[str, Any]:
    """Take every step in turn: library and model, measurement, one molecule, searches, map, report."""
    if findings.is_trained:
        _make_library(findings)
        _train(findings, callbacks)
    else:
        _load(findings)
        _make_library(findings)
    _evaluate(findings)
    _look(findings)
    _design(findings)
    _draw(findings)
    return _write(findings)


def _complaints(model: str | Path | None, start: str | None, train: bool) -> list[str]:
    why = "train makes its own model, which knows nothing but the library"
    found = [f"{why}; leave out the model, or leave out train"] if train and model is not None else []
    found += [f"{why}; start from a molecule of yours without train"] if train and start is not None else []
    return found


def _make_library(findings: Findings) -> None:
    with findings.stage("library", "Making a library: amide couplings, Suzuki couplings, ... carried out by RDKit"):
        findings.table, findings.preparation = make_library(findings.data, findings.sizes.limit)
    parts = ", ".join(f"{count:,} {part}" for part, count in findings.preparation["splits"].items())
    log.info("  %s molecules kept%s", f"{len(findings.table):,}", f": {parts}" if findings.is_trained else "")


def _train(findings: Findings, callbacks: Sequence[Callback] | None) -> None:
    with findings.stage("model", "Training a small model, with its predictor of logP, QED and SAS"):
        findings.model = train_small(findings.data, Path(findings.name), findings.sizes.training, findings.seed, callbacks)
        findings.learning = RunFolder(findings.name).read_metrics()


def _load(findings: Findings) -> None:
    with findings.stage("model", f"Loading the model '{findings.name}'"):
        findings.model = api.load(findings.name, device="cpu")
        findings.card = read_card(find_run(findings.name))
        if findings.start is not None:
            findings.model.vocabulary.encode(findings.start.smiles)  # complains now rather than after minutes


def _evaluate(findings: Findings) -> None:
    from chemvae.evaluation import write_report

    sizes: dict[str, Any] = {name: value for name, value in asdict(findings.sizes).items() if name in EVALUATED}
    with findings.stage("evaluate", "Measuring it on molecules it has not seen"):
        findings.evaluation = api.evaluate_in_full(
            findings.model, findings.held_out, findings.seed, smiles_column="smiles", **(LEFT_OUT | sizes)
        )
        history = findings.learning if len(findings.learning) else None
        write_report(findings.evaluation, findings.folder / "evaluation", name=findings.name, history=history)
    figures = findings.evaluation.figures
    log.info(
        "  reconstructs %.1f %% of %d; %.0f %% of its samples are valid",
        100 * figures["reconstruction_greedy"], figures["n_molecules"], 100 * findings.evaluation.samples["valid"].mean(),
    )  # fmt: skip


LEFT_OUT = {"n_fcd": 0, "n_codes": 0, "n_smoothness": 0}
EVALUATED = ("n_molecules", "n_samples", "n_reconstruction", "n_curve")


def _look(findings: Findings) -> None:
    """Choose the molecules to start from, and look at the first."""
    with findings.stage("molecule", "Sending a molecule through it, and looking around"):
        findings.given, ends = _choose_given(findings)
        if len(ends) == 2:
            findings.study = study(
                findings.model, ends[0], ends[1], findings.sizes.n_near, findings.sizes.n_steps, findings.seed
            )
    if findings.study is not None:
        back = "comes back unchanged" if findings.study.came_back else "does not come back unchanged"
        name = findings.study.molecule.name or findings.study.molecule.smiles
        log.info("  %s %s; %d other molecules around it", name, back, len(findings.study.near))


def _choose_given(findings: Findings) -> tuple[list[Named], list[Named]]:
    """The molecules to start from, and the two ends of a path."""
    model, held_out = findings.model, findings.held_out
    drugs = [] if findings.is_trained else [drug for drug in DRUGS if can_write(model, drug.smiles)]
    first = [findings.start] if findings.start is not None else drugs[:1]
    n = findings.sizes.n_starts - len(first)
    found = choose_starts(model, held_out["smiles"].tolist(), held_out["qed"].to_numpy(), n)
    given = first + [Named("", smiles) for smiles in found]
    others = [*drugs, *given[1:], *(Named("", smiles) for smiles in held_out["smiles"].head(2))]
    other = [one for one in others if given and one.smiles != given[0].smiles]
    return given, given[:1] + other[:1]


def _design(findings: Findings) -> None:
    sizes = findings.sizes
    with findings.stage("design", "Designing molecules: improving given ones, then searching by every method"):
        findings.improvements = improve(findings.model, findings.given, sizes.start_budget, findings.seed)
        findings.comparisons = run_searches(findings.model, sizes.budget, findings.seed, batch=sizes.batch)
        for sentence in (sentence for comparison in findings.comparisons for sentence in comparison.verdict()):
            log.info("  %s", sentence)


def _draw(findings: Findings) -> None:
    with findings.stage("map", "Drawing the map"):
        findings.map = draw_map(
            findings.model, findings.reference, findings.reference_name, findings.evaluation.samples, findings.comparisons,
            findings.study,
            findings.sizes.n_mapped, findings.seed,
        )  # fmt: skip


def next_commands(findings: Findings) -> list[str]:
    """What to try next, as commands."""
    start = findings.given[0].smiles if findings.given else "CC(=O)Nc1ccc(O)cc1"
    near = f"--start {shlex.quote(start)} --min-similarity 0.4"
    own = "" if findings.name == SHIPPED_NAME else f" -m {shlex.quote(findings.name)}"
    place = lambda name: shlex.quote(str(findings.folder / name))  # noqa: E731
    return [
        f"chemvae sample{own} -n 20",
        f"chemvae predict {place('data')}{own} --computed -o {place('predicted.csv')}",
        f"chemvae optimize{own} --maximize qed --constraint 'SAS<3' --budget 200 -o {place('hits')}",
        f"chemvae optimize{own} {near} --maximize qed --budget 100 -o {place('near')}",
        f"chemvae map {place('data')}{own} --color qed -o {place('map.html')}",
        f"chemvae train {place('data')} -p qed --init drug --epochs 1 -o {place('tuned')}",
        f"chemvae serve{own} --library {place('data')} --project {place('app')} --open",
    ]


def _write(findings: Findings) -> dict[str, Any]:
    from chemvae.demo.page import render

    report = findings.folder / "report.html"
    log.info("7/7 Writing the report")
    results = collect(findings) | {"next": next_commands(findings)}
    write_json(findings.folder / "results.json", results)
    text = render(findings, results)
    write_atomically(report, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    log.info("Done in %.0f s. Open %s in a browser; the figures are in %s.", results["seconds"]["total"], report,
             findings.folder / "results.json")  # fmt: skip
    log.info("Try next:")
    for command in results["next"]:
        log.info("  %s", command)
    return results
