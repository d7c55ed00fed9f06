"""What a map page carries: coordinates in 16 bits, columns in the smallest exact type, SMILES as one compressed text.

Every array is packed by :mod:`chemvae.maps.packing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from chemvae.errors import InputError, NothingUsableError
from chemvae.maps.colour import can_be_categories, wants_logarithm
from chemvae.maps.packing import MOST_DECIMALS, is_missing_cell, pack, pack_axis, pack_lines, pack_numbers
from chemvae.maps.regions import RegionLabel
from chemvae.registry import find, make_spec

PAYLOAD_VERSION = 1
FEW = 200
MANY = 20_000
"""Molecules from which a model's numbers are written with the digits that can be seen, for the sake of the page's size."""


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
MOST_SETS = 6
"""As many marks can be told apart without their colours."""


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
    labels: Sequence[RegionLabel] = ()
    """Names of regions, shown at the zoom of their level."""
    marks: Mapping[str, Sequence[int]] | None = None
    """Rows that stand out with a mark of their own, by the name of their set."""
    note: str = ""
    """A line under the heading of a page: how the map was made and how far it can be trusted."""
    theme: str = "auto"
    """Of a page: ``auto`` follows the reader's system; ``light``, ``dark``."""

    def complaints(self) -> list[str]:
        """What is wrong with these options."""
        found = [] if self.theme in THEMES else [f"theme must be one of {', '.join(THEMES)}, got '{self.theme}'"]
        if len(self.marks or ()) > MOST_SETS:
            found.append(f"marks must be of at most {MOST_SETS} sets, got {len(self.marks or ())}")
        return found


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
        if values.dtype == np.float32 and len(values) > MANY:
            numbers = round_to_range(numbers)
        return column | {"kind": "number"} | _with_scale(numbers)
    texts = pd.Series([None if is_missing_cell(v) else " ".join(str(v).splitlines()) for v in values], dtype=object)
    counts = texts.value_counts()
    if can_be_categories(len(counts), len(texts)):
        names = sorted(counts.index, key=lambda text: (-counts[text], text))
        place = {text: code for code, text in enumerate(names)}
        codes = np.array([place.get(text, 255) for text in texts], dtype=np.uint8)
        return column | {"kind": "category", "names": names, "counts": [int(counts[t]) for t in names], "data": pack(codes)}
    return column | {"kind": "text", "data": pack_lines(texts.tolist())}


def round_to_range(numbers: np.ndarray, steps: int = 5_000) -> np.ndarray:
    """Round to as many decimals as tell ``steps`` steps of the colour scale apart: what a model predicts is not known better.

    Examples
    --------
    >>> round_to_range(np.array([0.123456, 0.5, 1.0, np.nan]))
    array([0.1235, 0.5   , 1.    ,    nan])
    """
    low, high = colour_limits(numbers)
    if not high > low:
        return numbers
    return np.round(numbers, int(np.clip(np.ceil(np.log10(steps / (high - low))), 0, MOST_DECIMALS)))


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
        "labels": [[label.x, label.y, label.level, label.text] for label in show.labels],
        "marks": _marks(show.marks or {}, rows, len(xy)),
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


def _marks(sets: Mapping[str, Sequence[int]], rows: np.ndarray, n: int) -> dict[str, Any] | None:
    """Which set each placed row belongs to: 0 for none, else its number from 1."""
    if not sets:
        return None
    codes = np.zeros(n, dtype=np.uint8)
    for number, (name, mine) in enumerate(sets.items(), start=1):
        places = np.asarray(mine, dtype=np.int64)
        if len(places) and not (0 <= places.min() and places.max() < n):
            raise InputError(f"The set '{name}' marks row {places.max()} of a map of {n} rows. Give rows from 0 to {n - 1}.")
        codes[places] = number
    return {"names": [str(name) for name in sets], "data": pack(codes[rows])}


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
