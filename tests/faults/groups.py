"""The groups of faults: one line each."""

from __future__ import annotations

from tests.faults import tables
from tests.faults.fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "tables": tables.FAULTS,
}
