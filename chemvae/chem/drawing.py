"""Structures as SVG text: one molecule, or a grid of them with captions. Nothing is loaded from the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import numpy as np
from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from chemvae.chem.molecules import invalid_reason, parse, quiet

MOST_DRAWN = 200  # heavy atoms: as many take a second, and nobody can tell them apart; 500 loose atoms take minutes
MOST_LAID_OUT_TWICE = 80
CLASH = 0.35  # of the usual bond's length: atoms nearer than that lie on each other
_SVG_TAG = re.compile(r"<svg\b[^>]*>", re.S)


def molecule_svg(
    smiles: str,
    width: int = 220,
    height: int = 160,
    legend: str = "",
    highlight: str | Sequence[int] | None = None,
    layout: Chem.Mol | None = None,
) -> str:
    """Draw one molecule; what is not a molecule, or one of more than 200 heavy atoms, becomes a box that says why.

    Where atoms would lie on each other, the better of RDKit's two layouts is taken.

    Parameters
    ----------
    smiles : str
    width, height : int
        Pixels, the legend included.
    legend : str
        Caption under the structure.
    highlight : str or sequence of int, optional
        A SMARTS whose first match is coloured, or atom indices.
    layout : Chem.Mol, optional
        The same molecule prepared for drawing with coordinates that are wanted (:func:`chemvae.chem.alignment.aligned`).

    Returns
    -------
    str
        One ``<svg>`` element with a transparent background, ready to stand inside HTML, named for those who hear a page.

    Examples
    --------
    >>> svg = molecule_svg("c1ccccc1O", legend="phenol")
    >>> svg.startswith("<svg"), "<title>phenol</title>" in svg, "not a molecule" in molecule_svg("C1CC")
    (True, True, True)
    """
    mol = parse(smiles)
    if mol is None:
        lines = ["not a molecule", invalid_reason(smiles) or "", legend]
        return _text_svg([line for line in lines if line], width, height)
    if mol.GetNumHeavyAtoms() > MOST_DRAWN:
        lines = [f"{mol.GetNumHeavyAtoms()} atoms", "too many to be drawn", legend]
        return _text_svg([line for line in lines if line], width, height)
    legend_height = 20 if legend else 0
    picture = _structure(laid_out(mol) if layout is None else layout, width, max(height - legend_height, 20),
                         _atoms_to_highlight(mol, highlight))  # fmt: skip
    svg = _open(width, height) + picture + _caption(legend, width / 2, height - 5) + "</svg>"
    return named(svg, f"structure of {smiles}", legend or smiles)


def named(svg: str, alt: str, title: str) -> str:
    """A drawing with its role, what it shows in words, and a title for the pointer that rests on it.

    Examples
    --------
    >>> named("<svg></svg>", "a & b", "b")
    '<svg role="img" aria-label="a &amp; b"><title>b</title></svg>'
    """
    opened = _opening_tag(svg)
    head = opened[0].replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    return f"{svg[: opened.start()]}{head}<title>{escape(title)}</title>{svg[opened.end() :]}"


def grid_svg(
    smiles: Sequence[str],
    legends: Sequence[str] | None = None,
    columns: int = 4,
    width: int = 220,
    height: int = 160,
) -> str:
    """Draw molecules in rows, read from left to right; an empty list gives an empty picture.

    Raises
    ------
    ValueError
        If there are not as many legends as molecules, or ``columns`` < 1.

    Examples
    --------
    >>> grid_svg(["CCO", "CCN", "CCC"], ["a", "b", "c"], columns=2).count("<svg")
    4
    """
    if columns < 1:
        raise ValueError(f"columns must be >= 1, got {columns}")
    legends = list(legends) if legends is not None else [""] * len(smiles)
    if len(legends) != len(smiles):
        raise ValueError(f"there must be one legend per molecule, got {len(legends)} for {len(smiles)}")
    cells = []
    for i, (text, legend) in enumerate(zip(smiles, legends, strict=True)):
        row, column = divmod(i, columns)
        cells.append(_move(molecule_svg(text, width, height, legend), column * width, row * height))
    n_rows = -(-len(cells) // columns)
    return _open(width * min(columns, max(len(cells), 1)), height * n_rows) + "".join(cells) + "</svg>"


def _structure(mol: Chem.Mol, width: int, height: int, atoms: list[int]) -> str:
    """Let RDKit draw a molecule that has its coordinates, and keep the paths without the XML header and the outer tag."""
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    drawer.drawOptions().clearBackground = False  # type: ignore[assignment]  # RDKit's stubs give its properties their class's type
    with quiet():
        drawer.drawOptions().prepareMolsBeforeDrawing = False  # type: ignore[assignment]  # likewise in RDKit's stubs
        drawer.DrawMolecule(mol, highlightAtoms=atoms, highlightBonds=_bonds_within(mol, atoms))
    drawer.FinishDrawing()
    text = drawer.GetDrawingText()
    body = text[_opening_tag(text).end() : text.rindex("</svg>")]
    return body.replace("<!-- END OF HEADER -->", "").strip()


def _opening_tag(svg: str) -> re.Match[str]:
    """Where the outer tag of an SVG stands."""
    found = _SVG_TAG.search(svg)
    assert found is not None, "RDKit and this module write nothing else"
    return found


def _bonds_within(mol: Chem.Mol, atoms: list[int]) -> list[int]:
    inside = set(atoms)
    return [bond.GetIdx() for bond in mol.GetBonds() if {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()} <= inside]


def laid_out(mol: Chem.Mol) -> Chem.Mol:
    """The molecule prepared for drawing, in RDKit's usual layout, or in CoordGen's where fewer atoms lie on each other."""
    usual = rdMolDraw2D.PrepareMolForDrawing(mol)
    n_clashes = count_clashes(usual)
    if not n_clashes or mol.GetNumAtoms() > MOST_LAID_OUT_TWICE:
        return usual
    from rdkit.Chem import rdCoordGen

    other = Chem.Mol(mol)
    rdCoordGen.AddCoords(other)
    other = rdMolDraw2D.PrepareMolForDrawing(other)
    return other if count_clashes(other) < n_clashes else usual


def count_clashes(mol: Chem.Mol) -> int:
    """Pairs of atoms without a bond that lie on each other in the molecule's layout.

    Examples
    --------
    >>> count_clashes(rdMolDraw2D.PrepareMolForDrawing(Chem.MolFromSmiles("c1ccccc1O")))
    0
    """
    places = mol.GetConformer().GetPositions()[:, :2]  # [N, 2]
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    bonds = np.array([(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()], dtype=int).reshape(-1, 2)
    if not len(bonds):
        return 0
    usual = np.median(apart[bonds[:, 0], bonds[:, 1]])
    apart[bonds[:, 0], bonds[:, 1]] = apart[bonds[:, 1], bonds[:, 0]] = np.inf
    return int((np.triu(apart < CLASH * usual, k=1)).sum())


def _atoms_to_highlight(mol: Chem.Mol, highlight: str | Sequence[int] | None) -> list[int]:
    if highlight is None:
        return []
    if isinstance(highlight, str):
        with quiet():
            pattern = Chem.MolFromSmarts(highlight)
        return list(mol.GetSubstructMatch(pattern)) if pattern is not None else []
    return [int(i) for i in highlight]


def _open(width: float, height: float) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'


def _move(svg: str, x: int, y: int) -> str:
    return svg.replace("<svg ", f'<svg x="{x}" y="{y}" ', 1)


def _caption(text: str, x: float, y: float) -> str:
    if not text:
        return ""
    style = 'text-anchor="middle" font-family="sans-serif" font-size="12" fill="#333"'
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'


def _text_svg(lines: Sequence[str], width: int, height: int) -> str:
    frame = f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" fill="none" stroke="#bbb" stroke-dasharray="4 3"/>'
    rows = [_caption(line, width / 2, height / 2 + 16 * (i - (len(lines) - 1) / 2)) for i, line in enumerate(lines)]
    return _open(width, height) + frame + "".join(rows) + "</svg>"
