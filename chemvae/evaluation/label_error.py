"""What a tuned model's predictor is worth beside the one that is simply fitted to the same table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemvae.errors import NothingUsableError
from chemvae.evaluation.head_start import read_again
from chemvae.models.storage import find_run, load_model
from chemvae.models.vae import MolVAE
from chemvae.qsar.model import PropertyModel
from chemvae.runs import RunFolder
from chemvae.training.inputs import TrainingInputs
from chemvae.training.settings import TrainingSettings

FEWEST = 5  # held-out labels, below which an error says nothing


@dataclass(frozen=True)
class LabelError:
    """Root mean square errors on the same held-out molecules, in the data's unit."""

    name: str
    n_molecules: int
    tuned: float
    """Of the run's own predictor."""
    fitted: float
    """Of ``predict --fit``: the model that the run began with, and the run's training molecules."""
    spread: float
    """Of predicting the training labels' mean."""

    @property
    def use_fitted(self) -> bool:
        """Whether the fitted predictor is the better one."""
        return self.fitted < self.tuned

    def sentence(self) -> str:
        """Say it, and which to use.

        Examples
        --------
        >>> LabelError("pIC50", 60, 0.81, 0.62, 1.1).sentence()
        'pIC50, error on 60 held-out molecules (root mean square): 0.81 by this model, 0.62 by predict --fit with the same \
labels, 1.1 by their mean. Use predict --fit and optimize --oracle fit:TABLE#pIC50.'
        """
        advice = f"Use predict --fit and optimize --oracle fit:TABLE#{self.name}." if self.use_fitted else "Use this model."
        if min(self.tuned, self.fitted) >= self.spread:
            advice = "Neither has learned anything: measure more molecules."
        return (
            f"{self.name}, error on {self.n_molecules:,} held-out molecules (root mean square): {self.tuned:.2g} by this "
            f"model, {self.fitted:.2g} by predict --fit with the same labels, {self.spread:.2g} by their mean. {advice}"
        )


def measure_label_errors(run: RunFolder, jobs: int = 1) -> list[LabelError]:
    """Compare, for every label of a finished run that began with another model; [] where its data cannot be read again.

    Parameters
    ----------
    run : RunFolder
    jobs : int
        Worker processes that read.
    """
    config = run.read_config()
    if config.get("init") is None or config["data"]["source"] is None or not config["data"]["targets"]:
        return []
    inputs = read_again(run, config, TrainingSettings(**config["training"]), jobs)
    tuned, start = load_model(run), load_model(find_run(config["init"]))
    found = [_compare(name, j, inputs, tuned, start) for j, name in enumerate(tuned.property_names)]
    return [one for one in found if one is not None]


def _compare(name: str, place: int, inputs: TrainingInputs, tuned: MolVAE, start: MolVAE) -> LabelError | None:
    """One label; None with too few to say anything."""
    labels = np.asarray(inputs.valid.labels, dtype=np.float64)[:, place]
    rows = np.flatnonzero(np.isfinite(labels))
    known = np.asarray(inputs.train.labels, dtype=np.float64)[:, place]
    if len(rows) < FEWEST:
        return None
    smiles, labels = [inputs.valid.smiles[i] for i in rows.tolist()], labels[rows]
    try:
        fitted = PropertyModel(start).fit(inputs.train.smiles, known)
    except NothingUsableError:
        return None
    answers = {"tuned": tuned.predict(smiles)[name], "fitted": fitted.predict(smiles)["mean"]}
    errors = {
        key: float(np.sqrt(np.nanmean((np.asarray(one, dtype=np.float64) - labels) ** 2))) for key, one in answers.items()
    }
    spread = float(np.sqrt(np.mean((labels - np.nanmean(known)) ** 2)))
    return LabelError(name, len(rows), errors["tuned"], errors["fitted"], spread)
