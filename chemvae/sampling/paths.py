"""The way from one molecule to another: points on a curve between two codes, and what they decode to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.errors import SettingsError
from chemvae.models.latent_space import FlatSpace
from chemvae.models.vae import MolVAE
from chemvae.registry import find
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.inversion import own_point
from chemvae.sampling.property_values import property_values, resolve
from chemvae.sampling.sampler import PATH_TEMPERATURE, best_of
from chemvae.seeding import as_seed

PATHS = ("spherical", "linear")


def interpolate(
    model: MolVAE,
    start: str,
    end: str,
    n_steps: int = 9,
    n_samples: int = 8,
    seed: int | None = 0,
    *,
    path: str = "spherical",
    n_decodes: int = 1,
    properties: Sequence[str] | str = (),
) -> pd.DataFrame:
    """Decode points on the way from one molecule to another.

    At each point the greedy decode is taken if it is valid, else the most probable valid one of ``n_samples`` decodes at
    temperature 0.7; the ends are decoded like the rest, not copied.

    Parameters
    ----------
    model : MolVAE
    start, end : str
    n_steps : int
        Points, both ends included, >= 2.
    n_samples : int
        Decodes tried at a point.
    seed : int or None
    path : {"spherical", "linear"}
        The arc that keeps its distance from the origin (:func:`chemvae.models.latent_space.slerp`), or the straight line; in a
        latent space that is a sphere the great circle, or the chord put back onto the sphere.
    n_decodes : int
        Molecules told of each point: the one above, then the most probable others among the ``n_samples``.
    properties : sequence of str
        Told of every molecule: computed where that is possible, else predicted.

    Returns
    -------
    DataFrame
        ``step``, ``share`` (0 at start, 1 at end), ``smiles`` (canonical where valid), ``valid``, and the Tanimoto
        similarity (ECFP4) to both ends, ``similarity_start`` and ``similarity_end``; the properties. With more than one decode
        also ``decode``, from 0, and as many rows a point as it has different molecules.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError, SettingsError, UnknownNameError
        If the model cannot read an end; if a number is too small; if there is no such path or property.
    """
    seed = as_seed(seed)
    names = _checked(model, n_steps, n_samples, n_decodes, properties)
    kind, _ = find(dict.fromkeys(PATHS), path, "path")
    shares = np.linspace(0, 1, n_steps)
    first, last = (torch.from_numpy(own_point(model, one))[None] for one in (start, end))
    z = points_between(model.latent_space, first, last, torch.from_numpy(shares)[:, None], kind).numpy()
    table = best_of(model, z, n_samples, seed).rename(columns={"row": "step"})
    if n_decodes > 1:
        table = _with_others(model, z, table, n_samples, seed, n_decodes)
    table.insert(1, "share", shares[table["step"]])
    return _compared(model, table, (start, end), names)


def _checked(model: MolVAE, n_steps: int, n_samples: int, n_decodes: int, properties: Sequence[str] | str) -> list[str]:
    """Refuse a path that makes no sense or does not fit into memory; the properties in their own spelling."""
    if n_steps < 2:
        raise SettingsError(f"n_steps must be >= 2, got {n_steps}")
    if n_decodes < 1:
        raise SettingsError(f"n_decodes must be >= 1, got {n_decodes}")
    check_amount(n_steps * max(1, n_samples), model.latent_dim, "n_steps times n_samples")
    return [resolve(model, name) for name in ([properties] if isinstance(properties, str) else properties)]


def _compared(model: MolVAE, table: pd.DataFrame, ends: tuple[str, str], names: list[str]) -> pd.DataFrame:
    """A path's table with similarities to both ends, and properties."""
    found = [text if valid else "" for text, valid in zip(table["smiles"], table["valid"], strict=True)]
    prints = morgan(list(ends))
    similarity = np.array([tanimoto([one], prints)[0] if one else (np.nan, np.nan) for one in morgan(found)])
    table["similarity_start"], table["similarity_end"] = similarity[:, 0], similarity[:, 1]
    return pd.concat([table, property_values(model, found, names)], axis=1) if names else table


def points_between(space: FlatSpace, first: Tensor, last: Tensor, share: Tensor, path: str = "spherical") -> Tensor:
    """Points [N, D] part of the way (``share`` [N, 1]) from one point [1, D] to another, on one of :data:`PATHS`.

    Examples
    --------
    >>> from chemvae.models.latent_space import FLAT, SPHERE
    >>> ends, half = (torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])), torch.tensor([[0.5]])
    >>> [points_between(space, *ends, half, "linear")[0, 0].item() for space in (FLAT, SPHERE)]
    [0.5, 0.7071067690849304]
    """
    if path == "linear":
        return space.project((1 - share) * first + share * last)
    return space.between(first, last, share)


def _with_others(model: MolVAE, z: np.ndarray, table: pd.DataFrame, n_samples: int, seed: int, n_decodes: int) -> pd.DataFrame:
    """A table of one molecule a point with others that the point decodes to, the most probable first."""
    drawn = model.decode(z, n_samples=n_samples, temperature=PATH_TEMPERATURE, seed=seed)
    drawn = drawn[drawn["valid"]].sort_values("log_prob", ascending=False, kind="stable")
    rows = []
    for step, text, valid in table[["step", "smiles", "valid"]].itertuples(index=False):
        others = [canonicalize(one) for one in drawn.loc[drawn["row"] == step, "smiles"]]
        distinct = [one for one in dict.fromkeys(others) if one is not None and one != text]
        rows += [(step, 0, text, valid), *((step, i, one, True) for i, one in enumerate(distinct[: n_decodes - 1], start=1))]
    return pd.DataFrame(rows, columns=["step", "decode", "smiles", "valid"])
