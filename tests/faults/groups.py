"""The groups of faults: one line each."""

from __future__ import annotations

from tests.faults import caches, run_folders
from tests.faults.fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "run folders": run_folders.FAULTS,
    "caches": caches.FAULTS,
}
