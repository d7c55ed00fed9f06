"""A row of molecules as a picture, like the pictures of a film, with what changes along it drawn below."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from chemvae.chem.alignment import aligned, differing_atoms
from chemvae.chem.drawing import molecule_png
from chemvae.disk.files import write_atomically
from chemvae.pages import plot_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FRAME_INCHES = 2.0
FRAME = 440, 330
"""Pixels of a molecule, width and height."""
MOST_IN_A_ROW = 6
DPI = 150


def others_before(smiles: Sequence[str], valid: Sequence[bool]) -> list[str | None]:
    """For each molecule of a row the last other one before it, which it is drawn beside; None where there is none.

    Examples
    --------
    >>> others_before(["CCO", "CCO", "C1", "CCN"], [True, True, False, True])
    [None, None, 'CCO', 'CCO']
    """
    found: list[str | None] = []
    last: str | None = None
    other: str | None = None
    for text, is_valid in zip(smiles, valid, strict=True):
        if is_valid and last is not None and text != last:
            other = last
        found.append(last if not is_valid else other)
        last = text if is_valid else last
    return found


def write_film(
    path: str | Path,
    smiles: Sequence[str],
    legends: Sequence[str],
    valid: Sequence[bool],
    curves: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Write a PNG of molecules in rows of up to six, each laid out as the one before it with what is new in colour.

    Parameters
    ----------
    path : path
    smiles, legends, valid : sequences, length N
    curves : mapping, optional
        What changes along the row: name -> N values, NaN where there is none.
    """
    figure = film_figure(smiles, legends, valid, curves)
    write_atomically(Path(path), lambda temporary: figure.savefig(temporary, dpi=DPI, format="png", facecolor="white"))


def film_figure(
    smiles: Sequence[str], legends: Sequence[str], valid: Sequence[bool], curves: Mapping[str, Sequence[float]] | None = None
) -> Figure:
    """The picture of :func:`write_film`, not yet written."""
    from matplotlib.figure import Figure

    curves = curves or {}
    rows = max(1, -(-len(smiles) // MOST_IN_A_ROW))
    columns = max(1, -(-len(smiles) // rows))
    heights = [1.0] * rows + [0.75] * len(curves)
    with plot_style():
        figure = Figure(figsize=(FRAME_INCHES * columns, FRAME_INCHES * sum(heights)), layout="constrained")
        grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
        for i, (text, legend, other) in enumerate(zip(smiles, legends, others_before(smiles, valid), strict=True)):
            _draw_frame(figure.add_subplot(grid[divmod(i, columns)]), text if valid[i] else None, legend, other)
        for number, (name, values) in enumerate(curves.items()):
            _draw_curve(figure.add_subplot(grid[rows + number, :]), name, values, legends)
    return figure


def _draw_frame(axes: Axes, smiles: str | None, legend: str, other: str | None) -> None:
    """One molecule, or the words that there is none."""
    from PIL import Image

    axes.set_axis_off()
    axes.set(xlim=(0, FRAME[0]), ylim=(FRAME[1], 0), aspect="equal")
    axes.set_title(legend, fontsize=9, loc="center", parse_math=False)
    layout = None if smiles is None or other is None else aligned(smiles, other)
    new = [] if smiles is None or other is None else differing_atoms(smiles, other)
    drawn = None if smiles is None else molecule_png(smiles, *FRAME, highlight=new, layout=layout)
    if drawn is None:
        words = "no molecule" if smiles is None else "not drawn"
        axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=9, transform=axes.transAxes)
    else:
        axes.imshow(np.asarray(Image.open(io.BytesIO(drawn))), aspect="equal")


def _draw_curve(axes: Axes, name: str, values: Sequence[float], legends: Sequence[str]) -> None:
    """What changes along the row; its places are named by the first words below the pictures."""
    axes.plot(np.arange(len(values)), np.asarray(values, dtype=float), "o-")
    axes.set(ylabel=name, xlim=(-0.5, len(values) - 0.5))
    axes.set_xticks(np.arange(len(values)), [legend.partition(",")[0] for legend in legends])
