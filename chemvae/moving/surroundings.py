"""What lies around a molecule in latent space: new molecules at rising radius, beside the known ones of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
import torch

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.errors import SettingsError
from chemvae.models.vae import MolVAE
from chemvae.moving.steps import spread_of
from chemvae.registry import wrong_kinds
from chemvae.sampling.amounts import check_amount
from chemvae.sampling.inversion import own_point
from chemvae.sampling.pipeline import decode_canonical, open_readers

RADII = (0.1, 0.2, 0.3, 0.5, 0.8)


@dataclass(frozen=True)
class AroundSettings:
    """Where new neighbours are looked for."""

    radii: tuple[float, ...] = RADII
    """Standard deviations of the noise in every dimension, in units of the training codes' spread there."""
    n_decodes: int = 100
    """Points decoded at every radius."""
    temperature: float = 0.0
    """Of the decodes; 0 is greedy."""
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "radii", (self.radii,) if isinstance(self.radii, Real) else tuple(self.radii))
        wrong = wrong_kinds(self, free=["radii"])
        wrong += [f"a radius must be a number, got {one!r:.60}" for one in self.radii if not isinstance(one, Real)]
        if wrong:
            raise SettingsError(wrong)
        complaints = [] if self.n_decodes >= 1 else [f"n_decodes must be >= 1, got {self.n_decodes}"]
        if not self.radii or not all(0 < radius < np.inf for radius in self.radii):
            complaints.append(f"radii must be numbers above 0, got {', '.join(map(str, self.radii)) or 'none'}")
        if not self.temperature >= 0:
            complaints.append(f"temperature must be >= 0, got {self.temperature}")
        if complaints:
            raise SettingsError(complaints)


def around(model: MolVAE, smiles: str, settings: AroundSettings | None = None) -> pd.DataFrame:
    """Decode points around a molecule at rising radius.

    A molecule stands at the smallest radius at which it turned up. The molecule itself is not among them.

    Parameters
    ----------
    model : MolVAE
    smiles : str
    settings : AroundSettings, optional

    Returns
    -------
    DataFrame
        ``radius``, ``smiles`` (canonical), ``count`` (decodes of it at that radius), ``similarity`` (Tanimoto, ECFP4), and
        ``novel`` (not in the training set) where the model has its training index; within a radius the most similar first.
        ``attrs["decodes"]`` says of every radius how many decodes there were, how many were molecules, and how many of these
        the molecule itself.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        If the model cannot read the molecule.
    """
    settings = settings or AroundSettings()
    radii = sorted(dict.fromkeys(settings.radii))
    check_amount(settings.n_decodes * len(radii), model.latent_dim, "decodes times radii")
    centre = torch.from_numpy(own_point(model, smiles))
    own, decodes = canonicalize(smiles), []
    seen: dict[str, tuple[float, int]] = {}
    for number, radius in enumerate(radii):
        found, valid = _decode_at(model, centre, radius, settings, settings.seed + number)
        counts = found.value_counts()
        decodes.append({"radius": radius, "decodes": len(valid), "valid": int(valid.sum()), "same": int(counts.get(own, 0))})
        for text, count in counts.items():
            if text != own:
                seen.setdefault(str(text), (radius, int(count)))
    table = _as_table(seen, smiles)
    known = model.is_known(table["smiles"].tolist())
    if known is not None:
        table["novel"] = ~known
    table.attrs["decodes"] = decodes
    return table


def _decode_at(
    model: MolVAE, centre: torch.Tensor, radius: float, settings: AroundSettings, seed: int
) -> tuple[pd.Series, np.ndarray]:
    """Canonical SMILES of what was decoded at one radius, and which decodes were molecules."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(settings.n_decodes, model.latent_dim, generator=generator) * spread_of(model)
    moved = model.latent_space.move(centre.expand_as(noise), radius * noise)
    with open_readers(settings.n_decodes) as readers:
        decoded = decode_canonical(model, moved.to(model.device), readers, settings.temperature, seed)
    valid = decoded["valid"].to_numpy(dtype=bool)
    return decoded["smiles"][valid], valid


def _as_table(seen: dict[str, tuple[float, int]], smiles: str) -> pd.DataFrame:
    """Molecules with the radius and count of each, in order."""
    texts = list(seen)
    table = pd.DataFrame({"radius": [seen[one][0] for one in texts], "smiles": texts, "count": [seen[one][1] for one in texts]})
    table["similarity"] = _similarities(texts, smiles)
    order = ["radius", "similarity", "smiles"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)


def _similarities(smiles: Sequence[str], to: str) -> np.ndarray:
    return tanimoto(morgan(list(smiles)), morgan([to]))[:, 0] if len(smiles) else np.zeros(0)
