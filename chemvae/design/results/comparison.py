"""Designs beside the molecule they came from: how far ahead, within which interval, and files to take along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from chemvae.chem.molecules import parse
from chemvae.design.results.outcome import Outcome
from chemvae.qsar.model import HALF_WIDTH

MOST_ROWS = 20_000
"""Of a table inside a page."""
ENDINGS = ("_low", "_high")


def lead_of(row: Mapping[str, Any], leads: pd.DataFrame) -> pd.Series | None:
    """The lead that a design is compared with: the most similar one; None where there is none.

    Parameters
    ----------
    row : mapping
        Of :attr:`Outcome.molecules`.
    leads : DataFrame
        :attr:`Outcome.leads`.
    """
    if not len(leads):
        return None
    nearest = leads[leads["smiles"] == row.get("nearest_start")]
    return nearest.iloc[0] if len(nearest) else leads.iloc[0]


def interval(row: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The 90 % interval of a molecule's property: as its columns say, else from the predicted mean and deviation.

    Examples
    --------
    >>> interval({"logD": 2.0, "logD_low": 1.0, "logD_high": 3.0}, "logD")
    (1.0, 3.0)
    >>> [round(end, 2) for end in interval({"qed_predicted": 0.5, "qed_predicted_std": 0.1}, "qed")]
    [0.34, 0.66]
    >>> interval({"qed": 0.5}, "qed") is None
    True
    """
    for start in (name, f"{name}_learned", f"{name}_predicted"):
        low, high = (_number(row.get(f"{start}{ending}")) for ending in ENDINGS)
        if np.isfinite([low, high]).all():
            return low, high
    mean, std = (_number(row.get(f"{name}_predicted{ending}")) for ending in ("", "_std"))
    return (mean - HALF_WIDTH * std, mean + HALF_WIDTH * std) if np.isfinite([mean, std]).all() else None


def difference(row: Mapping[str, Any], lead: Mapping[str, Any] | None, name: str) -> float:
    """How much larger a value is than the lead's; NaN where either is missing.

    Examples
    --------
    >>> difference({"qed": 0.75}, {"qed": 0.5}, "qed"), difference({"qed": 0.75}, None, "qed")
    (0.25, nan)
    """
    return float("nan") if lead is None else _number(row.get(name)) - _number(lead.get(name))


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")


def files(result: Outcome) -> dict[str, str]:
    """What can be taken along from a page: file name -> its text.

    Returns
    -------
    dict
        ``best.csv``, ``best.smi`` (SMILES, a tab, the rank), ``best.sdf`` (properties as items), and ``history.csv``: at most
        20,000 calls, without their points.
    """
    if not len(result.molecules):
        return {}
    smiles = result.molecules["smiles"]
    return {
        "best.csv": result.molecules.to_csv(index=False),
        "best.smi": "".join(f"{text}\t{rank}\n" for rank, text in enumerate(smiles, 1)),
        "best.sdf": "".join(_sdf_record(row, rank) for rank, row in enumerate(result.molecules.to_dict("records"), 1)),
        "history.csv": result.history.drop(columns="z").head(MOST_ROWS).to_csv(index=False),
    }


def _sdf_record(row: Mapping[str, Any], rank: int) -> str:
    """One molecule with its properties, named by its rank."""
    mol = parse(row["smiles"])
    if mol is None:
        return ""
    mol = Chem.Mol(mol)
    mol.SetProp("_Name", str(rank))
    items = "".join(f">  <{name}>\n{value}\n\n" for name, value in row.items() if value is not None and value == value)
    return f"{Chem.MolToMolBlock(mol)}{items}$$$$\n"
