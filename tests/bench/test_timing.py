"""The clocks: what is repeated, counted and waited for."""

import os
import time
from pathlib import Path

import pytest

from chemvae.bench.timing import Speed, busy_neighbours, cores, peak_memory_mib, repeat, spread


def test_repeat_runs_once_at_least_and_warms_up():
    calls = []
    times = repeat(lambda: calls.append(time.sleep(0.01)), seconds=0.0)
    assert len(times) == 1 and times[0] >= 0.01 and len(calls) == 2
    assert len(repeat(lambda: time.sleep(0.01), seconds=0.05, warm_up=False)) >= 2


def test_spread_and_speed():
    assert spread([1.0, 2.0, 4.0]) == 1.5
    slow = Speed(molecules=10, tokens=1000, seconds=1.0)  # ten long ones
    fast = Speed(molecules=25, tokens=1000, seconds=1.0)  # twenty-five short ones
    assert slow.molecules_per_s(50.0) == fast.molecules_per_s(50.0) == 20.0


def test_peak_memory_is_what_the_system_says():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no /proc here")
    kib = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert peak_memory_mib() == pytest.approx(kib / 1024, rel=0.05)


def test_busy_neighbours_leave():
    before = os.times().children_user
    with busy_neighbours(1):
        time.sleep(0.3)
    assert os.times().children_user > before  # it computed, and its end was waited for
    assert cores() >= 1
