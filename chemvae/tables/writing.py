"""Write tables whole or not at all; the ending says the format."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from chemvae.chem.drawing import molecule_png
from chemvae.data.files.columns import SMILES_NAMES
from chemvae.data.files.formats.sdf_writing import write_sdf
from chemvae.data.files.formats.spreadsheet import DRAWING
from chemvae.data.files.formats.workbook import write_xlsx
from chemvae.data.files.molecule_column import find_smiles_column
from chemvae.data.files.reading import STDIN, split_suffix
from chemvae.data.files.writing import as_text_table
from chemvae.disk.files import write_atomically
from chemvae.errors import ChemVAEError, MissingExtraError, NothingUsableError, SettingsError
from chemvae.tables.latents import latent_columns

TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".xlsx", ".sdf")
LATENT_ENDINGS = (*TABLE_ENDINGS, ".npy")
CELL = (360, 270)  # pixels of a drawing in a cell
MOST_DRAWN = 1_000  # rows of a sheet; a drawing takes a few milliseconds and kilobytes


def check_output(output: str | Path, endings: Sequence[str] = TABLE_ENDINGS, *, overwrite: bool = False) -> None:
    """Refuse an output that could not be written, before any work is done.

    Raises
    ------
    SettingsError
        If the ending is none of ``endings`` (``.csv`` and ``.tsv`` may be followed by ``.gz`` or ``.zst``).
    ChemVAEError
        If the file exists, unless ``overwrite``, or is a folder.
    """
    if str(output) == STDIN:
        return
    ending, compression = split_suffix(output)
    if ending not in endings or (compression and ending not in (".csv", ".tsv")):
        raise SettingsError(f"'{output}' must end in {', '.join(endings)} (or be - for CSV on stdout)")
    if compression == ".zst":
        try:
            import zstandard  # noqa: F401
        except ImportError:
            raise MissingExtraError("zstandard", "zstd", "Writing .zst") from None
    if ending == ".xlsx":
        try:
            import xlsxwriter  # noqa: F401
        except ImportError:
            raise MissingExtraError("xlsxwriter", "xlsx", "Writing .xlsx files") from None
    if Path(output).is_dir():
        raise ChemVAEError(f"'{output}' is a folder. Give the name of a file.")
    if Path(output).exists() and not overwrite:
        raise ChemVAEError(f"'{output}' exists. Add --overwrite to replace it, or choose another name.")


def write_table(frame: pd.DataFrame, output: str | Path) -> None:
    """Write a table whole or not at all; the ending says the format, "-" is CSV on stdout.

    ``.csv`` and ``.tsv``, with ``.gz`` or ``.zst`` after it; ``.parquet``; ``.xlsx``, with the molecules drawn where there are
    at most 1,000; ``.sdf``, every other column an item; ``.npy`` keeps ``z_0`` ... only.

    Raises
    ------
    SettingsError
        For an SDF of a table without molecules.
    """
    if str(output) == STDIN:
        as_text_table(frame).to_csv(sys.stdout, index=False)
        return
    ending, compression = split_suffix(output)

    def write(path: Path) -> None:
        if ending == ".parquet":
            of_one_type(frame).to_parquet(path, index=False)
        elif ending == ".xlsx":
            write_xlsx(frame.drop(columns=DRAWING, errors="ignore"), path, _pictures(frame))
        elif ending == ".sdf":
            write_sdf(frame, path, _molecules(frame, output))
        elif ending == ".npy":
            with path.open("wb") as file:
                np.save(file, frame[latent_columns(frame.columns)].to_numpy(np.float32))
        else:
            kind = {".gz": "gzip", ".zst": "zstd"}.get(compression)
            as_text_table(frame).to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",", compression=kind)

    write_atomically(Path(output), write)


def _pictures(frame: pd.DataFrame) -> dict[int, bytes]:
    """Position of a row -> its molecule drawn; none of a table without molecules, or with very many."""
    try:
        column = _smiles_column(frame) if len(frame) <= MOST_DRAWN else None
    except NothingUsableError:
        return {}
    drawn = {} if column is None else {i: molecule_png(str(text or ""), *CELL) for i, text in enumerate(frame[column])}
    return {i: picture for i, picture in drawn.items() if picture is not None}


def _smiles_column(frame: pd.DataFrame) -> str:
    """Where the molecules stand: in a column of a usual name, else in one that holds some."""
    named = [str(name) for name in frame.columns if str(name).strip().lower() in SMILES_NAMES]
    return named[0] if named else find_smiles_column(frame.rename(columns=str), is_told=False)


def _molecules(frame: pd.DataFrame, output: str | Path) -> str:
    """The column of molecules."""
    try:
        return _smiles_column(frame)
    except NothingUsableError as error:
        raise SettingsError(f"'{output}' is to hold structures, and the table has none ({error}); write .csv") from None


def of_one_type(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with columns that mix texts, numbers and dates, as sheets do, as text: a Parquet column has one type.

    Examples
    --------
    >>> of_one_type(pd.DataFrame({"a": [1, "x", None], "b": [1, 2.5, None]}, dtype=object))["a"].tolist()[:2]
    ['1', 'x']
    """
    positions = [i for i, kind in enumerate(frame.dtypes) if pd.api.types.is_object_dtype(kind)]
    cells = frame.iloc[:, positions].to_numpy(dtype=object)  # [N, K], at once: there may be very many columns
    missing = pd.isna(cells)
    changed = {}
    for position, column, gaps in zip(positions, cells.T, missing.T, strict=True):
        kinds = {float if kind is int else kind for kind in map(type, column[~gaps])}
        if len(kinds) > 1:
            changed[frame.columns[position]] = [None if gap else str(cell) for cell, gap in zip(column, gaps, strict=True)]
    return frame.assign(**changed) if changed else frame
