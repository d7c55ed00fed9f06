"""The groups of faults: one line each."""

from __future__ import annotations

from tests.faults import full_disk, kills
from tests.faults.fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "kills": kills.FAULTS,
    "full disk": full_disk.FAULTS,
}
