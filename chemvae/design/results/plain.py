"""Tables and numbers as JSON knows them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, is_dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd


def plain(value: Any) -> Any:
    """Turn what a result holds into JSON types.

    Numbers that JSON has not (NaN, infinite) become None; a table becomes a list of rows, each a dict; a row of a table and a
    dataclass become a dict, an array a list; what is nothing of all this becomes its text.

    Examples
    --------
    >>> plain(pd.DataFrame({"smiles": ["C", "N"], "score": [1.0, np.nan], "z": [np.zeros(2), np.ones(2)]}))
    [{'smiles': 'C', 'score': 1.0, 'z': [0.0, 0.0]}, {'smiles': 'N', 'score': None, 'z': [1.0, 1.0]}]
    >>> plain({"n": np.int64(3), "seen": {"a"}, "share": float("inf")})
    {'n': 3, 'seen': ['a'], 'share': None}
    """
    if value is None or isinstance(value, (str, bool, np.bool_)) or value is pd.NA:
        return _plain_word(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, (Mapping, pd.Series)):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (Sequence, Set, np.ndarray)):
        return [plain(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return str(value)


def _plain_word(value: Any) -> str | bool | None:
    if value is None or value is pd.NA:
        return None
    return str(value) if isinstance(value, str) else bool(value)
