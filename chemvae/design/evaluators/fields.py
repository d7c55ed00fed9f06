"""What a line of a record may hold: each value is checked when it is read, since a wrong one would be believed for ever."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chemvae.design.origin import UNKNOWN, Origin


class Fields:
    """The fields of one line; a ValueError says which is wrong and how.

    Parameters
    ----------
    row : mapping

    Examples
    --------
    >>> Fields({"call": 3}).whole("call")
    3
    >>> Fields({"call": True}).whole("call")
    Traceback (most recent call last):
    ValueError: its call is True, and no whole number
    """

    def __init__(self, row: Any):
        if not isinstance(row, Mapping):
            raise ValueError(f"'{str(row)[:40]}' stands where fields with names should")
        self.row = row

    def get(self, name: str) -> Any:
        """A field that must be there."""
        if name not in self.row:
            raise ValueError(f"its {name} is missing")
        return self.row[name]

    def text(self, name: str, *, may_be_empty: bool = False) -> str:
        """A text."""
        value = self.get(name)
        if not isinstance(value, str) or not (value or may_be_empty):
            raise self._wrong(name, value, "text")
        return value

    def whole(self, name: str, low: int = 0, high: int = 2**53) -> int:
        """A whole number within bounds."""
        value = self.get(name)
        if not _is_whole(value) or not low <= value <= high:
            raise self._wrong(name, value, "whole number" + (f" from {low}" if _is_whole(value) else ""))
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.get(name)
        if not _is_number(value):
            raise self._wrong(name, value, "number")
        return float(value)

    def numbers(self, name: str, length: int | None = None) -> list[float]:
        """Numbers, NaN for null, as many as there should be."""
        value = self.get(name)
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self._wrong(name, value, "list of numbers")
        bad = [one for one in value if one is not None and not _is_number(one)]
        if bad:
            raise self._wrong(name, bad[0], "number")
        if length is not None and len(value) != length:
            raise ValueError(f"it has {len(value)} numbers under {name}, and {length} are due")
        return [math.nan if one is None else float(one) for one in value]

    def bounds(self, name: str, length: int) -> tuple[str, ...]:
        """What a record says of each of its values: "<", ">" or "" for an exact one; nothing where it says nothing."""
        value = self.row.get(name, [])
        if not isinstance(value, list) or any(one not in ("", "<", ">") for one in value) or len(value) not in (0, length):
            raise self._wrong(name, value, "list of bounds")
        return tuple(value)

    def point(self, name: str, length: int | None = None) -> np.ndarray:
        """A point [D], float32."""
        return np.array(self.numbers(name, length), dtype=np.float32)

    def origin(self) -> Origin:
        """What proposed a molecule and what it was made from; unknown where an older record does not say."""
        if "stream" not in self.row:
            return UNKNOWN
        parents = self.row.get("parent", [])
        if not isinstance(parents, list) or not all(isinstance(one, str) and one for one in parents):
            raise self._wrong("parent", parents, "list of molecules")
        return Origin(self.text("stream"), tuple(parents))

    def rows(self, name: str) -> list[Fields]:
        """A list of lines within the line."""
        value = self.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, value, "list")
        return [Fields(one) for one in value]

    @staticmethod
    def _wrong(name: str, value: Any, kind: str) -> ValueError:
        return ValueError(f"its {name} is {str(value)[:40]}, and no {kind}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308
