"""What an optimizer has been told."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points
from chemvae.design.surrogates.training_set import training_rows

MOST_KEPT = 20_000  # encodings of molecules not told yet


class Archive:
    """Every distinct molecule told, with its code and utility, and the points that led nowhere.

    A molecule's code is the posterior mean of its own SMILES, where it can be encoded, so that the surrogate sees one point
    per molecule whichever point was decoded to it; without SMILES it is the point itself.

    Attributes
    ----------
    z, codes : Tensor [M, D]
        Decoded point and code of each molecule with a finite utility.
    y : Tensor [M]
        Utilities, float64.
    smiles : list of str, length M
        The molecules; "" for a point told without one.
    failed_codes : Tensor [G, D]
        Codes of the molecules among them: those the oracle failed on.
    """

    def __init__(self, region: LatentRegion):
        self.region = region
        empty = torch.empty(0, region.latent_dim)
        self.z, self.codes, self.failed_codes = (empty.clone() for _ in range(3))
        self.y = torch.empty(0, dtype=torch.float64)
        self.smiles: list[str] = []
        self._seen: set[str] = set()
        self._round: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.y)

    @property
    def best_utility(self) -> float:
        """Highest utility told, -inf if none."""
        return float(self.y.max()) if len(self) else float("-inf")

    def add(self, z: Tensor, y: Tensor, smiles: Sequence[str] | None = None) -> None:
        """Take points [N, D] with utilities [N]; a molecule told before changes nothing."""
        failed = y.isnan()
        new = [i for i in range(len(y)) if self._is_new(smiles[i] if smiles is not None else "")]
        rows = [i for i in new if not failed[i]]
        lost = [i for i in new if failed[i] and (smiles is None or smiles[i])]
        self.failed_codes = torch.cat([self.failed_codes, self._codes_of(z, smiles, lost)])
        self.codes = torch.cat([self.codes, self._codes_of(z, smiles, rows)])
        self.smiles += ["" if smiles is None else smiles[i] for i in rows]
        self.z, self.y = torch.cat([self.z, z[rows]]), torch.cat([self.y, y[rows]])

    def _codes_of(self, z: Tensor, smiles: Sequence[str] | None, rows: list[int]) -> Tensor:
        return self.code(z[rows], None if smiles is None else [smiles[i] for i in rows])

    def code(self, z: Tensor, smiles: Sequence[str] | None) -> Tensor:
        """Return the code of each molecule [N, D]: its encoding, or the point where that is not to be had."""
        if smiles is None:
            return z.clone()
        codes = self._encoded(smiles)
        return torch.where(codes.isnan().any(dim=1, keepdim=True), z, codes)

    def _encoded(self, smiles: Sequence[str]) -> Tensor:
        """Encodings [N, D]; those of the round are kept, because a molecule is judged before it is chosen and told."""
        missing = list(dict.fromkeys(text for text in smiles if text not in self._round))
        if len(self._round) > MOST_KEPT:
            self._round, missing = {}, list(dict.fromkeys(smiles))
        self._round |= dict(zip(missing, self.region.encode(missing), strict=True))
        return torch.stack([self._round[text] for text in smiles]) if len(smiles) else self.region.encode([])

    def top(self, k: int) -> Tensor:
        """Indices of the k best, best first."""
        return self.y.argsort(descending=True, stable=True)[:k]

    def points(self, rows: Tensor) -> Points:
        """The codes of some molecules, by rows [K], as parents."""
        return Points.of(self.codes[rows], [self.smiles[i] for i in rows.tolist()])

    def training_rows(self, cap: int, generator: torch.Generator) -> Tensor:
        """Choose at most ``cap`` molecules to fit on: half the best, a quarter the latest, the rest at random."""
        return training_rows(self.y, cap, generator)

    def _is_new(self, text: str) -> bool:
        if not text:
            return True
        new = text not in self._seen
        self._seen.add(text)
        return new
