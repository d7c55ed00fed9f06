"""Tables of molecules as SDF: a structure per row, every other column a data item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdDepictor

from chemvae.chem.molecules import parse
from chemvae.data.files.columns import cell_text
from chemvae.data.files.formats.sdf import as_value

NAMES = ("name", "id", "compound", "compound_id", "molecule_id")
"""Columns that name a molecule, whatever the case; the first there is stands in the head of each record."""


def write_sdf(frame: pd.DataFrame, path: Path, smiles_column: str) -> None:
    """Write a record per row, also for a row without a molecule: its structure is empty, and its SMILES stand as an item.

    Parameters
    ----------
    frame : DataFrame
    path : Path
    smiles_column : str
    """
    by_key = {str(name).strip().lower(): name for name in frame.columns}
    named = next((by_key[name] for name in NAMES if name in by_key), None)
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(frame.to_dict("records"), start=1):
            file.write(sdf_record(row, smiles_column, str(number) if named is None else cell_text(row[named])))


def sdf_record(row: Mapping[str, Any], smiles_column: str, name: str) -> str:
    """One molecule with its properties as items; V2000 has room for the largest molecule that is read.

    Examples
    --------
    >>> record = sdf_record({"smiles": "CCO", "logP": 0.5, "note": ""}, "smiles", "m1")
    >>> record.splitlines()[0], record.count("> "), "<note>" in record, record.endswith("$$$$\\n")
    ('m1', 1, False, True)
    """
    found = parse(str(row[smiles_column] or ""))
    mol = Chem.Mol() if found is None else Chem.Mol(found)
    mol.SetProp("_Name", " ".join(name.split()))
    rdDepictor.Compute2DCoords(mol)
    items = {key: value for key, value in row.items() if found is None or key != smiles_column}
    return f"{Chem.MolToMolBlock(mol)}{''.join(_item(str(key), value) for key, value in items.items())}$$$$\n"


def _item(name: str, value: Any) -> str:
    """One data item; nothing for an empty cell. A line that would end the item or the record is changed a little."""
    if value is None or value is pd.NA or value != value or value == "":
        return ""
    plain = " ".join(name.replace("<", "(").replace(">", ")").split())
    return f">  <{plain}>\n" + as_value(value) + "\n\n"
