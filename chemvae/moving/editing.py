"""Change a molecule step by step along a property, and say at each step what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import PROPERTIES
from chemvae.design.filters.structure import Substructure
from chemvae.errors import SettingsError
from chemvae.models.vae import MolVAE
from chemvae.moving.steps import go_along
from chemvae.moving.vectors import AttributeVector
from chemvae.registry import wrong_kinds
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.inversion import own_point
from chemvae.sampling.property_values import property_values
from chemvae.sampling.sampler import best_of

DIRECTIONS = ("max", "min")


@dataclass(frozen=True)
class EditSettings:
    """How far an edit goes, and what it must leave."""

    steps: int = 5
    """Points after the molecule's own."""
    radius: float = 0.5
    """Length of all steps together, in standard deviations of the training codes per dimension."""
    direction: str = "max"
    """"max" raises the property, "min" lowers it; the other way of an analogy for "min"."""
    keep: str | None = None
    """SMARTS that every molecule must hold."""
    n_samples: int = 16
    """Decodes tried at a point where the greedy one is no molecule, or lacks the part to be kept."""
    seed: int = 0

    def __post_init__(self) -> None:
        if wrong := wrong_kinds(self):
            raise SettingsError(wrong)
        complaints = [
            f"{name} must be >= {least}, got {getattr(self, name)}"
            for name, least in (("steps", 1), ("n_samples", 0))
            if getattr(self, name) < least
        ]
        if not 0 < self.radius < np.inf:
            complaints.append(f"radius must be a number above 0, got {self.radius}")
        if self.direction not in DIRECTIONS:
            complaints.append(f"direction must be max or min, got '{self.direction}'")
        if complaints:
            raise SettingsError(complaints)

    def check_amount(self, latent_dim: int) -> None:
        """Refuse more decodes than there is memory for."""
        check_amount((self.steps + 1) * max(1, self.n_samples), latent_dim, "steps times n_samples")

    @property
    def sign(self) -> float:
        """1 upward, -1 downward."""
        return 1.0 if self.direction == "max" else -1.0


def edit_molecule(model: MolVAE, smiles: str, vector: AttributeVector, settings: EditSettings | None = None) -> pd.DataFrame:
    """Go from a molecule along the direction of a property, and decode on the way.

    The way sets out from a point that decodes to the molecule, if a short search near its code finds one
    (:func:`~chemvae.sampling.inversion.own_point`).

    Nothing is searched for: a point gives its greedy decode, or, where that is no molecule or lacks what is to be kept, the
    most probable usable one of several draws. On a sphere the way follows the direction over its surface.

    Parameters
    ----------
    model : MolVAE
    smiles : str
    vector : AttributeVector
    settings : EditSettings, optional

    Returns
    -------
    DataFrame
        ``step`` (0 is the molecule's own point), ``radius``, ``smiles`` (canonical where valid), ``valid``, ``usable`` (valid,
        and it keeps what is to be kept), the property under its name and ``change`` from the given molecule's (NaN for what is
        no molecule), and ``similarity`` to it (Tanimoto, ECFP4).

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        If the model cannot read the molecule.
    SettingsError
        If the molecule itself lacks what is to be kept.
    """
    settings = settings or EditSettings()
    settings.check_amount(model.latent_dim)
    first = torch.from_numpy(own_point(model, smiles))[None]
    along = settings.sign * vector.direction
    path = go_along(model, first, lambda z: along.expand_as(z), settings.radius, settings.steps)[:, 0]
    return describe_path(model, smiles, path, settings, vector)


def describe_path(
    model: MolVAE, smiles: str, path: Tensor, settings: EditSettings, vector: AttributeVector | None = None
) -> pd.DataFrame:
    """Decode a path [S + 1, D] that begins at a molecule's code; the columns of :func:`edit_molecule`."""
    keeps = part_to_keep(settings.keep, smiles)
    table = best_of(model, path.numpy(), settings.n_samples, settings.seed, accept=keeps)
    table = table.rename(columns={"row": "step"})
    table.insert(1, "radius", np.linspace(0.0, settings.radius, len(path)))
    found = [text if valid else None for text, valid in zip(table["smiles"], table["valid"], strict=True)]
    table["usable"] = [one is not None and (keeps is None or keeps(one)) for one in found]
    if vector is not None:
        own = values_of(model, [canonicalize(smiles)], vector)[0]
        table[vector.name] = values_of(model, found, vector)
        table["change"] = table[vector.name] - own
    given = morgan([smiles])
    table["similarity"] = [np.nan if one is None else float(tanimoto(morgan([one]), given)[0, 0]) for one in found]
    return table


def say_substitute(smiles: str, written: str | None, similarity: float) -> str:
    """Say what a model writes at the code of a molecule where that is another one; "" where it is the same, or none.

    Examples
    --------
    >>> say_substitute("OCC", "CCN", 0.333)
    'The model does not write OCC back, at its code or near it; it writes CCN (similarity 0.33), and the way starts there.'
    >>> say_substitute("OCC", "CCO", 1.0)
    ''
    """
    if written is None or canonicalize(written) == canonicalize(smiles):
        return ""
    return (
        f"The model does not write {smiles} back, at its code or near it; it writes {written} (similarity {similarity:.2f}), "
        "and the way starts there."
    )


def values_of(model: MolVAE, smiles: list[str | None], vector: AttributeVector) -> np.ndarray:
    """The property of a vector for molecules [N]: computed, predicted, or, where only a table knew it, by the vector's line."""
    if vector.name in PROPERTIES or vector.name in model.property_names:
        return property_values(model, smiles, [vector.name])[vector.name].to_numpy(dtype=float)
    values = np.full(len(smiles), np.nan)
    usable = [i for i, one in enumerate(smiles) if one is not None]
    if usable:
        values[usable] = vector.estimate(model, model.encode([smiles[i] for i in usable]))
    return values


def part_to_keep(smarts: str | None, smiles: str) -> Callable[[str], bool] | None:
    """Whether a molecule holds a pattern; None where nothing is to be kept.

    Raises
    ------
    SettingsError
        If the text is no pattern, or the molecule that is to be changed lacks it.
    """
    if smarts is None:
        return None
    part = Substructure(smarts, wanted=True)
    if not part.allows([smiles])[0]:
        raise SettingsError(f"{smiles} does not hold '{smarts}' itself, so no step can keep it; check the pattern")
    return lambda text: bool(part.allows([text])[0])
