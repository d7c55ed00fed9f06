"""What starting from another model's weights was worth: held-out cross-entropy before, after, and from nothing."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd
import torch

from chemvae.data.prepare.tables import Table
from chemvae.models.storage import build_model, find_run, load_model, transfer_weights
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.seeding import seeded
from chemvae.training.inputs import TrainingInputs, choose_split, make_inputs
from chemvae.training.session import as_table, monitored
from chemvae.training.settings import TrainingSettings
from chemvae.training.trainer import Trainer
from chemvae.training.validation import measure

WORTH_A_WORD = 0.95  # a lowest value below this share of the last one is mentioned


@dataclass(frozen=True)
class HeadStart:
    """Cross-entropies of held-out molecules in nats per molecule, end token included."""

    init: str
    """The model whose weights were taken."""
    n_molecules: int
    steps: int
    before: float
    """With the given weights, before the first step; symbols new to them have random weights."""
    after: float
    """With the weights the run ended with."""
    lowest: tuple[int, float]
    """The epoch after which it was lowest, and what it was."""
    from_nothing: float | None = None
    """After the same training from random weights; None if that was not tried."""
    kept_epoch: int | None = None
    """After which the weights were taken; 0: those it began with. None: the last."""

    def sentence(self) -> str:
        """Say it.

        Examples
        --------
        >>> HeadStart("drug", 98, 120, 21.94, 6.05, (30, 6.05), 48.3).sentence()
        'Held-out cross-entropy (98 molecules): 21.9 nats with the weights of drug, 6.0 after 120 steps; from nothing 48.3.'
        """
        untried = "; what the same steps reach from nothing was not measured (--compare)"
        nothing = untried if self.from_nothing is None else f"; from nothing {self.from_nothing:.1f}"
        return (
            f"Held-out cross-entropy ({self.n_molecules:,} molecules): {self.before:.1f} nats with the weights of {self.init}, "
            f"{self.after:.1f} after {self.steps:,} steps{nothing}."
        )

    def hint(self) -> str | None:
        """What to change if training went past its best, or only harmed; None if neither."""
        if self.kept_epoch is not None:  # the best was kept, by all that is learned and not by this figure alone
            return None if self.kept_epoch else "Training made it worse: the weights it began with are kept."
        epoch, lowest = self.lowest
        if min(lowest, self.after) > self.before:
            return "Training made it worse: lower --learning-rate, or use the model as it was."
        if lowest < WORTH_A_WORD * self.after:
            return f"It was lowest, {lowest:.1f}, after epoch {epoch}: try --epochs {epoch}, or a lower --learning-rate."
        return None


def measure_head_start(run: RunFolder, *, compare: bool = False, device: str = "auto", jobs: int = 1) -> HeadStart | None:
    """Measure what a finished run gained from the model it started from.

    The data is read again; the model before the first step is built again from the run's seed.

    Parameters
    ----------
    run : RunFolder
    compare : bool
        Also train from random weights, on the same molecules, symbols and sizes, with the same settings; as long as the run
        itself took.
    device : str
    jobs : int
        Worker processes that read.

    Returns
    -------
    HeadStart or None
        None if the run did not start from another model, or its data cannot be read again (standard input).
    """
    config, metrics = run.read_config(), run.read_metrics()
    if config.get("init") is None or config["data"]["source"] is None or len(metrics) == 0:
        return None
    settings = TrainingSettings(**config["training"])
    inputs = read_again(run, config, settings, jobs)
    held_out = monitored(inputs.valid, settings)
    start = _untrained(run, config, settings)
    transfer_weights(load_model(find_run(config["init"])), start)
    before = measure(start, held_out, settings.seed)["cross_entropy"]
    nothing = _train_from_nothing(_untrained(run, config, settings), inputs, settings, device) if compare else None
    column: pd.Series = metrics["valid_cross_entropy"]
    best, kept = int(column.idxmin()), config.get("kept_epoch")
    epochs = dict(zip(metrics["epoch"].astype(int), column.astype(float), strict=True)) | {0: before}
    return HeadStart(
        str(config["init"]), len(held_out), int(metrics["step"].iloc[-1]), before,
        epochs.get(kept, float(column.iloc[-1])), (int(metrics["epoch"][best]), float(column[best])), nothing, kept,
    )  # fmt: skip


def read_again(run: RunFolder, config: dict, settings: TrainingSettings, jobs: int) -> TrainingInputs:
    """The molecules a run was trained on and held out, read again without a word."""
    table, vocabulary = read_table_again(config, jobs), build_model(run, config).vocabulary
    with _unsaid():
        return make_inputs(table, choose_split(table, settings.seed), vocabulary, settings.random_smiles, settings.unlabelled)


def read_table_again(config: dict, jobs: int) -> Table:
    """The table that a run was made from, test molecules included, read again without a word."""
    origin = config["data"]
    reading = {key: origin[key] for key in ("smiles_column", "split_column", "on_invalid", "standardize")}
    with _unsaid():
        return as_table(origin["source"], origin["targets"], reading, jobs)


@contextlib.contextmanager
def _unsaid() -> Iterator[None]:
    """Keep what was said when the data was read for training from being said again."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _untrained(run: RunFolder, config: dict, settings: TrainingSettings) -> MolVAE:
    """The run's model as its seed made it."""
    with seeded(settings.seed):
        return build_model(run, config)


def _train_from_nothing(model: MolVAE, inputs: TrainingInputs, settings: TrainingSettings, device: str) -> float:
    model.predictor.fit_scale(torch.as_tensor(inputs.train.labels))
    patient = replace(settings, min_kl=0.0, min_active_units=0.0)  # a poor model is an answer here, no reason to stop
    held_out = monitored(inputs.valid, settings)
    progress = Trainer(model, inputs.train, held_out, patient, None, device=device).fit()
    return float(progress.rows[-1]["valid_cross_entropy"]) if progress.rows else float("nan")
