"""chemvae optimize."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands import screen
from chemvae.commands import search_flags as flags
from chemvae.commands.options import Device, Model, Overwrite, Seed, command, load_model
from chemvae.errors import ChemVAEError, InputError, InterruptedRunError, NothingUsableError

if TYPE_CHECKING:
    from chemvae.design import Goal, Progress, Result

RECORD, BASELINE, SETTINGS = "history.jsonl", "baseline.jsonl", "settings.json"
OF_THIS_CALL = {"output", "resume", "overwrite", "device", "config", "quiet", "verbose"}
LINE_EVERY_S = 20.0


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
    maximize: flags.Maximize = None,
    minimize: flags.Minimize = None,
    target: flags.Target = None,
    weight: flags.Weight = None,
    oracle: flags.OracleName = None,
    constraint: flags.Bound = None,
    min_similarity: flags.Similarity = None,
    scaffold: flags.Scaffold = None,
    forbid: flags.Forbid = None,
    alerts: flags.WithoutAlerts = False,
    start: flags.Start = None,
    smiles_column: flags.StartColumn = None,
    known: flags.Known = None,
    method: flags.Method = "auto",
    budget: flags.Budget = 500,
    batch: flags.BatchSize = None,
    timeout_s: flags.Timeout = None,
    time_limit: flags.TimeLimit = None,
    patience: flags.Patience = 20,
    baseline: flags.Baseline = False,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Search latent space for molecules that score well, and write them with a report.

    Properties are those RDKit computes (qed, logP, SAS, MW, ...) or the model predicts. The folder gets best.csv, history.csv,
    proposals.csv (what was not scored, and why), report.html and result.json.
    """
    from chemvae import api, tables  # noqa: F401  (what is missing shows before any molecule is paid)
    from chemvae.runs import write_json

    asked = _asked(ctx, output, resume, overwrite)
    goals = flags.make_goals(asked)
    vae = load_model(asked["model"], device)
    options = _search_options(asked, goals)
    write_json(output / SETTINGS, asked)
    with _progress(asked["method"], asked["budget"]) as callback:
        result = _search(vae, asked, options, asked["method"], output / RECORD, callback)
    other = None
    if asked["baseline"] and not result.interrupted:
        with _progress("random sampling", asked["budget"]) as callback:
            other = _search(vae, asked, options, "random", output / BASELINE, callback)
    _write(result, other, output)
    _show(result, other, output)


# what was asked ----------------------------------------------------------------------------------------------------------


def _asked(ctx: typer.Context, output: Path, resume: bool, overwrite: bool) -> dict[str, Any]:
    """The flags of this call or, with --resume, those of the call that began the search with what is changed now."""
    asked = {name: value for name, value in ctx.params.items() if name not in OF_THIS_CALL}
    record = output / RECORD
    if resume:
        if not record.exists():
            raise ChemVAEError(f"'{output}' holds no search to go on with. Leave out --resume to begin one.")
        default = {name for name in asked if ctx.get_parameter_source(name).name == "DEFAULT"}
        before = _read_json_line(output / SETTINGS)
        asked |= {name: before[name] for name in default & before.keys()}
        asked["batch"] = asked["batch"] or _read_json_line(record, first_line=True).get("batch_size")
    elif record.exists() and not overwrite:
        raise ChemVAEError(
            f"'{output}' already holds a search. Go on with it (--resume), replace it (--overwrite), or change -o."
        )
    elif overwrite:
        record.unlink(missing_ok=True)
        (output / BASELINE).unlink(missing_ok=True)
    if asked["model"] and Path(asked["model"]).exists():
        asked["model"] = str(Path(asked["model"]).resolve())  # resuming may happen from another folder
    return asked


def _read_json_line(path: Path, first_line: bool = False) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        return dict(json.loads(text.splitlines()[0] if first_line else text))
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path} cannot be read ({error}). Begin anew with --overwrite, or choose another folder.") from None


def _search_options(asked: Mapping[str, Any], goals: list[Goal]) -> dict[str, Any]:
    """The arguments of chemvae.optimize that do not depend on the method."""
    known = asked["known"]
    return {
        "start": flags.read_starts(asked["start"], asked["smiles_column"]),
        "goals": goals or None,
        "constraints": list(asked["constraint"] or ()),
        "timeout_s": asked["timeout_s"],
        "batch_size": asked["batch"],
        "known": flags.read_starts([known], asked["smiles_column"]) if known else None,
        "min_similarity": asked["min_similarity"],
        "scaffold": asked["scaffold"],
        "forbid": list(asked["forbid"] or ()),
        "alerts": asked["alerts"],
        "patience": asked["patience"],
        "time_limit_s": None if asked["time_limit"] is None else 60.0 * asked["time_limit"],
    }


def _search(vae: Any, asked: Mapping[str, Any], options: dict[str, Any], method: str, record: Path, callback: Any) -> Result:
    from chemvae import api

    if ":" in (asked["oracle"] or ""):
        _make_importable(Path.cwd())
    return api.optimize(
        vae, asked["oracle"], asked["budget"], asked["seed"], method, history_path=record, callback=callback, **options
    )


def _make_importable(folder: Path) -> None:
    """Let --oracle mymodule:function find mymodule.py beside the user, as ``python -m`` does."""
    import sys

    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


# what is shown -----------------------------------------------------------------------------------------------------------


@contextmanager
def _progress(title: str, budget: int) -> Any:
    """Give the callback that shows a search: a bar on a terminal, else a line now and then."""
    if not screen.is_live():
        due = screen.Every(LINE_EVERY_S)
        yield lambda now: screen.say(f"{title}: {now.calls:,} of {budget:,} calls, {_facts(now)}") if due() else None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    with Progress(*columns, console=screen.console(), transient=True) as bar:
        task = bar.add_task(title, total=budget, facts="")
        yield lambda now: bar.update(task, completed=now.calls, facts=_facts(now))


def _facts(now: Progress) -> str:
    best, top = screen.figure(now.best), screen.figure(now.mean_top10)
    return f"best {best}  mean top 10 {top}  valid {now.valid:.0%}  {screen.duration(now.remaining_s)} left"


def _write(result: Result, other: Result | None, output: Path) -> None:
    """Write tables, report and figures; then say so if nothing came of it."""
    from chemvae import tables
    from chemvae.design import summary
    from chemvae.runs import environment, write_json

    history = result.history.drop(columns="z").join(tables.expand_latents(list(result.history["z"])))
    tables.write_table(history, output / "history.csv")
    tables.write_table(result.proposals, output / "proposals.csv")
    tables.write_table(result.molecules, output / "best.csv")
    if len(result.objective.goals) > 1:
        tables.write_table(result.pareto.drop(columns="z"), output / "pareto.csv")
    facts = {**summary(result), "goals": result.objective.describe(), "settings": result.settings}
    facts |= {"rejections": result.rejections, "counts": result.counts, "environment": environment()}
    write_json(output / "result.json", facts | ({"baseline": summary(other)} if other is not None else {}))
    result.to_html(output / "report.html", other)


def _show(result: Result, other: Result | None, output: Path) -> None:
    n, best = len(result.history), result.best
    if result.interrupted:
        raise InterruptedRunError(
            f"Interrupted after {n:,} calls; everything is saved. Go on with: chemvae optimize --resume -o {output}"
        )
    if best is None:
        raise NothingUsableError(f"No molecule could be scored: {_why_nothing(result)} See {output / 'proposals.csv'}.")
    title = f"Best of {n:,} molecules ({result.objective.describe()})"
    screen.show(screen.listing(result.molecules[_shown_columns(result)], title, most=5))
    if other is not None and other.best is not None:
        screen.say(f"Random sampling with the same budget: best {screen.figure(float(other.best['score']))}.")
    screen.say(f"Ended: {result.stopped}, after {screen.duration(result.elapsed_s)}. Open {output / 'report.html'}.")


def _shown_columns(result: Result) -> list[str]:
    """The score, what is wanted as RDKit computes and the model predicts it, and novelty."""
    goals = result.objective.names
    wanted = ["smiles", "score", *goals, *(f"{name}_predicted" for name in goals), "qed", "SAS", "MW", "novel"]
    return [name for name in dict.fromkeys(wanted) if name in result.molecules][:8]


def _why_nothing(result: Result) -> str:
    failed = [reason for reason in result.history["reason"] if reason]
    if failed:
        return f"the oracle failed on all {len(failed):,}; the first time: {failed[0]}."
    refused = ", ".join(f"{name}: {count:,}" for name, count in result.rejections.items() if count)
    points, valid = result.counts["points"], result.counts["valid"]
    return f"of {points:,} decoded points {valid:,} were valid" + (f", and turned away were {refused}." if refused else ".")
