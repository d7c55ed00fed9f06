"""Oracles that predict: the model's own predictor, another run folder's, or a property learned from a table.

Nothing of these is a pickle: a run folder is safetensors and JSON, and a table is the model that is learned from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chemvae.data.files.columns import list_names
from chemvae.design.oracles.simple import PredictorOracle, describe_bound
from chemvae.design.oracles.uncertain import UncertainOracle
from chemvae.errors import SettingsError

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE
    from chemvae.qsar.model import PropertyModel


class LearnedOracle(UncertainOracle):
    """A property learned from a table of measured values, in the table's unit.

    Molecules are standardised as those learned from were.

    Parameters
    ----------
    fitted : PropertyModel
    name : str
        Of the property.
    kappa : float, optional
        Score by the mean less kappa standard deviations (widened so that intervals hold what they promise); below 0 for what
        is to be small. By default the mean or, as a goal, the cautious end of the 90 % interval, with no credit for what is
        predicted beyond the labels (:func:`chemvae.design.oracles.uncertain.credited`).
    """

    def __init__(self, fitted: PropertyModel, name: str, kappa: float | None = None):
        self.fitted, self.names, self.kappa = fitted, (name,), None if kappa is None else float(kappa)
        self.label = f"{name}{describe_bound(self.kappa)} learned from {len(fitted.smiles):,} molecules"

    def estimate(self, smiles: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Predict: [N, 1] each."""
        table = self.fitted.predict(list(smiles))
        return table[["mean"]].to_numpy(dtype=float), table[["std"]].to_numpy(dtype=float)

    def warnings(self, smiles: Sequence[str]) -> list[list[str]]:
        """What is predicted outside the labels' range, or is unlike every molecule learned from."""
        return [[reason] for reason in self.fitted.reservations(smiles)]

    def facts(self) -> list[dict[str, Any]]:
        """Number and range of the labels, and the error on molecules left out of them."""
        one = self.fitted
        told = {"name": self.names[0], "unit": one.unit, "n_labels": len(one.smiles), "left_out_rmse": one.left_out_rmse}
        return [told | {"label_low": one.label_low, "label_high": one.label_high, "is_cautious": self.merits is not None}]

    def label_ranges(self) -> list[tuple[float, float]]:
        """That of the labels it has learned from."""
        return [(self.fitted.label_low, self.fitted.label_high)]

    def known_molecules(self) -> list[str]:
        """Those with a label."""
        return list(self.fitted.smiles)

    def identity(self) -> str:
        """The label, and what was learned."""
        probe = self.fitted.predict(self.fitted.smiles[:20]).to_numpy().round(6)
        seen = hashlib.sha1(" ".join(self.fitted.smiles).encode() + probe.tobytes())
        return f"{self.describe()} ({seen.hexdigest()[:16]})"


def make_predicted(argument: str, model: MolVAE | None) -> PredictorOracle:
    """``PROPERTY[,kappa=K]``: what the searched model predicts, even where RDKit could compute it."""
    name, kappa = split_kappa(argument)
    if model is None:
        raise SettingsError(f"the oracle 'predicted:{argument}' needs a model to ask")
    return PredictorOracle(model, name, kappa=kappa)


def make_saved(argument: str, model: MolVAE | None) -> PredictorOracle:
    """``FOLDER[#PROPERTY][,kappa=K]``: a run folder's or shipped model's predictor, of all its properties or one."""
    from chemvae.models.storage import find_run, load_model

    rest, kappa = split_kappa(argument)
    folder, _, name = rest.partition("#")
    saved = load_model(find_run(folder))
    if not saved.property_names:
        raise SettingsError(f"the model '{folder}' predicts nothing; train it with a property: chemvae train DATA -p COLUMN")
    oracle = PredictorOracle(saved, *([name] if name else saved.property_names), kappa=kappa)
    oracle.label += f" by {folder}"
    return oracle


def make_learned(argument: str, model: MolVAE | None) -> LearnedOracle:
    """``TABLE#COLUMN[,kappa=K]``: a Gaussian process on the searched model's codes and on fingerprints, fitted now.

    Molecules are stripped of salts and neutralised, those of the table as well as those that are asked about: a charge that the
    table does not know is nothing to be learned from it.
    """
    from chemvae.data.prepare.tables import load_table
    from chemvae.qsar.model import PropertyModel

    rest, kappa = split_kappa(argument)
    path, mark, column = rest.rpartition("#")
    if not mark:
        raise SettingsError(_which_column(argument, rest))
    if model is None:
        raise SettingsError(f"the oracle 'fit:{argument}' needs a model to see molecules with")
    table = load_table(path, properties=[column])
    (name,) = table.property_names
    unit = table.units.get(name, "")
    fitted = PropertyModel(model, unit=unit, standardize="neutral").fit(table.smiles, table.labels[:, 0])
    return LearnedOracle(fitted, name, kappa)


def _which_column(argument: str, path: str) -> str:
    """Ask for the column to learn, naming those of a table that is there."""
    from chemvae.data.prepare.checking import number_columns

    names = number_columns(path) if Path(path).exists() else []
    there = f"; its columns of numbers: {list_names(names, 10)}" if names else ""
    return f"the oracle 'fit:{argument}' needs the column to learn: write 'fit:{path}#{names[0] if names else 'COLUMN'}'{there}"


def split_kappa(text: str) -> tuple[str, float | None]:
    """Take ``,kappa=K`` off the end; None without it."""
    rest, mark, value = text.rpartition(",kappa=")
    if not mark:
        return text.strip(), None
    try:
        return rest.strip(), float(value)
    except ValueError:
        raise SettingsError(f"kappa must be a number of standard deviations, got '{value}' in '{text}'") from None
