"""Molecules with a value of a property, as codes: from a table of the user's, or from the codes that every model keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES
from chemvae.data.files.numbers import read_numbers
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.models.vae import MolVAE
from chemvae.registry import find
from chemvae.sampling.property_values import property_values, resolve
from chemvae.tables.rows import read_blocks, with_numbers

MOST_MOLECULES = 20_000
"""Encoded at most, chosen at random: more do not turn the direction."""
MOST_DECODED = 768
"""Training codes decoded at most: decoding takes most of the time."""
FEWEST = 20
Table: TypeAlias = "str | Path | pd.DataFrame | list[str]"


@dataclass(frozen=True)
class LabelledCodes:
    """N codes with a value each."""

    name: str
    """Of the property, or ``COLUMN=VALUE`` of a class."""
    z: np.ndarray
    """[N, D]."""
    values: np.ndarray
    """[N]; 1 in the class and 0 outside it."""
    is_class: bool
    source: str
    """Where they are from, in words."""


def split_name(name: str) -> tuple[str, str | None]:
    """A property, or a column and the class in it.

    Examples
    --------
    >>> split_name("logP"), split_name("target = kinase")
    (('logP', None), ('target', 'kinase'))
    """
    column, found, value = name.partition("=")
    return column.strip(), value.strip() if found else None


def labelled_codes(
    model: MolVAE, name: str, table: Table | None = None, seed: int = 0, smiles_column: str | None = None
) -> LabelledCodes:
    """Codes with a property's values.

    Parameters
    ----------
    model : MolVAE
    name : str
        A column of the table, a property that can be computed, one that the model predicts, or ``COLUMN=VALUE``: the rows of a
        class against all others.
    table : file, catalog name, DataFrame or list of SMILES, optional
        Without one, the training codes that the model keeps are taken: with what the model predicts there, or decoded, and the
        property of what comes out computed, where the model does not know it.
    seed : int
        Chooses among more than 20,000 rows.
    smiles_column : str, optional

    Raises
    ------
    UnknownNameError, NothingUsableError, SettingsError
        If there is no such property; if fewer than 20 molecules have a value, or all have the same.
    """
    found = _of_references(model, name) if table is None else _of_table(model, name, table, seed, smiles_column)
    known = np.isfinite(found.values) & np.isfinite(found.z).all(axis=1)
    if known.sum() < FEWEST:
        raise NothingUsableError(
            f"{found.name} is known of {known.sum():,} molecules of {found.source}; a direction needs {FEWEST} or more."
        )
    values = found.values[known]
    if values.min() == values.max():
        raise NothingUsableError(f"{found.name} is {values[0]:g} for all molecules of {found.source}; nothing points along it.")
    return LabelledCodes(found.name, found.z[known], values, found.is_class or _has_two(values), found.source)


def _has_two(values: np.ndarray) -> bool:
    """Whether a property only says yes or no."""
    return len(np.unique(values)) == 2


def _of_references(model: MolVAE, name: str) -> LabelledCodes:
    """Training codes that the model keeps: with its own predictions, or decoded and computed."""
    column, wanted = split_name(name)
    if wanted is not None:
        raise SettingsError(f"{name} names a class of a table; give the table with --fit TABLE")
    column = resolve(model, column)
    z = model.latent_statistics.references.detach().float().cpu().numpy()
    z = z[np.isfinite(z).all(axis=1)]
    if not len(z):
        raise SettingsError("this model keeps no training codes to learn a direction from; give a table with --fit TABLE")
    if column in model.property_names:
        values = model.predict(z)[column].to_numpy(dtype=float)
        return LabelledCodes(column, z, values, False, "training codes, with the model's own predictions")
    z = z[:MOST_DECODED]
    decoded = model.decode(z)
    texts = [text if valid else None for text, valid in zip(decoded["smiles"], decoded["valid"], strict=True)]
    values = property_values(model, texts, [column])[column].to_numpy(dtype=float)
    return LabelledCodes(column, z, values, False, "training codes, decoded")


def _of_table(model: MolVAE, name: str, table: Table, seed: int, smiles_column: str | None) -> LabelledCodes:
    column, wanted = split_name(name)
    blocks = list(read_blocks(model, table, smiles_column, "skip"))
    smiles = [one for block in blocks for one in block.smiles]
    frame = with_numbers(pd.concat([block.frame for block in blocks], ignore_index=True))
    source = f"the table '{table}'" if isinstance(table, (str, Path)) else "the table"
    if len(smiles) > MOST_MOLECULES:
        chosen = np.sort(np.random.default_rng(seed).choice(len(smiles), MOST_MOLECULES, replace=False))
        smiles, frame = [smiles[i] for i in chosen], frame.iloc[chosen].reset_index(drop=True)
    names = [str(one) for one in frame.columns]
    is_there = column.lower() in {one.lower() for one in names}
    if wanted is None and not is_there:
        column = find(dict.fromkeys([*names, *PROPERTIES, *model.property_names]), column, "column or property")[0]
        values = property_values(model, smiles, [column])[column].to_numpy(dtype=float)
    else:
        column = find(dict.fromkeys(names), column, "column of the table")[0]
        values = _column_values(frame[column], column, wanted)
    name = column if wanted is None else f"{column}={wanted}"
    return LabelledCodes(name, model.encode(smiles, canonicalize=False), values, wanted is not None, source)


def _column_values(cells: pd.Series, column: str, wanted: str | None) -> np.ndarray:
    """Numbers of a column, or membership of a class; NaN where a cell is empty."""
    texts = cells.astype(object).where(cells.notna(), "").map(lambda cell: str(cell).strip())
    if wanted is None:
        values = read_numbers(cells.astype(float) if pd.api.types.is_bool_dtype(cells) else cells).values
        if not np.isfinite(values).any():
            some = ", ".join(dict.fromkeys(text for text in texts if text))[:60]
            raise NothingUsableError(f"the column '{column}' holds no number; name a class of it: {column}=VALUE ({some})")
        return values
    is_in = np.array([_is_same(text, wanted) for text in texts])
    if not is_in.any():
        some = ", ".join(dict.fromkeys(text for text in texts if text))[:60]
        raise NothingUsableError(f"no row of the column '{column}' is '{wanted}'; there are: {some}")
    return np.where(texts == "", np.nan, is_in.astype(float))


def _is_same(text: str, wanted: str) -> bool:
    """Whether a cell says a class: by its text, or as a number."""
    if text.lower() == wanted.lower():
        return True
    try:
        return float(text) == float(wanted)
    except ValueError:
        return False
