"""What a tuned model's predictor is worth beside the one that is simply fitted to the same table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chemvae.data.prepare.tables import Table
from chemvae.data.splits import key_splits, smiles_keys
from chemvae.errors import NothingUsableError
from chemvae.evaluation.head_start import read_again, read_table_again
from chemvae.models.storage import find_run, load_model
from chemvae.models.vae import MolVAE
from chemvae.qsar.model import PropertyModel
from chemvae.runs import RunFolder
from chemvae.training.inputs import TrainingInputs, choose_split
from chemvae.training.settings import TrainingSettings

_PLAIN = re.compile(r"[\w@%+=:,./#-]+")  # what no shell reads otherwise within a word
FEWEST = 5  # held-out labels, below which an error says nothing


@dataclass(frozen=True)
class LabelError:
    """Root mean square errors on the same molecules, held out from training, in the data's unit."""

    name: str
    n_molecules: int
    tuned: float
    """Of the run's own predictor."""
    fitted: float
    """Of ``predict --fit``: the model that the run began with, and the run's training molecules."""
    spread: float
    """Of predicting the training labels' mean."""
    is_flattered: bool = False
    """Whether the tuned model's weights were chosen by these very molecules, there being too few test molecules."""

    @property
    def use_fitted(self) -> bool:
        """Whether the fitted predictor is the better one."""
        return self.fitted < self.tuned

    def sentence(self, table: str = "TABLE") -> str:
        """Say it, and which to use.

        Parameters
        ----------
        table : str
            Where the labels are, as the user calls it.

        Examples
        --------
        >>> LabelError("pIC50", 60, 0.81, 0.62, 1.1).sentence()
        'pIC50, error on 60 test molecules, by which nothing was chosen (root mean square): 0.81 by this model, 0.62 by \
predict --fit with the same labels, 1.1 by their mean. Use predict --fit and optimize --oracle fit:TABLE#pIC50.'
        """
        oracle = f"fit:{table}#{self.name}"
        oracle = oracle if _PLAIN.fullmatch(oracle) else shlex.quote(oracle)
        advice = f"Use predict --fit and optimize --oracle {oracle}." if self.use_fitted else "Use this model."
        if min(self.tuned, self.fitted) >= self.spread:
            advice = "Neither has learned anything: measure more molecules."
        which = "test molecules, by which nothing was chosen"
        if self.is_flattered:
            which = "validation molecules, by which the best epoch was chosen too, so that this model's error is flattered"
        return (
            f"{self.name}, error on {self.n_molecules:,} {which} (root mean square): {self.tuned:.2g} by this model, "
            f"{self.fitted:.2g} by predict --fit with the same labels, {self.spread:.2g} by their mean. {advice}"
        )


def measure_label_errors(run: RunFolder, jobs: int = 1) -> list[LabelError]:
    """Compare, for every label of a finished run that began with another model; [] where its data cannot be read again.

    The molecules are those of the test part, which neither training nor the choice of the best epoch has seen; validation
    molecules, which chose the epoch, only where fewer than five test molecules have the label (``is_flattered``).

    Parameters
    ----------
    run : RunFolder
    jobs : int
        Worker processes that read.
    """
    config = run.read_config()
    if config.get("init") is None or config["data"]["source"] is None or not config["data"]["targets"]:
        return []
    settings = TrainingSettings(**config["training"])
    inputs, table = read_again(run, config, settings, jobs), read_table_again(config, jobs)
    tuned, start = load_model(run), load_model(find_run(config["init"]))
    test = _labelled(table, _test_rows(table, settings.seed))
    valid = _Labelled(inputs.valid.smiles, np.asarray(inputs.valid.labels, dtype=np.float64))
    found = [_compare(name, j, (test, valid), inputs, tuned, start) for j, name in enumerate(tuned.property_names)]
    return [one for one in found if one is not None]


@dataclass(frozen=True)
class _Labelled:
    """Molecules and their labels [N, P]."""

    smiles: Sequence[str]
    labels: np.ndarray

    def known(self, place: int) -> tuple[list[str], np.ndarray]:
        """The molecules with one label, and the label."""
        rows = np.flatnonzero(np.isfinite(self.labels[:, place]))
        return [self.smiles[i] for i in rows.tolist()], self.labels[rows, place]


def _labelled(table: Table, rows: np.ndarray) -> _Labelled:
    return _Labelled([table.smiles[i] for i in rows], np.asarray(table.labels, dtype=np.float64)[rows])


def _test_rows(table: Table, seed: int) -> np.ndarray:
    """The rows of the test part that served for nothing: a small table is used whole where it names no parts."""
    named = table.split is not None
    split = np.asarray(table.split if named else key_splits(smiles_keys(table.smiles)), dtype=object)
    used = {table.smiles[i] for rows in choose_split(table, seed) for i in rows}
    return np.array([i for i in np.flatnonzero(split == "test") if table.smiles[i] not in used], dtype=int)


def _compare(
    name: str, place: int, parts: tuple[_Labelled, _Labelled], inputs: TrainingInputs, tuned: MolVAE, start: MolVAE
) -> LabelError | None:
    """One label, on the test part, else on the validation part; None with too few to say anything."""
    known = np.asarray(inputs.train.labels, dtype=np.float64)[:, place]
    (smiles, labels), is_flattered = parts[0].known(place), False
    if len(smiles) < FEWEST:
        (smiles, labels), is_flattered = parts[1].known(place), True
    if len(smiles) < FEWEST:
        return None
    try:
        fitted = PropertyModel(start).fit(inputs.train.smiles, known)
    except NothingUsableError:
        return None
    answers = {"tuned": tuned.predict(smiles)[name], "fitted": fitted.predict(smiles)["mean"]}
    errors = {
        key: float(np.sqrt(np.nanmean((np.asarray(one, dtype=np.float64) - labels) ** 2))) for key, one in answers.items()
    }
    spread = float(np.sqrt(np.mean((labels - np.nanmean(known)) ** 2)))
    return LabelError(name, len(smiles), errors["tuned"], errors["fitted"], spread, is_flattered)
