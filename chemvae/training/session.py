"""A training run from its data to its finished folder: start one, or go on with one."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from chemvae.data.prepare.preparation import Table, load_table
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import RunFolderError, SettingsError
from chemvae.models.settings import ModelSettings
from chemvae.models.storage import build_model, describe_model, find_run, load_model, transfer_weights
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.registry import find
from chemvae.runs import RunFolder
from chemvae.seeding import seeded
from chemvae.training.callbacks import Callback
from chemvae.training.inputs import TrainingInputs, choose_split, choose_vocabulary, make_inputs
from chemvae.training.posthoc.finish import finish
from chemvae.training.settings import PRESETS, TrainingSettings
from chemvae.training.trainer import Trainer

log = logging.getLogger(__name__)
FEW_MOLECULES = 5_000
CHANGEABLE_ON_RESUME = {"time_limit_min", "threads", "checkpoint_min"}


def start_run(
    data: Any,
    targets: Sequence[str],
    run: RunFolder | None,
    settings: tuple[ModelSettings, TrainingSettings],
    reading: dict[str, Any],
    *,
    preset: str,
    init: str | Path | None = None,
    tokens: str = "character",
    vocabulary: str = "data",
    device: str = "auto",
    jobs: int = 1,
    overwrite: bool = False,
    callbacks: Sequence[Callback] = (),
    given: Collection[str] = (),
) -> MolVAE:
    """Train a new model; see :func:`chemvae.api.train`.

    ``reading`` is how ``load_table`` reads the data, ``given`` which settings the user has chosen.
    """
    model_settings, training_settings = settings
    check_folder(run, overwrite)
    source = load_model(find_run(init)) if init is not None else None
    table = as_table(data, targets, reading, jobs)
    split = choose_split(table, training_settings.seed)
    words = choose_vocabulary([table.smiles[i] for i in split[0]], tokens, vocabulary, source.vocabulary if source else None)
    inputs = make_inputs(table, split, words, training_settings.random_smiles)
    if source is not None:
        training_settings = for_tuning(training_settings, len(inputs.train), given)
    model = _new_model(
        inputs, table, _like(source, model_settings) if source else model_settings, training_settings.seed, source
    )
    if run is not None:
        if overwrite:
            run.clear()
        facts = {"preset": preset, "init": None if init is None else str(init)}
        facts["data"] = {"source": _origin(data), "targets": list(table.property_names), **reading}
        facts |= {
            "n_train": len(inputs.train),
            "n_valid": len(inputs.valid),
            "dropped": dict(table.dropped) | inputs.unwritable,
            "labels_missing": dict(table.n_missing),
            "labels_not_numeric": dict(table.n_not_numeric),
        }
        run.write_vocabulary(words.to_dict())
        run.write_config({**describe_model(model), "training": asdict(training_settings), **facts})
        run.write_environment()
    return _fit(model, inputs.train, inputs.valid, training_settings, run, device, callbacks, resume=False)


def resume_run(
    run: RunFolder,
    data: Any = None,
    device: str = "auto",
    callbacks: Sequence[Callback] = (),
    changes: dict | None = None,
    jobs: int = 1,
) -> MolVAE:
    """Go on from a run's last checkpoint; ``data`` is needed only if the run was trained on molecules in memory."""
    run.check()
    unknown = set(changes or {}) - CHANGEABLE_ON_RESUME
    if unknown:
        raise SettingsError(f"a resumed run keeps its settings; {', '.join(sorted(unknown))} cannot change")
    config = run.read_config()
    try:
        settings = replace(TrainingSettings(**config["training"]), **(changes or {}))
        origin = config["data"]
        reading = {key: origin[key] for key in ("smiles_column", "split_column", "on_invalid", "standardize")}
        targets = origin["targets"]
    except (KeyError, TypeError) as error:
        raise RunFolderError(run.path, f"has a config.json that says too little to resume ({error}).", "Start anew.") from None
    data = origin["source"] if data is None else data
    if data is None:
        raise SettingsError("this run was trained on molecules in memory; give the same data again to resume it")
    table = as_table(data, targets, reading, jobs)
    model = build_model(run, config)
    inputs = make_inputs(table, choose_split(table, settings.seed), model.vocabulary, settings.random_smiles)
    model.training_facts = TrainingFacts(int(config["max_tokens"]))
    return _fit(model, inputs.train, inputs.valid, settings, run, device, callbacks, resume=True)


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
    model.training_facts = TrainingFacts(max(1, int(inputs.train.tokens.lengths.max())))
    return model


def _fit(
    model: MolVAE,
    train: SmilesDataset,
    valid: SmilesDataset,
    settings: TrainingSettings,
    run: RunFolder | None,
    device: str,
    callbacks: Sequence[Callback],
    resume: bool,
) -> MolVAE:
    trainer = Trainer(model, train, monitored(valid, settings), settings, run, device=device, callbacks=tuple(callbacks))
    if resume:
        trainer.resume()
    trainer.fit()
    finish(model, train, valid, run, settings.seed)
    if trainer.stopped_by == "time limit":
        where = f" Go on with: chemvae train --resume -o {run.path}" if run else ""
        log.warning("Stopped at the time limit, step %d of %d.%s", trainer.progress.step, trainer.n_steps, where)
    return model.eval().requires_grad_(False)


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
    names = [{field.name for field in fields(base)} for base in bases]
    for name in changes:
        find(dict.fromkeys(names[0] | names[1]), name, "setting")
    complaints: list[str] = []
    made = []
    for base, own in zip(bases, names, strict=True):
        try:
            made.append(replace(base, **{name: value for name, value in changes.items() if name in own}))
        except SettingsError as error:
            complaints += error.complaints
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
    careful = {
        "batch_size": batch_size,
        "learning_rate": min(settings.learning_rate, 4e-4),
        "patience": settings.patience or 5,
        "warmup_steps": min(settings.warmup_steps, n_steps // 10),
    }
    return replace(settings, **{name: value for name, value in careful.items() if name not in given})


def _like(source: MolVAE, asked: ModelSettings) -> ModelSettings:
    """The sizes of a model to start from, and the kind of learned prior that was asked for."""
    return replace(source.settings, prior=asked.prior)


def check_folder(run: RunFolder | None, overwrite: bool) -> None:
    """Refuse to write over a run unless asked to."""
    if run is not None and run.exists() and not overwrite:
        remedy = "Go on with it (--resume), replace it (--overwrite), or choose another folder with -o."
        raise RunFolderError(run.path, "already holds a run.", remedy)


def as_table(data: Any, targets: Sequence[str], reading: dict[str, Any], jobs: int = 1) -> Table:
    """Read the data unless it has been read."""
    return data if isinstance(data, Table) else load_table(data, properties=list(targets), jobs=jobs, **reading)


def _origin(data: Any) -> str | None:
    """What resuming reads again: a path made absolute, or a catalog name; None for molecules in memory."""
    if not isinstance(data, (str, Path)) or str(data) == "-":
        return None
    return str(Path(data).resolve()) if Path(data).exists() else str(data)
