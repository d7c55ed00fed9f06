"""Answers as JSON: what numpy and pandas hold becomes plain, and what is no number becomes null."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def as_json(value: Any) -> Any:
    """A value of JSON's types alone; NaN and infinity are null.

    Examples
    --------
    >>> as_json({"a": (1, float("nan")), 2: None})
    {'a': [1, None], '2': None}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(one) for one in value]
    return as_json(value.tolist()) if hasattr(value, "tolist") else str(value)


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as objects of JSON, its points left out."""
    shown = table.drop(columns=[name for name in ("z",) if name in table])
    return [as_json(row) for row in shown.astype(object).where(shown.notna(), None).to_dict("records")]
