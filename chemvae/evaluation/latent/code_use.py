"""Does z decide what is written? Draws that are found again, texts of one z beside texts of several, and the three together.

A validity says nothing of this: a decoder that ignores z writes molecules, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.evaluation.roundtrip import Canonical, decode_molecules

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

N_TEXTS = 8
"""Decodes of one z whose similarity to each other is taken."""


def own_code_found(model: MolVAE, z: Tensor, molecules: Sequence[str | None]) -> float:
    """Encode what draws were decoded to; share whose nearest of the draws is its own. NaN for none.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    z : Tensor [N, D]
        The draws.
    molecules : sequence of str or None, length N
        Canonical SMILES of what each was decoded to. What is no molecule, or cannot be encoded, is not found.
    """
    if len(z) == 0:
        return math.nan
    z = torch.as_tensor(z).float().cpu()
    found = np.array([isinstance(one, str) for one in molecules])
    codes = np.full((len(z), z.shape[1]), np.nan, dtype=np.float32)
    codes[found] = model.encode([one for one in molecules if isinstance(one, str)])
    back = torch.from_numpy(codes)
    lost = back.isnan().any(dim=1)
    nearest = torch.cdist(back.nan_to_num(0.0), z, compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)
    return float(((nearest == torch.arange(len(z))) & ~lost).double().mean())


def text_similarity(
    model: MolVAE, z: Tensor, canonical: Canonical, n_texts: int = N_TEXTS, seed: int = 0
) -> tuple[float, float]:
    """Mean Tanimoto similarity (ECFP4, 2048 bits) of texts of one z at temperature 1, and of texts of different z.

    Parameters
    ----------
    model : MolVAE
    z : Tensor [N, D]
    canonical : Canonical
    n_texts : int
        Decodes of each z; what is no molecule is left out.
    seed : int

    Returns
    -------
    within : float
        Over pairs of valid texts of one z, then over the z that have two; NaN if none has.
    between : float
        Over pairs of the first valid texts of different z.
    """
    table = decode_molecules(model, z, canonical, n_samples=n_texts, temperature=1.0, seed=seed)
    groups: list[list[str]] = [[] for _ in range(len(z))]
    for row, molecule in zip(table["row"], table["molecule"], strict=True):
        if isinstance(molecule, str):
            groups[int(row)].append(molecule)
    within = [mean_of_pairs(group) for group in groups if len(group) > 1]
    return float(np.mean(within)) if within else math.nan, mean_of_pairs([group[0] for group in groups if group])


def mean_of_pairs(smiles: Sequence[str]) -> float:
    """Mean Tanimoto similarity (ECFP4, 2048 bits) over all pairs of different places in a list; NaN without a pair.

    Examples
    --------
    >>> mean_of_pairs(["CCO", "OCC"]), round(mean_of_pairs(["CCO", "OCC", "CCN"]), 3)
    (1.0, 0.556)
    """
    prints = morgan(smiles)
    pairs = tanimoto(prints, prints)[np.triu_indices(len(smiles), 1)]
    return float(np.nanmean(pairs)) if np.isfinite(pairs).any() else math.nan
