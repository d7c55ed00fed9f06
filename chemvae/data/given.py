"""The one door for molecules and latent points in Python: whatever form they are given in, they leave it in one.

Molecules are a SMILES or an RDKit molecule, or any sequence of them: a list, a Series, an array of strings, a DataFrame with a
column of them, a generator. Latent points are numbers: an array or tensor [D] or [N, D], a list or a DataFrame of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from chemvae.chem.molecules import MOST_ATOMS, canonicalize, invalid_reason, is_small, quiet
from chemvae.data.files.columns import is_missing
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.errors import InputError

FORMS = "give a SMILES, a list, array or Series of them, a DataFrame with a column of SMILES, or RDKit molecules"


@dataclass(frozen=True)
class GivenMolecules:
    """N molecules as they were given, read."""

    smiles: list[str | None]
    """None for what is no molecule."""
    reasons: list[str | None]
    """Why it is none; None for a molecule."""
    index: pd.Index | None = None
    """Of the Series or DataFrame they stood in."""

    def __len__(self) -> int:
        return len(self.smiles)

    def known(self, rows: Iterable[int] | None = None) -> list[str]:
        """SMILES of those that are molecules, or of those among some rows."""
        found = self.smiles if rows is None else [self.smiles[row] for row in rows]
        return [smiles for smiles in found if smiles is not None]


def read_molecules(given: Any, *, canonical: bool = True) -> GivenMolecules:
    """Read molecules in any form.

    Parameters
    ----------
    given : object
        See this module.
    canonical : bool
        Bring SMILES to RDKit's canonical form. False takes text as it is written; only what is no text is then no molecule.

    Raises
    ------
    InputError
        If it is no list of molecules at all: None, a number, bytes, a dict, a set, a path, lists within a list.

    Examples
    --------
    >>> found = read_molecules(["OCC", None, "C1CC", Chem.MolFromSmiles("NC")])
    >>> found.smiles, found.reasons[2]
    (['CCO', None, None, 'CN'], 'ring 1 is opened and never closed')
    >>> read_molecules({"smiles": ["CCO"]})
    Traceback (most recent call last):
    ...
    chemvae.errors.InputError: a dict is no list of molecules; give a SMILES, a list, array or Series of them, a DataFrame \
with a column of SMILES, or RDKit molecules.
    """
    entries, index = list_molecules(given)
    known: dict[str, tuple[str | None, str | None]] = {}
    read = [_read(one, known, canonical) for one in entries]
    return GivenMolecules([smiles for smiles, _ in read], [reason for _, reason in read], index)


def list_molecules(given: Any) -> tuple[list[Any], pd.Index | None]:
    """The entries of a list of molecules in any form, unread, and the index of a Series or DataFrame; InputError if it is none.

    Examples
    --------
    >>> list_molecules(pd.DataFrame({"id": [7, 8], "smiles": ["CCO", "CN"]}))[0], list_molecules("CCO")[0]
    (['CCO', 'CN'], ['CCO'])
    """
    if isinstance(given, (str, Chem.Mol)):
        return [given], None
    given = _as_pandas(given)
    if isinstance(given, pd.DataFrame):
        given = given.iloc[:, _place_of_molecules(given)]
    if isinstance(given, pd.Series):
        return _checked(given.tolist()), given.index
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    unordered = isinstance(given, (bytes, bytearray, Mapping, PurePath, set, frozenset))
    if unordered or not isinstance(given, Iterable) or getattr(given, "ndim", 1) == 0:
        raise InputError(f"{_named(given)} is no list of molecules; {FORMS}.")
    return _checked([one.as_py() if hasattr(one, "as_py") else one for one in given]), None


def as_written(one: Any) -> Any:
    """An entry of a list of molecules as a cell of a table: RDKit molecules as SMILES, "" for one that cannot be written.

    Examples
    --------
    >>> as_written(Chem.MolFromSmiles("OCC")), as_written("OCC"), as_written(None)
    ('CCO', 'OCC', None)
    """
    return _read_mol(one, canonical=False)[0] or "" if isinstance(one, Chem.Mol) else one


def read_codes(given: Any) -> np.ndarray | Any | None:
    """Latent points as an array (a tensor stays one) if that is what was given, else None: [D] or [N, D], or whatever shape.

    A DataFrame with columns ``z_0``, ``z_1``, ... may hold others too. What is empty, or all missing, is a list of molecules.

    Examples
    --------
    >>> read_codes([0.5, 1.0]).shape, read_codes(pd.DataFrame({"z_0": [1.0], "z_1": [2.0], "id": ["a"]})).shape
    ((2,), (1, 2))
    >>> read_codes(["CCO"]) is None, read_codes([]) is None, read_codes([float("nan")]) is None
    (True, True, True)
    """
    if hasattr(given, "detach"):
        return _plain_tensor(given)
    given = _as_pandas(given)
    if isinstance(given, pd.DataFrame):
        return _codes_of(given)
    if isinstance(given, pd.Series):
        given = given.tolist()
    if isinstance(given, np.ndarray) and given.dtype.kind == "c":
        raise InputError(f"latent points are real numbers, these are {given.dtype}.")
    if isinstance(given, np.ma.MaskedArray) and given.dtype.kind in "iuf":
        given = np.where(np.ma.getmaskarray(given), np.nan, np.ma.getdata(given))
    if isinstance(given, np.ndarray) and given.dtype.kind in "iuf":
        return given if given.ndim else None
    if isinstance(given, np.ndarray) and not given.ndim:
        return None
    if not isinstance(given, (list, tuple, np.ndarray)) or not len(given):
        return None
    if all(map(_is_number, given)):
        return None if all(map(is_missing, given)) else _as_floats(given)
    is_rows = all(hasattr(one, "__len__") and not isinstance(one, (str, bytes, Mapping)) for one in given)
    return _as_floats(given) if is_rows and all(len(one) and _is_number(one[0]) for one in given) else None


def _plain_tensor(given: Any) -> Any:
    """A tensor of real numbers that lie in memory one beside the other; InputError for another kind."""
    kind = "complex" if given.is_complex() else "meta" if given.is_meta else str(given.layout).removeprefix("torch.")
    if kind != "strided":
        raise InputError(f"latent points must be a plain tensor of real numbers, not a {kind} one.")
    return given


def _codes_of(frame: pd.DataFrame) -> np.ndarray | None:
    """The columns z_0, z_1, ... of a frame in order, or all of one that holds numbers only; None if it has neither."""
    places = {str(name)[2:]: name for name in frame.columns if str(name).startswith("z_") and str(name)[2:].isdecimal()}
    if places:
        frame = frame[[places[number] for number in sorted(places, key=int)]]
    is_numbers = all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes) and frame.shape[1] > 0
    return frame.to_numpy(dtype=np.float64, na_value=np.nan) if is_numbers else None


def _as_floats(given: Any) -> np.ndarray:
    try:
        return np.asarray([np.asarray(one) for one in given], dtype=np.float64)
    except (ValueError, TypeError, RuntimeError):
        raise InputError("these latent points are not all numbers, or of different lengths; give an array [N, D].") from None


def _is_number(one: Any) -> bool:
    """Whether this is one number: of Python, of numpy, or a tensor of one."""
    if isinstance(one, (bool, np.bool_)):
        return False
    is_scalar = hasattr(one, "item") and getattr(one, "ndim", 1) == 0
    return isinstance(one, (Real, np.number)) or (is_scalar and isinstance(one.item(), (int, float)))


def _as_pandas(given: Any) -> Any:
    """Tables and columns of other libraries as pandas has them."""
    return given.to_pandas() if hasattr(given, "to_pandas") else given


def _place_of_molecules(frame: pd.DataFrame) -> int:
    """Position of the column of RDKit molecules where there is one, else of that of SMILES; InputError if two are called so."""
    for place in range(frame.shape[1]):
        if any(isinstance(cell, Chem.Mol) for cell in frame.iloc[:, place].head(64)):
            return place
    if not len(frame) and frame.shape[1]:
        return 0
    names = [str(name) for name in frame.columns]
    found = find_smiles_column(frame.set_axis(names, axis=1))
    if names.count(found) > 1:
        raise InputError(f"the table has {names.count(found)} columns called '{found}'. Keep one, or give others other names.")
    return names.index(found)


def _checked(entries: list[Any]) -> list[Any]:
    """The entries, unless one of them is a list again, or all are numbers."""
    for row, one in enumerate(entries):
        if isinstance(one, (list, tuple, set, Mapping, pd.Series)) or bool(getattr(one, "ndim", 0)):
            raise InputError(f"entry {row} is a {type(one).__name__}, not a molecule; {FORMS}.")
    told = [one for one in entries if one is not None and one is not pd.NA and one == one]
    if told and all(map(_is_number, told)):
        raise InputError(f"numbers are no molecules; {FORMS}.")
    return entries


def _named(given: Any) -> str:
    return "None" if given is None else f"a {type(given).__name__}"


def _read(one: Any, known: dict[str, tuple[str | None, str | None]], canonical: bool) -> tuple[str | None, str | None]:
    """SMILES and reason of one entry; each text is looked at once."""
    if isinstance(one, Chem.Mol):
        return _read_mol(one, canonical)
    if not isinstance(one, str):
        empty = one is None or one is pd.NA or one is pd.NaT or one != one
        return None, "the cell is empty" if empty else f"a {type(one).__name__} is not a SMILES"
    text = str(one)
    if not canonical:
        return (text, None) if text.strip() else (None, "the cell is empty")
    if text not in known:
        found = canonicalize(text)
        known[text] = (found, None if found is not None else invalid_reason(text) or "RDKit cannot make a molecule of it")
    return known[text]


def _read_mol(mol: Chem.Mol, canonical: bool) -> tuple[str | None, str | None]:
    if not is_small(mol):
        return None, f"it has {mol.GetNumHeavyAtoms():,} heavy atoms; molecules of more than {MOST_ATOMS:,} are not read"
    try:
        with quiet():
            text = Chem.MolToSmiles(mol)
    except (RuntimeError, ValueError):
        return None, "RDKit cannot write it as SMILES"
    found = canonicalize(text) if canonical else text
    return (found, None) if found else (None, invalid_reason(text) or "RDKit cannot read it again")
