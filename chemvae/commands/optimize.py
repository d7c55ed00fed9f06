"""chemvae optimize."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console, laboratory_flags, optimize_display
from chemvae.commands.shared import optimize_flags as flags
from chemvae.commands.shared.options import Device, Model, Overwrite, Seed, command

if TYPE_CHECKING:
    from chemvae.design.search_settings import SearchSettings

OF_THIS_CALL = {"yes", "output", "resume", "overwrite", "device", "config", "quiet", "verbose", "batch_in", "batch_out"}


@command
def optimize(
    ctx: typer.Context,
    model: Model = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Tables, report and record go there.")
    ] = Path("hits"),
    overwrite: Overwrite = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", metavar="", help="Go on with the search in FOLDER, flags as before; no molecule is paid twice."
        ),
    ] = False,
    yes: flags.Yes = False,
    maximize: flags.Maximize = None,
    minimize: flags.Minimize = None,
    target: flags.Target = None,
    weight: flags.Weight = None,
    range: laboratory_flags.Ranges = None,
    oracle: flags.OracleName = None,
    oracle_memory: flags.ScoreCache = None,
    retry_failures: flags.RetryFailures = False,
    constraint: flags.Bound = None,
    min_similarity: flags.Similarity = None,
    scaffold: flags.Scaffold = None,
    forbid: flags.Forbid = None,
    neutral: flags.Neutral = False,
    alerts: flags.WithoutAlerts = False,
    alert_catalog: flags.Catalogs = None,
    start: flags.Start = None,
    smiles_column: flags.StartColumn = None,
    standardize: flags.Cleaning = None,
    known: flags.Known = None,
    method: flags.Method = "auto",
    budget: flags.Budget = 500,
    batch: flags.BatchSize = None,
    jobs: flags.OracleJobs = None,
    engine: flags.Engine = "local",
    timeout_s: flags.Timeout = None,
    time_limit: flags.TimeLimit = None,
    patience: flags.Patience = 20,
    baseline: flags.Baseline = False,
    batch_out: laboratory_flags.BatchOut = None,
    batch_in: laboratory_flags.BatchIn = None,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Search latent space for molecules that score well, and write them with a report.

    Properties are those RDKit computes (qed, logP, SAS, MW, ...) or the model predicts. The folder gets best.csv, history.csv,
    proposals.csv (what was not scored, and why), report.html and result.json. With --batch-out it asks for measurements
    instead, and with --batch-in it goes on from them.
    """
    from chemvae import api

    said = _said(ctx)
    found = api.optimize_in_folder(
        said.pop("model", None), output, device=device, resume=resume, overwrite=overwrite, batch_in=batch_in,
        batch_out=batch_out, watch=_watch, may_run=yes or _ask, **said,
    )  # fmt: skip
    if found.sheet is not None:
        laboratory_flags.show_batch(found, batch_in)
    else:
        optimize_display.show(found)


def _ask(oracle: str) -> bool:
    """Show what a search of unknown origin would run, and ask; where nobody can answer, the answer is no."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        return False
    console.say(f"This search was not begun by you in this folder. Going on with it runs: {json.dumps(oracle)}")
    return typer.confirm("Run it?", default=False, err=True)


def _said(ctx: typer.Context) -> dict[str, Any]:
    """The flags that were given, here or in a file, and say what is sought and how."""
    said = {name: value for name, value in ctx.params.items() if name not in OF_THIS_CALL}
    sources = {name: ctx.get_parameter_source(name) for name in said}
    usual = {name for name, source in sources.items() if source is None or source.name == "DEFAULT"}
    return {name: value for name, value in said.items() if name not in usual}


@contextmanager
def _watch(title: str, settings: SearchSettings) -> Iterator[Any]:
    """Show how a search goes."""
    from chemvae.design.evaluators.laboratory import LABORATORY

    if ":" in (settings.oracle or ""):
        _make_importable(Path.cwd())
    if title == LABORATORY:
        with console.working("Choosing the next batch"):
            yield None
    else:
        with optimize_display.progress(title, settings.budget) as callback:
            yield callback


def _make_importable(folder: Path) -> None:
    """Let --oracle mymodule:function find mymodule.py beside the user, as ``python -m`` does."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
