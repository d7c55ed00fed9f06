"""What a map page carries: coordinates in 16 bits, columns in the smallest exact type, SMILES as one compressed text.

Every array is little-endian, gzip, base64. The page unpacks it with the browser's own ``DecompressionStream``; the
functions here unpack it in Python.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from chemvae.errors import InputError, NothingUsableError
from chemvae.maps.colour import can_be_categories, wants_logarithm
from chemvae.registry import find, make_spec

PAYLOAD_VERSION = 1
STEPS = 65_535
"""Coordinate steps per axis: an error of at most half a step, 1/131,070 of the range."""
MOST_DECIMALS = 4
FEW = 200


@dataclass(frozen=True)
class Trajectory:
    """A path over the map: the best molecule of an optimization as it went, or an interpolation.

    Attributes
    ----------
    xy : array-like [T, 2]
        Map coordinates in order; rows with NaN are skipped.
    name : str
        Shown in the legend.
    smiles : sequence of str
        One per point (drawn on hover), or empty.
    labels : sequence of str
        One line per point, as ``"call 12: 0.93"``, or empty.
    """

    xy: Any
    name: str = "trajectory"
    smiles: Sequence[str] = ()
    labels: Sequence[str] = ()


THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class MapOptions:
    """What a map shows beside its points; page, component and picture share it."""

    units: Mapping[str, str] | None = None
    """Column name to unit; ``"1"`` shows as none."""
    color: str | None = None
    """Column that colours the map at first; by default the first with numbers."""
    trajectories: Sequence[Trajectory | Any] | None = None
    """Paths drawn over the points: :class:`Trajectory`, or map coordinates [T, 2]."""
    axis_labels: tuple[str, str] | None = None
    """Names of the axes, where they mean something."""
    note: str = ""
    """A line under the heading of a page: how the map was made and how far it can be trusted."""
    theme: str = "auto"
    """Of a page: ``auto`` follows the reader's system; ``light``, ``dark``."""

    def complaints(self) -> list[str]:
        """What is wrong with these options."""
        return [] if self.theme in THEMES else [f"theme must be one of {', '.join(THEMES)}, got '{self.theme}'"]


def pack(array: np.ndarray | bytes) -> str:
    """Return bytes or a little-endian array as gzip in base64; equal input gives equal text.

    Examples
    --------
    >>> unpack(pack(np.array([1, 2, 3], dtype="<u2")), "<u2")
    array([1, 2, 3], dtype=uint16)
    """
    raw = array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes()
    return base64.b64encode(gzip.compress(raw, compresslevel=6, mtime=0)).decode("ascii")


def unpack(text: str, dtype: str | np.dtype) -> np.ndarray:
    """Undo ``pack`` for an array."""
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), dtype=dtype)


def pack_lines(lines: Sequence[Any]) -> str:
    """Pack strings as one text with a line each; missing ones are empty, line breaks inside become spaces."""
    flat = ["" if _missing(line) else " ".join(str(line).splitlines()) for line in lines]
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
    return {"low": low, "high": high, "data": pack(codes.astype("<u2"))}


def unpack_axis(axis: Mapping[str, Any]) -> np.ndarray:
    """Return the coordinates [N] of a packed axis, each within (high - low) / (2 STEPS) of the original."""
    return axis["low"] + unpack(axis["data"], "<u2") / STEPS * (axis["high"] - axis["low"])


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
    spec: dict[str, Any] = {"dtype": "float32", "decimals": None, "offset": 0}
    decimals = _decimals(known)
    if decimals is not None:
        steps = np.rint(values * 10**decimals)
        offset = float(np.nanmin(steps)) if len(known) else 0.0
        top = float(np.nanmax(steps)) - offset if len(known) else 0.0
        dtype = next((t for t in ("uint8", "uint16", "uint32") if top < np.iinfo(t).max), None)
        if dtype:
            codes = np.where(np.isnan(values), np.iinfo(dtype).max, steps - offset)
            return spec | {"dtype": dtype, "decimals": decimals, "offset": offset, "data": pack(codes.astype(_little(dtype)))}
    if decimals == 0 or np.abs(known).max(initial=0.0) > np.finfo(np.float32).max:
        spec["dtype"] = "float64"
    return spec | {"data": pack(values.astype(_little(spec["dtype"])))}


def unpack_numbers(spec: Mapping[str, Any]) -> np.ndarray:
    """Undo ``pack_numbers``: float64 [N] with NaN where missing."""
    codes = unpack(spec["data"], _little(spec["dtype"]))
    if spec["decimals"] is None:
        return codes.astype(np.float64)
    values = (codes.astype(np.float64) + spec["offset"]) / 10 ** spec["decimals"]
    return np.where(codes == np.iinfo(spec["dtype"]).max, np.nan, values)


def colour_limits(values: np.ndarray) -> tuple[float, float]:
    """Ends of the colour scale: the 0.5th and 99.5th percentile, so that a few outliers do not flatten the rest.

    With ``FEW`` values or fewer: the lowest and the highest.

    Examples
    --------
    >>> colour_limits(np.array([1.0, np.nan, 3.0]))
    (1.0, 3.0)
    >>> colour_limits(np.arange(1001.0))
    (5.0, 995.0)
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = np.percentile(known, [0, 100] if len(known) <= FEW else [0.5, 99.5])
    return float(low), float(high)


def pack_column(name: str, values: pd.Series, unit: str) -> dict[str, Any]:
    """Pack one column as ``number``, ``category`` (few distinct strings) or ``text``."""
    column = {"name": name, "unit": "" if unit == "1" else unit}
    values = values.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(values):
        return column | {"kind": "number", "date": True} | _with_scale(_days(values))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return column | {"kind": "number"} | _with_scale(numbers)
    texts = pd.Series([None if _missing(v) else " ".join(str(v).splitlines()) for v in values], dtype=object)
    counts = texts.value_counts()
    if can_be_categories(len(counts), len(texts)):
        names = sorted(counts.index, key=lambda text: (-counts[text], text))
        place = {text: code for code, text in enumerate(names)}
        codes = np.array([place.get(text, 255) for text in texts], dtype=np.uint8)
        return column | {"kind": "category", "names": names, "counts": [int(counts[t]) for t in names], "data": pack(codes)}
    return column | {"kind": "text", "data": pack_lines(texts.tolist())}


def _with_scale(numbers: np.ndarray) -> dict[str, Any]:
    """Numbers with the ends of their colour scale, and whether it is logarithmic."""
    limits = colour_limits(numbers)
    return {"limits": limits, "log": wants_logarithm(numbers, limits)} | pack_numbers(numbers)


def _days(values: pd.Series) -> np.ndarray:
    """Dates as days since 1970, NaN where missing."""
    naive = values.dt.tz_localize(None) if values.dt.tz is not None else values
    seconds = (naive - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return seconds.to_numpy(dtype=np.float64, na_value=np.nan)


def build_payload(
    xy: np.ndarray,
    smiles: Sequence[str],
    columns: pd.DataFrame | None = None,
    options: MapOptions | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Check the parts of a map and return them as one JSON-able dict; the arguments are those of ``write_map``."""
    show = make_spec(MapOptions, options, changes)
    xy, smiles = np.asarray(xy, dtype=np.float64), list(smiles)
    columns = pd.DataFrame(index=range(len(smiles))) if columns is None else columns
    _check(xy, smiles, columns)
    placed = np.isfinite(xy).all(axis=1)
    if not placed.any():
        raise NothingUsableError(f"None of the {len(xy)} molecules has a place on the map. Check that they could be encoded.")
    rows = np.flatnonzero(placed)
    packed = [
        pack_column(str(name), columns.iloc[rows, position].reset_index(drop=True), (show.units or {}).get(str(name), ""))
        for position, name in enumerate(columns.columns)
    ]
    paths = [_trajectory(path, number) for number, path in enumerate(show.trajectories or (), start=1)]
    corners = np.vstack([xy[rows], *[path["xy"] for path in paths if len(path["xy"])]])
    (x_low, y_low), (x_high, y_high) = corners.min(axis=0), corners.max(axis=0)
    return {
        "version": PAYLOAD_VERSION,
        "n": len(rows),
        "n_unplaced": int(len(xy) - len(rows)),
        "x": pack_axis(xy[rows, 0], float(x_low), float(x_high)),
        "y": pack_axis(xy[rows, 1], float(y_low), float(y_high)),
        "axis_labels": list(show.axis_labels) if show.axis_labels else None,
        "smiles": pack_lines([smiles[row] for row in rows]),
        "columns": packed,
        "color": _first_color(packed, show.color),
        "trajectories": [path | {"xy": path["xy"].tolist()} for path in paths],
    }


def _check(xy: np.ndarray, smiles: Sequence[str], columns: pd.DataFrame) -> None:
    if xy.ndim != 2 or xy.shape[1] != 2:
        raise InputError(f"A map needs coordinates of shape [N, 2], got {list(xy.shape)}.")
    if not len(xy) == len(smiles) == len(columns):
        raise InputError(f"A map needs one row per molecule: {len(xy)} coordinates, {len(smiles)} SMILES, {len(columns)} rows.")


def _first_color(packed: list[dict[str, Any]], color: str | None) -> int:
    """Position of the column that colours the map at first; -1 for none."""
    columns = {column["name"]: (position, column["kind"]) for position, column in reversed(list(enumerate(packed)))}
    if color is not None:
        return find({name: place for name, (place, kind) in columns.items() if kind != "text"}, color, "column to colour by")[1]
    return min((place for place, kind in columns.values() if kind == "number"), default=-1)


def _trajectory(path: Trajectory | Any, number: int) -> dict[str, Any]:
    path = path if isinstance(path, Trajectory) else Trajectory(path, f"trajectory {number}")
    xy = np.asarray(path.xy, dtype=np.float64).reshape(-1, 2)
    keep = np.flatnonzero(np.isfinite(xy).all(axis=1))
    packed: dict[str, Any] = {"name": str(path.name), "xy": xy[keep]}
    for what, items in (("smiles", path.smiles), ("labels", path.labels)):
        if len(items) not in (0, len(xy)):
            raise InputError(f"The trajectory '{path.name}' has {len(xy)} points but {len(items)} {what}. Give all or none.")
        packed[what] = [str(items[row]) for row in keep.tolist()] if len(items) else []
    return packed


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


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
