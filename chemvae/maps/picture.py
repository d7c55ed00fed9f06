"""The map as a picture, for papers and for places where no browser is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.disk.files import write_atomically
from chemvae.maps.packing import unpack, unpack_axis, unpack_numbers
from chemvae.maps.palette import CATEGORIES, MISSING, TRAJECTORIES, number_ramp
from chemvae.maps.payload import MapOptions, build_payload
from chemvae.registry import make_spec


def write_png(
    path: Path | str,
    xy: np.ndarray,
    columns: pd.DataFrame | None = None,
    title: str = "",
    options: MapOptions | None = None,
    *,
    width: float = 8.0,
    dpi: int = 160,
    **changes: Any,
) -> Path:
    """Draw the map to a PNG (or PDF, SVG: by the suffix) in the colours of the page.

    Parameters
    ----------
    path : Path or str
        The picture.
    xy : ndarray [N, 2]
        Map coordinates; NaN rows are left out.
    columns, title
        As in ``write_map``.
    options : MapOptions, optional
        ``note`` and ``theme`` are a page's and change no picture.
    width : float
        Inches.
    dpi : int
        Pixels per inch.
    **changes
        Fields of :class:`MapOptions`.

    Returns
    -------
    Path
        The picture written.

    Raises
    ------
    InputError, UnknownNameError
        As in ``write_map``.
    """
    from matplotlib.figure import Figure

    show = make_spec(MapOptions, options, changes)
    chosen = build_payload(xy, [""] * len(xy), columns, show)
    figure = Figure(figsize=(width, 0.78 * width), layout="constrained")
    axes = figure.add_subplot()
    _draw_points(axes, chosen)
    for number, track in enumerate(chosen["trajectories"]):
        _draw_track(axes, track, TRAJECTORIES["light"][number % len(TRAJECTORIES["light"])])
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", parse_math=False)
    _dress(axes, show.axis_labels)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = path.suffix.removeprefix(".") or "png"
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=dpi, format=ending))
    return path


def _draw_points(axes: Any, payload: Mapping[str, Any]) -> None:
    x, y = unpack_axis(payload["x"]), unpack_axis(payload["y"])
    order = np.random.default_rng(0).permutation(len(x))  # so that no group hides another by its place in the file
    look = {"s": float(np.clip(40_000 / len(x), 1.5, 26)), "linewidths": 0, "rasterized": True, "alpha": 0.85}
    if payload["color"] < 0:
        axes.scatter(x[order], y[order], color=CATEGORIES["light"][0], **look)
        return
    column = payload["columns"][payload["color"]]
    draw = _draw_numbers if column["kind"] == "number" else _draw_categories
    draw(axes, x[order], y[order], column, order, look)


def _draw_numbers(axes: Any, x: np.ndarray, y: np.ndarray, column: Mapping[str, Any], order: np.ndarray, look: dict) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    values = unpack_numbers(column)[order]
    low, high = column["limits"]
    blank = np.isnan(values)
    if blank.any():
        axes.scatter(x[blank], y[blank], color=MISSING["light"], **look)
    norm = LogNorm(low, high) if column.get("log") else Normalize(low, high)
    scale = ScalarMappable(norm, ListedColormap(number_ramp("light")))
    axes.scatter(x[~blank], y[~blank], c=values[~blank], norm=scale.norm, cmap=scale.cmap, **look)
    outside = (bool((values < low).any()), bool((values > high).any()))
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[outside]
    bar = axes.figure.colorbar(scale, ax=axes, shrink=0.7, pad=0.02, extend=extend, format=_tick(column))
    bar.minorticks_off()
    bar.outline.set_visible(False)
    missing = f"; grey: {blank.sum():,} missing" if blank.any() else ""
    bar.set_label(_with_unit(column) + missing, parse_math=False)


def _tick(column: Mapping[str, Any]) -> Any:
    """How the ends of a colour scale are written: as days, as plain numbers where it is logarithmic, else as usual."""
    from matplotlib.ticker import FuncFormatter

    if column.get("date"):
        return FuncFormatter(lambda day, _: str(np.datetime64(int(day), "D")))
    return FuncFormatter(lambda value, _: f"{value:g}") if column.get("log") else None


def _draw_categories(axes: Any, x: np.ndarray, y: np.ndarray, column: Mapping[str, Any], order: np.ndarray, look: dict) -> None:
    codes = unpack(column["data"], "u1")[order]
    palette = CATEGORIES["light"]
    blank = codes == 255
    rest = (codes >= len(palette)) & ~blank
    for name, mine in (("missing", blank), ("others", rest)):
        if mine.any():
            axes.scatter(x[mine], y[mine], color=MISSING["light"], label=f"{name} ({mine.sum():,})", **look)
    for code, name in enumerate(column["names"][: len(palette)]):
        mine = codes == code
        axes.scatter(x[mine], y[mine], color=palette[code], label=f"{name} ({mine.sum():,})", **look)
    legend = axes.legend(title=_with_unit(column), frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    for handle in legend.legend_handles:
        handle.set_sizes([30])
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_parse_math(False)


def _draw_track(axes: Any, track: Mapping[str, Any], colour: str) -> None:
    from matplotlib.patheffects import withStroke

    xy = np.array(track["xy"]).reshape(-1, 2)
    if not len(xy):
        return
    axes.plot(*xy.T, color="white", linewidth=3.2, zorder=3)
    axes.plot(*xy.T, color=colour, linewidth=1.6, zorder=4)
    axes.plot(*xy[0], "o", color="white", markeredgecolor=colour, markersize=6, zorder=5)
    axes.plot(*xy[-1], "*", color=colour, markeredgecolor="white", markersize=13, zorder=5)
    halo = [withStroke(linewidth=2.5, foreground="white")]
    look = {"fontsize": 8, "path_effects": halo, "zorder": 6, "parse_math": False}
    axes.annotate(track["name"], xy[-1], xytext=(7, 4), textcoords="offset points", **look)


def _dress(axes: Any, axis_labels: tuple[str, str] | None) -> None:
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    if axis_labels:
        axes.set_xlabel(axis_labels[0], loc="left", parse_math=False)
        axes.set_ylabel(axis_labels[1], loc="bottom", parse_math=False)


def _with_unit(column: Mapping[str, Any]) -> str:
    return f"{column['name']} ({column['unit']})" if column["unit"] else column["name"]
