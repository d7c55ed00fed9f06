"""Write tables so that a reader never sees half of one: everything goes to a temporary name first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rdkit import rdBase

from chemvae.data.files.formats.parquet import METADATA_KEY
from chemvae.disk.files import Replacement, clear_leftovers, refusals_explained
from chemvae.disk.locks import held
from chemvae.errors import InputError

_NUMBER = re.compile(r"[+-]? ?[\d.,'\u00a0 ]*\d[.,]?(?:[eE][+-]?\d+)?%?")
_FORMULA = re.compile(r"(?:\s*[=+\-@＝＋－＠]|[\t\r\n])", re.ASCII)
AS_TEXT = "'"
"""Put before a text that a spreadsheet would carry out as a formula."""


class ParquetWriter:
    """A Parquet file of canonical SMILES that grows piece by piece and appears when it is whole.

    Parameters
    ----------
    path : Path
        Replaced if it exists.
    types : mapping of column to "text" or "number"
        All columns, in order.
    facts : mapping
        Kept in the file's metadata beside RDKit's version, by which readers know that the SMILES are canonical.
    """

    def __init__(self, path: Path, types: Mapping[str, str], facts: Mapping[str, Any] | None = None):
        import pyarrow
        import pyarrow.parquet

        self._replacement = Replacement(path)
        arrow_types = {"text": pyarrow.string(), "number": pyarrow.float64()}
        note = json.dumps({"rdkit": rdBase.rdkitVersion, **(facts or {})}).encode()
        self.schema = pyarrow.schema([(name, arrow_types[kind]) for name, kind in types.items()], metadata={METADATA_KEY: note})
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = pyarrow.parquet.ParquetWriter(self._replacement.create(), self.schema, compression="zstd")

    def write(self, rows: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as columns."""
        import pyarrow

        self._file.write_table(pyarrow.table({name: rows[name] for name in self.schema.names}, schema=self.schema))

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        try:
            self._file.close()
            if kind is None:
                self._replacement.finish()
        finally:
            self._replacement.discard()


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder that becomes ``path`` if the block ends well, and vanishes if it does not.

    Raises
    ------
    BusyFolderError
        If another program makes the same folder, naming it.
    ChemVAEError
        If the disk is full or the place not writable.
    InputError
        If ``path`` exists and ``overwrite`` is false, or is not a folder that this function made before.
    """
    path = Path(path)
    with held(path, beside=True), refusals_explained(path, only_space=True):
        clear_leftovers(path)
        _check_new_folder(path, overwrite=overwrite)
        with Replacement(path, make_way=True) as temporary:
            temporary.mkdir(parents=True)
            yield temporary


def _check_new_folder(path: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is there already, and one that is to be replaced but was not made by :func:`new_folder`."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists. Choose another --output, or allow --overwrite.")
    if path.exists() and not (path / "card.json").is_file() and (path.is_file() or any(path.iterdir())):
        raise InputError(f"{path} is not a prepared data set (it holds no card.json), so it is not overwritten.")


def as_text(cell: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would carry out: one that begins with ``= + - @``, tab or line end.

    Numbers and dashes that stand for nothing stay as they are; so does what is no text, or has its apostrophe already.
    :func:`as_meant` takes it off again.

    References
    ----------
    OWASP, CSV Injection. https://owasp.org/www-community/attacks/CSV_Injection

    Examples
    --------
    >>> [as_text(cell) for cell in ("=1+1", "-1.5e-3", "-OH", "CCO", "-", -2.0)]
    ["'=1+1", '-1.5e-3', "'-OH", 'CCO', '-', -2.0]
    """
    if not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.fullmatch(cell) or not cell.strip("-"):
        return cell
    return AS_TEXT + cell


def as_meant(cell: Any) -> Any:
    """What :func:`as_text` was given.

    Examples
    --------
    >>> as_meant(as_text("=1+1")), as_meant("'tis")
    ('=1+1', "'tis")
    """
    is_marked = isinstance(cell, str) and cell.startswith(AS_TEXT) and _FORMULA.match(cell, len(AS_TEXT))
    return cell[len(AS_TEXT) :] if is_marked else cell


_as_texts = np.frompyfunc(as_text, 1, 1)


def as_text_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with :func:`as_text` of every cell and column name: what is to be written as CSV or TSV.

    Examples
    --------
    >>> as_text_table(pd.DataFrame({"name": ["@a", "b"], "y": [-1.0, 2.0]}))["name"].tolist()
    ["'@a", 'b']
    """
    may_hold = {kind: _may_hold_text(kind) for kind in set(frame.dtypes)}
    is_text = np.array([may_hold[kind] for kind in frame.dtypes], dtype=bool)
    texts = _as_texts(frame.loc[:, is_text].to_numpy(dtype=object))  # all at once: there may be very many columns
    order = np.argsort(np.concatenate([np.flatnonzero(is_text), np.flatnonzero(~is_text)]))
    table = pd.concat([pd.DataFrame(texts, index=frame.index, dtype=object), frame.loc[:, ~is_text]], axis=1).iloc[:, order]
    return table.set_axis([as_text(name) for name in frame.columns], axis=1)


def _may_hold_text(kind: Any) -> bool:
    return isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind)


def as_columns(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Turn rows into columns.

    Examples
    --------
    >>> as_columns([("CCO", 1.0), ("C", 2.0)], ["smiles", "y"])
    {'smiles': ['CCO', 'C'], 'y': [1.0, 2.0]}
    """
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def concat(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put chunks under one another; no chunk gives an empty frame."""
    frames = list(frames)
    return pd.concat(frames) if frames else pd.DataFrame()
