"""What a page is told in plain words and types: what numpy and pandas hold as JSON, what a folder is called."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_STAMP = re.compile(r"-[0-9a-f]{6}$")  # of a library that the app made of a table


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


def library_word(folder: Path) -> str:
    """What a library is called to a person: one that the app made of a table loses the letters that tell it from others.

    Examples
    --------
    >>> library_word(Path("project/libraries/compounds-6903da")), library_word(Path("mine/lib-6903da"))
    ('compounds', 'lib-6903da')
    """
    return _STAMP.sub("", folder.name) if folder.parent.name == "libraries" else folder.name
