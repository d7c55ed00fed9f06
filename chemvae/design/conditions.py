"""The conditions a campaign runs under: checked settings, its task in words, time limits, and a world left as it was."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.design.constraints import Restriction
from chemvae.design.goals import Objective
from chemvae.design.optimizer import Optimizer
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle
from chemvae.design.region import LatentRegion
from chemvae.design.surrogate import PredictedUtility
from chemvae.errors import InvalidMoleculeError, SettingsError
from chemvae.registry import build

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


def fingerprint(model: Any) -> str:
    """Return a short hash of a model's weights, to tell whether a record belongs to it."""
    digest = hashlib.sha1()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def text_hash(text: str) -> str:
    """Return a short hash of a text.

    Examples
    --------
    >>> text_hash("CCO")
    '89b394fd02e5e5e6'
    """
    return hashlib.sha1(text.encode()).hexdigest()[:16]


def describe_task(
    model: Any, oracle: Oracle, objective: Objective, restrictions: Sequence[Restriction], starts: Sequence[str]
) -> dict[str, Any]:
    """Say what is sought, and with which model, in JSON types: it must be the same for a record to be gone on with."""
    return {
        "oracle": oracle.describe(),
        "goals": [asdict(goal) for goal in objective.goals],
        "constraints": [item.label for item in restrictions],
        "start": list(starts) if len(starts) <= MANY_STARTS else text_hash("\n".join(starts)),
        "model": fingerprint(model),
    }


def known_goals(oracle: Oracle, objective: Objective) -> tuple[str, ...]:
    """Goals that mean the property of that name: all but those a plain function stands behind without saying so."""
    parts = oracle.oracles if isinstance(oracle, CombinedOracle) else [oracle]
    names = [name for part in parts for name in part.names]
    return tuple(goal for goal, name in zip(objective.names, names, strict=True) if goal != FunctionOracle.names[0])


def make_optimizer(method: Any, region: LatentRegion, seed: int, predicted: PredictedUtility) -> Optimizer:
    """Make an optimizer from its name in ``OPTIMIZERS``, a dict with name and settings, or a class.

    Raises
    ------
    UnknownNameError
        If there is none of this name.
    """
    from chemvae.design import OPTIMIZERS  # the table stands above this module, and imports it

    if isinstance(method, type):
        return method(region, seed=seed, predicted=predicted)
    return build(OPTIMIZERS, method, "method", region=region, seed=seed, predicted=predicted)


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


@contextmanager
def quiet_model(model: Any) -> Iterator[None]:
    """Put the model in eval mode for the block, and back."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@contextmanager
def own_random_state(seed: int, model: Any) -> Iterator[None]:
    """Seed the global generators for the block (an oracle may use them), and restore them after it."""
    device = model.latent_statistics.mean.device
    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
