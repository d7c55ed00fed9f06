"""What a campaign was told: what each result counts as, and which words are taken for one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chemvae.data.files.numbers import read_number

VALUE, BOUND, FAILED = "value", "bound", "failed"
_FAILED_WORDS = re.compile(r"failed\b.*", re.IGNORECASE | re.DOTALL)
SHOWN = 40


def kind_of(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """What a row of results counts as: a number, one that is only known to lie on one side, or a failure.

    Examples
    --------
    >>> kind_of({"pIC50": "6.5"}, ["pIC50"]), kind_of({"pIC50": ">7"}, ["pIC50"]), kind_of({"pIC50": "insoluble"}, ["pIC50"])
    ('value', 'bound', 'failed')
    """
    cells = [read_number(row.get(name, "")) for name in names]
    if any(cell.value != cell.value and not cell.bound for cell in cells):
        return FAILED
    return BOUND if any(cell.bound for cell in cells) else VALUE


def slip_in(cells: Mapping[str, str]) -> str:
    """Why a word that was typed in is not taken: it may be a slip, unless it says that the measurement failed; "" if it is.

    Examples
    --------
    >>> slip_in({"pIC50": "abc"})[:18], slip_in({"pIC50": "failed: insoluble"}), slip_in({"pIC50": "6.5"})
    ("'abc' is no number", '', '')
    """
    for cell in cells.values():
        found = read_number(cell)
        if found.problem and not found.bound and not _FAILED_WORDS.fullmatch(cell):
            return f"{found.problem}; give one (6.5), a bound (>7), or failed with the reason (failed: insoluble)"
    return ""


def said_of(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Why a row counts as failed, for whoever filled it in."""
    words = next((str(row[name]) for name in names if row.get(name)), "") or str(row.get("comment") or "")
    which = row.get("id") or row["smiles"]
    if _FAILED_WORDS.fullmatch(words):
        return f"{which} counts as failed"
    told = f"'{words[:SHOWN]}' is no number" if words else "no value was given"
    return f"{told}, so {which} counts as failed; correct it if it was measured"
