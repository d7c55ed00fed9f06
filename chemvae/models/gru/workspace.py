"""Large temporary arrays whose memory is used again.

A training step writes some 60 MB of gates and states. Given back to the system after every step, that memory comes back as
thousands of page faults, which cost 14 % of the step (experiment 02). Here it stays until the process ends, up to a bound.
"""

from __future__ import annotations

import math
import threading

import numpy as np
import torch
from torch import Tensor

ALIGNMENT = 64  # bytes: a cache line, and the widest vector register
SMALLEST = 1 << 18  # bytes; smaller arrays are left to torch
MOST_IDLE = 1 << 28  # bytes kept that nobody uses, or as much as was ever in use at once if that is more


class _Lent(np.ndarray):
    """Memory on loan: when the last tensor on it is gone, it goes back where it came from."""

    home: Workspace | None = None

    def __array_finalize__(self, parent: object) -> None:
        self.home = None  # a view of a view owes nothing

    def __del__(self) -> None:
        if self.home is not None:
            self.home.give_back(self)


class Workspace:
    """Lends memory for tensors and takes it back by itself; safe between threads.

    Examples
    --------
    >>> workspace = Workspace()
    >>> first = workspace.empty((512, 512), torch.float32)
    >>> address = first.data_ptr()
    >>> del first
    >>> workspace.empty((500, 512), torch.float32).data_ptr() == address
    True
    """

    def __init__(self, most_idle: int = MOST_IDLE):
        self.most_idle = most_idle
        self._idle: dict[int, list[np.ndarray]] = {}
        self._lent = self._most_lent = 0  # bytes
        self._lock = threading.RLock()  # a tensor may die while this thread is in here

    @property
    def idle_bytes(self) -> int:
        """Memory held for later."""
        return sum(size * len(blocks) for size, blocks in self._idle.items())

    def empty(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device | str = "cpu") -> Tensor:
        """An uninitialised tensor, as ``torch.empty``; small ones and those on other devices are torch's own."""
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes < SMALLEST or torch.device(device).type != "cpu":
            return torch.empty(shape, dtype=dtype, device=device)
        block = self._take(size_class(n_bytes))
        start = -block.ctypes.data % ALIGNMENT
        lent = block[start : start + n_bytes].view(_Lent)
        lent.home = self
        return torch.frombuffer(lent, dtype=dtype).view(shape)

    def _take(self, size: int) -> np.ndarray:
        with self._lock:
            fitting = [idle for idle, blocks in self._idle.items() if blocks and size <= idle <= 2 * size]
            found = self._idle[min(fitting)].pop() if fitting else None
            self._lent += size if found is None else len(found) - ALIGNMENT
            self._most_lent = max(self._most_lent, self._lent)
        return np.empty(size + ALIGNMENT, dtype=np.uint8) if found is None else found

    def give_back(self, lent: np.ndarray) -> None:
        """Keep a block for the next who asks for its size."""
        block = lent
        while isinstance(block.base, np.ndarray):
            block = block.base
        with self._lock:
            size = len(block) - ALIGNMENT
            self._lent -= size
            if self.idle_bytes + size <= max(self.most_idle, self._most_lent):
                self._idle.setdefault(size, []).append(block)


def size_class(n_bytes: int) -> int:
    """Round up to one of four sizes per power of two, so that batches of different length share memory.

    Examples
    --------
    >>> [size_class(n) for n in (1024, 1025, 1281, 2000)]
    [1024, 1280, 1536, 2048]
    """
    step = max(1, 1 << (n_bytes - 1).bit_length() - 3)
    return -(-n_bytes // step) * step


WORKSPACE = Workspace()
