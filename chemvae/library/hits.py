"""Write what a search has found: a table, an SD file with a structure for each hit, or a picture of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rdkit import Chem

from chemvae.chem.drawing import grid_svg, laid_out
from chemvae.chem.molecules import parse_known
from chemvae.disk.files import write_atomically
from chemvae.tables.writing import TABLE_ENDINGS, write_table

HIT_ENDINGS = (*TABLE_ENDINGS, ".svg")
MOST_DRAWN = 60
SHOWN = (("distance", "similarity"), ("logP", "MW"))
"""What stands under a picture: the first of these of which something is there."""


def write_hits(hits: pd.DataFrame, output: str | Path) -> None:
    """Write a table of hits whole or not at all; the ending says the format.

    ``.sdf`` has a record for each, named by its id or SMILES, with the other columns as its fields; ``.svg`` draws the first
    sixty; the others are those of :func:`chemvae.tables.write_table`.
    """
    ending = Path(output).suffix.lower()
    if ending == ".sdf":
        write_atomically(Path(output), lambda path: _write_sdf(hits, path))
    elif ending == ".svg":
        write_atomically(Path(output), lambda path: path.write_text(draw_hits(hits), encoding="utf-8"))
    else:
        write_table(hits, output)


def draw_hits(hits: pd.DataFrame, columns: int = 5) -> str:
    """A picture of the first sixty hits, as SVG, with what :data:`SHOWN` names under each."""
    rows = hits.head(MOST_DRAWN)
    shown = next((found for names in SHOWN if (found := [name for name in names if name in rows.columns])), [])
    legends = [
        ", ".join(f"{name} {value:.3g}" for name, value in zip(shown, row, strict=True)) for row in rows[shown].to_numpy()
    ]
    return grid_svg(rows["smiles"].tolist(), legends, columns)


def _write_sdf(hits: pd.DataFrame, path: Path) -> None:
    writer = Chem.SDWriter(str(path))
    try:
        for record in hits.to_dict("records"):
            mol = laid_out(Chem.Mol(parse_known(record["smiles"])))
            mol.SetProp("_Name", str(record.get("id") or record["smiles"]))
            for name, value in record.items():
                if not pd.isna(value):
                    mol.SetProp(str(name), str(value))
            writer.write(mol)
    finally:
        writer.close()
