"""Molecules from latent space: prior samples, neighbourhoods, and the best decode of a point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize, neutralize
from chemvae.data.given import read_molecules
from chemvae.errors import ChemVAEError
from chemvae.models.latent_space import draw_prior
from chemvae.models.vae import MolVAE
from chemvae.parallel import Workers
from chemvae.registry import find
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.inversion import own_point
from chemvae.sampling.likeness import draw_like
from chemvae.sampling.pipeline import decode_canonical, open_readers
from chemvae.seeding import as_count, as_seed

Points = Callable[[int, int], torch.Tensor]
"""(number, seed) -> latent points."""
NEUTRAL_DRAWS = 10
PATH_TEMPERATURE = 0.7
"""Of draws that stand in for a greedy decode that is no molecule."""
MODEL_PRIORS = ("learned", "normal", "trained")
"""What :func:`draw_latents` may draw from: fitted to the codes, the family's own, and what the model was trained with."""


def draw_latents(model: MolVAE, n: int, prior: str = "learned", seed: int | None = 0) -> torch.Tensor:
    """Draw z [n, D] from one of a model's priors.

    Raises
    ------
    UnknownNameError
        If there is no such prior.
    ChemVAEError
        If the learned prior was never fitted (a run that was interrupted).
    """
    name, _ = find(dict.fromkeys(MODEL_PRIORS), prior, "prior")
    if name == "learned" and not model.latent_statistics.is_fitted:
        raise ChemVAEError(
            "This model has no learned prior: it is fitted when training ends. Let it end (chemvae train --resume), or sample "
            "with --prior normal."
        )
    return draw_prior(model, as_count(n, "n"), name, as_seed(seed))


def sample(
    model: MolVAE,
    n: int,
    seed: int | None = 0,
    temperature: float = 1.0,
    prior: str = "learned",
    jobs: int = 0,
    *,
    neutral: bool = False,
    like: Any = None,
) -> pd.DataFrame:
    """Sample ``n`` molecules. RDKit reads them in worker processes while the next ones are decoded.

    Parameters
    ----------
    model : MolVAE
    n : int
        Decodes, valid or not; duplicates stay, so that shares can be counted.
    seed : int or None
        None draws one.
    temperature : float
        0 decodes greedily.
    prior : str
        "learned" (fitted on the training latents), "normal" (the posterior family's own: N(0, I) unless it says otherwise), or
        "trained" (what the model was trained with: "normal" unless another was asked for).
    jobs : int
        Worker processes for RDKit's part: 0 takes one per core, 1 none, as do fewer than 2,000 molecules.
    neutral : bool
        Protons take charges away, a salt keeps its largest part, and what is charged all the same is drawn again (after ten
        draws it counts as invalid).
    like : molecules, optional
        As in :meth:`MolVAE.encode`: points are drawn between those of these (:mod:`chemvae.sampling.likeness`), from no prior.

    Returns
    -------
    DataFrame
        ``smiles`` (canonical where valid, as written where not), ``valid``, and ``novel`` (valid and not in the training
        set) where the model has its training index; with ``like`` ``similarity`` (Tanimoto, ECFP4) to the nearest given one.

    Raises
    ------
    NothingUsableError
        If none of the molecules to be like can be encoded.
    """
    n, seed = as_count(n, "n"), as_seed(seed)
    check_amount(n, model.latent_dim)
    points: Points = partial(_prior_points, model, prior) if like is None else partial(draw_like, model, like)
    with open_readers(n, jobs) as readers:
        draw = partial(_draw, model, points, readers, temperature)
        table = draw(n, seed)
        if neutral:
            table = _neutral(table, draw, seed)
    known = model.is_known(table["smiles"].tolist())
    if known is not None:
        table["novel"] = table["valid"] & ~known
    return table if like is None else table.assign(similarity=_nearest(table, like))


def _prior_points(model: MolVAE, prior: str, n: int, seed: int) -> torch.Tensor:
    return draw_latents(model, n, prior, seed)


def _draw(model: MolVAE, points: Points, readers: Workers, temperature: float, n: int, seed: int) -> pd.DataFrame:
    return decode_canonical(model, points(n, seed), readers, temperature, seed + 1)


def _nearest(table: pd.DataFrame, given: Any) -> np.ndarray:
    """Similarity [N] of samples to the nearest of the given molecules."""
    known = morgan([one for one in read_molecules(given).smiles if one is not None])
    found = np.full(len(table), np.nan)
    valid = table["valid"].to_numpy(bool)
    if valid.any():
        found[valid] = tanimoto(morgan(table["smiles"][valid].tolist()), known).max(axis=1)
    return found


def _neutral(table: pd.DataFrame, draw: Callable[[int, int], pd.DataFrame], seed: int) -> pd.DataFrame:
    """A table of samples with every valid molecule neutral; ``draw(n, seed)`` gives others for those that cannot be."""
    table = table.copy()
    rows = np.arange(len(table))
    for number in range(1, NEUTRAL_DRAWS + 1):
        found = [neutralize(text) if ok else text for text, ok in zip(table["smiles"][rows], table["valid"][rows], strict=True)]
        charged = np.array([text is None for text in found], dtype=bool)
        table.loc[rows[~charged], "smiles"] = [text for text in found if text is not None]
        rows = rows[charged]
        if not len(rows):
            return table
        if number < NEUTRAL_DRAWS:
            table.loc[rows, ["smiles", "valid"]] = draw(len(rows), seed + 2 * number)[["smiles", "valid"]].to_numpy()
            table["valid"] = table["valid"].astype(bool)
    table.loc[rows, "valid"] = False
    return table


def best_of(
    model: MolVAE,
    z: np.ndarray,
    n_samples: int = 8,
    seed: int | None = 0,
    temperature: float = PATH_TEMPERATURE,
    accept: Callable[[str], bool] | None = None,
) -> pd.DataFrame:
    """Decode each z [N, D] to one molecule: greedy if that is valid, else the most probable valid one of several draws.

    Parameters
    ----------
    accept : callable, optional
        What a decode must be besides valid, told of its SMILES. Where none is, the first valid one is taken all the same.

    Returns
    -------
    DataFrame
        ``row``, ``smiles`` (canonical where valid, the greedy text where nothing was), ``valid``.
    """
    seed, greedy = as_seed(seed), model.decode(z)
    drawn = model.decode(z, n_samples=n_samples, temperature=temperature, seed=seed)
    rows = []
    for row, text, valid in zip(greedy["row"], greedy["smiles"], greedy["valid"], strict=True):
        if not valid or (accept is not None and not accept(text)):
            others = drawn[(drawn["row"] == row) & drawn["valid"]]
            usable = others if accept is None else others[[accept(one) for one in others["smiles"]]]
            usable = others if not len(usable) and not valid else usable
            text = usable.loc[usable["log_prob"].idxmax(), "smiles"] if len(usable) else text
            valid = valid or len(usable) > 0
        rows.append((row, canonicalize(text) if valid else text, bool(valid)))
    return pd.DataFrame(rows, columns=["row", "smiles", "valid"])


def neighbourhood(
    model: MolVAE, smiles: str, n: int, radius: float = 1.0, temperature: float = 0.0, seed: int | None = 0
) -> pd.DataFrame:
    """Decode points around a molecule.

    Parameters
    ----------
    radius : float
        Standard deviation of the noise in every dimension, in units of the training latents' spread there.

    Returns
    -------
    DataFrame
        Distinct valid molecules, ``smiles``, ``count`` (of n decodes) and ``similarity`` (Tanimoto, ECFP4) to the centre, the
        most similar first.
    """
    n, seed = as_count(n, "n"), as_seed(seed)
    centre = torch.from_numpy(own_point(model, smiles))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, model.latent_dim, generator=generator) * model.latent_statistics.std.cpu()
    moved = model.latent_space.move(centre, radius * noise)
    with open_readers(n) as readers:
        decoded = decode_canonical(model, moved.to(model.device), readers, temperature, seed)
    found = decoded["smiles"][decoded["valid"]].value_counts()
    table = found.rename_axis("smiles").reset_index(name="count")
    similarity = np.zeros(0)
    if len(table):
        similarity = tanimoto(morgan(table["smiles"].tolist()), morgan([smiles]))[:, 0]
    return table.assign(similarity=similarity).sort_values(["similarity", "smiles"], ascending=[False, True], ignore_index=True)
