"""Write tables so that a reader never sees half of one: everything goes to a temporary name first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rdkit import rdBase

from chemvae.data.files.parquet import METADATA_KEY
from chemvae.errors import InputError
from chemvae.files import Replacement


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
        self._file = pyarrow.parquet.ParquetWriter(self._replacement.temporary, self.schema, compression="zstd")

    def write(self, rows: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as columns."""
        import pyarrow

        self._file.write_table(pyarrow.table({name: rows[name] for name in self.schema.names}, schema=self.schema))

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        self._file.close()
        if kind is None:
            self._replacement.finish()
        else:
            self._replacement.discard()


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder that becomes ``path`` if the block ends well, and vanishes if it does not.

    Raises
    ------
    InputError
        If ``path`` exists and ``overwrite`` is false, or is not a folder that this function made before.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists. Choose another --output, or allow --overwrite.")
    if path.exists() and not (path / "card.json").is_file() and (path.is_file() or any(path.iterdir())):
        raise InputError(f"{path} is not a prepared data set (it holds no card.json), so it is not overwritten.")
    with Replacement(path, make_way=True) as temporary:
        temporary.mkdir(parents=True)
        yield temporary


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
