"""One molecule as a model sees it: does it come back, what is around it, what is predicted of it, the way to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from chemvae import sampling
from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.chem.properties import PROPERTIES, compute
from chemvae.errors import InvalidMoleculeError
from chemvae.evaluation.metrics import COVERAGE_Z
from chemvae.models.vae import MolVAE
from chemvae.naming import prediction_columns

NEAR = 0.3  # of the training latents' spread in every dimension


@dataclass(frozen=True)
class Named:
    """A molecule and what it is called."""

    name: str
    smiles: str
    """Canonical."""


DRUGS = (
    Named("imatinib", "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1"),
    Named("celecoxib", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"),
)
"""Where a demo of a finished model starts unless the user names a molecule, and where its path leads."""


def check_molecule(smiles: str) -> Named:
    """Name a molecule that the user gave.

    Raises
    ------
    InvalidMoleculeError
        If RDKit cannot read it.

    Examples
    --------
    >>> check_molecule("OCC")
    Named(name='your molecule', smiles='CCO')
    """
    canonical = canonicalize(smiles)
    if canonical is None:
        raise InvalidMoleculeError(smiles, invalid_reason(smiles) or "RDKit cannot read it")
    known = {drug.smiles: drug.name for drug in DRUGS}
    return Named(known.get(canonical, "your molecule"), canonical)


def can_write(model: MolVAE, smiles: str) -> bool:
    """Whether the model's vocabulary has all symbols of a molecule."""
    return model.encode_reasons([smiles])[0] is None


@dataclass(frozen=True)
class Study:
    """What a model makes of one molecule."""

    molecule: Named
    decoded: str
    """Its posterior mean, decoded greedily: canonical where valid, as written where not."""
    valid: bool
    similarity: float
    """Tanimoto similarity (ECFP4) of what came back; NaN if it is no molecule."""
    is_known: bool | None
    """Whether the model was trained on it; None if it kept no index."""
    distance: float
    """To the training data, 1 being typical."""
    properties: pd.DataFrame
    """``property``, ``computed`` (RDKit), ``predicted``, and ``low`` and ``high``, the ends of the 90 % interval."""
    near: pd.DataFrame
    """Distinct molecules decoded around it, without itself, the most similar first: ``smiles``, ``count``, ``similarity``."""
    n_near: int
    """Decodes around it."""
    n_near_valid: int
    other: Named
    """Where the path leads."""
    path: pd.DataFrame
    """As :func:`chemvae.sampling.interpolate` gives it."""

    @property
    def came_back(self) -> bool:
        """Whether the very molecule was decoded, stereo included."""
        return self.valid and self.decoded == self.molecule.smiles


def study(model: MolVAE, molecule: Named, other: Named, n_near: int, n_steps: int, seed: int = 0) -> Study:
    """Look at one molecule from all sides, and walk from it to another.

    Parameters
    ----------
    model : MolVAE
    molecule, other : Named
        The model's vocabulary can write both.
    n_near : int
        Decodes around it.
    n_steps : int
        Points on the path.
    seed : int
    """
    smiles = molecule.smiles
    z = model.encode([smiles])
    back = model.decode(z).iloc[0]
    decoded: str = (canonicalize(back["smiles"]) if back["valid"] else None) or back["smiles"]
    found = sampling.neighbourhood(model, smiles, n_near, radius=NEAR, seed=seed)
    known = model.is_known([smiles])
    predicted = model.predict([smiles]).iloc[0]
    return Study(
        molecule=molecule,
        decoded=decoded,
        valid=bool(back["valid"]),
        similarity=_similarity(smiles, decoded) if back["valid"] else float("nan"),
        is_known=None if known is None else bool(known[0]),
        distance=float(predicted[prediction_columns(model.property_names)[1]]),
        properties=_properties(model.property_names, smiles, predicted),
        near=found[found["smiles"] != smiles].reset_index(drop=True),
        n_near=n_near,
        n_near_valid=int(found["count"].sum()),
        other=other,
        path=sampling.interpolate(model, smiles, other.smiles, n_steps=n_steps, seed=seed),
    )


def _similarity(one: str, other: str) -> float:
    return float(tanimoto(morgan([one]), morgan([other]))[0, 0])


def _properties(names: Sequence[str], smiles: str, predicted: pd.Series) -> pd.DataFrame:
    """Computed beside predicted, for what RDKit can compute."""
    rows = []
    for name in names:
        if name.lower() not in {known.lower() for known in PROPERTIES}:
            continue
        mean, width = float(predicted[name]), COVERAGE_Z * float(predicted[f"{name}_std"])
        rows.append((name, compute(name, smiles), mean, mean - width, mean + width))
    return pd.DataFrame(rows, columns=["property", "computed", "predicted", "low", "high"])
