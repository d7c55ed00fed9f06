"""What keeps a search apart from the rest of the program: its own random streams, a model at rest, the threads as they were.

All of it holds for several searches in several threads too: what they share in the process is lent, and put back by the last.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from chemvae.seeding import global_streams_lock

Item = TypeVar("Item")
States = tuple[Any, ...]


class SeededStreams:
    """The global random streams of Python, numpy and torch (on one device too), seeded, for foreign code such as an oracle.

    A search draws from its own generators. What it calls may know the global streams only, so these are exchanged while that
    code runs: it goes on where it was the last time, and whatever the program draws outside stays as it was. In two threads at
    once such code draws from the same streams, and cannot be repeated.

    Parameters
    ----------
    seed : int
    device : torch.device, optional

    Examples
    --------
    >>> streams = SeededStreams(0)
    >>> draws = (random.random() for _ in range(2))
    >>> outside = random.getstate()
    >>> first = list(streams.iterate(draws))
    >>> outside == random.getstate(), list(SeededStreams(0).iterate(random.random() for _ in range(2))) == first
    (True, True)
    """

    _threads: dict[int, int] = {}  # that run foreign code -> how many of its searches do
    _outside: tuple[torch.device | None, States] | None = None

    def __init__(self, seed: int, device: torch.device | None = None):
        self.device = device if device is not None and device.type == "cuda" else None
        plain, legacy = random.Random(seed), np.random.RandomState(seed % 2**32)
        self._own: States = (plain.getstate(), legacy.get_state(), torch.Generator().manual_seed(seed).get_state())
        if self.device is not None:
            self._own += (torch.Generator(self.device).manual_seed(seed).get_state(),)

    def iterate(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items, each made while the streams are these."""
        iterator = iter(items)
        while True:
            with self.installed():
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the block draw from these streams."""
        me = threading.get_ident()
        with global_streams_lock():
            before = _states(self.device)
            if not self._threads:
                SeededStreams._outside = self.device, before
            self._threads[me] = self._threads.get(me, 0) + 1
            _install(self._own, self.device)
        try:
            yield
        finally:
            with global_streams_lock():
                self._own = _states(self.device)
                self._leave(me, before)

    def _leave(self, me: int, before: States) -> None:
        """Put back what was there: of this thread's outer search, or of the program when no search is left inside."""
        self._threads[me] -= 1
        if self._threads[me]:
            _install(before, self.device)
            return
        del self._threads[me]
        if not self._threads:
            assert self._outside is not None, "installed() put it there"
            device, outside = self._outside
            _install(outside, device)


def _states(device: torch.device | None) -> States:
    found = random.getstate(), np.random.get_state(), torch.get_rng_state()
    return found if device is None else (*found, torch.cuda.get_rng_state(device))


def _install(states: States, device: torch.device | None) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])
    torch.set_rng_state(states[2])
    if device is not None:
        torch.cuda.set_rng_state(states[3], device)


class _Lent:
    """What searches in several threads share and change: the first notes how it was, the last puts it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: dict[int, list[Any]] = {}  # key -> [searches that use it, how it was]

    def take(self, key: int, now: Any) -> Any:
        """Note a search more; return how it was before all."""
        with self._lock:
            entry = self._before.setdefault(key, [0, now])
            entry[0] += 1
            return entry[1]

    def give_back(self, key: int) -> tuple[bool, Any]:
        """Note a search less; tell whether it was the last, and how it was before all."""
        with self._lock:
            entry = self._before[key]
            entry[0] -= 1
            if entry[0]:
                return False, entry[1]
            return True, self._before.pop(key)[1]


_MODES, _THREADS = _Lent(), _Lent()


@contextmanager
def model_at_rest(model: nn.Module) -> Iterator[None]:
    """Put a model in eval mode for the block, and back after the last search that uses it."""
    _MODES.take(id(model), model.training)
    model.eval()
    try:
        yield
    finally:
        is_last, was_training = _MODES.give_back(id(model))
        if is_last:
            model.train(was_training)


@contextmanager
def steady_threads() -> Iterator[None]:
    """Begin with the CPU threads that torch had before any search, and leave it with as many.

    Parts of a search run on one thread, and the number is the whole process's: it holds for searches in other threads
    meanwhile, and rounding may depend on it. Searches side by side therefore repeat to the last bit where torch has one thread
    (``torch.set_num_threads(1)``), which is also when they get in each other's way least.
    """
    torch.set_num_threads(_THREADS.take(0, torch.get_num_threads()))
    try:
        yield
    finally:
        is_last, before = _THREADS.give_back(0)
        if is_last:
            torch.set_num_threads(before)
