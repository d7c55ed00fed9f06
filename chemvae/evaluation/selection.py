"""Which molecules of a file are measured: all, or a fixed choice that does not depend on their order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from chemvae.data.files.numbers import read_numbers
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.evaluation.roundtrip import Canonical


def select_molecules(
    smiles: Sequence[str],
    labels: pd.DataFrame | Mapping[str, Sequence[float]] | None,
    n_molecules: int,
    canonical: Canonical,
) -> tuple[pd.DataFrame, int]:
    """Canonicalise, drop what is no molecule, and take the lowest sha1 of the canonical SMILES where there are too many.

    Returns
    -------
    table : DataFrame
        ``smiles`` (canonical) and one column per label; in the order given unless a choice was made, then by sha1.
    n_failed : int
        Strings that RDKit could not read.

    Examples
    --------
    >>> table, n_failed = select_molecules(["OCC", "C1", "CCN"], {"logP": [1.0, 2.0, 3.0]}, 5, Canonical())
    >>> table["smiles"].tolist(), table["logP"].tolist(), n_failed
    (['CCO', 'CCN'], [1.0, 3.0], 1)
    """
    found = canonical(s if isinstance(s, str) else "" for s in smiles)
    table = pd.DataFrame({"smiles": np.array(found, dtype=object)})
    for name, values in dict(labels if labels is not None else {}).items():
        if len(values) != len(found):
            raise SettingsError(f"labels of '{name}' must have one value per molecule ({len(found)}), got {len(values)}")
        table[name] = read_numbers(pd.Series(values)).values
    table = table[[s is not None for s in found]]
    if table.empty:
        raise NothingUsableError(
            f"None of the {len(found)} strings is a molecule that RDKit can read. Is the SMILES column the right one?"
        )
    n_failed = len(found) - len(table)
    if len(table) > n_molecules:
        order = sorted(range(len(table)), key=lambda i: hashlib.sha1(table["smiles"].iat[i].encode()).digest())
        table = table.iloc[order[:n_molecules]]
    return table.reset_index(drop=True), n_failed
