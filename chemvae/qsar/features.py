"""What a model of a new property sees of molecules: their latent codes, counted fingerprints and cheap descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import folded_counts
from chemvae.chem.properties import compute_rows
from chemvae.errors import SettingsError
from chemvae.models.structure.heads import DESCRIPTORS

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

PARTS = ("z", "counts", "descriptors")


def check_parts(parts: Sequence[str]) -> None:
    """Raise SettingsError unless ``parts`` are some of :data:`PARTS`."""
    if not parts or any(part not in PARTS for part in parts):
        raise SettingsError(f"parts must be some of {', '.join(PARTS)}, got '{', '.join(parts)}'")


@dataclass(frozen=True)
class Features:
    """N molecules as numbers; float64 but for the counts."""

    z: Tensor
    """[N, D] posterior means; NaN where the vocabulary cannot write the molecule."""
    counts: Tensor
    """[N, 2048] float32, how often each folded Morgan environment of radius 2 occurs."""
    descriptors: Tensor
    """[N, 12] the properties :data:`DESCRIPTORS`; NaN where RDKit fails."""

    @classmethod
    def of(cls, model: MolVAE, smiles: Sequence[str]) -> Features:
        """Describe canonical SMILES; every one must be a molecule."""
        counts = folded_counts(smiles)
        descriptors = np.array(compute_rows(smiles, DESCRIPTORS), dtype=np.float64).reshape(len(smiles), len(DESCRIPTORS))
        z = model.encode(smiles, canonicalize=False).astype(np.float64)
        return cls(torch.from_numpy(z), torch.from_numpy(counts), torch.from_numpy(descriptors))

    def __len__(self) -> int:
        return len(self.z)

    def part(self, rows: Tensor) -> Features:
        """Some of the molecules (indices [n])."""
        return Features(self.z[rows], self.counts[rows], self.descriptors[rows])


@dataclass(frozen=True)
class Scaling:
    """Brings codes and descriptors to mean 0 and spread 1 over the molecules it was fitted on; gaps become the mean."""

    centre: tuple[Tensor, Tensor]
    spread: tuple[Tensor, Tensor]

    @classmethod
    def fit(cls, features: Features) -> Scaling:
        columns = features.z, features.descriptors
        centre = [x.nanmean(dim=0).nan_to_num(0.0) for x in columns]
        spread = [(x - c).square().nanmean(dim=0).sqrt().nan_to_num(0.0) for x, c in zip(columns, centre, strict=True)]
        z_spread, descriptor_spread = (torch.where(s > 1e-9, s, 1.0) for s in spread)
        return cls((centre[0], centre[1]), (z_spread, descriptor_spread))

    def __call__(self, features: Features) -> Features:
        z, descriptors = (
            ((x - c) / s).nan_to_num(0.0)
            for x, c, s in zip((features.z, features.descriptors), self.centre, self.spread, strict=True)
        )
        return Features(z, features.counts, descriptors)
