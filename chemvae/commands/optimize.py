"""chemvae optimize."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands import screen
from chemvae.commands.options import Device, Model, Overwrite, Seed, command, load_model
from chemvae.errors import ChemVAEError, InputError, InterruptedRunError, NothingUsableError, SettingsError

if TYPE_CHECKING:
    from chemvae.design import Goal, Progress, Result

GOALS, LIMITS, START, SEARCH = "What is wanted", "What every molecule must fulfil", "Where to begin", "How to search"
RECORD, BASELINE, SETTINGS = "history.jsonl", "baseline.jsonl", "settings.json"
OF_THIS_CALL = {"output", "resume", "overwrite", "device", "config", "quiet", "verbose"}
LINE_EVERY_S = 20.0


def _flag(kind: Any, *flags: str, panel: str, help: str, metavar: str | None = None) -> Any:
    return Annotated[kind, typer.Option(*flags, metavar=metavar, help=help, rich_help_panel=panel)]


Several = list[str] | None
Maximize = _flag(Several, "--maximize", metavar="P", panel=GOALS, help="Property to make large; repeat for several.")
Minimize = _flag(Several, "--minimize", metavar="P", panel=GOALS, help="Property to make small.")
Target = _flag(Several, "--target", metavar="P=V", panel=GOALS, help="Property to bring to a value.")
Weight = _flag(Several, "--weight", metavar="P=W", panel=GOALS, help="Weight of a goal among several; 1 if not given.")
OracleName = _flag(
    str | None, "--oracle", metavar='NAME|pkg.mod:fn|"cmd:..."', panel=GOALS,
    help="What scores molecules, if not RDKit or the model: a Python function, or a program that reads JSON lines.",
)  # fmt: skip
Bound = _flag(Several, "--constraint", metavar='"P<V"', panel=LIMITS, help='Such as "SAS<3" or "1<logP<3"; repeat for several.')
Similarity = _flag(
    float | None, "--min-similarity", metavar="T", panel=LIMITS, help="To the start molecules: ECFP4 Tanimoto, 0 to 1."
)
Scaffold = _flag(str | None, "--scaffold", metavar="SMARTS", panel=LIMITS, help="Keep this pattern.")
Forbid = _flag(Several, "--forbid", metavar="SMARTS", panel=LIMITS, help="Never this pattern; repeat for several.")
WithoutAlerts = _flag(bool, "--alerts", metavar="", panel=LIMITS, help="No PAINS or BRENK alert.")
Start = _flag(Several, "--start", metavar="SMILES", panel=START, help="Molecule to begin with, or a file of them; repeatable.")
StartColumn = _flag(str | None, "-s", "--smiles-column", metavar="COLUMN", panel=START, help="In files of molecules.")
Known = _flag(str | None, "--known", metavar="DATA", panel=START, help="To name the nearest known molecule of each design.")
Method = _flag(str, "--method", metavar="auto|gradient|bayesian|random", panel=SEARCH, help="How to choose what to try next.")
Budget = _flag(int, "--budget", metavar="N", panel=SEARCH, help="Distinct molecules to score.")
BatchSize = _flag(int | None, "--batch", metavar="N", panel=SEARCH, help="Molecules per round.")
Timeout = _flag(float | None, "--timeout-s", metavar="S", panel=SEARCH, help="Seconds a molecule may take.")
TimeLimit = _flag(float | None, "--time-limit", metavar="MIN", panel=SEARCH, help="No round begins after so many minutes.")
Patience = _flag(int, "--patience", metavar="N", panel=SEARCH, help="Rounds without a new molecule before it ends.")
Baseline = _flag(
    bool, "--baseline", metavar="", panel=SEARCH, help="Also sample at random with the same budget, and report both."
)


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
    maximize: Maximize = None,
    minimize: Minimize = None,
    target: Target = None,
    weight: Weight = None,
    oracle: OracleName = None,
    constraint: Bound = None,
    min_similarity: Similarity = None,
    scaffold: Scaffold = None,
    forbid: Forbid = None,
    alerts: WithoutAlerts = False,
    start: Start = None,
    smiles_column: StartColumn = None,
    known: Known = None,
    method: Method = "auto",
    budget: Budget = 500,
    batch: BatchSize = None,
    timeout_s: Timeout = None,
    time_limit: TimeLimit = None,
    patience: Patience = 20,
    baseline: Baseline = False,
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
    goals = make_goals(asked)
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
    return asked


def _read_json_line(path: Path, first_line: bool = False) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        return dict(json.loads(text.splitlines()[0] if first_line else text))
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path} cannot be read ({error}). Begin anew with --overwrite, or choose another folder.") from None


def make_goals(asked: Mapping[str, Any]) -> list[Goal]:
    """Turn --maximize, --minimize, --target and --weight into goals.

    Raises
    ------
    SettingsError
        If a value cannot be read, or a weight belongs to no goal.

    Examples
    --------
    >>> [g.describe() for g in make_goals({"maximize": ["qed"], "target": ["logP=2.5"], "weight": ["QED=3"]})]
    ['max qed', 'logP = 2.5']
    """
    from chemvae.design import Goal

    weights = {name.lower(): value for name, value in (read_pair("--weight", text) for text in asked.get("weight") or ())}
    targets = [read_pair("--target", text) for text in asked.get("target") or ()]
    names = [*(asked.get("maximize") or ()), *(asked.get("minimize") or ()), *(name for name, _ in targets)]
    stray = sorted(weights.keys() - {name.lower() for name in names})
    if stray:
        raise SettingsError(f"--weight {stray[0]} belongs to no goal; name it with --maximize, --minimize or --target")
    w = {name: weights.get(name.lower(), 1.0) for name in names}
    found = [Goal(name, "max", weight=w[name]) for name in asked.get("maximize") or ()]
    found += [Goal(name, "min", weight=w[name]) for name in asked.get("minimize") or ()]
    return found + [Goal(name, target=value, weight=w[name]) for name, value in targets]


def read_pair(flag: str, text: str) -> tuple[str, float]:
    """Read ``NAME=NUMBER``.

    Examples
    --------
    >>> read_pair("--target", "logP = -2.5")
    ('logP', -2.5)
    """
    name, _, value = text.rpartition("=")
    try:
        return (name.strip() or value), float(value) if name.strip() else float("x")
    except ValueError:
        raise SettingsError(f"{flag} wants NAME=NUMBER, such as logP=2.5; got '{text}'") from None


def read_starts(texts: list[str] | None, smiles_column: str | None) -> list[str] | None:
    """Take each text as a file of molecules where it is one, else as a SMILES."""
    from chemvae.data.catalog import is_catalog_name
    from chemvae.data.preparation import load_table
    from chemvae.data.reading import FORMATS, split_suffix

    found: list[str] = []
    for text in texts or ():
        is_file = Path(text).is_file() or is_catalog_name(text) or bool(FORMATS.get(split_suffix(text)[0]))
        found += load_table(text, smiles_column).smiles if is_file else [text]
    return found or None


def _search_options(asked: Mapping[str, Any], goals: list[Goal]) -> dict[str, Any]:
    """The arguments of chemvae.optimize that do not depend on the method."""
    known = asked["known"]
    return {
        "start": read_starts(asked["start"], asked["smiles_column"]),
        "goals": goals or None,
        "constraints": list(asked["constraint"] or ()),
        "timeout_s": asked["timeout_s"],
        "batch_size": asked["batch"],
        "known": read_starts([known], asked["smiles_column"]) if known else None,
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
    columns = [c for c in result.molecules.columns if not c.endswith(("_std", "to_known", "to_start"))][:8]
    screen.show(screen.listing(result.molecules[columns], f"Best of {n:,} molecules ({result.objective.describe()})", most=5))
    if other is not None and other.best is not None:
        screen.say(f"Random sampling with the same budget: best {screen.figure(float(other.best['score']))}.")
    screen.say(f"Ended: {result.stopped}, after {screen.duration(result.elapsed_s)}. Open {output / 'report.html'}.")


def _why_nothing(result: Result) -> str:
    failed = [reason for reason in result.history["reason"] if reason]
    if failed:
        return f"the oracle failed on all {len(failed):,}; the first time: {failed[0]}."
    refused = ", ".join(f"{name}: {count:,}" for name, count in result.rejections.items() if count)
    points, valid = result.counts["points"], result.counts["valid"]
    return f"of {points:,} decoded points {valid:,} were valid" + (f", and turned away were {refused}." if refused else ".")
