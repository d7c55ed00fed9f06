"""What a campaign seeks: oracle, goals, filters and start molecules, in words too, and what its oracle is given meanwhile."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chemvae.chem.identity import identify
from chemvae.chem.kind import ORGANIC, KindCheck
from chemvae.chem.molecules import invalid_reason, standardize
from chemvae.chem.property_table import PropertyTable
from chemvae.design.filters.base import Filter
from chemvae.design.goals import Utility
from chemvae.design.oracles import CombinedOracle, Oracle, PropertyOracle
from chemvae.errors import InvalidMoleculeError
from chemvae.models.storage import fingerprint

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

_AND_CHARGES = {"neutral": " and charges"}
FEW_STARTS = 3  # start molecules that are leads; of more than so many, a library, the best one that was scored is
MANY_STARTS = 20  # start molecules that are written out; more are told by their hash


def canonical_starts(start: Sequence[str] | str | None, mode: str = "none") -> list[str]:
    """Standardised, distinct start molecules; those that are none are left out with a warning unless none remains."""
    given = [] if start is None else [start] if isinstance(start, str) else list(start)
    canonical = [identify(text) for text in given]
    cleaned = [None if text is None else clean_molecule(text, mode) for text in canonical]
    changed = [(old, new) for old, new in zip(canonical, cleaned, strict=True) if old != new]
    if changed:
        example = f"{changed[0][0]} is taken as {changed[0][1]}"
        logger.info("%d start molecules are stripped of salts%s: %s.", len(changed), _AND_CHARGES.get(mode, ""), example)
    canonical = cleaned
    bad = [(i, text) for i, (text, good) in enumerate(zip(given, canonical, strict=True)) if good is None]
    if bad and len(bad) == len(given):
        raise InvalidMoleculeError(bad[0][1], invalid_reason(bad[0][1]) or "unreadable", None if len(given) == 1 else bad[0][0])
    for row, text in bad:
        logger.warning("Start molecule %d ('%s') is left out: %s", row, text, invalid_reason(text))
    return list(dict.fromkeys(text for text in canonical if text is not None))


def clean_molecule(canonical: str, mode: str) -> str:
    """A canonical molecule standardised, in its one spelling."""
    return canonical if mode == "none" else identify(standardize(canonical, mode) or canonical) or canonical


def warn_of_kind(model: MolVAE, starts: Sequence[str]) -> None:
    """Say which start molecules are not of the kind that the model has seen."""
    facts = getattr(model, "training_facts", None)
    check = KindCheck() if facts is None else KindCheck(ORGANIC | facts.elements, facts.max_tokens)
    check.look_at(starts)
    for sentence in check.sentences():
        logger.warning("Start: %s", sentence)


def text_hash(text: str) -> str:
    """Return a short hash of a text.

    Examples
    --------
    >>> text_hash("CCO")
    '89b394fd02e5e5e6'
    """
    return hashlib.sha1(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Task:
    """What is sought, in terms that a campaign works with."""

    oracle: Oracle
    """What scores; its ``names`` are those of the goals, in order."""
    utility: Utility
    """The goals as one number."""
    filters: Sequence[Filter]
    """What a molecule must fulfil to be scored."""
    starts: Sequence[str]
    """Molecules to start from, canonical and distinct."""

    def describe(self, model: MolVAE) -> dict[str, Any]:
        """Say what is sought, and with which model, in JSON types: it must be the same for a record to be gone on with."""
        few = len(self.starts) <= MANY_STARTS
        return {
            "oracle": self.oracle.describe(),
            "goals": [asdict(goal) for goal in self.utility.goals],
            "constraints": [item.label for item in self.filters],
            "start": list(self.starts) if few else text_hash("\n".join(self.starts)),
            "model": fingerprint(model),
        }

    def property_columns(self) -> list[tuple[int, str]]:
        """Which of the oracle's values are a property as ``PROPERTIES`` computes it: place among the values, and its name."""
        parts = self.oracle.oracles if isinstance(self.oracle, CombinedOracle) else [self.oracle]
        found, place = [], 0
        for part in parts:
            if type(part) is PropertyOracle:  # a subclass may score something else
                found += [(place + i, name) for i, name in enumerate(part.properties)]
            place += len(part.names)
        return found


@contextmanager
def lent(oracle: Oracle, computed: PropertyTable) -> Iterator[None]:
    """Lend the oracles that compute properties what is known of molecules."""
    parts = [part for part in leaves(oracle) if isinstance(part, PropertyOracle)]
    before = [part.computed for part in parts]
    try:
        for part in parts:
            part.computed = computed
        yield
    finally:
        for part, table in zip(parts, before, strict=True):
            part.computed = table


def leaves(oracle: Oracle) -> list[Oracle]:
    """The oracles that an oracle is made of in the end, itself if it is made of none."""
    parts = getattr(oracle, "oracles", None)
    return [oracle] if parts is None else [leaf for part in parts for leaf in leaves(part)]


@contextmanager
def time_limits(oracle: Oracle, timeout_s: float | None) -> Iterator[None]:
    """Set the time limit for this campaign, and end its workers after it."""
    parts = oracle.oracles if isinstance(oracle, CombinedOracle) else [oracle]
    before = [part.timeout_s for part in parts]
    try:
        for part in parts:
            part.timeout_s = timeout_s if timeout_s is not None else part.timeout_s
        yield
    finally:
        oracle.close()
        for part, value in zip(parts, before, strict=True):
            part.timeout_s = value
