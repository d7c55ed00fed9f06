"""From latent points to molecules that may be scored: decode, canonicalise, deduplicate, check constraints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
from torch import Tensor

from chemvae.chem.identity import identify
from chemvae.design.campaign.task import clean_molecule
from chemvae.design.filters.chain import FilterChain
from chemvae.design.optimizers.latent_region import LatentRegion

N_SAMPLES = 2
TEMPERATURE = 0.7
MOST_REMEMBERED = 100_000

NEW, KNOWN, DUPLICATE, INVALID, REFUSED = "new", "known", "duplicate", "invalid", "refused"


@dataclass(frozen=True)
class Candidate:
    """What one latent point was decoded to."""

    smiles: str
    """Canonical; as written by the decoder where it is invalid."""
    outcome: str
    """"new", "known" (scored before), "duplicate" (in this round), "invalid" or "refused" (by a constraint)."""
    reason: str = ""
    """The constraint, for "refused"."""


class CandidateDecoder:
    """Decodes points for a campaign, several times where the first attempt gives nothing new.

    Each point is first decoded greedily. Where that is invalid, refused or known already, it is decoded a few times more at
    temperature 0.7, and the most likely new molecule is taken. A molecule always belongs to the point it was decoded from.

    Parameters
    ----------
    region : LatentRegion
        Whose model decodes: the campaign's own copy once an optimizer has taken one to retrain it.
    gate : FilterChain
    is_scored : callable
        Canonical SMILES -> whether it was scored before.
    standardize : {"none", "salts", "neutral"}
        What is done to every molecule before it is looked at.
    """

    def __init__(self, region: LatentRegion, gate: FilterChain, is_scored: Callable[[str], bool], standardize: str = "none"):
        self.region, self.gate, self.is_scored = region, gate, is_scored
        self.n_points = self.n_greedy_valid = 0
        self.standardize = standardize
        self._canonical = lru_cache(MOST_REMEMBERED)(self._spell)  # the same texts come back, round after round

    def decode(self, z: Tensor, seed: int, seen: set[str] | None = None) -> list[Candidate]:
        """Decode points [N, D] to one candidate each; NEW ones are distinct, and none of ``seen``, which they join."""
        seen = set() if seen is None else seen
        table = self.region.model.decode(z, n_samples=1, temperature=0.0, seed=seed, check=False)
        found = self._judge(table.sort_values("row", kind="stable"))
        self.n_points += len(found)
        self.n_greedy_valid += sum(one.outcome != INVALID for one in found)
        chosen = [self._once(one, seen) for one in found]
        again = [i for i, one in enumerate(chosen) if one.outcome != NEW]
        if again:
            for i, one in zip(again, self._retry(z[again], seed, seen), strict=True):
                chosen[i] = one or chosen[i]
        return chosen

    def _retry(self, z: Tensor, seed: int, seen: set[str]) -> list[Candidate | None]:
        """Sample each point a few times; the most likely new molecule, or None."""
        table = self.region.model.decode(z, n_samples=N_SAMPLES, temperature=TEMPERATURE, seed=seed, check=False)
        table = table.sort_values(["row", "log_prob"], ascending=[True, False], kind="stable")
        best: list[Candidate | None] = [None] * len(z)
        for row, one in zip(table["row"], self._judge(table), strict=True):
            if best[row] is None and self._once(one, seen).outcome == NEW:
                best[row] = one
        return best

    def consider(self, smiles: Sequence[str], seen: set[str]) -> list[Candidate]:
        """Check molecules as they are: one candidate each; NEW ones are distinct, and none of ``seen``, which they join."""
        table = pd.DataFrame({"smiles": list(smiles), "finished": True})
        return [self._once(one, seen) for one in self._judge(table)]

    def _once(self, one: Candidate, seen: set[str]) -> Candidate:
        """Mark a molecule that another point of this round has given already."""
        if one.outcome == NEW and one.smiles in seen:
            return Candidate(one.smiles, DUPLICATE)
        if one.outcome == NEW:
            seen.add(one.smiles)
        return one

    def _spell(self, text: str) -> str | None:
        """The one spelling of a molecule, standardised."""
        found = identify(text)
        return None if found is None else clean_molecule(found, self.standardize)

    def _judge(self, table: pd.DataFrame) -> list[Candidate]:
        canonical = [self._canonical(text) if ok else None for text, ok in zip(table["smiles"], table["finished"], strict=True)]
        verdicts = dict(zip(valid := [text for text in canonical if text], self.gate.reasons(valid), strict=True))
        return [self._candidate(raw, text, verdicts) for raw, text in zip(table["smiles"], canonical, strict=True)]

    def _candidate(self, raw: str, text: str | None, verdicts: dict[str, str]) -> Candidate:
        if text is None:
            return Candidate(raw, INVALID)
        if verdicts[text]:
            return Candidate(text, REFUSED, verdicts[text])
        return Candidate(text, KNOWN if self.is_scored(text) else NEW)


class ProposalLog:
    """Counts what became of proposals, and keeps a row for each distinct molecule or string that was not scored."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._rows: dict[tuple[str, str], list[Any]] = {}

    def add(self, round_: int, smiles: str, outcome: str, reason: str) -> None:
        """Take one proposal that was turned away, or failed to be a molecule."""
        row = self._rows.setdefault((smiles, outcome), [round_, smiles, outcome, reason, 0])
        row[-1] += 1

    @property
    def table(self) -> pd.DataFrame:
        """``round`` of the first time, ``smiles``, ``outcome``, ``reason``, ``times``."""
        return pd.DataFrame(list(self._rows.values()), columns=["round", "smiles", "outcome", "reason", "times"])
