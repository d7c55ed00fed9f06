"""The conditions a campaign runs under: checked settings, its task in words, time limits, and a world left as it was."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from numbers import Integral, Real
from typing import Any

from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.design.filters.base import Filter
from chemvae.design.goals import Utility
from chemvae.design.oracles import Oracle
from chemvae.errors import InvalidMoleculeError, SettingsError
from chemvae.models.storage import fingerprint

logger = logging.getLogger(__name__)

LARGEST_SEED = 2**32 - 1
MANY_STARTS = 20  # start molecules that are written out; more are told by their hash


def check_settings(
    budget: int, seed: int, batch_size: int | None, patience: int, timeout_s: float | None, time_limit_s: float | None
) -> None:
    """Collect all complaints about a campaign's numbers, then raise SettingsError once."""
    counts = {"budget": budget, "patience": patience} | ({} if batch_size is None else {"batch_size": batch_size})
    complaints = [
        f"{name} must be a whole number >= 1, got {value!r}"
        for name, value in counts.items()
        if not isinstance(value, Integral) or value < 1
    ]
    if not isinstance(seed, Integral) or not 0 <= seed <= LARGEST_SEED:
        complaints.append(f"seed must be a whole number from 0 to {LARGEST_SEED}, got {seed!r}")
    limits = {"timeout_s": timeout_s, "time_limit_s": time_limit_s}
    complaints += [
        f"{name} must be a number > 0, got {value!r}"
        for name, value in limits.items()
        if value is not None and not (isinstance(value, Real) and value > 0)
    ]
    if complaints:
        raise SettingsError(complaints)


def canonical_starts(start: Sequence[str] | str | None) -> list[str]:
    """Canonical, distinct start molecules; those that are none are left out with a warning unless none remains."""
    given = [] if start is None else [start] if isinstance(start, str) else list(start)
    canonical = [canonicalize(text) for text in given]
    bad = [(i, text) for i, (text, good) in enumerate(zip(given, canonical, strict=True)) if good is None]
    if bad and len(bad) == len(given):
        raise InvalidMoleculeError(bad[0][1], invalid_reason(bad[0][1]) or "unreadable", None if len(given) == 1 else bad[0][0])
    for row, text in bad:
        logger.warning("Start molecule %d ('%s') is left out: %s", row, text, invalid_reason(text))
    return list(dict.fromkeys(text for text in canonical if text is not None))


def text_hash(text: str) -> str:
    """Return a short hash of a text.

    Examples
    --------
    >>> text_hash("CCO")
    '89b394fd02e5e5e6'
    """
    return hashlib.sha1(text.encode()).hexdigest()[:16]


def describe_task(
    model: Any, oracle: Oracle, utility: Utility, filters: Sequence[Filter], starts: Sequence[str]
) -> dict[str, Any]:
    """Say what is sought, and with which model, in JSON types: it must be the same for a record to be gone on with."""
    return {
        "oracle": oracle.describe(),
        "goals": [asdict(goal) for goal in utility.goals],
        "constraints": [item.label for item in filters],
        "start": list(starts) if len(starts) <= MANY_STARTS else text_hash("\n".join(starts)),
        "model": fingerprint(model),
    }
