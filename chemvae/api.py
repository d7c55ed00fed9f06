"""The public functions, composed from the rooms: load, train, evaluate, optimize (sample comes from its room as it is).

The command line parses, calls one of these, and shows the result. A room is entered when its function is called: loading a
model does not wait for what only training needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.data.prepare.preparation import Table, load_table
from chemvae.errors import NothingUsableError
from chemvae.models.storage import find_device, find_run, load_model
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder

if TYPE_CHECKING:
    from chemvae.design.campaign.run import Result
    from chemvae.evaluation.protocols import Evaluation
    from chemvae.progress import CancelToken
    from chemvae.training.callbacks import Callback


def load(name_or_run: str | Path, device: str = "auto") -> MolVAE:
    """Load a shipped model or a run folder; no network, no side effects, no pickle.

    Parameters
    ----------
    name_or_run : str or Path
        "drug", "oled", or the path of a run folder.
    device : str
        "auto" takes a GPU where there is one; else "cpu", "cuda", "cuda:1", "mps".

    Returns
    -------
    MolVAE
        In eval mode.

    Raises
    ------
    RunFolderError
        If it does not exist, or a file in it is missing, damaged or of a newer format.
    """
    return load_model(find_run(name_or_run)).to(find_device(device))


def train(
    data: Any,
    targets: Sequence[str] = (),
    preset: str = "cpu",
    out: str | Path | None = None,
    resume: bool = False,
    seed: int = 0,
    *,
    callbacks: Sequence[Callback] = (),
    cancel: CancelToken | None = None,
    **options: Any,
) -> MolVAE:
    """Train a model, or go on with an interrupted run.

    Parameters
    ----------
    data : str, Path, DataFrame, sequence of str, Table or None
        A catalog name, a file, or molecules in memory; see :func:`chemvae.data.prepare.tables.load_table`. With ``resume``
        it may be None: the run remembers where its data came from.
    targets : sequence of str
        Label columns for the property predictor; labels may be missing (NaN).
    preset : str
        "tiny", "cpu" or "gpu"; ``options`` change single settings of it.
    out : str, Path or None
        The run folder; None keeps nothing on disk.
    resume : bool
        Go on from the last checkpoint of ``out``.
    callbacks : sequence of Callback
        Told of steps and epochs.
    cancel : CancelToken, optional
        Ends the training from another thread as its time limit does: saved, usable, and to be resumed.
    **options
        Settings by name, of :class:`chemvae.models.settings.ModelSettings` and
        :class:`chemvae.training.settings.TrainingSettings` (``epochs=5``, ``posterior="gaussian"``); how the data is read
        (``smiles_column, split_column, on_invalid, standardize``); ``tokens``, ``vocabulary``, ``device``, ``jobs`` and
        ``overwrite``, as in :class:`chemvae.training.session.RunSpec`; and ``init``, a model whose weights and sizes to start
        from: new symbols and properties are added to it, and with fewer than 5,000 molecules batches and steps are smaller,
        unless said otherwise (:func:`chemvae.training.session.for_tuning`).

    Returns
    -------
    MolVAE
        With averaged weights, its learned prior and calibrated predictor, in eval mode.

    Raises
    ------
    SettingsError, UnknownNameError, InputError, NothingUsableError, CollapseError, InterruptedRunError, RunFolderError
        Each saying what to do.
    """
    from chemvae.training.session import RunSpec, resume_run, start_run

    run = None if out is None else RunFolder(out)
    if resume:
        return resume_run(run or RunFolder("."), data, options, callbacks, cancel)
    return start_run(RunSpec.of(data, targets, preset, seed, **options), run, callbacks, cancel)


def evaluate(model: MolVAE, data: Any, seed: int = 0, **options: Any) -> dict[str, Any]:
    """Measure a model on held-out molecules; the keys and protocols of ``chemvae evaluate --json``.

    Parameters
    ----------
    model : MolVAE
    data : str, Path, DataFrame or sequence of str
        Label columns named like the model's properties are compared with its predictions.
    seed : int
    **options
        Fields of :class:`chemvae.evaluation.protocols.EvaluationSettings`, or ``smiles_column``.
    """
    return evaluate_in_full(model, data, seed, **options).figures


def evaluate_in_full(
    model: MolVAE, data: Any, seed: int = 0, split: str | None = None, smiles_column: str | None = None, **options: Any
) -> Evaluation:
    """As :func:`evaluate`, with what stands behind the figures; ``split`` takes one part of the data only."""
    from chemvae.evaluation.protocols import run_evaluation

    table = load_table(data, smiles_column=smiles_column, optional_properties=model.property_names)
    chosen = _part_of(table, split)
    labels = dict(zip(table.property_names, table.labels[chosen].T, strict=True))
    smiles = [table.smiles[i] for i in chosen]
    return run_evaluation(model, smiles, labels, seed=seed, **options)


def _part_of(table: Table, split: str | None) -> np.ndarray:
    """Indices of the rows of one split; all rows if the data has no split column or none is asked for."""
    if split is None or table.split is None:
        return np.arange(len(table.smiles))
    parts = np.asarray(table.split, dtype=object)
    chosen = np.flatnonzero(parts == split)
    if len(chosen) == 0:
        there = ", ".join(f"{name} ({count:,})" for name, count in Counter(parts.tolist()).items())
        raise NothingUsableError(
            f"No row is marked '{split}' in the split column; there are: {there}. Choose with --split, or --split all."
        )
    return chosen


def optimize(
    model: MolVAE,
    oracle: Any = None,
    budget: int = 500,
    seed: int = 0,
    method: str = "auto",
    start: Any = None,
    goals: Any = None,
    constraints: Any = None,
    timeout_s: float | None = None,
    **options: Any,
) -> Result:
    """Search latent space for molecules that an oracle scores well; see :func:`chemvae.design.campaign.run.run_campaign`."""
    from chemvae.design.campaign.run import run_campaign

    return run_campaign(
        model, oracle, budget, seed=seed, method=method, start=start, goals=goals, constraints=constraints,
        timeout_s=timeout_s, **options,
    )  # fmt: skip
