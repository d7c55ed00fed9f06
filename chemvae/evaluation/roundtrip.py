"""From molecules to latent points and back: what every measurement on a model shares, and the two reconstruction rates.

Decodes are taken as they come: nothing is masked, repaired or tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.molecules import canonicalize
from chemvae.parallel import map_ordered

if TYPE_CHECKING:
    from chemvae.models.posteriors import Posterior
    from chemvae.models.vae import MolVAE

JT_DRAWS, JT_DECODES = 10, 10  # Jin, Barzilay & Jaakkola, 2018, https://arxiv.org/abs/1802.04364
WORTH_WORKERS = 4_000  # new strings below which starting worker processes costs more than it saves


class Canonical:
    """Canonical isomeric SMILES of many strings, each distinct string read once in this object's life.

    Examples
    --------
    >>> Canonical()(["OCC", "C1", "OCC"])
    ['CCO', None, 'CCO']
    """

    def __init__(self, jobs: int = 1):
        self.jobs = jobs
        self._memory: dict[str, str | None] = {}

    def __call__(self, smiles: Iterable[str]) -> list[str | None]:
        smiles = list(smiles)
        new = [s for s in dict.fromkeys(smiles) if s not in self._memory]
        jobs = self.jobs if len(new) >= WORTH_WORKERS else 1
        self._memory.update(zip(new, map_ordered(canonicalize, new, jobs=jobs, chunk=512), strict=True))
        return [self._memory[s] for s in smiles]


@dataclass(frozen=True)
class Encoded:
    """Molecules and their posteriors; those that the vocabulary cannot write have none."""

    smiles: list[str]
    """[N] what was given to the encoder."""
    targets: list[str | None]
    """[N] canonical SMILES that a decode must equal."""
    reasons: list[str | None]
    """[N] why a molecule cannot be encoded; None where it can."""
    rows: np.ndarray
    """[n] positions in ``smiles`` of those that can be encoded."""
    posterior: Posterior | None
    """q(z|x) of those n molecules; None if there are none."""
    latent_dim: int
    """D."""

    @property
    def loc(self) -> Tensor:
        """The point that stands for each encodable molecule [n, D]: a Gaussian's mean."""
        return torch.empty(0, self.latent_dim) if self.posterior is None else self.posterior.point

    def draw(self, n_draws: int, seed: int, first: int | None = None) -> Tensor:
        """Draw z [n_draws, n, D] from the posteriors of the encodable among the ``first`` molecules."""
        some = self.among(first)
        if some is None:
            return torch.empty(n_draws, 0, self.latent_dim)
        return some.draw(n_draws, torch.Generator().manual_seed(seed))[0].detach()

    def among(self, first: int | None) -> Posterior | None:
        """Posterior of the encodable among the ``first`` molecules (all for None); None if there are none."""
        n = int((self.rows < (len(self.smiles) if first is None else first)).sum())
        return self.posterior[:n] if self.posterior is not None and n else None


def encode_molecules(model: MolVAE, smiles: Sequence[str], canonical: Canonical | None = None) -> Encoded:
    """Encode molecules; those that the vocabulary cannot write are left out of ``rows``."""
    smiles = list(smiles)
    reasons = model.encode_reasons(smiles)
    rows = np.array([i for i, reason in enumerate(reasons) if reason is None], dtype=int)
    posterior = model.posterior([smiles[i] for i in rows]) if len(rows) else None
    return Encoded(smiles, (canonical or Canonical())(smiles), reasons, rows, posterior, model.latent_dim)


def normal_draws(shape: Sequence[int], seed: int) -> Tensor:
    """Independent standard normal numbers, the same on every device."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def decode_molecules(
    model: MolVAE, z: Tensor, canonical: Canonical, n_samples: int = 1, temperature: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Decode z [N, D]; the model's table with one more column, ``molecule``: canonical SMILES, None where it is not valid."""
    table = model.decode(z, n_samples=n_samples, temperature=temperature, seed=seed)
    written = [s if ok else "" for s, ok in zip(table["smiles"], table["valid"], strict=True)]
    return table.assign(molecule=pd.Series(canonical(written), dtype=object))  # as text pandas would turn None into NaN


def reconstruction_greedy(model: MolVAE, encoded: Encoded, canonical: Canonical) -> tuple[float, pd.DataFrame]:
    """Share of molecules that return from their posterior mean by greedy decoding, and the decodes.

    Returns
    -------
    share : float
        Of all N molecules: one that could not be encoded is a failure. NaN for none.
    decodes : DataFrame
        One row per encodable molecule: ``row`` in ``encoded.smiles``, ``smiles`` as written, ``valid``, ``molecule``, ``same``.
    """
    table = decode_molecules(model, encoded.loc, canonical)
    table = table.assign(row=encoded.rows[table["row"].to_numpy(int)])
    targets = [encoded.targets[i] for i in table["row"]]
    table["same"] = [m is not None and m == t for m, t in zip(table["molecule"], targets, strict=True)]
    share = float(table["same"].sum() / len(encoded.smiles)) if encoded.smiles else float("nan")
    return share, table


def reconstruction_sampled(
    model: MolVAE,
    encoded: Encoded,
    canonical: Canonical,
    *,
    first: int = 1_000,
    n_draws: int = JT_DRAWS,
    n_decodes: int = JT_DECODES,
    seed: int = 0,
) -> float:
    """Share of sampled decodes that equal the molecule: ``n_draws`` draws of z, ``n_decodes`` decodes of each at temperature 1.

    The protocol of the junction-tree VAE's paper. Averaged over the ``first`` molecules; those without a posterior count 0.

    References
    ----------
    Jin, Barzilay & Jaakkola, Junction Tree Variational Autoencoder, 2018. https://arxiv.org/abs/1802.04364
    """
    first = min(first, len(encoded.smiles))
    if first == 0:
        return float("nan")
    z = encoded.draw(n_draws, seed, first)  # [K, n, D]
    if z.shape[1] == 0:
        return 0.0
    table = decode_molecules(model, z.flatten(0, 1), canonical, n_samples=n_decodes, temperature=1.0, seed=seed)
    owners = encoded.rows[table["row"].to_numpy(int) % z.shape[1]]
    hits = sum(m is not None and m == encoded.targets[i] for m, i in zip(table["molecule"], owners, strict=True))
    return hits / (first * n_draws * n_decodes)
