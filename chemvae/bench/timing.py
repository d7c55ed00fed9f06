"""Clocks: repeat a piece of work for so many seconds, wait for the device, and say how far repetitions scatter."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

MIB = 2**20


def wait_for(device: torch.device) -> None:
    """Let a GPU finish what it was given, so that the clock sees it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def repeat(
    work: Callable[[], object], seconds: float, device: torch.device | None = None, *, warm_up: bool = True
) -> list[float]:
    """Return the seconds each repetition of ``work`` took: as many as fit into ``seconds``, at least one.

    Parameters
    ----------
    work : callable
    seconds : float
        Budget of the repetitions that count.
    device : torch.device or None
        Waited for after each repetition.
    warm_up : bool
        Run it once before the clock starts.
    """
    device = device or torch.device("cpu")
    if warm_up:
        work()
        wait_for(device)
    times: list[float] = []
    started = time.perf_counter()
    while not times or time.perf_counter() - started < seconds:
        before = time.perf_counter()
        work()
        wait_for(device)
        times.append(time.perf_counter() - before)
    return times


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def busy_neighbours(n: int) -> Iterator[None]:
    """Let ``n`` other processes compute without end inside the block."""
    spinners = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(max(0, n))]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def spread(values: Sequence[float]) -> float:
    """Largest minus smallest, as a share of the median; 0 for a single value.

    Examples
    --------
    >>> spread([9.0, 10.0, 12.0]), spread([7.0])
    (0.3, 0.0)
    """
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


@dataclass(frozen=True)
class Speed:
    """What a measurement got through."""

    molecules: int
    tokens: int
    """Of these molecules, without start, end and padding."""
    seconds: float

    def molecules_per_s(self, mean_tokens: float) -> float:
        """Molecules of average length per second: a short measurement that happened to see long ones is not punished.

        Examples
        --------
        >>> Speed(molecules=10, tokens=600, seconds=2.0).molecules_per_s(mean_tokens=50.0)
        6.0
        """
        return self.tokens / self.seconds / mean_tokens


def peak_memory_mib() -> float | None:
    """Largest resident memory this process ever had, in MiB; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / MIB if sys.platform == "darwin" else largest / 1024  # bytes there, KiB elsewhere
