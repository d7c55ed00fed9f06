"""A training run from its data to its finished folder: start one, or go on with one."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from chemvae.chem.kind import common_elements
from chemvae.data.prepare.preparation import Table, load_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, InterruptedRunError, RunFolderError, SettingsError, command_line
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import describe_model, find_run, load_model, transfer_weights
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.objectives import combination_complaints
from chemvae.progress import CancelToken, TerminatedError
from chemvae.registry import find
from chemvae.runs import RunFolder
from chemvae.seeding import seeded
from chemvae.training.best_weights import NONE, START, BestWeights
from chemvae.training.callbacks import Callback
from chemvae.training.inputs import (
    TrainingInputs,
    choose_split,
    choose_vocabulary,
    data_fingerprint,
    make_inputs,
)
from chemvae.training.posthoc.finish import finish
from chemvae.training.processes import ALONE, Processes
from chemvae.training.settings import PRESETS, TrainingSettings
from chemvae.training.trainer import Trainer

log = logging.getLogger(__name__)
FEW_MOLECULES = 5_000
SETTING_NAMES = tuple(dict.fromkeys(one.name for kind in (ModelSettings, TrainingSettings) for one in fields(kind)))


@dataclass(frozen=True)
class Reading:
    """How the molecules of a run are read; see :func:`chemvae.data.prepare.tables.load_table`."""

    smiles_column: str | None = None
    split_column: str | None = None
    on_invalid: str = "skip"
    standardize: str = "none"


@dataclass(frozen=True)
class RunSpec:
    """All that decides what a new run trains, and how."""

    data: Any
    """A catalog name, a file, molecules in memory, or a Table."""
    targets: tuple[str, ...] = ()
    """Label columns for the property predictor."""
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    reading: Reading = field(default_factory=Reading)
    preset: str = "cpu"
    """Where the settings come from, for the record."""
    given: frozenset[str] = frozenset()
    """Settings the user has chosen: nothing else may change them."""
    init: str | Path | None = None
    """Start from this model's weights and sizes."""
    tokens: str = "character"
    """"character" or "atom"."""
    vocabulary: str = "data"
    """"data" collects the symbols of the training molecules, "superset" takes all of SMILES."""
    device: str = "auto"
    jobs: int = 1
    """Worker processes that read the molecules."""
    overwrite: bool = False
    """Replace a run that is already in the folder."""

    @classmethod
    def of(cls, data: Any, targets: Sequence[str] = (), preset: str = "cpu", seed: int = 0, **options: Any) -> RunSpec:
        """Sort what a user says into a spec.

        Parameters
        ----------
        data, targets, preset, seed
            As in :func:`chemvae.train`.
        **options
            Fields of this class but those above, of :class:`Reading`, and of the preset's ModelSettings and TrainingSettings.

        Raises
        ------
        SettingsError
            With every complaint at once.
        UnknownNameError
            If there is no such preset or option, naming the nearest.

        Examples
        --------
        >>> spec = RunSpec.of(["CCO"], preset="tiny", latent_dim=8, epochs=2, standardize="salts", jobs=2)
        >>> spec.model.latent_dim, spec.training.epochs, spec.reading.standardize, spec.jobs
        (8, 2, 'salts', 2)
        """
        own, reading, settings = sort_options(options)
        model, training = preset_settings(preset, {**settings, "seed": seed})
        return cls(data, tuple(targets), model, training, Reading(**reading), preset=preset, given=frozenset(settings), **own)


OWN_OPTIONS = ("init", "tokens", "vocabulary", "device", "jobs", "overwrite")


def sort_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Divide what a user says of a run into fields of RunSpec, fields of Reading, and settings; no name is lost.

    Raises
    ------
    UnknownNameError
        If a name is none of them, naming the nearest.
    """
    reading = [one.name for one in fields(Reading)]
    known = [*OWN_OPTIONS, *reading, *SETTING_NAMES]
    found = {find(dict.fromkeys(known), name, "setting")[0]: value for name, value in options.items()}
    parts = (OWN_OPTIONS, reading, SETTING_NAMES)
    own, read, settings = ({name: found[name] for name in found if name in part} for part in parts)
    return own, read, settings


def start_run(
    spec: RunSpec,
    run: RunFolder | None,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    *,
    table: Table | None = None,
    budget_s: float = 0.0,
    processes: Processes = ALONE,
) -> MolVAE:
    """Train a new model; see :func:`chemvae.api.train`.

    Where a run is to be replaced, it stays until the new one is finished.

    Parameters
    ----------
    spec : RunSpec
    run : RunFolder or None
        None keeps nothing on disk.
    callbacks : sequence of Callback
    cancel : CancelToken, optional
        Ends the training as its time limit does.
    table : Table, optional
        What ``spec.data`` names, where it has been read.
    budget_s : float
        Seconds into which the schedules and the end are to fit; 0 takes what the epochs take.
    processes : Processes
        Those that train it together; the first one alone writes and calls back.
    """
    if not processes.is_first:
        run, callbacks = None, ()
    with in_folder(run):
        check_folder(run, spec.overwrite)
        source = load_model(find_run(spec.init)) if spec.init is not None else None
        table = as_table(spec.data, spec.targets, asdict(spec.reading), spec.jobs) if table is None else table
        inputs = _read_inputs(spec, table, source)
        training = for_tuning(spec.training, len(inputs.train), spec.given) if source else spec.training
        model = _new_model(inputs, table, _like(source, spec) if source else spec.model, training.seed, source)
        if run is not None:
            run = _begin(run)
            run.write_vocabulary(inputs.vocabulary.to_dict())
            run.write_environment()
            run.write_config({**describe_model(model), "training": training.described(), **_facts(spec, table, inputs)})
        trainer = make_trainer(
            model, inputs, training, run, spec.device, callbacks, keep_best=source is not None, processes=processes
        )
        trainer.budget_s = budget_s
        with processes.together(trainer.fabric.device):
            return fit_and_finish(trainer, inputs, cancel)


def in_folder(run: RunFolder | None) -> contextlib.AbstractContextManager[None]:
    """Alone in the folder of a run, if it has one."""
    return contextlib.nullcontext() if run is None else run.locked()


def _begin(run: RunFolder) -> RunFolder:
    """The folder itself, or a corner of it where a run is there that stays until the new one is finished."""
    if not run.exists():
        return run
    successor = run.successor()
    successor.begin()
    return successor


def _read_inputs(spec: RunSpec, table: Table, source: MolVAE | None) -> TrainingInputs:
    split = choose_split(table, spec.training.seed)
    base = source.vocabulary if source else None
    words = choose_vocabulary([table.smiles[i] for i in split[0]], spec.tokens, spec.vocabulary, base)
    return make_inputs(table, split, words, spec.training.random_smiles, spec.training.unlabelled)


def _facts(spec: RunSpec, table: Table, inputs: TrainingInputs) -> dict[str, Any]:
    """What config.json remembers of a run beside its settings."""
    data = {"source": origin_of(spec.data), "targets": list(table.property_names), **asdict(spec.reading)}
    return {
        "preset": spec.preset,
        "init": None if spec.init is None else str(spec.init),
        "data": {**data, "fingerprint": data_fingerprint(table)},
        "n_train": len(inputs.train),
        "n_valid": len(inputs.valid),
        "dropped": dict(table.dropped) | inputs.unwritable,
        "labels_missing": dict(table.n_missing),
        "labels_not_numeric": dict(table.n_not_numeric),
    }


def _new_model(inputs: TrainingInputs, table: Table, settings: ModelSettings, seed: int, source: MolVAE | None) -> MolVAE:
    units = (
        dict(zip(table.property_names, table.units, strict=True))
        if isinstance(table.units, (list, tuple))
        else dict(table.units)
    )
    with seeded(seed):
        model = MolVAE(inputs.vocabulary, settings, table.property_names, units)
    if source is not None:
        transfer_weights(source, model)
    model.predictor.fit_scale(torch.as_tensor(inputs.train.labels))
    longest = max(1, int(inputs.train.tokens.lengths.max()))
    model.training_facts = TrainingFacts(longest, elements=common_elements(inputs.train.smiles))
    return model


def make_trainer(
    model: MolVAE,
    inputs: TrainingInputs,
    settings: TrainingSettings,
    run: RunFolder | None,
    device: str,
    callbacks: Sequence[Callback],
    *,
    keep_best: bool = False,
    processes: Processes = ALONE,
) -> Trainer:
    """A trainer on what was read; ``keep_best`` ends with the best epoch's weights in place of the last one's."""
    held_out = monitored(inputs.valid, settings)
    model.training_facts = replace(model.training_facts, kl_weight=settings.beta)
    trainer = Trainer(
        model, inputs.train, held_out, settings, run, device=device, callbacks=tuple(callbacks), processes=processes
    )
    trainer.best = BestWeights(trainer.module) if keep_best else None
    return trainer


def fit_and_finish(trainer: Trainer, inputs: TrainingInputs, cancel: CancelToken | None) -> MolVAE:
    """Train, and fit what follows from the weights; also where the time limit or a cancel token ends it."""
    run = trainer.run
    try:
        trainer.fit(cancel)
        if not trainer.processes.is_first:
            return trainer.module.eval().requires_grad_(False)
        _tell_kept(trainer)
        finish(trainer.module, inputs.train, inputs.valid, run, trainer.settings.seed)
        if run is not None and run.is_successor:
            run.take_over()
    except KeyboardInterrupt as error:
        if run is None:
            raise
        go_on = command_line("train", "--resume", "-o", run.resumed_at)
        raise InterruptedRunError(
            f"Interrupted; go on from the last checkpoint with: {go_on}",
            EXIT_TERMINATED if isinstance(error, TerminatedError) else EXIT_INTERRUPTED,
        ) from None
    finally:
        if run is not None and run.is_successor:
            log.warning("'%s' still holds the run it held; the new one is unfinished, and --resume goes on with it.", run.path)
    if trainer.stopped_by in ("time limit", "cancelled"):
        words = "at the time limit"
        if cancel is not None and trainer.stopped_by == "cancelled":
            words = f"because it was asked to ({cancel.reason})"
        where = f" Go on with: {command_line('train', '--resume', '-o', trainer.run.resumed_at)}" if trainer.run else ""
        log.warning("Stopped %s, step %d of %d.%s", words, trainer.progress.step, trainer.n_steps, where)
    return trainer.module.eval().requires_grad_(False)


def _tell_kept(trainer: Trainer) -> None:
    """Say which epoch's weights were kept, and write it down."""
    best, run = trainer.best, trainer.run
    if best is None or best.epoch == NONE:
        return
    if run is not None:
        run.write_config({**run.read_config(), "kept_epoch": best.epoch})
    if best.epoch == START:
        log.warning(
            "No epoch was better on held-out molecules than the model it began with, whose weights are kept. Lower "
            "--learning-rate, or use that model."
        )
    elif best.epoch < trainer.progress.epoch:
        log.info("Kept are the weights after epoch %d, the best on held-out molecules.", best.epoch)


def monitored(valid: SmilesDataset, settings: TrainingSettings) -> SmilesDataset:
    """The validation molecules that are measured after each epoch."""
    n = settings.monitor_molecules
    return valid if len(valid) <= n else SmilesDataset(valid.smiles[:n], valid.vocabulary, valid.labels[:n])


def preset_settings(preset: str, changes: dict[str, Any]) -> tuple[ModelSettings, TrainingSettings]:
    """Return a preset's settings with single fields changed.

    Raises
    ------
    SettingsError
        With every complaint at once.
    UnknownNameError
        If there is no such preset or setting, naming the nearest.
    """
    _, bases = find(PRESETS, preset, "preset")
    names = [{one.name for one in fields(base)} for base in bases]
    for name in changes:
        find(dict.fromkeys(SETTING_NAMES), name, "setting")
    complaints: list[str] = []
    made = []
    for base, own in zip(bases, names, strict=True):
        try:
            made.append(replace(base, **{name: value for name, value in changes.items() if name in own}))
        except SettingsError as error:
            complaints += error.complaints
    if not complaints:
        complaints = combination_complaints(made[1].objective, made[1].free_bits, made[0])
    if complaints:
        raise SettingsError(complaints)
    return made[0], made[1]


def for_tuning(settings: TrainingSettings, n_train: int, given: Collection[str] = ()) -> TrainingSettings:
    """Go on from another model with few molecules: smaller batches and steps, and an end before they are learned by heart.

    Below 5,000 molecules batches of 32, a learning rate of 4e-4, 5 epochs of patience and a warmup of a tenth of all steps,
    each unless the preset is more careful, or the user has chosen.

    Examples
    --------
    >>> tuned = for_tuning(TrainingSettings(epochs=30), 500)
    >>> tuned.batch_size, tuned.learning_rate, tuned.patience, tuned.warmup_steps
    (32, 0.0004, 5, 48)
    >>> for_tuning(TrainingSettings(), 5000) == TrainingSettings()
    True
    """
    if n_train >= FEW_MOLECULES:
        return settings
    batch_size = settings.batch_size if "batch_size" in given else min(settings.batch_size, 32)
    n_steps = settings.epochs * math.ceil(n_train / batch_size)
    careful: dict[str, Any] = {
        "batch_size": batch_size,
        "learning_rate": min(settings.learning_rate, 4e-4),
        "patience": settings.patience or 5,
        "warmup_steps": min(settings.warmup_steps, n_steps // 10),
    }
    return replace(settings, **{name: value for name, value in careful.items() if name not in given})


def _like(source: MolVAE, spec: RunSpec) -> ModelSettings:
    """The sizes and the posterior of a model to start from, with the priors that are asked for.

    Raises
    ------
    SettingsError
        If another posterior is asked for: its weights would say nothing.
    """
    own, asked = source.settings, spec.model
    if "posterior" in spec.given and asked.posterior != own.posterior:
        raise SettingsError(
            f"the model to start from has the posterior {own.posterior}; leave out posterior={asked.posterior!r}"
        )
    found = replace(own, prior=asked.prior if "prior" in spec.given else own.prior, fitted_prior=asked.fitted_prior)
    if complaints := combination_complaints(spec.training.objective, spec.training.free_bits, found):
        raise SettingsError(complaints)
    return found


def check_folder(run: RunFolder | None, overwrite: bool) -> None:
    """Refuse to write over a run unless asked to."""
    if run is not None and run.exists() and not overwrite:
        remedy = "Go on with it (--resume), replace it (--overwrite), or choose another folder with -o."
        raise RunFolderError(run.path, "already holds a run.", remedy)


def as_table(data: Any, targets: Sequence[str], reading: dict[str, Any], jobs: int = 1) -> Table:
    """Read the data unless it has been read."""
    return data if isinstance(data, Table) else load_table(data, properties=list(targets), jobs=jobs, **reading)


def origin_of(data: Any) -> str | None:
    """What resuming reads again: a path made absolute, or a catalog name; None for molecules in memory."""
    if not isinstance(data, (str, Path)) or str(data) == "-":
        return None
    return str(Path(data).resolve()) if Path(data).exists() else str(data)
