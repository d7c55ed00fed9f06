"""More like these: a density over the codes of molecules that belong with a few given ones.

The given codes are taken as members of one family, spread about a centre of its own: with K codes of mean m and covariance S
the next member is distributed as N(m, (1 + 1/K) S'), the predictive density of a Gaussian whose S' is S shrunk towards a
multiple of the spread of all training codes, the more the fewer codes there are (oracle approximating shrinkage, Chen, Wiesel,
Eldar & Hero 2010, https://doi.org/10.1109/TSP.2010.2053029, by scikit-learn). One code per set of molecules is the neural
statistician's idea (Edwards & Storkey 2016, https://arxiv.org/abs/1606.02185); here its posterior has a closed form, for any
model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from chemvae.data.given import read_molecules
from chemvae.errors import NothingUsableError
from chemvae.models.vae import MolVAE

WIDTH_OF_ONE = 0.3
"""Spread about a single molecule, in standard deviations of the training codes: one molecule has none of its own."""
SMALLEST_SPREAD = 1e-6


def codes_of(model: MolVAE, molecules: Any) -> np.ndarray:
    """Codes [K, D] of those of the molecules that can be encoded.

    Raises
    ------
    NothingUsableError
        If none can.
    """
    given = read_molecules(molecules)
    codes = model.encode([one for one in given.smiles if one is not None])
    usable = codes[~np.isnan(codes).any(axis=1)]
    if not len(usable):
        why = next((reason for reason in model.encode_reasons(molecules) if reason), "there are none")
        raise NothingUsableError(f"None of the {len(given):,} molecules to be like can be encoded; the first: {why}.")
    return usable


def family_density(codes: np.ndarray, scale: np.ndarray) -> MultivariateNormal:
    """The density of the next member's code, given codes [K, D] of some and the spread [D] of all molecules' codes.

    Examples
    --------
    >>> family_density(np.zeros((1, 2)), np.ones(2)).stddev
    tensor([0.3000, 0.3000])
    """
    from sklearn.covariance import OAS

    k, d = codes.shape
    centre, scale = codes.mean(axis=0), np.maximum(scale, SMALLEST_SPREAD)
    if k == 1:
        covariance = WIDTH_OF_ONE**2 * np.eye(d)
    else:
        shrunk = OAS(assume_centered=True).fit((codes - centre) / scale).covariance_
        covariance = k / (k - 1) * (1 + 1 / k) * shrunk + SMALLEST_SPREAD * np.eye(d)
    root = np.linalg.cholesky(covariance)
    return MultivariateNormal(
        torch.from_numpy(centre).float(), scale_tril=torch.from_numpy(scale[:, None] * root).float(), validate_args=False
    )


def draw_like(model: MolVAE, molecules: Any, n: int, seed: int = 0) -> Tensor:
    """Draw z [n, D] from the density of molecules that belong with the given ones, on the model's device.

    Parameters
    ----------
    model : MolVAE
    molecules : as in :meth:`MolVAE.encode`
        One or more; what cannot be encoded is left out.
    n : int
    seed : int
    """
    codes = codes_of(model, molecules)
    density = family_density(codes.astype(np.float64), model.latent_statistics.std.double().cpu().numpy())
    noise = torch.randn(n, codes.shape[1], generator=torch.Generator().manual_seed(seed))
    z = density.loc + noise @ density.scale_tril.T
    return model.latent_space.project(z).to(model.device)
