"""What a step in latent space does to a molecule: similarity and properties around held-out codes, and neighbours that stay.

A model may be smooth at one end only: close to a code, within its posterior, or at the distance of other molecules' codes. So
steps of six lengths are taken, and the figures stand beside each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.properties import PROPERTIES, affordable, compute_rows
from chemvae.evaluation.metrics import validity
from chemvae.evaluation.roundtrip import Canonical, Encoded, decode_molecules, normal_draws
from chemvae.models.inference.geometry import latent_geometry

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

CODE_STEPS = (0.2, 0.3, 0.5, 1.0)
"""Step lengths in standard deviations of the codes, per dimension."""
POSTERIOR_STEPS = (1, 3)
"""Step lengths in standard deviations of a molecule's own posterior."""
STEP_NAMES = tuple(f"{k}sd" for k in POSTERIOR_STEPS) + tuple(f"{s:.1f}" for s in CODE_STEPS)
N_NEIGHBORS = 10
N_NEIGHBOR_MOLECULES = 2_000
USUAL_PROPERTIES = ("logP", "qed", "SAS")


def smoothness(model: MolVAE, encoded: Encoded, canonical: Canonical, n: int = 500, seed: int = 0) -> dict[str, float]:
    """Step away from the codes of molecules, decode greedily, and compare.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    encoded : Encoded
        Held-out molecules; the spread of all their codes is what steps are measured by.
    canonical : Canonical
    n : int
        Molecules that are stepped away from: the encodable among the first n.
    seed : int
        Of the steps: one random direction a molecule, the same at all lengths.

    Returns
    -------
    dict
        ``similarity_at_S``: mean Tanimoto similarity (ECFP4, 2048 bits) of the decode to the molecule. ``valid_at_S``: share of
        decodes that are molecules; the others are left out of the similarity. ``property_change_at_S_P``: mean absolute change
        of property P, in standard deviations of P over these molecules. S is ``1sd`` and ``3sd`` of the posterior, ``0.2`` to
        ``1.0`` of the codes' spread. NaN where there is nothing to compare.
    """
    some = encoded.among(n)
    origins = [encoded.targets[i] for i in encoded.rows[: 0 if some is None else len(some)]]
    prints, names = morgan([o or "" for o in origins]), properties_to_compare(model)
    values = _properties(origins, names)
    spread = np.nanstd(values, axis=0) if len(values) else np.full(len(names), np.nan)
    figures: dict[str, float] = {}
    for name, z in _steps(model, encoded, n, seed).items():
        found = list(decode_molecules(model, z, canonical, seed=seed)["molecule"]) if len(z) else []
        changes = np.abs(_properties(found, names) - values)
        figures |= {f"similarity_at_{name}": _similarity(found, prints), f"valid_at_{name}": validity(found)}
        figures |= {f"property_change_at_{name}_{p}": _ratio(_mean(changes[:, i]), spread[i]) for i, p in enumerate(names)}
    return figures


def properties_to_compare(model: MolVAE) -> list[str]:
    """The model's properties that follow from the structure at little cost; logP, qed and SAS for one without."""
    by_lower = {name.lower(): name for name in PROPERTIES}
    own = affordable([by_lower[name.lower()] for name in model.property_names if name.lower() in by_lower])
    return own or list(USUAL_PROPERTIES)


def _properties(molecules: Sequence[str | None], names: Sequence[str]) -> np.ndarray:
    """Properties [N, P] computed from structures; NaN for no molecule."""
    return np.array(compute_rows([m or "" for m in molecules], names), dtype=float).reshape(-1, len(names))


def _ratio(value: float, unit: float) -> float:
    return value / float(unit) if unit > 0 else math.nan


def _steps(model: MolVAE, encoded: Encoded, n: int, seed: int) -> dict[str, Tensor]:
    """Points z [n, D] by the length of the step that led to them from the codes."""
    some, space = encoded.among(n), latent_geometry(model)
    if some is None:
        return dict.fromkeys(STEP_NAMES, encoded.loc[:0])
    loc, draw = some.point, encoded.draw(1, seed, n)[0]
    own = space.towards(loc, draw)
    spread = encoded.loc.std(dim=0, correction=0) * normal_draws(loc.shape, seed).to(loc)
    by_posterior = {f"{k}sd": space.step(loc, k * own) for k in POSTERIOR_STEPS}
    return by_posterior | {f"{s:.1f}": space.step(loc, s * spread) for s in CODE_STEPS}


def _similarity(found: Sequence[str | None], origins: Sequence) -> float:
    pairs = zip(morgan([m or "" for m in found]), origins, strict=True)
    return _mean(np.array([np.nan if a is None or b is None else float(tanimoto([a], [b])[0, 0]) for a, b in pairs]))


def _mean(values: np.ndarray) -> float:
    """Mean of what is finite; NaN if nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def neighbors_kept(encoded: Encoded, k: int = N_NEIGHBORS, n: int = N_NEIGHBOR_MOLECULES) -> float:
    """Of the k nearest molecules in z, the share that is among the k most similar by fingerprint, over the first n encodable.

    Fingerprints are ECFP4 with 2048 bits under Tanimoto similarity. A random space keeps k / (n - 1). NaN for k molecules or
    fewer.

    Examples
    --------
    >>> from chemvae.models.posteriors import gaussian_posterior
    >>> smiles, z = ["CCCO", "CCCCO", "c1ccccc1", "Cc1ccccc1"], torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    >>> q = gaussian_posterior(z, torch.ones_like(z))
    >>> neighbors_kept(Encoded(smiles, smiles, [None] * 4, np.arange(4), q, 1), k=1)
    1.0
    """
    loc, targets = encoded.loc[:n], [encoded.targets[i] or "" for i in encoded.rows[:n]]
    if len(targets) <= k:
        return math.nan
    prints = morgan(targets)
    alike = _k_first(lambda i: -np.nan_to_num(tanimoto(prints[i : i + 1], prints)[0]), len(targets), k)
    near = _k_first(lambda i: torch.cdist(loc[i : i + 1].double(), loc.double())[0].numpy(), len(targets), k)
    return float(np.mean([len(a & b) / k for a, b in zip(alike, near, strict=True)]))


def _k_first(distances: Callable[[int], np.ndarray], n: int, k: int) -> list[set[int]]:
    """The k nearest others of each of n: where distances are equal, those that come first."""
    found = []
    for i in range(n):
        row = np.array(distances(i), dtype=float)
        row[i] = np.inf
        found.append(set(np.argsort(row, kind="stable")[:k].tolist()))
    return found
