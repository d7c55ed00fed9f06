"""What stands in a cell beside its SMILES and says nothing of the molecule itself: CXSMILES extensions and atom map numbers."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

EXTENSION, ATOM_MAPS = "a CXSMILES extension", "atom map numbers"
_EXTENSION = re.compile(r"\s*(\S+)\s+(\|[^|]*\|)(?:\s.*)?", re.DOTALL)
_MAP = re.compile(r":\d+(?=\])")


def bare_smiles(cell: Any) -> tuple[Any, str]:
    """Split a cell into its SMILES and the extension behind it; atom maps are taken out too.

    Returns
    -------
    smiles : str, or the cell as it is where it is no text
    what : str
        What was left out; "" for nothing.

    Examples
    --------
    >>> bare_smiles("C[C@H](O)CC |o1:1|"), bare_smiles("[CH3:1][OH:2]"), bare_smiles("CCO")
    (('C[C@H](O)CC', 'a CXSMILES extension'), ('[CH3][OH]', 'atom map numbers'), ('CCO', ''))
    """
    if not isinstance(cell, str) or ("|" not in cell and ":" not in cell):
        return cell, ""
    what = ""
    if "|" in cell and (match := _EXTENSION.fullmatch(cell)):
        cell, what = match[1], EXTENSION
    if ":" in cell and _MAP.search(cell):
        cell, what = _MAP.sub("", cell), what or ATOM_MAPS
    return cell, what


def split_extension(rest: str) -> tuple[str, str]:
    """Split what follows a SMILES on its line into the extension and the name.

    Examples
    --------
    >>> split_extension("|o1:1| mol one"), split_extension("mol one")
    (('|o1:1|', 'mol one'), ('', 'mol one'))
    """
    match = re.match(r"(\|[^|]*\|)\s*(.*)", rest, re.DOTALL)
    return (match[1], match[2]) if match else ("", rest)


class LeftOut:
    """Counts what was left out beside SMILES, with an example of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def read(self, cells: list[Any]) -> list[Any]:
        """The SMILES of some cells; the list itself where nothing else stands in it."""
        found = [bare_smiles(cell) for cell in cells]
        odd = [(cell, what) for cell, (_, what) in zip(cells, found, strict=True) if what]
        for cell, what in odd:
            self.counts[what] += 1
            self.examples.setdefault(what, str(cell).strip()[:60])
        return [smiles for smiles, _ in found] if odd else cells

    def sentence(self) -> str:
        """What to tell the user; "" where nothing was left out."""
        parts = [f"{n:,} with {what} such as '{self.examples[what]}'" for what, n in self.counts.items()]
        return f"{' and '.join(parts)}, of which the SMILES alone is read" if parts else ""
