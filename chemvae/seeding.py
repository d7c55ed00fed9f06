"""Every way to seed, fork and restore a random state."""

from __future__ import annotations

import threading

import torch


class forked_rng:
    """Let ``generator`` drive a block of code that only knows torch's global random state, and leave that state as it was.

    A generator of None changes nothing: the block draws from the global stream. That stream is one for all threads, so with a
    generator only one thread at a time is inside such a block.
    """

    _alone = threading.RLock()

    def __init__(self, generator: torch.Generator | None):
        self.generator = generator
        on_cuda = generator is not None and generator.device.type == "cuda"
        self._source = torch.cuda if on_cuda else torch.random

    def __enter__(self) -> None:
        if self.generator is not None:
            self._alone.acquire()
            self._before = self._source.get_rng_state()
            self._source.set_rng_state(self.generator.get_state())

    def __exit__(self, *_: object) -> None:
        if self.generator is not None:
            try:
                self.generator.set_state(self._source.get_rng_state())
                self._source.set_rng_state(self._before)
            finally:
                self._alone.release()


def draw_seed(generator: torch.Generator | None = None) -> int:
    """A seed for :func:`decode_tokens` from a generator, or from torch's global stream."""
    device = "cpu" if generator is None else generator.device
    return int(torch.randint(2**62, (1,), generator=generator, device=device))


def global_streams_lock() -> threading.RLock:
    """The lock of :class:`forked_rng`: who exchanges a global random state for a moment holds it meanwhile."""
    return forked_rng._alone
