"""How decoding fares with distance: away from a molecule, and away from the centre of the prior."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.evaluation.metrics import unique_at, validity
from chemvae.evaluation.roundtrip import Canonical, Encoded, decode_molecules, encode_molecules, normal_draws

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.models.vae import MolVAE

NORM_SCALES = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


def default_radii(latent_dim: int, n: int = 9) -> np.ndarray:
    """Radii from 0 to 1.5 times the typical norm of a draw from N(0, I), sqrt(D); closer together near the molecule.

    Examples
    --------
    >>> default_radii(64, 5).tolist()
    [0.0, 0.75, 3.0, 6.75, 12.0]
    """
    return 1.5 * math.sqrt(latent_dim) * np.linspace(0.0, 1.0, n) ** 2


def validity_against_radius(
    model: MolVAE, smiles: Sequence[str], radii: Sequence[float] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Walk from each molecule's posterior mean in one random direction and decode greedily on the way.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str
        Molecules that cannot be encoded are left out.
    radii : sequence of float, optional
        Euclidean distances in latent space; by default :func:`default_radii`.
    seed : int
        Of the directions, one per molecule, the same for all radii.

    Returns
    -------
    DataFrame
        One row per radius: ``radius``, ``validity``, ``recovery`` (share that is the molecule itself), ``similarity`` (mean
        Tanimoto of the valid decodes to it, ECFP4 with 2048 bits), ``n`` (decodes).
    """
    canonical = Canonical()
    return radius_curve(model, encode_molecules(model, smiles, canonical), canonical, radii, seed)


def radius_curve(
    model: MolVAE,
    encoded: Encoded,
    canonical: Canonical,
    radii: Sequence[float] | None = None,
    seed: int = 0,
    first: int | None = None,
) -> pd.DataFrame:
    """:func:`validity_against_radius` for molecules that are already encoded, or the ``first`` of them."""
    import pandas as pd

    some = encoded.among(first)
    loc = encoded.loc[: 0 if some is None else len(some)]
    targets = [encoded.targets[i] for i in encoded.rows[: len(loc)]]
    origins = morgan([t or "" for t in targets])
    direction = normal_draws(loc.shape, seed).to(loc)
    direction = direction / direction.norm(dim=1, keepdim=True)
    records = []
    for radius in default_radii(model.latent_dim) if radii is None else radii:
        found = list(decode_molecules(model, loc + float(radius) * direction, canonical, seed=seed)["molecule"])
        same = sum(m is not None and m == t for m, t in zip(found, targets, strict=True))
        recovery = same / len(found) if found else math.nan
        records.append((float(radius), validity(found), recovery, _mean_similarity(found, origins), len(found)))
    return pd.DataFrame(records, columns=["radius", "validity", "recovery", "similarity", "n"])


def _mean_similarity(found: Sequence[str | None], origins: Sequence) -> float:
    values = [
        float(tanimoto([a], [b])[0, 0])
        for a, b in zip(morgan([m or "" for m in found]), origins, strict=True)
        if a is not None and b is not None
    ]
    return float(np.mean(values)) if values else math.nan


def validity_against_norm(
    model: MolVAE, scales: Sequence[float] = NORM_SCALES, n: int = 500, seed: int = 0, canonical: Canonical | None = None
) -> pd.DataFrame:
    """Decode ``scale * e``, e ~ N(0, I), greedily: how validity changes from the prior's centre outward.

    Returns
    -------
    DataFrame
        One row per scale: ``scale``, ``norm`` (mean length of z), ``validity``, ``unique`` (among valid), ``n``. The same e
        serve all scales.
    """
    import pandas as pd

    canonical = canonical or Canonical()
    noise = normal_draws((n, model.latent_dim), seed)
    records = []
    for scale in scales:
        found = list(decode_molecules(model, scale * noise, canonical, seed=seed)["molecule"])
        records.append((float(scale), float((scale * noise).norm(dim=1).mean()), validity(found), unique_at(found), n))
    return pd.DataFrame(records, columns=["scale", "norm", "validity", "unique", "n"])
