"""Molecules as a notebook shows them: drawn, with what is known of each below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from chemvae.data.given import as_written, list_molecules
from chemvae.errors import SettingsError
from chemvae.pages import Html, escape, format_value, molecule_drawing

STYLE = (
    "<style>.chemvae-drawn{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:10px}"
    ".chemvae-drawn figure{margin:0;border:1px solid #d5dae1;border-radius:8px;overflow:hidden}"
    ".chemvae-drawn .drawing{background:#fff;color:#1b2430}.chemvae-drawn svg{width:100%;height:auto;display:block}"
    ".chemvae-drawn figcaption{padding:6px 9px;font-size:12px;overflow-wrap:anywhere}</style>"
)
MOST_SHOWN = 12


def drawings(smiles: Sequence[str], legends: Sequence[str], beside: Sequence[str | None] | None = None) -> Html:
    """Cards for a notebook: each molecule drawn over its legend (text or Html), laid out as the one ``beside`` it.

    Parameters
    ----------
    smiles, legends : sequences of str, length N
    beside : sequence of str or None, optional
    """
    others = [None] * len(smiles) if beside is None else beside
    cards = (
        f"<figure>{molecule_drawing(one, 230, 160, other)}<figcaption>{escape(legend)}</figcaption></figure>"
        for one, legend, other in zip(smiles, legends, others, strict=True)
    )
    return Html(f'{STYLE}<div class="chemvae-drawn">{"".join(cards)}</div>')


class Drawn:
    """A table of molecules that a notebook draws.

    Parameters
    ----------
    table : DataFrame
        With a column ``smiles``.
    columns : sequence of str
        What stands below each drawing.
    n : int
        Molecules drawn, the first ones.
    """

    def __init__(self, table: pd.DataFrame, columns: Sequence[str], n: int):
        self.table, self.columns, self.n = table, list(columns), n

    def __repr__(self) -> str:
        return repr(self.table[["smiles", *self.columns]].head(self.n))

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        shown = self.table.head(self.n)
        legends = [
            Html("<br>".join(f"{escape(name)} {escape(format_value(row[name], 3))}" for name in self.columns))
            for row in shown.to_dict("records")
        ]
        left = len(self.table) - len(shown)
        more = f"<p>and {left:,} more</p>" if left > 0 else ""
        return drawings(shown["smiles"].tolist(), legends) + more


def show(molecules: Any, columns: Sequence[str] | str | None = None, n: int = MOST_SHOWN) -> Drawn:
    """Draw molecules in a notebook.

    Parameters
    ----------
    molecules : DataFrame with a column of SMILES, or molecules in any other form
        Such as what :func:`chemvae.sample`, ``model.predict`` or ``Result.molecules`` give.
    columns : sequence of str, optional
        What stands below each; by default up to four columns of numbers.
    n : int
        Molecules drawn.

    Returns
    -------
    Drawn
        Shown as drawings in a notebook, as a table elsewhere; ``.table`` is the whole table.

    Raises
    ------
    SettingsError
        If there is no such column.

    Examples
    --------
    >>> show(["CCO", "CCN"])._repr_html_().count("<svg")
    2
    """
    texts = [as_written(one) for one in list_molecules(molecules)[0]]
    table = molecules.reset_index(drop=True) if isinstance(molecules, pd.DataFrame) else pd.DataFrame()
    table = table.assign(smiles=texts)
    wanted = [columns] if isinstance(columns, str) else columns
    if missing := [name for name in wanted or () if name not in table]:
        raise SettingsError(f"there is no column {', '.join(missing)}; there are {', '.join(map(str, table.columns))}")
    if wanted is None:
        wanted = [name for name in table.select_dtypes("number") if not str(name).startswith("z_")][:4]
    return Drawn(table, wanted, n)
