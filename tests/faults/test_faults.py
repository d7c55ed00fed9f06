"""The faults that are quick to act out, one test each; `python -m tests.faults` acts out all of them."""

from pathlib import Path

import pytest

from tests.faults.fault import Fault
from tests.faults.groups import GROUPS

QUICK = [pytest.param(f, id=f"{group}: {f.name}") for group, faults in GROUPS.items() for f in faults if f.short]


@pytest.mark.parametrize("fault", QUICK)
def test_nothing_is_lost_and_nothing_goes_by_in_silence(fault: Fault, tmp_path: Path):
    assert fault.findings(tmp_path) == []
