"""Every way to seed, fork and restore a random state.

A function that takes a ``generator`` needs none of this. What only knows a global stream is wrapped: in :class:`forked_rng`
to draw from a generator instead, in :func:`seeded` to start from a seed, in :func:`seeded_everywhere` where foreign code
draws from the streams of Python and numpy too (what a search calls has streams of its own,
:mod:`chemvae.design.campaign.isolation`). Each leaves the streams outside as they were, whatever happens inside.
"""

from __future__ import annotations

import operator
import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
import torch

from chemvae.errors import SettingsError

LARGEST_SEED = 2**62
LARGEST_SHORT_SEED = 2**31 - 1
"""For what takes a 32-bit seed."""


def as_seed(seed: Any) -> int:
    """A seed as a plain int, whatever whole number it is: of Python, numpy or torch; None draws one, another each time.

    Raises
    ------
    SettingsError
        For what is no whole number, or a larger one than 2**62.

    Examples
    --------
    >>> as_seed(np.int64(3)), as_seed(torch.tensor(4)), 0 <= as_seed(None) <= LARGEST_SHORT_SEED
    (3, 4, True)
    >>> as_seed(0.5)
    Traceback (most recent call last):
    ...
    chemvae.errors.SettingsError: seed must be a whole number or None, got 0.5
    """
    if seed is None:
        return secrets.randbelow(LARGEST_SHORT_SEED)
    try:
        whole = operator.index(seed)
    except TypeError:
        raise SettingsError(f"seed must be a whole number or None, got {seed!r}") from None
    if abs(whole) > LARGEST_SEED:
        raise SettingsError(f"seed must lie between -2**62 and 2**62, got a number of {whole.bit_length()} bits")
    return whole


def as_count(n: Any, name: str) -> int:
    """A number of things, at least one, as a plain int, whatever whole number it is; SettingsError for another.

    Examples
    --------
    >>> as_count(np.int64(3), "n"), as_count(1e1, "n")
    (3, 10)
    >>> as_count(0, "n")
    Traceback (most recent call last):
    ...
    chemvae.errors.SettingsError: n must be >= 1, got 0
    """
    if isinstance(n, float) and n.is_integer():
        n = int(n)
    try:
        whole = operator.index(n)
    except TypeError:
        raise SettingsError(f"{name} must be a whole number, got {n!r}") from None
    if whole < 1:
        raise SettingsError(f"{name} must be >= 1, got {whole}")
    return whole


class forked_rng:
    """Let ``generator`` drive a block of code that only knows torch's global random state, and leave that state as it was.

    The state is that of the generator's device. A generator of None changes nothing: the block draws from the global stream.
    That stream is one for all threads, so with a generator only one thread at a time is inside such a block; blocks of one
    thread may lie within each other.

    Examples
    --------
    >>> generator, twin = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    >>> with forked_rng(generator):
    ...     drawn = torch.rand(3)
    >>> torch.equal(drawn, torch.rand(3, generator=twin))
    True
    """

    _alone = threading.RLock()

    def __init__(self, generator: torch.Generator | None):
        self.generator = generator
        kind = "cpu" if generator is None else generator.device.type
        self._source = {"cuda": torch.cuda, "mps": torch.mps}.get(kind, torch.random)
        self._where = [generator.device] if generator is not None and kind == "cuda" else []

    def __enter__(self) -> None:
        if self.generator is not None:
            self._alone.acquire()
            self._before = self._source.get_rng_state(*self._where)
            self._source.set_rng_state(self.generator.get_state(), *self._where)

    def __exit__(self, *_: object) -> None:
        if self.generator is not None:
            try:
                self.generator.set_state(self._source.get_rng_state(*self._where))
                self._source.set_rng_state(self._before, *self._where)
            finally:
                self._alone.release()


def seeded(seed: int, device: torch.device | str = "cpu") -> AbstractContextManager[None]:
    """Seed torch's global stream of a device for the block, and put it back after it; one thread at a time, as forked_rng.

    For short blocks, such as making a network: a thread that they wait for must not enter such a block itself.

    Examples
    --------
    >>> with seeded(0):
    ...     first = torch.rand(3)
    >>> torch.equal(first, torch.rand(3, generator=torch.Generator().manual_seed(0)))
    True
    """
    return forked_rng(torch.Generator(device).manual_seed(as_seed(seed)))


@contextmanager
def seeded_everywhere(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Seed the global streams of Python, numpy and torch (on a device too) for the block, and put them back after it.

    Other threads are not kept out: they draw from the same streams.
    """
    device, states = torch.device(device), (random.getstate(), np.random.get_state())
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


def draw_seed(generator: torch.Generator | None = None, high: int = LARGEST_SEED) -> int:
    """Draw a seed in [0, high) for what takes a number, from a generator or from torch's global stream.

    Examples
    --------
    >>> draw_seed(torch.Generator().manual_seed(0), high=10)
    4
    """
    device = "cpu" if generator is None else generator.device
    return int(torch.randint(high, (1,), generator=generator, device=device))


def global_streams_lock() -> threading.RLock:
    """The lock of :class:`forked_rng`: who exchanges a global random state for a moment holds it meanwhile."""
    return forked_rng._alone
