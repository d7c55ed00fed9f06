"""chemvae optimize."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console, laboratory_flags, optimize_display
from chemvae.commands.shared import optimize_flags as flags
from chemvae.commands.shared.options import Device, Model, Overwrite, Seed, command, load_model
from chemvae.errors import ChemVAEError, InputError, SettingsError

if TYPE_CHECKING:
    from chemvae.design import Goal, Result

RECORD, BASELINE, SETTINGS = "history.jsonl", "baseline.jsonl", "settings.json"
OF_THIS_CALL = {"output", "resume", "overwrite", "device", "config", "quiet", "verbose", "batch_in", "batch_out"}


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
    range: laboratory_flags.Ranges = None,
    oracle: flags.OracleName = None,
    oracle_memory: flags.ScoreCache = None,
    retry_failures: flags.RetryFailures = False,
    constraint: flags.Bound = None,
    min_similarity: flags.Similarity = None,
    scaffold: flags.Scaffold = None,
    forbid: flags.Forbid = None,
    alerts: flags.WithoutAlerts = False,
    alert_catalog: flags.Catalogs = None,
    start: flags.Start = None,
    smiles_column: flags.StartColumn = None,
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
    from chemvae import api, tables  # noqa: F401  (what is missing shows before any molecule is paid)
    from chemvae.runs import write_json

    asked = _asked(ctx, output, resume, overwrite)
    goals = laboratory_flags.with_ranges(flags.make_goals(asked), asked["range"])
    sheet = batch_out or output / laboratory_flags.SHEET
    if is_measured := laboratory_flags.is_laboratory(asked, batch_in, batch_out):
        laboratory_flags.check_sheet(sheet, batch_in)
        asked |= {"oracle": asked["oracle"] or "laboratory", "batch": asked["batch"] or laboratory_flags.BATCH}
    vae = load_model(asked["model"], device)
    options = _search_options(asked, goals)
    with _set_aside(output, (RECORD, BASELINE, SETTINGS) if overwrite and not resume else ()):
        if not (output / RECORD).exists():
            write_json(output / SETTINGS, asked)
        if is_measured:
            _measure(vae, asked, options, output, batch_in, sheet)
        else:
            with _term_is_ctrl_c():
                _run(vae, asked, options, output)


@contextmanager
def _term_is_ctrl_c() -> Iterator[None]:
    """What a cluster sends at its time limit ends the search as Ctrl-C does: with tables and report, and no program left."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _set_aside(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """Take an earlier search's files out of the way, and put them back if the new one ends before it has a record."""
    held = {folder / name: folder / f"{name}.old" for name in names if (folder / name).exists()}
    for path, aside in held.items():
        path.replace(aside)
    try:
        yield
    finally:
        has_begun = (folder / RECORD).exists()
        for path, aside in held.items():
            if has_begun:
                aside.unlink(missing_ok=True)
            else:
                aside.replace(path)


def _run(vae: Any, asked: dict[str, Any], options: dict[str, Any], output: Path) -> None:
    """Search until the budget is spent, and once more at random where that is wanted."""
    with optimize_display.progress(asked["method"], asked["budget"]) as callback:
        result = _search(vae, asked, options, asked["method"], output / RECORD, callback)
    other = None
    if asked["baseline"] and not result.interrupted:
        with optimize_display.progress("random sampling", asked["budget"]) as callback:
            other = _search(vae, asked, options, "random", output / BASELINE, callback)
    _write(result, other, output)
    optimize_display.show(result, other, output)


def _measure(vae: Any, asked: dict[str, Any], options: dict[str, Any], output: Path, told: str | None, sheet: Path) -> None:
    """Take in what was measured, and write what to measure next."""
    from chemvae.tables import write_table

    with console.working("Choosing the next batch"):
        result = _search(vae, asked, options | {"results": told}, asked["method"], output / RECORD, None)
    _write(result, None, output)
    if len(result.batch):
        write_table(result.batch, sheet)
    laboratory_flags.show_batch(result, sheet, told, output)


# what was asked ----------------------------------------------------------------------------------------------------------


def _asked(ctx: typer.Context, output: Path, resume: bool, overwrite: bool) -> dict[str, Any]:
    """The flags of this call or, with --resume, those of the call that began the search with what is changed now."""
    asked = {name: value for name, value in ctx.params.items() if name not in OF_THIS_CALL}
    record = output / RECORD
    hands_over = ctx.params["batch_in"] is not None or ctx.params["batch_out"] is not None
    if resume or (hands_over and record.exists() and not overwrite):
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
    if asked["model"] and Path(asked["model"]).exists():  # resuming may happen from another folder
        asked["model"] = str(Path(asked["model"]).resolve())
    if asked["oracle_memory"]:
        asked["oracle_memory"] = str(Path(asked["oracle_memory"]).resolve())
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
        "alerts": list(asked["alert_catalog"] or ()) or asked["alerts"],
        "patience": asked["patience"],
        "time_limit_s": None if asked["time_limit"] is None else 60.0 * asked["time_limit"],
    }


def _search(vae: Any, asked: Mapping[str, Any], options: dict[str, Any], method: str, record: Path, callback: Any) -> Result:
    from chemvae import api
    from chemvae.runs import write_json

    if ":" in (asked["oracle"] or ""):
        _make_importable(Path.cwd())
    result = api.optimize(
        vae, _oracle(asked, vae), asked["budget"], asked["seed"], method, history_path=record, callback=callback, **options
    )
    write_json(record.with_name(SETTINGS), asked)  # only now: what does not fit the record must not be remembered
    return result


def _oracle(asked: Mapping[str, Any], vae: Any) -> Any:
    """The oracle with its memory and workers; what has a meaning of its own without them stays a name."""
    from chemvae.design import make_oracle

    extras = {"jobs": asked["jobs"], "engine": None if asked["engine"] == "local" else asked["engine"]}
    extras |= {"memory": asked["oracle_memory"], "retry_failures": asked["retry_failures"] or None}
    given = {name: value for name, value in extras.items() if value is not None}
    if given and asked["oracle"] is None:
        raise SettingsError(
            "--oracle-memory, --retry-failures, --jobs and --engine are about --oracle; name one, or leave them out"
        )
    return make_oracle(asked["oracle"], vae, **given) if given else asked["oracle"]


def _make_importable(folder: Path) -> None:
    """Let --oracle mymodule:function find mymodule.py beside the user, as ``python -m`` does."""
    import sys

    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _write(result: Result, other: Result | None, output: Path) -> None:
    """Write tables, report and figures; then say so if nothing came of it."""
    from chemvae import tables
    from chemvae.design import summary
    from chemvae.runs import environment, write_json

    history = result.history.drop(columns="z").join(tables.expand_latents(list(result.history["z"])))
    tables.write_table(history, output / "history.csv")
    tables.write_table(result.proposals, output / "proposals.csv")
    tables.write_table(result.molecules, output / "best.csv")
    if len(result.utility.goals) > 1:
        tables.write_table(result.pareto.drop(columns="z"), output / "pareto.csv")
    facts = {**summary(result), "goals": result.utility.describe(), "settings": result.settings}
    facts |= {"rejections": result.rejections, "counts": result.counts, "environment": environment()}
    write_json(output / "result.json", facts | ({"baseline": summary(other)} if other is not None else {}))
    result.to_html(output / "report.html", other)
