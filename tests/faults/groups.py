"""The groups of faults: one line each."""

from __future__ import annotations

from tests.faults import searches
from tests.faults.fault import Fault

GROUPS: dict[str, list[Fault]] = {
    "searches": searches.FAULTS,
}
