"""Arrays and texts as short strings, and back: little-endian, gzip, base64.

A page unpacks them with the browser's own ``DecompressionStream``; the functions here unpack them in Python.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

STEPS = 65_535
"""Coordinate steps per axis: an error of at most half a step, 1/131,070 of the range."""
MOST_DECIMALS = 4


def pack(array: np.ndarray | bytes) -> str:
    """Return bytes or a little-endian array as gzip in base64; equal input gives equal text.

    Examples
    --------
    >>> unpack(pack(np.array([1, 2, 3], dtype="<u2")), "<u2")
    array([1, 2, 3], dtype=uint16)
    """
    raw = array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes()
    return base64.b64encode(gzip.compress(raw, compresslevel=9, mtime=0)).decode("ascii")


def unpack(text: str, dtype: str | np.dtype) -> np.ndarray:
    """Undo ``pack`` for an array."""
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=dtype)


def pack_planes(array: np.ndarray) -> str:
    """Pack a little-endian array byte by byte: all first bytes, then all second ones, which compresses better.

    Examples
    --------
    >>> unpack_planes(pack_planes(np.array([1, 258], dtype="<u2")), "<u2")
    array([  1, 258], dtype=uint16)
    """
    return pack(np.ascontiguousarray(array).view(np.uint8).reshape(len(array), -1).T)


def unpack_planes(text: str, dtype: str | np.dtype) -> np.ndarray:
    """Undo ``pack_planes``."""
    planes = unpack(text, "u1").reshape(np.dtype(dtype).itemsize, -1)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(-1)


def pack_lines(lines: Sequence[Any]) -> str:
    """Pack strings as one text with a line each; missing ones are empty, line breaks inside become spaces."""
    flat = ["" if is_missing_cell(line) else " ".join(str(line).splitlines()) for line in lines]
    return pack("\n".join(flat).encode("utf-8", "replace"))


def unpack_lines(text: str) -> list[str]:
    """Undo ``pack_lines``.

    Examples
    --------
    >>> unpack_lines(pack_lines(["CCO", None, "a\\nb"]))
    ['CCO', '', 'a b']
    """
    return gzip.decompress(base64.b64decode(text)).decode("utf-8").split("\n")


def pack_axis(values: np.ndarray, low: float, high: float) -> dict[str, Any]:
    """Return coordinates [N] in ``STEPS`` steps between ``low`` and ``high``."""
    codes = np.rint((values - low) / ((high - low) or 1.0) * STEPS)
    return {"low": low, "high": high, "planes": True, "data": pack_planes(codes.astype("<u2"))}


def unpack_axis(axis: Mapping[str, Any]) -> np.ndarray:
    """Return the coordinates [N] of a packed axis, each within (high - low) / (2 STEPS) of the original."""
    return axis["low"] + _of(axis)(axis["data"], "<u2") / STEPS * (axis["high"] - axis["low"])


def pack_numbers(values: np.ndarray) -> dict[str, Any]:
    """Pack numbers [N], NaN or infinite where missing, into the smallest type that keeps them.

    Numbers with at most ``MOST_DECIMALS`` decimals become integers ``round(value * 10^decimals) - offset`` and come
    back exact; the rest become float32, 7 digits.

    Examples
    --------
    >>> spec = pack_numbers(np.array([0.25, np.nan, 1.5]))
    >>> spec["dtype"], spec["decimals"], unpack_numbers(spec)
    ('uint8', 2, array([0.25,  nan, 1.5 ]))
    """
    values = np.where(np.isfinite(values), values, np.nan).astype(np.float64)
    known = values[~np.isnan(values)]
    spec: dict[str, Any] = {"dtype": "float32", "decimals": None, "offset": 0, "planes": True}
    decimals = _decimals(known)
    if decimals is not None:
        steps = np.rint(values * 10**decimals)
        offset = float(np.nanmin(steps)) if len(known) else 0.0
        top = float(np.nanmax(steps)) - offset if len(known) else 0.0
        dtype = next((t for t in ("uint8", "uint16", "uint32") if top < np.iinfo(t).max), None)
        if dtype:
            codes = np.where(np.isnan(values), np.iinfo(dtype).max, steps - offset)
            return spec | {
                "dtype": dtype,
                "decimals": decimals,
                "offset": offset,
                "data": pack_planes(codes.astype(_little(dtype))),
            }
    if decimals == 0 or np.abs(known).max(initial=0.0) > np.finfo(np.float32).max:
        spec["dtype"] = "float64"
    return spec | {"data": pack_planes(values.astype(_little(spec["dtype"])))}


def unpack_numbers(spec: Mapping[str, Any]) -> np.ndarray:
    """Undo ``pack_numbers``: float64 [N] with NaN where missing."""
    codes = _of(spec)(spec["data"], _little(spec["dtype"]))
    if spec["decimals"] is None:
        return codes.astype(np.float64)
    values = (codes.astype(np.float64) + spec["offset"]) / 10 ** spec["decimals"]
    return np.where(codes == np.iinfo(spec["dtype"]).max, np.nan, values)


def _of(spec: Mapping[str, Any]) -> Callable[[str, str | np.dtype], np.ndarray]:
    """How an array was packed: pages of before hold it as it lies in memory."""
    return unpack_planes if spec.get("planes") else unpack


def _decimals(known: np.ndarray) -> int | None:
    """Fewest decimals that write every number exactly, or None."""
    for decimals in range(MOST_DECIMALS + 1):
        scaled = known * 10**decimals
        rounding = 1e-9 + 1e-15 * np.abs(scaled)
        if np.all(np.abs(scaled) < 2**53) and np.all(np.abs(scaled - np.rint(scaled)) <= rounding):
            return decimals
    return None


def _little(dtype: str) -> np.dtype:
    return np.dtype(dtype).newbyteorder("<")


def is_missing_cell(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
