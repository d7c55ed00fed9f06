"""A model small enough to know everything about: a grid of ether chains in latent space, with known optima."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from chemvae.chem.molecules import canonicalize, parse

SIDE = 13
SPACING = 0.5
REACH = 4.5


def chain(i: int, j: int) -> str:
    """The molecule of cell (i, j): i + 1 carbons, an oxygen, j + 1 carbons, an amine. All cells differ."""
    return canonicalize("C" * (i + 1) + "O" + "C" * (j + 1) + "N")


CELLS = {chain(i, j): (i, j) for i in range(SIDE) for j in range(SIDE)}


def carbons(smiles: str) -> float:
    """Carbons of a chain."""
    return float(sum(atom.GetSymbol() == "C" for atom in parse(smiles).GetAtoms()))


class Bowl:
    """-(distance to one cell) squared: 0 at the best molecule, and nowhere else. Counts what it is asked."""

    def __init__(self, i: int = 10, j: int = 3):
        self.best, self.asked = (i, j), []

    def __call__(self, smiles: str) -> float:
        self.asked.append(smiles)
        i, j = CELLS[smiles]
        return -float((i - self.best[0]) ** 2 + (j - self.best[1]) ** 2)


class ToyPrior(nn.Module):
    """N(0, I)."""

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("loc", torch.zeros(latent_dim))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        return torch.randn(n, len(self.loc), generator=generator)

    def log_prob(self, z: Tensor) -> Tensor:
        return Independent(Normal(self.loc, torch.ones_like(self.loc)), 1).log_prob(z)


class ToyStatistics(nn.Module):
    """What the real model knows of its training latents, for N(0, I)."""

    def __init__(self, latent_dim: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(latent_dim))
        self.register_buffer("std", torch.ones(latent_dim))
        self.register_buffer("references", torch.empty(0, latent_dim))

    def density_threshold(self, quantile: float = 0.01) -> float:
        return -30.0

    def norm_cap(self, quantile: float = 0.95) -> float:
        return 6.0


class ToyModel(nn.Module):
    """Latent dimensions 0 and 1 choose the cell, the others do nothing; beyond a radius of 4.5 nothing decodes.

    It predicts ``carbons``, exactly, and ``fooled``, which far outside the grid promises what no molecule has. With
    ``noisy`` each point decodes to a neighbouring cell at temperature > 0.
    """

    property_names = ["carbons", "fooled"]
    property_units = {"carbons": "1", "fooled": "1"}

    def __init__(self, latent_dim: int = 4):
        super().__init__()
        self.latent_dim = latent_dim
        self.weight = nn.Parameter(torch.ones(3))
        self.priors = nn.ModuleDict({"normal": ToyPrior(latent_dim), "learned": ToyPrior(latent_dim)})
        self.latent_statistics = ToyStatistics(latent_dim)
        self.known: set[str] = {chain(0, 0)}
        self.n_decoded = 0

    def label_ranges(self) -> list[tuple[float, float]]:
        return [(-float("inf"), float("inf"))] * len(self.property_names)

    def cell(self, z: Tensor) -> Tensor:
        """Real-valued cell [N, 2] of z [N, D]."""
        return z[:, :2] / SPACING + (SIDE - 1) / 2

    def decode(self, z, n_samples=1, temperature=0.0, seed=0, max_length=None, check=True) -> pd.DataFrame:
        z = torch.as_tensor(np.asarray(z), dtype=torch.float32).repeat_interleave(n_samples, dim=0)
        self.n_decoded += len(z)
        noise = torch.randn(len(z), 2, generator=torch.Generator().manual_seed(seed)) * temperature
        cells = (self.cell(z) + noise).round().long()
        inside = (z.norm(dim=1) <= REACH) & (cells >= 0).all(dim=1) & (cells < SIDE).all(dim=1)
        written = [chain(*cell) if ok else "C1CC" for cell, ok in zip(cells.tolist(), inside.tolist(), strict=True)]
        row, sample = np.divmod(np.arange(len(z)), n_samples)
        return pd.DataFrame(
            {
                "row": row,
                "sample": sample,
                "smiles": written,
                "valid" if check else "finished": inside.numpy(),
                "log_prob": -noise.norm(dim=1).numpy(),
            }
        )

    def encode(self, smiles: Sequence[str], batch_size: int = 512) -> np.ndarray:
        z = np.full((len(smiles), self.latent_dim), np.nan, dtype=np.float32)
        for row, text in enumerate(smiles):
            if text in CELLS:
                z[row] = 0.0
                z[row, :2] = (np.array(CELLS[text]) - (SIDE - 1) / 2) * SPACING
        return z

    def encode_reasons(self, smiles: Sequence[str]) -> list[str | None]:
        return [None if text in CELLS else f"'{text}' is not a chain" for text in smiles]

    def predict_latent(self, z: Tensor) -> tuple[Tensor, Tensor]:
        cells = self.cell(z)
        carbons = (cells.sum(dim=1) + 2.0) * self.weight[0]
        mean = torch.stack([carbons, carbons + z.norm(dim=1) ** 4], dim=1)
        return mean, torch.full_like(mean, 0.1) * self.weight[1]

    def predict(self, smiles_or_z) -> pd.DataFrame:
        is_latent = not isinstance(smiles_or_z, list)
        z = torch.as_tensor(np.asarray(smiles_or_z if is_latent else self.encode(smiles_or_z)), dtype=torch.float32)
        with torch.no_grad():
            mean, std = self.predict_latent(z)
        columns = {}
        for i, name in enumerate(self.property_names):
            columns[name], columns[f"{name}_std"] = mean[:, i].numpy().astype(float), std[:, i].numpy().astype(float)
        return pd.DataFrame(columns | {"distance": z.norm(dim=1).numpy().astype(float)})

    def is_known(self, smiles: Sequence[str]) -> np.ndarray:
        return np.array([text in self.known for text in smiles], dtype=bool)
