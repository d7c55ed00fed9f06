"""The interactive map: one HTML file that works offline, or the same component inside another page.

Points are drawn by WebGL2 where a graphics card is there and by a small rasteriser of our own where it is not. Pointing
at a molecule draws its structure in the browser with RDKit.js, which the page carries (its licence is in the page).
Everything that comes from the data reaches the page as JSON and is shown as text, never as markup.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from chemvae.disk.files import write_atomically
from chemvae.errors import InputError, SettingsError
from chemvae.maps.packing import unpack, unpack_axis, unpack_lines, unpack_numbers
from chemvae.maps.palette import page_palette
from chemvae.maps.payload import MapOptions, build_payload
from chemvae.maps.picture import write_png
from chemvae.registry import make_spec

PAGE_SCRIPTS = (
    "unpack.js", "view.js", "grid.js", "raster.js", "webgl.js", "structures.js", "filters.js", "search.js", "legend.js",
    "labels.js", "marks.js", "cards.js", "gallery.js", "export.js", "overlay.js", "address.js", "controls.js", "stage.js",
    "map.js",
)  # fmt: skip
"""Our scripts, in the order they are joined."""


def write_map(
    path: Path | str,
    xy: np.ndarray,
    smiles: Sequence[str],
    columns: pd.DataFrame | None = None,
    title: str = "Map of molecules",
    options: MapOptions | None = None,
    *,
    png: Path | str | None = None,
    **changes: Any,
) -> Path:
    """Write the map of N molecules to one HTML file that needs nothing else, and optionally a picture.

    Parameters
    ----------
    path : Path or str
        The page, which is returned.
    xy : ndarray [N, 2]
        Map coordinates. Rows with NaN are left out and counted on the page.
    smiles : sequence of str
        One per row, shown and drawn as they are.
    columns : DataFrame with N rows
        Whatever else is known: numbers and short lists of names can colour the map, all are shown and searched.
    title : str
        Heading.
    options : MapOptions, optional
    png : Path or str
        Also draw the map there, coloured by ``options.color``.
    **changes
        Fields of :class:`MapOptions`, such as ``color="logP"``.

    Raises
    ------
    InputError
        If lengths differ or no molecule has a place.
    UnknownNameError
        If ``color`` names no column that can colour.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_map(Path(folder) / "map.html", [[0, 0], [1, 2]], ["CCO", "c1ccccc1"])
    ...     read_map(page)["smiles"].tolist()
    ['CCO', 'c1ccccc1']
    """
    show = make_spec(MapOptions, options, changes)
    component, assets = map_component(xy, smiles, columns, title, show, height="100vh")
    page = Template(_asset("page/page.html")).substitute(title=html.escape(title), component=component, assets=assets)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    if png is not None:
        write_png(png, xy, columns, title, show)
    return path


def map_component(
    xy: np.ndarray,
    smiles: Sequence[str],
    columns: pd.DataFrame | None = None,
    title: str = "",
    options: MapOptions | None = None,
    *,
    height: str = "36rem",
    key: str = "map",
    **changes: Any,
) -> tuple[str, str]:
    """Return the map as HTML for another page, and the styles and scripts that page must hold once.

    The page puts the first string where the map shall stand and the second anywhere, once for all its maps. What the
    map says of itself in the address (``#key=...``) starts with ``key``.

    Parameters
    ----------
    xy, smiles, columns, title, options, **changes
        As in ``write_map``.
    height : str
        CSS height of the map.
    key : str
        Element id, different for each map of a page: letters, digits, ``_``; starts with a letter.

    Returns
    -------
    tuple of str
        ``(component, assets)``. The assets are the same string each time (``map_assets()``).

    Examples
    --------
    >>> component, assets = map_component([[0, 0], [1, 2]], ["CCO", "c1ccccc1"], key="space")
    >>> component.startswith('<div class="chemvae-map" id="space"'), "</style>" in assets
    (True, True)
    """
    show = make_spec(MapOptions, options, changes)
    _check(show, height, key)
    payload = build_payload(xy, smiles, columns, show)
    payload |= {"title": str(title), "note": str(show.note), "theme": show.theme, "fills_page": height == "100vh"}
    data = f'<script type="application/json" class="cm-data">{_script_json(payload)}</script>'
    return f'<div class="chemvae-map" id="{key}" style="height:{height}">{data}</div>\n', map_assets()


def _check(options: MapOptions, height: str, key: str) -> None:
    """Refuse what cannot stand in a page, with all complaints at once."""
    complaints = []
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key):
        complaints.append(f"key must be letters, digits and _, starting with a letter, got '{key}'")
    complaints += options.complaints()
    if not re.fullmatch(r"\d+(\.\d+)?(px|rem|em|vh|%)", height):
        complaints.append(f"height must be a CSS length such as 36rem, got '{height}'")
    if complaints:
        raise SettingsError(complaints)


@lru_cache(maxsize=1)
def map_assets() -> str:
    """Return the styles, our scripts and RDKit.js (3.4 MB) as HTML; a page holds it once, however many maps it has."""
    wasm = base64.b64encode(resources.files("chemvae.maps").joinpath("assets/rdkit/RDKit_minimal.wasm.gz").read_bytes())
    return "\n".join(
        [
            f"<style>{_asset('page/map.css')}</style>",
            f'<script type="text/plain" class="cm-licence">\n{_asset("rdkit/LICENSE")}</script>',
            f"<script>{_asset('rdkit/RDKit_minimal.js')}</script>",
            f'<script type="text/plain" id="chemvae-rdkit-wasm">{wasm.decode("ascii")}</script>',
            f"<script>{map_script()}</script>",
        ]
    )


def map_script() -> str:
    """Our scripts of the map as one, for a page that loads them as a file."""
    ours = "\n".join(_asset(f"page/{name}") for name in PAGE_SCRIPTS)
    return f'(() => {{\n"use strict";\nconst PALETTE = {_script_json(page_palette())};\n{ours}\n}})();'


def read_map(path: Path | str) -> pd.DataFrame:
    """Read the molecules of a map page back: columns ``x``, ``y``, ``smiles`` and whatever the map was given.

    Coordinates are within half a step (1/131,070 of the axis) of the original; numbers with up to four decimals are
    exact, others have seven digits; what a model predicts (float32) has four on a map of more than 20,000.

    Raises
    ------
    InputError
        If the file is not such a page.
    """
    page = Path(path).read_text("utf-8", errors="replace")
    found = re.search(r'<script type="application/json" class="cm-data">(.*?)</script>', page, re.DOTALL)
    if not found:
        raise InputError(f"'{path}' holds no map. Give a page written by chemvae map.")
    payload = json.loads(found[1])
    parts: list[tuple[str, Any]] = [("x", unpack_axis(payload["x"])), ("y", unpack_axis(payload["y"]))]
    parts.append(("smiles", unpack_lines(payload["smiles"])))
    parts += [(column["name"], _column_values(column)) for column in payload["columns"]]
    table = pd.concat([pd.Series(values) for _, values in parts], axis=1)
    table.columns = [name for name, _ in parts]
    return table


def _column_values(column: Mapping[str, Any]) -> Any:
    if column.get("date"):
        return pd.to_datetime(unpack_numbers(column), unit="D")
    if column["kind"] == "number":
        return unpack_numbers(column)
    if column["kind"] == "text":
        return unpack_lines(column["data"])
    names = [*column["names"], *[None] * (256 - len(column["names"]))]
    return [names[code] for code in unpack(column["data"], "u1")]


def _script_json(value: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can close the element or open a comment."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return resources.files("chemvae.maps").joinpath("assets", *name.split("/")).read_text("utf-8")
