"""A model whose every answer is known: it memorises molecules at points of latent space and writes a given text near each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from chemvae.chem.molecules import parse
from chemvae.models.posteriors import Posterior, gaussian_posterior


class MemoryModel:
    """Molecule i lies at ``10 * e_i``; a point decodes to the text of the nearest molecule, or to ``far`` beyond ``reach``.

    ``texts`` maps a molecule to what its neighbourhood decodes to (itself by default), ``unfinished`` lists texts that lack
    the end token. At temperature > 0 every second decode (in order of rows and samples) is ``"C1CC"`` if ``noisy``.
    """

    property_names = ("heavy", "unlabelled")
    property_units = {"heavy": "atoms", "unlabelled": "1"}
    device = torch.device("cpu")

    def __init__(
        self,
        smiles: Sequence[str],
        texts: Mapping[str, str] | None = None,
        *,
        unfinished: Sequence[str] = (),
        known: Sequence[str] | None = (),
        scale: float = 0.1,
        reach: float = 5.0,
        far: str = "C1CC",
        noisy: bool = False,
    ):
        self.smiles, self.scale, self.reach, self.far, self.noisy = list(smiles), scale, reach, far, noisy
        self.texts = [dict(texts or {}).get(s, s) for s in self.smiles]
        self.unfinished, self.known = set(unfinished), known
        self.latent_dim = len(self.smiles)
        self.priors = {"normal": self, "learned": self}

    def encode_reasons(self, smiles: Sequence[str]) -> list[str | None]:
        return [None if s in self.smiles else "unknown symbol 'X' at position 0" for s in smiles]

    def posterior(self, smiles: Sequence[str]) -> Posterior:
        loc = 10.0 * torch.eye(self.latent_dim)[[self.smiles.index(s) for s in smiles]]
        return gaussian_posterior(loc, torch.full_like(loc, self.scale))

    def encode(self, smiles: Sequence[str]) -> np.ndarray:
        """Points of the molecules it knows; NaN for others, in whatever way they are written."""
        z = np.full((len(smiles), self.latent_dim), np.nan, dtype=np.float32)
        for row, one in enumerate(smiles):
            if one in self.smiles:
                z[row] = 10.0 * np.eye(self.latent_dim)[self.smiles.index(one)]
        return z

    def decode(self, z: Tensor, n_samples: int = 1, temperature: float = 0.0, seed: int = 0) -> pd.DataFrame:
        z = torch.as_tensor(z).repeat_interleave(n_samples, dim=0)
        distance, index = torch.cdist(z, 10.0 * torch.eye(self.latent_dim)).min(dim=1)
        written = [
            self.texts[i] if d <= self.reach else self.far for d, i in zip(distance.tolist(), index.tolist(), strict=True)
        ]
        if self.noisy and temperature > 0:
            written = [s if i % 2 else "C1CC" for i, s in enumerate(written)]
        row, sample = np.divmod(np.arange(len(z)), n_samples)
        valid = [parse(s) is not None and s not in self.unfinished for s in written]
        return pd.DataFrame({"row": row, "sample": sample, "smiles": written, "valid": valid, "log_prob": 0.0})

    def log_likelihood(self, z: Tensor, smiles: Sequence[str]) -> Tensor:
        return -torch.tensor([float(len(s)) for s in smiles])

    def predict_encoded(self, z: Tensor, smiles: Sequence[str]) -> pd.DataFrame:
        heavy = [float(parse(self.smiles[int(i)]).GetNumHeavyAtoms()) for i in torch.as_tensor(z).argmax(dim=1)]
        return pd.DataFrame({"heavy": heavy, "heavy_std": 1.0, "unlabelled": 0.0, "unlabelled_std": 1.0, "distance": 1.0})

    def is_known(self, smiles: Sequence[str]) -> np.ndarray | None:
        return None if self.known is None else np.isin(np.array(smiles, dtype=object), list(self.known))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """As a prior: the memorised points in turn."""
        return 10.0 * torch.eye(self.latent_dim)[torch.arange(n) % self.latent_dim]

    def distribution(self) -> Independent:
        """As a prior: N(0, I)."""
        return Independent(Normal(torch.zeros(self.latent_dim), torch.ones(self.latent_dim)), 1)

    def log_prob(self, z: Tensor) -> Tensor:
        """As a prior: N(0, I)."""
        return Normal(0.0, 1.0).log_prob(z).sum(dim=1)
