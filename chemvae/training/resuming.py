"""Go on with a run from its last checkpoint, on the data and with the settings that it began with."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch

from chemvae.data.prepare.preparation import Table
from chemvae.errors import RunFolderError, SettingsError, command_line
from chemvae.models.storage import build_model, find_device, find_run, load_model, transfer_weights
from chemvae.models.training_facts import TrainingFacts
from chemvae.models.vae import MolVAE
from chemvae.objectives import Objective
from chemvae.progress import CancelToken
from chemvae.runs import RunFolder
from chemvae.seeding import seeded
from chemvae.training.callbacks import Callback
from chemvae.training.inputs import TrainingInputs, changed_data, choose_split, data_fingerprint, make_inputs
from chemvae.training.processes import ALONE, Processes
from chemvae.training.session import Reading, as_table, fit_and_finish, in_folder, make_trainer, origin_of, sort_options
from chemvae.training.settings import AS_OBJECT, TrainingSettings
from chemvae.training.trainer import Trainer

log = logging.getLogger(__name__)
CHANGEABLE_ON_RESUME = {"time_limit_min", "threads", "checkpoint_min"}


def resume_run(
    run: RunFolder,
    data: Any = None,
    options: Mapping[str, Any] | None = None,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    *,
    targets: Sequence[str] = (),
    more_epochs: int = 0,
    budget_s: float = 0.0,
    processes: Processes = ALONE,
) -> MolVAE:
    """Go on from a run's last checkpoint, or from its beginning if it was ended before the first.

    Parameters
    ----------
    run : RunFolder
    data
        Needed only if the run was trained on molecules in memory; must be what it was.
    options : mapping, optional
        ``device``, ``jobs``, and settings that may change: how long, how often and on how many threads; and the ``objective``
        of a run that was given it as an object. Others may be said again as they are.
    callbacks, cancel
        As in :func:`start_run`.
    targets : sequence of str
        May be said again as they are.
    more_epochs : int
        Train so many epochs longer than the run was to; its schedules are stretched over all of them.
    budget_s : float
        As in :func:`start_run`; the same as then.
    processes : Processes
        As in :func:`start_run`; there may be more of them, or fewer, than when it began.
    """
    own = sort_options(options or {})[0]
    with processes.together(find_device(own.get("device", "auto"))), in_folder(run if processes.is_first else None):
        if not processes.is_first:  # what the first one changes in the folder is there by then
            processes.wait()
            more_epochs, callbacks = 0, ()
        trainer, inputs = _restored(run.unfinished(), data, options or {}, callbacks, targets, more_epochs, processes)
        if processes.is_first:
            processes.wait()
        trainer.budget_s = budget_s
        return fit_and_finish(trainer, inputs, cancel)


def _restored(
    run: RunFolder,
    data: Any,
    options: Mapping[str, Any],
    callbacks: Sequence[Callback],
    targets: Sequence[str],
    more_epochs: int,
    processes: Processes,
) -> tuple[Trainer, TrainingInputs]:
    """The trainer as it was, and what it trains on."""
    own, _, changes = sort_options(options)
    if not run.exists():
        raise RunFolderError(
            run.path, "holds no run to go on with.", f"Start it: {command_line('train', 'DATA', '-o', run.path)}"
        )
    if run.is_successor:
        log.info("Going on with the run that is to replace the one in '%s'.", run.path)
    config = run.read_config()
    if own.get("init") not in (None, config.get("init")):
        raise SettingsError("a resumed run has its weights; leave out --init")
    settings = _resumed_settings(run, config, changes)
    table = same_data(run, config, data, targets, own.get("jobs", 1))
    if more_epochs:
        settings, config = _lengthen(run, settings, config, more_epochs)
    model = _model_of(run, config, settings.seed)
    inputs = make_inputs(
        table, choose_split(table, settings.seed), model.vocabulary, settings.random_smiles, settings.unlabelled
    )
    model.training_facts = TrainingFacts(int(config["max_tokens"]), elements=frozenset(config.get("elements", ())))
    is_new = run.is_only_begun()
    if is_new:
        log.info("The run in '%s' was ended before its first checkpoint: it starts again at step 0.", run.path)
        model.predictor.fit_scale(torch.as_tensor(inputs.train.labels))
    trainer = make_trainer(
        model,
        inputs,
        settings,
        run,
        own.get("device", "auto"),
        callbacks,
        keep_best=config.get("init") is not None,
        processes=processes,
    )
    if not is_new:
        trainer.resume(config.get("epochs_before", ()))
    if not processes.is_first:
        trainer.run = None  # the first one writes
    return trainer, inputs


def same_data(run: RunFolder, config: Mapping[str, Any], data: Any, targets: Sequence[str] = (), jobs: int = 1) -> Table:
    """Read the data of a run again.

    Raises
    ------
    RunFolderError
        If it is other data, or config.json does not say what it was.
    SettingsError
        If there is none to be read, or other labels are asked for.
    """
    try:
        origin = config["data"]
        reading, known = {one.name: origin[one.name] for one in fields(Reading)}, origin["targets"]
    except (KeyError, TypeError) as error:
        raise _says_too_little(run, error) from None
    if targets and [name.lower() for name in targets] != [name.lower() for name in known]:
        raise SettingsError(f"a resumed run keeps its labels ({', '.join(known) or 'none'}); leave out --property")
    data = origin["source"] if data is None else data
    if data is None:
        raise SettingsError("this run was trained on molecules in memory; give the same data again to resume it")
    table = as_table(data, known, reading, jobs)
    changed = changed_data(origin["fingerprint"], data_fingerprint(table)) if "fingerprint" in origin else ""
    if changed:
        anew = command_line("train", origin_of(data) or "DATA", "-o", "ANOTHER_RUN")
        remedy = f"Give the data it began with, or start anew: {anew}"
        raise RunFolderError(run.path, f"began with other data: there are {changed} now.", remedy)
    return table


def _lengthen(
    run: RunFolder, settings: TrainingSettings, config: dict[str, Any], more_epochs: int
) -> tuple[TrainingSettings, dict[str, Any]]:
    """Add epochs to a run, and write that down; a checkpoint of before still fits."""
    if more_epochs < 0:
        raise SettingsError(f"more_epochs must be >= 0, got {more_epochs}")
    longer = replace(settings, epochs=settings.epochs + more_epochs)
    before = [*config.get("epochs_before", ()), settings.epochs]
    config = {**config, "training": {**config["training"], "epochs": longer.epochs}, "epochs_before": before}
    run.write_config(config)
    return longer, config


def _model_of(run: RunFolder, config: Mapping[str, Any], seed: int) -> MolVAE:
    """The run's model as it was before the first step."""
    with seeded(seed):
        model = build_model(run, dict(config))
    if run.is_only_begun() and config.get("init") is not None:
        transfer_weights(load_model(find_run(config["init"])), model)
    return model


def _resumed_settings(run: RunFolder, config: Mapping[str, Any], changes: Mapping[str, Any]) -> TrainingSettings:
    """A run's settings with what may change."""
    try:
        before = dict(config["training"])
    except (KeyError, TypeError) as error:
        raise _says_too_little(run, error) from None
    as_object = str(before.get("objective", "")).endswith(AS_OBJECT)
    if as_object and not isinstance(changes.get("objective"), Objective):
        raise SettingsError(f"this run's objective is {before['objective']}; give the same again (objective=...) to resume it")
    known = {**config.get("model", {}), **before}
    said_again = {name for name, value in changes.items() if name in known and known[name] == value}
    unknown = set(changes) - said_again - CHANGEABLE_ON_RESUME - ({"objective"} if as_object else set())
    if unknown:
        longer = "; more epochs are asked for with more_epochs=N (--more-epochs N)" if "epochs" in unknown else ""
        raise SettingsError(f"a resumed run keeps its settings; {', '.join(sorted(unknown))} cannot change{longer}")
    try:
        return TrainingSettings(**{**before, **{name: value for name, value in changes.items() if name not in said_again}})
    except (TypeError, SettingsError) as error:
        if any(one.split()[0] in changes for one in getattr(error, "complaints", ())):
            raise  # what is asked for now, and not what the folder says
        raise _says_too_little(run, error) from None


def _says_too_little(run: RunFolder, error: Exception) -> RunFolderError:
    return RunFolderError(run.path, f"has a config.json that says too little to resume ({error}).", "Start anew.")
