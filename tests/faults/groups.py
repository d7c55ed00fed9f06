"""The groups of faults: one line each."""

from __future__ import annotations

from tests.faults import app, caches, full_disk, kills, libraries, run_folders, searches, tables, token_sets
from tests.faults.fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "kills": kills.FAULTS,
    "full disk": full_disk.FAULTS,
    "run folders": run_folders.FAULTS,
    "caches": caches.FAULTS,
    "searches": searches.FAULTS,
    "tables": tables.FAULTS,
    "token sets": token_sets.FAULTS,
    "libraries": libraries.FAULTS,
    "the app": app.FAULTS,
}
