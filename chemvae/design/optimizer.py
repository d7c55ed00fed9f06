"""The contract of an optimizer: ``ask(n) -> z``, ``tell(z, y)``; decoding, constraints and budget are the campaign's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from chemvae.design.region import LatentRegion
from chemvae.design.surrogate import PredictedUtility
from chemvae.design.tanimoto import training_rows

MOST_KEPT = 20_000  # encodings of molecules not told yet


@dataclass(frozen=True)
class Round:
    """What one round of answers came to."""

    n_points: int
    """Points told."""
    n_new: int
    """Distinct molecules among them that were not known before and have a utility."""
    n_failed: int
    """Points without a utility."""
    improved: bool
    """Whether the best utility rose."""


class Optimizer(ABC):
    """Proposes latent points and learns from their utilities, which are to be maximised.

    A new one writes ``ask``, and ``learn`` if it adapts. All randomness comes from ``self.generator``, so that the same seed
    and the same answers give the same proposals: an interrupted campaign is resumed by replaying it.

    Parameters
    ----------
    region : LatentRegion
    seed : int
    predicted : PredictedUtility, optional
        What the model's predictor says about points, if it knows the goals (or something related to them).

    Attributes
    ----------
    pool_factor : int
        Points wanted per molecule to be scored. The campaign decodes and checks them all, which is cheap, and lets ``select``
        choose among the molecules that passed.
    archive : Archive
        Everything told so far.
    """

    pool_factor: int = 1

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None):
        self.region, self.predicted = region, predicted
        self.generator = torch.Generator().manual_seed(seed)
        self.archive = Archive(region)
        self.starts = torch.empty(0, region.latent_dim)
        self.library: list[str] = []

    @abstractmethod
    def ask(self, n: int) -> Tensor:
        """Propose n points: [n, D]."""

    def tell(self, z: Tensor, y: Tensor, smiles: Sequence[str] | None = None) -> None:
        """Learn what became of points.

        Parameters
        ----------
        z : Tensor [N, D]
            As decoded.
        y : Tensor [N]
            Utility of the molecule each was decoded to; NaN where there was none: it did not decode, broke a constraint, or
            the oracle failed.
        smiles : sequence of str, length N, optional
            The molecules; "" where there was none.
        """
        z = torch.as_tensor(z, dtype=torch.float32).reshape(-1, self.region.latent_dim)
        y = torch.as_tensor(y, dtype=torch.float64).reshape(-1)
        best_before, n_before = self.archive.best_utility, len(self.archive)
        self.archive.add(z, y, smiles)
        improved = self.archive.best_utility > best_before
        self.learn(Round(len(z), len(self.archive) - n_before, int(y.isnan().sum()), improved))

    def note(self, smiles: Sequence[str], desirabilities: np.ndarray) -> None:  # noqa: B027  (most search for the utility alone)
        """Look at each goal's desirability [N, P], uncut, of molecules that are told next; NaN where the oracle failed."""

    def learn(self, last: Round) -> None:  # noqa: B027  (optional: many have nothing to adapt)
        """Adapt to one round of answers, which the archive already holds."""

    def generations(self, n: int) -> int:
        """Times a round for about n molecules asks for points before it chooses.

        After each the optimizer may ``review`` what came out, so that later points grow out of good molecules that nobody has
        paid for.
        """
        return 1

    def suggest(self, n: int) -> list[str]:
        """Name up to n molecules to consider as they are, beside the points asked for; by default none."""
        return []

    def review(self, z: Tensor, smiles: Sequence[str]) -> None:  # noqa: B027  (optional)
        """Look at the new molecules [M] that came out of the last points [M, D] and passed all checks."""

    def select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """Choose n of the M molecules that passed all checks: indices, best first. By default the first n."""
        return list(range(min(n, len(z))))

    def begin(self, starts: Tensor, library: Sequence[str] = ()) -> None:
        """Take the latents [S, D] of the molecules to start from (those that could be encoded), and others to choose from."""
        self.starts, self.library = starts.float(), list(library)


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

    def training_rows(self, cap: int, generator: torch.Generator) -> Tensor:
        """Choose at most ``cap`` molecules to fit on: half the best, a quarter the latest, the rest at random."""
        return training_rows(self.y, cap, generator)

    def _is_new(self, text: str) -> bool:
        if not text:
            return True
        new = text not in self._seen
        self._seen.add(text)
        return new
