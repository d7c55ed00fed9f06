"""Molecules described: computed beside predicted properties, novelty, nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chemvae.chem.fingerprints import morgan, nearest
from chemvae.chem.properties import PROPERTIES, affordable
from chemvae.chem.property_table import PropertyTable
from chemvae.naming import extra_stem, name_columns, prediction_columns

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

SHOWN_PROPERTIES = ("logP", "qed", "SAS", "MW")


N_DESCRIBED = 100


def describe_molecules(
    model: MolVAE,
    smiles: Sequence[str],
    names: Sequence[str],
    *,
    computed: PropertyTable | None = None,
    **others: Sequence[str] | None,
) -> pd.DataFrame:
    """Describe canonical molecules: computed beside predicted properties, novelty, nearest neighbours.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str, length N
    names : sequence of str
        Properties of interest; those RDKit can compute are, those the model predicts are predicted. Dear ones
        (:attr:`Property.is_dear`) are never computed here: they stand in the table where ``computed`` knows them.
    computed : PropertyTable, optional
        What is known of molecules: it is not computed again.
    **others : sequence of SMILES, optional
        Molecules to find the nearest one in (ECFP4 Tanimoto), such as ``known`` or ``start``.

    Returns
    -------
    DataFrame, N rows
        ``smiles``, the properties, ``P_predicted`` and ``P_predicted_std``, ``distance``, ``novel``, and for each of the others
        ``nearest_NAME`` and ``similarity_to_NAME``. Where a property is called ``distance`` or ``novel``, ours has the name
        that :data:`chemvae.naming.EXTRAS` gives it.
    """
    smiles, computed = list(smiles), PropertyTable() if computed is None else computed
    table = pd.DataFrame({"smiles": pd.Series(smiles, dtype="str")})
    predicted = list(getattr(model, "property_names", ()))
    wanted = list(dict.fromkeys([*names, *predicted, *SHOWN_PROPERTIES]))
    columns = _property_columns(wanted, smiles, computed)
    if not smiles:
        return table.reindex(columns=["smiles", *columns])
    cheap = computed.compute(smiles, affordable(columns))
    table = table.join(pd.DataFrame({name: cheap[name] if name in cheap else computed.known(smiles, name) for name in columns}))
    table = table.join(_predictions(model, smiles, predicted, names))
    novelty = model.is_known(smiles)
    if novelty is not None:
        table[_extra("novel", [*names, *predicted])] = ~np.asarray(novelty, dtype=bool)
    for label, reference in others.items():
        if reference is not None and len(reference):
            index, similarity = nearest(morgan(smiles), morgan(list(reference)))
            table[f"nearest_{label}"] = [reference[i] if i >= 0 else None for i in index]
            table[f"similarity_to_{label}"] = similarity
    return table


def _property_columns(names: Sequence[str], smiles: Sequence[str], computed: PropertyTable) -> list[str]:
    """The properties among some names, in the spelling of ``PROPERTIES``: the dear ones only where a value is known."""
    spelled = {name.lower(): name for name in PROPERTIES}
    found = dict.fromkeys(spelled[name.lower()] for name in names if name.lower() in spelled)
    return [name for name in found if affordable([name]) or any(computed.knows(name, text) for text in smiles)]


def _predictions(model: MolVAE, smiles: list[str], names: Sequence[str], goals: Sequence[str]) -> pd.DataFrame:
    """``P_predicted`` and ``P_predicted_std`` of each property, and the distance, which no goal is mistaken for."""
    table = model.predict(smiles).reset_index(drop=True)
    columns, distance = prediction_columns(names)
    found = {
        f"{name}_predicted{end}": table[one] for name in names for one, end in zip(columns[name], ("", "_std"), strict=True)
    }
    return pd.DataFrame({**found, _extra("distance", [*names, *goals]): table[distance]})


def _extra(name: str, properties: Sequence[str]) -> str:
    return name_columns([extra_stem(name, properties)])[0]
