"""chemvae train."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chemvae.commands.shared import console
from chemvae.commands.shared.options import (
    READING,
    RUNNING,
    Device,
    Jobs,
    MaybeData,
    OnInvalid,
    Overwrite,
    Properties,
    Seed,
    SmilesColumn,
    SplitColumn,
    Standardize,
    command,
    given_only,
    settings_flags,
)
from chemvae.commands.shared.settings_fields import settings_fields, table_names
from chemvae.errors import ChemVAEError, SettingsError, command_line

if TYPE_CHECKING:
    from chemvae.training.callbacks import Callback

PRESETS = table_names("training/settings.py", "PRESETS")
OBJECTIVES = {"objective": table_names("objectives/__init__.py", "OBJECTIVES")}
PARTS = {
    "posterior": table_names("models/posteriors/__init__.py", "POSTERIORS"),
    "prior": table_names("models/priors/__init__.py", "PRIORS", leave_out=("gaussian",)),
    "fitted_prior": table_names("models/priors/__init__.py", "PRIORS", leave_out=("normal", "vamp")),
}
RECIPES = table_names("training/recipes/recipe.py", "RECIPES")
TRAINING = settings_fields("training/settings.py", "TrainingSettings", leave_out=("seed",), choices=OBJECTIVES)
SIZES = settings_fields("models/settings.py", "ModelSettings", choices=PARTS)


@command
@settings_flags("How to train (what is not given, the preset decides)", TRAINING, {"time_limit_min": "--time-limit"})
@settings_flags("Size of the model (what is not given, the preset decides)", SIZES)
def train(
    data: MaybeData = None,
    properties: Properties = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="RUN", help="The run folder. Default: runs/<name of the data>.")
    ] = None,
    preset: Annotated[str, typer.Option(metavar="|".join(PRESETS), help="Size and schedule to start from.")] = "cpu",
    recipe: Annotated[
        str,
        typer.Option(
            metavar="|".join(RECIPES), help="full: go on until samples are molecules, in stages; --time-limit is for all."
        ),
    ] = "plain",
    stages: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="Settings of a recipe's stages; or tables [stages.NAME] in the file of --config."),
    ] = None,
    init: Annotated[str | None, typer.Option(metavar="MODEL", help="Start from the weights of this model.")] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", metavar="", help="With --init: train from nothing too, and say what the weights gained."),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", metavar="", help="Go on with the run in -o RUN from its last checkpoint; with DATA begin it if need be."
        ),
    ] = False,
    more_epochs: Annotated[
        int, typer.Option("--more-epochs", metavar="N", help="With --resume: train N epochs longer than the run was to.")
    ] = 0,
    overwrite: Overwrite = False,
    smiles_column: SmilesColumn = None,
    split_column: SplitColumn = None,
    on_invalid: OnInvalid = "skip",
    standardize: Standardize = "none",
    tokens: Annotated[
        str, typer.Option(metavar="character|atom", rich_help_panel=READING, help="atom: a whole bracket is one token.")
    ] = "character",
    vocabulary: Annotated[
        str, typer.Option(metavar="data|superset", rich_help_panel=READING, help="superset: all symbols of SMILES.")
    ] = "data",
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", metavar="", rich_help_panel=RUNNING, help="Logs in RUN/tensorboard.")
    ] = False,
    seed: Seed = 0,
    jobs: Jobs = 1,
    device: Device = "auto",
    **settings: Any,
) -> None:
    """Train a model on molecules, and on labels where columns are named with -p.

    A run folder holds all that the other commands need. Ctrl-C saves first; --resume goes on to the same numbers. With
    --recipe full samples become molecules, too, in stages that are told one by one. Several GPUs share a training under
    torchrun --nproc-per-node N -m chemvae train ...
    """
    from chemvae import api
    from chemvae.commands.shared import training_display

    run, is_first = _run_folder(data, output, resume, init, compare), _is_first()
    wanted: list[Callback] = [training_display.PriorValidity()]
    wanted += [training_display.TensorBoard(run / "tensorboard")] if tensorboard else []
    with training_display.progress(run, f"Reading {data or 'the data'}", is_first=is_first) as shown:
        api.train(
            data, properties or (), preset, run, resume, seed, recipe=recipe, stages=stages, init=init,
            smiles_column=smiles_column, split_column=split_column, on_invalid=on_invalid, standardize=standardize,
            tokens=tokens, vocabulary=vocabulary, device=device, jobs=jobs, overwrite=overwrite, more_epochs=more_epochs,
            callbacks=[*wanted, *shown], **_with_settings(given_only(settings)),
        )  # fmt: skip
    if not is_first:
        return
    _say_what_was_gained(run, compare, device, jobs)
    _say_which_predictor(run, data, jobs)
    _say_what_next(run, data)


def _is_first() -> bool:
    """Whether this is the only process, or the first of those that torchrun started; others say nothing but errors."""
    from chemvae.training.processes import Processes

    is_first = Processes.of_environment().is_first
    if not is_first:
        logging.getLogger("chemvae").setLevel(logging.ERROR)
    return is_first


def _with_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Names of tables as they are; one written as JSON, {"name": "iwae", "n_draws": 16}, with the settings beside it."""
    found = dict(given)
    for flag in ("posterior", "objective"):
        if str(given.get(flag, "")).lstrip().startswith("{"):
            try:
                found[flag] = json.loads(given[flag])
            except json.JSONDecodeError as error:
                raise SettingsError(
                    f'--{flag} is no JSON ({error}); write a name, or {{"name": "...", "setting": 1}}'
                ) from None
    return found


def _run_folder(data: str | None, output: Path | None, resume: bool, init: str | None, compare: bool) -> Path:
    """Check what belongs together, and name the run after its data if the user did not."""
    complaints = []
    if resume:
        complaints += ["--resume needs the run: -o RUN"] if output is None else []
    elif data is None:
        complaints.append("name the data: chemvae train DATA -o RUN (or go on with a run: chemvae train --resume -o RUN)")
    if compare and init is None and not resume:
        complaints.append("--compare says what another model's weights gained; name it with --init MODEL")
    if complaints:
        raise SettingsError(complaints)
    named = "stdin" if data is None or data == "-" else Path(data).name.split(".")[0]
    return output or Path("runs") / named


def _say_what_was_gained(run: Path, compare: bool, device: str, jobs: int) -> None:
    from chemvae.evaluation.head_start import measure_head_start
    from chemvae.runs import RunFolder

    if RunFolder(run).read_config().get("init") is None:
        return
    try:
        with console.working("Training from nothing, to compare" if compare else "Measuring what the given weights gained"):
            gained = measure_head_start(RunFolder(run), compare=compare, device=device, jobs=jobs)
    except ChemVAEError as error:  # the run itself is done and stays as it is
        console.say(f"What the given weights gained was not measured: {error}")
        return
    if gained is not None:
        console.say(gained.sentence())
        if hint := gained.hint():
            console.say(hint)


def _say_which_predictor(run: Path, data: str | None, jobs: int) -> None:
    """Where a model was tuned with labels: its error on them, beside what fitting the labels alone would give."""
    from chemvae.evaluation.label_error import measure_label_errors
    from chemvae.runs import RunFolder

    config = RunFolder(run).read_config()
    if config.get("init") is None or not config["data"]["targets"]:
        return
    try:
        with console.working("Comparing with predict --fit on the same labels"):
            found = measure_label_errors(RunFolder(run), jobs=jobs)
    except ChemVAEError as error:  # the run itself is done and stays as it is
        console.say(f"The error on the labels was not measured: {error}")
        return
    for one in found:
        console.say(one.sentence("TABLE" if data in (None, "-") else data))


def _say_what_next(run: Path, data: str | None) -> None:
    from chemvae.runs import RunFolder

    config, metrics = RunFolder(run).read_config(), RunFolder(run).read_metrics()
    if len(metrics):
        last = metrics.iloc[-1]
        console.say(
            f"Reconstructs {last['valid_reconstruction_greedy']:.1%} of held-out molecules, KL {last['valid_kl']:.1f} nats, "
            f"{last['valid_active_units']:.0%} of the latent dimensions in use."
        )
    goal = next(iter(config["properties"]), "qed")
    console.say(f"The model is in {run}. Try next:")
    source = data or (config.get("data") or {}).get("source")
    if source not in (None, "-"):
        console.say(f"  {command_line('evaluate', source, '-m', run, '-o', run / 'evaluation')}")
    console.say(f"  {command_line('sample', '-m', run, '-n', 20)}")
    console.say(f"  {command_line('optimize', '-m', run, '--maximize', goal, '--budget', 200, '-o', _unused(Path('hits')))}")


def _unused(folder: Path) -> Path:
    """The folder's name, with a number after it where one is there already."""
    names = [folder, *(folder.with_name(f"{folder.name}{i}") for i in range(2, 100))]
    return next((name for name in names if not name.exists()), folder)
