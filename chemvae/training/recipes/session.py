"""A recipe from its data to its finished folder: start one, or go on with one where it stopped.

``RUN/stages/NAME`` is the run folder of each stage, ``RUN/stages/recipe.json`` says how far it has come; ``RUN`` itself holds
the model as the last finished stage has left it.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from chemvae.data.prepare.preparation import Table
from chemvae.disk import run_checks
from chemvae.errors import InterruptedRunError, RunFolderError, SettingsError, UnknownNameError, command_line
from chemvae.models.storage import load_model, save_model
from chemvae.models.vae import MolVAE
from chemvae.progress import ENDING_SIGNALS, CancelToken, HeardSignal, signal_handlers
from chemvae.runs import RunFolder, write_json
from chemvae.training.callbacks import Callback
from chemvae.training.inputs import TrainingInputs, choose_split, make_inputs
from chemvae.training.processes import Processes
from chemvae.training.recipes.overall import Overall
from chemvae.training.recipes.recipe import StageSpec, read_recipe, seconds_of, with_seed
from chemvae.training.recipes.stages import KINDS, StageFolder, Work, checked, facts_of
from chemvae.training.resuming import resume_run, same_data
from chemvae.training.session import RunSpec, as_table, check_folder, sort_options, start_run

log = logging.getLogger(__name__)
RECORD = "recipe.json"
FEWEST_EPOCHS = 3


@dataclass
class Record:
    """What recipe.json holds."""

    recipe: str
    stages: list[dict[str, Any]]
    seconds: float = 0.0
    """That all stages together may take; 0 is any time."""
    replaces: bool = False
    """Whether another run stands in the folder until this one is whole."""
    done: dict[str, float] = field(default_factory=dict)
    """Stage -> the seconds it took; 0 for one that was left out."""
    stopped: dict[str, float] = field(default_factory=dict)
    """Stage -> the seconds it had taken when it last ended, done or not."""
    budgets: dict[str, float] = field(default_factory=dict)
    """Stage -> the seconds it may take, once it has begun."""

    @property
    def specs(self) -> tuple[StageSpec, ...]:
        """The stages."""
        return tuple(StageSpec(**one) for one in self.stages)

    def check(self) -> None:
        """Raise if it says something that no recipe says."""
        specs = self.specs
        if not specs or specs[0].does != "train":
            raise ValueError("its first stage trains nothing")
        for stage in specs[1:]:
            checked(stage.does, stage.settings)
        told = (self.done, self.stopped, self.budgets)
        if set().union(*told) - {one.name for one in specs}:
            raise ValueError("it tells of stages that it does not have")
        times = [self.seconds, *(value for one in told for value in one.values())]
        if not all(isinstance(value, (int, float)) and math.isfinite(value) and value >= 0 for value in times):
            raise ValueError("it tells of times that are none")

    def budget(self, number: int) -> float:
        """What a stage may take, decided when it begins: its share of what is left; 0 is any time."""
        name = self.stages[number]["name"]
        if self.seconds and name not in self.budgets:
            left = max(1.0, self.seconds - sum(self.done.values()))
            self.budgets[name] = seconds_of(self.specs, number, left)
        return self.budgets.get(name, 0.0)


def has_recipe(run: RunFolder) -> bool:
    """Whether a recipe was begun in this folder."""
    return (run.path / "stages" / RECORD).exists()


def is_begun(run: RunFolder) -> bool:
    """Whether there is anything in this folder to go on with."""
    return has_recipe(run) or run.unfinished().exists()


def start(
    spec: RunSpec,
    run: RunFolder | None,
    recipe: str = "plain",
    stages: Mapping[str, Mapping[str, Any]] | str | None = None,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
) -> MolVAE:
    """Train a new model, once or by a recipe; see :func:`chemvae.api.train`."""
    processes = Processes.of_environment()
    if recipe == "plain" and not stages:
        return start_run(spec, run, callbacks, cancel, processes=processes)
    _check_alone(processes)
    if run is None or recipe == "plain":
        raise SettingsError("a recipe works in a folder (out=RUN), and stages go with recipe='full'")
    return start_recipe(spec, recipe, run, callbacks, cancel, stages_from(stages))


def go_on(
    run: RunFolder,
    data: Any,
    options: Mapping[str, Any],
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    *,
    targets: Sequence[str] = (),
    more_epochs: int = 0,
) -> MolVAE:
    """Go on with what was begun in a folder, once or by a recipe; see :func:`chemvae.api.train`."""
    processes = Processes.of_environment()
    if not has_recipe(run):
        return resume_run(run, data, options, callbacks, cancel, targets=targets, more_epochs=more_epochs, processes=processes)
    _check_alone(processes)
    if more_epochs:
        raise SettingsError("more_epochs lengthens one training; a recipe has stages, so start it anew with other epochs")
    return resume_recipe(run, data, options, callbacks, cancel)


def _check_alone(processes: Processes) -> None:
    if processes.size > 1:
        raise SettingsError("a recipe trains in one process: start it without torchrun, or train once (recipe plain)")


def start_recipe(
    spec: RunSpec,
    name: str,
    run: RunFolder,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    changes: Mapping[str, Mapping[str, Any]] | None = None,
) -> MolVAE:
    """Train a new model by a recipe; see :func:`chemvae.api.train`.

    Parameters
    ----------
    spec : RunSpec
        What the user has chosen (``spec.given``) goes before the recipe's settings of the first stage; its time limit is that
        of the whole recipe.
    name : str
        In :data:`chemvae.training.recipes.recipe.RECIPES`.
    run : RunFolder
    callbacks, cancel
        As in :func:`~chemvae.training.session.start_run`.
    changes : mapping of stage to mapping, optional
        Settings by stage.
    """
    stages = with_seed(read_recipe(name, changes), spec.training.seed)
    for stage in stages[1:]:
        checked(stage.does, stage.settings)
    with run.locked():
        check_folder(run, spec.overwrite)
        if has_recipe(run):
            if not spec.overwrite:
                remedy = "Go on with it (--resume), replace it (--overwrite), or choose another folder with -o."
                raise RunFolderError(run.path, "already holds a recipe that was begun.", remedy)
            shutil.rmtree(run.path / "stages")
        record = Record(name, [asdict(one) for one in stages], 60 * spec.training.time_limit_min, run.exists())
        walk = _Walk(run, record, callbacks, cancel)
        walk.begin(spec)
        return walk.go()


def resume_recipe(
    run: RunFolder,
    data: Any = None,
    options: Mapping[str, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
) -> MolVAE:
    """Go on with a recipe where it stopped.

    Parameters
    ----------
    run : RunFolder
    data
        Needed only if it was trained on molecules in memory.
    options : mapping, optional
        ``device`` and ``jobs``; all else stays as it was begun with.
    callbacks, cancel
        As in :func:`start_recipe`.
    """
    with run.locked():
        walk = _Walk(run, _read(run), callbacks, cancel)
        own, _, changes = sort_options(options or {})
        others = sorted(set(changes) - {"threads"} | {name for name in ("init",) if own.get(name) is not None})
        if others:
            raise SettingsError(f"a recipe that is gone on with keeps its settings; {', '.join(others)} cannot change")
        walk.data, walk.options = data, {key: value for key, value in {**own, **changes}.items() if key in ("device", "jobs")}
        return walk.go()


def _read(run: RunFolder) -> Record:
    """What recipe.json says; RunFolderError if that is no record of a recipe."""
    folder = run.path / "stages"
    content = run_checks.read_json(folder, RECORD)
    try:
        found = Record(**content)
        found.check()
    except (TypeError, ValueError, AttributeError, KeyError, SettingsError, UnknownNameError) as error:
        raise run_checks.damaged(folder, RECORD, error, "Start anew with --overwrite.") from None
    return found


class _Walk:
    """The way through a recipe's stages."""

    def __init__(self, run: RunFolder, record: Record, callbacks: Sequence[Callback], cancel: CancelToken | None):
        self.run, self.record, self.callbacks = run, record, callbacks
        self.cancel, self.heard = cancel or CancelToken(), HeardSignal()
        self.spec: RunSpec | None = None
        self.table: Table | None = None
        self.inputs: TrainingInputs | None = None
        self.data: Any = None
        self.options: dict[str, Any] = {}

    def begin(self, spec: RunSpec) -> None:
        """Read the data, and write down what is to be done."""
        self.table = as_table(spec.data, spec.targets, asdict(spec.reading), spec.jobs)
        labels = self.table.labels[choose_split(self.table, spec.training.seed)[0]]  # [N, P]
        self.spec, self.data = first_spec(spec, self.record.specs[0], np.isfinite(labels).any(axis=1)), spec.data
        self._write()

    def go(self) -> MolVAE:
        """All stages that are not done yet."""
        for number, stage in enumerate(self.record.specs):
            if stage.name not in self.record.done:
                for callback in self.callbacks:
                    callback.on_stage(stage.name, number + 1, len(self.record.stages))
                started = time.monotonic() - self.record.stopped.get(stage.name, 0.0)
                try:
                    is_done = self._first(stage) if number == 0 else self._later(number, stage)
                finally:
                    self.record.stopped[stage.name] = round(time.monotonic() - started, 3)
                    self._write()
                if not is_done:
                    return self._stopped()
                self._end(number, stage, time.monotonic() - started)
        return load_model(self.run)

    def folder(self, stage: StageSpec | str) -> RunFolder:
        """The run folder of a stage; going on with it is going on with the recipe."""
        made = RunFolder(self.run.path / "stages" / (stage if isinstance(stage, str) else stage.name))
        made.resumed_at = self.run.path
        return made

    def _first(self, stage: StageSpec) -> bool:
        """Train; whether it is done."""
        folder, budget_s = self.folder(stage), self.record.budget(0)
        self._write()
        told = [Overall(self.callbacks, self.record.specs, 0, budget_s)]
        if folder.exists():
            resume_run(folder, self.data, self.options, told, self.cancel, budget_s=budget_s)
        elif self.spec is None:
            anew = command_line("train", "DATA", "--recipe", self.record.recipe, "-o", self.run.path, "--overwrite")
            raise RunFolderError(self.run.path, "holds a recipe that was ended before it began.", f"Start anew: {anew}")
        else:
            start_run(self.spec, folder, told, self.cancel, table=self.table, budget_s=budget_s)
        return not self.cancel.is_cancelled

    def _later(self, number: int, stage: StageSpec) -> bool:
        """A stage after the first; whether it is done, or left out."""
        inputs = self._inputs()
        if len(inputs.train) < stage.at_least:
            log.warning(
                "The stage '%s' is left out: it takes %d training molecules, there are %d.", stage.name, stage.at_least,
                len(inputs.train),
            )  # fmt: skip
            return True
        budget_s = self.record.budget(number)
        self._write()
        settings = checked(stage.does, stage.settings, budget_s)
        keeper = StageFolder(self.folder(stage), budget_s, self.cancel)
        overall = Overall(self.callbacks, self.record.specs, number, budget_s, n_units=_units(settings))
        with self._signals():
            KINDS[stage.does][1](Work(self._before(number), inputs, keeper, overall.report), settings)
        return not self.cancel.is_cancelled

    def _before(self, number: int) -> RunFolder:
        """The folder of the last stage before this one that was not left out."""
        names = [one.name for one in self.record.specs[:number]]
        return next(folder for name in reversed(names) if (folder := self.folder(name)).has("model.safetensors"))

    def _inputs(self) -> TrainingInputs:
        """What the first stage was trained on, read again where it was not read in this call."""
        if self.inputs is None:
            first = self.folder(self.record.specs[0])
            config, model = first.read_config(), load_model(first)
            table = self.table or same_data(first, config, self.data, jobs=self.options.get("jobs", 1))
            settings = config["training"]
            split = choose_split(table, settings["seed"])
            self.inputs = make_inputs(table, split, model.vocabulary, 0.0, settings.get("unlabelled", 1.0))
        return self.inputs

    def _end(self, number: int, stage: StageSpec, seconds: float) -> None:
        """Write down that a stage is done, and show the model as it is now."""
        self.record.done[stage.name] = round(seconds, 3)
        is_last = number + 1 == len(self.record.stages)
        if is_last or not self.record.replaces:
            self._publish(self._before(number + 1))
        self._write()

    def _publish(self, stage: RunFolder) -> None:
        """Let the recipe's own folder hold the model of a stage."""
        facts = {"name": self.record.recipe, "stages": self.record.stages, "seconds": self.record.done}
        with self.run.all_at_once() as together:
            save_model(load_model(stage), together, **facts_of(stage), recipe=facts)
            together.write_environment()
            first = self.folder(self.record.specs[0])
            if first.has("metrics.csv"):
                shutil.copyfile(first.file("metrics.csv"), together.file("metrics.csv"))

    def _stopped(self) -> MolVAE:
        """What there is, where the recipe was told to end before its end."""
        self._write()
        go_on = f"Go on with: {command_line('train', '--resume', '-o', self.run.path)}"
        if self.heard.number is not None:
            raise InterruptedRunError(f"Interrupted; everything is saved. {go_on}", self.heard.exit_code)
        log.warning("Stopped because it was asked to (%s). %s", self.cancel.reason, go_on)
        done = [name for name in self.record.done if self.folder(name).has("model.safetensors")]
        return load_model(self.folder(done[-1] if done else self.record.specs[0]))

    def _write(self) -> None:
        path = self.run.path / "stages"
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / RECORD, asdict(self.record))

    def _signals(self) -> Any:
        """Turn Ctrl-C and signals that ask for the end into a stop where the stage can be gone on with."""

        def stop(number: int, frame: object) -> None:
            self.heard.number = self.heard.number or number
            self.cancel.cancel("interrupted")
            signal.signal(signal.SIGINT, signal.default_int_handler)

        return signal_handlers(dict.fromkeys((signal.SIGINT, *ENDING_SIGNALS), stop))


def _units(settings: Any) -> int:
    """Steps or rounds that a tuning takes; 0 where nobody counts."""
    return int(getattr(settings, "steps", 0) or getattr(settings, "rounds", 0))


def first_spec(spec: RunSpec, stage: StageSpec, is_labelled: np.ndarray) -> RunSpec:
    """What the first stage trains: the recipe's settings where the user has said nothing, for as many epochs as fit.

    Parameters
    ----------
    spec : RunSpec
    stage : StageSpec
        ``molecules`` and ``most_epochs`` decide the epochs, the rest are settings.
    is_labelled : array [N]
        Which of the training molecules have a label; where none has, none is thinned.
    """
    settings = {key: value for key, value in stage.settings.items() if key not in spec.given and key != "seed"}
    if not is_labelled.any():
        settings.pop("unlabelled", None)
    n_unlabelled = int((~is_labelled).sum())
    share = spec.training.unlabelled if "unlabelled" in spec.given else settings.get("unlabelled", 1.0)
    n_read = len(is_labelled) - n_unlabelled + share * n_unlabelled
    molecules, most = settings.pop("molecules", 0), settings.pop("most_epochs", math.inf)
    if molecules and "epochs" not in spec.given:
        settings["epochs"] = int(np.clip(round(molecules / max(1, n_read)), FEWEST_EPOCHS, max(FEWEST_EPOCHS, most)))
    own = {key: value for key, value in vars(spec.training).items() if key in spec.given}
    own |= {key: value for key, value in vars(spec.model).items() if key in spec.given}
    whole = RunSpec.of(
        spec.data, spec.targets, spec.preset, spec.training.seed, **{**settings, **own, "time_limit_min": 0.0},
    )  # fmt: skip
    return replace(spec, model=whole.model, training=whole.training, given=spec.given | {"epochs"}, overwrite=False)


def stages_from(text: str | Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings by stage, of JSON or as they are.

    Raises
    ------
    SettingsError
        If the text is no JSON table.
    """
    if text is None or isinstance(text, Mapping):
        return dict(text or {})
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f'stages are no JSON ({error}); write {{"reward": {{"rounds": 100}}}}') from None
    if not isinstance(found, dict):
        raise SettingsError(f'stages must be a table, {{"reward": {{"rounds": 100}}}}, got {text:.40}')
    return found
