"""Molecules from latent space: prior samples, paths between molecules, neighbourhoods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import torch

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize, neutralize
from chemvae.data.given import read_molecules
from chemvae.errors import ChemVAEError, InvalidMoleculeError, SettingsError
from chemvae.models.latent_space import draw_prior
from chemvae.models.vae import MolVAE
from chemvae.registry import find
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.likeness import draw_like
from chemvae.sampling.pipeline import decode_canonical, open_readers
from chemvae.seeding import as_count, as_seed

NEUTRAL_DRAWS = 10
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
        Worker processes for RDKit's part: 0 takes one per core, 1 none. Fewer than 2,000 molecules start none. The result is
        the same for every number.
    neutral : bool
        Every molecule is neutral: charges that protons can take away are taken away, parts of a salt but the largest are left
        out, and what is charged all the same is drawn again (after ten draws it counts as invalid).
    like : molecules, optional
        As in :meth:`MolVAE.encode`: latent points are drawn from where molecules lie that belong with these
        (:mod:`chemvae.sampling.likeness`), instead of from a prior.

    Returns
    -------
    DataFrame
        ``smiles`` (canonical where valid, as written where not), ``valid``, and ``novel`` (valid and not in the training
        set) where the model has its training index. With ``like`` also ``similarity`` (Tanimoto, ECFP4) to the nearest of the
        given molecules, 1 for one of them; NaN where not valid.

    Raises
    ------
    NothingUsableError
        If none of the molecules to be like can be encoded.
    """
    n, seed = as_count(n, "n"), as_seed(seed)
    check_amount(n, model.latent_dim)

    def points(number: int, seed: int) -> torch.Tensor:
        return draw_latents(model, number, prior, seed) if like is None else draw_like(model, like, number, seed)

    with open_readers(n, jobs) as readers:

        def draw(number: int, seed: int) -> pd.DataFrame:
            return decode_canonical(model, points(number, seed), readers, temperature, seed + 1)

        table = draw(n, seed)
        if neutral:
            table = _neutral(table, draw, seed)
    known = model.is_known(table["smiles"].tolist())
    if known is not None:
        table["novel"] = table["valid"] & ~known
    return table if like is None else table.assign(similarity=_nearest(table, like))


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


def encode_one(model: MolVAE, smiles: str) -> np.ndarray:
    """Return the posterior mean [D] of one molecule, read in its canonical form.

    Raises
    ------
    InvalidMoleculeError
        If RDKit cannot read it.
    UnknownTokenError
        If the vocabulary cannot write it.
    """
    given = read_molecules([smiles])
    canonical = given.smiles[0]
    if canonical is None:
        raise InvalidMoleculeError(str(smiles), given.reasons[0] or "RDKit cannot read it")
    model.vocabulary.encode(canonical)
    return model.encode([canonical], canonicalize=False)[0]


def interpolate(
    model: MolVAE, start: str, end: str, n_steps: int = 9, n_samples: int = 8, seed: int | None = 0
) -> pd.DataFrame:
    """Decode points on the way from one molecule to another.

    At each point the greedy decode is taken if it is valid, else the most probable valid one of ``n_samples`` decodes at
    temperature 0.7; the ends are decoded like the rest, not copied.

    Returns
    -------
    DataFrame
        ``step``, ``share`` (0 at start, 1 at end), ``smiles`` (canonical where valid), ``valid``, and the Tanimoto
        similarity (ECFP4) to both ends, ``similarity_start`` and ``similarity_end``.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        If an end is not a molecule the model can read.
    """
    seed = as_seed(seed)
    if n_steps < 2:
        raise SettingsError(f"n_steps must be >= 2, got {n_steps}")
    check_amount(n_steps * max(1, n_samples), model.latent_dim, "n_steps times n_samples")
    shares = np.linspace(0, 1, n_steps)
    first, last = (torch.from_numpy(encode_one(model, one))[None] for one in (start, end))
    z = model.latent_space.between(first, last, torch.from_numpy(shares)[:, None]).numpy()
    table = best_of(model, z, n_samples, seed)
    table.insert(1, "share", shares)
    ends = morgan([start, end])
    found = [text if valid else "" for text, valid in zip(table["smiles"], table["valid"], strict=True)]
    similarity = np.array([tanimoto([one], ends)[0] if one else (np.nan, np.nan) for one in morgan(found)])
    table["similarity_start"], table["similarity_end"] = similarity[:, 0], similarity[:, 1]
    return table.rename(columns={"row": "step"})


def best_of(model: MolVAE, z: np.ndarray, n_samples: int = 8, seed: int | None = 0, temperature: float = 0.7) -> pd.DataFrame:
    """Decode each z [N, D] to one molecule: greedy if that is valid, else the most probable valid one of several draws.

    Returns
    -------
    DataFrame
        ``row``, ``smiles`` (canonical where valid, the greedy text where nothing was), ``valid``.
    """
    seed, greedy = as_seed(seed), model.decode(z)
    drawn = model.decode(z, n_samples=n_samples, temperature=temperature, seed=seed)
    rows = []
    for row, text, valid in zip(greedy["row"], greedy["smiles"], greedy["valid"], strict=True):
        if not valid:
            usable = drawn[(drawn["row"] == row) & drawn["valid"]]
            text = usable.loc[usable["log_prob"].idxmax(), "smiles"] if len(usable) else text
            valid = len(usable) > 0
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
    centre = torch.from_numpy(encode_one(model, smiles))
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
