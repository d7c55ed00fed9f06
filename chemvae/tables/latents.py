"""Latent points as columns of a table, or as an ``.npy`` file."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chemvae.data.files.number_columns import read_columns
from chemvae.data.given import read_codes
from chemvae.data.prepare.sources import open_source
from chemvae.errors import InputError, NothingUsableError

logger = logging.getLogger(__name__)

_LATENT = re.compile(r"^z_?(\d+)$")


def latent_names(latent_dim: int) -> list[str]:
    """Names of the columns of a latent point.

    Examples
    --------
    >>> latent_names(3)
    ['z_0', 'z_1', 'z_2']
    """
    return [f"z_{i}" for i in range(latent_dim)]


def expand_latents(points: Sequence[np.ndarray]) -> pd.DataFrame:
    """Turn N points [D] into D columns.

    Examples
    --------
    >>> expand_latents([np.zeros(2), np.ones(2)])["z_1"].tolist()
    [0.0, 1.0]
    """
    rows = np.array([np.asarray(point) for point in points], dtype=np.float32)
    rows = rows.reshape(len(points), -1) if len(points) else np.zeros((0, 0), dtype=np.float32)
    return pd.DataFrame(rows, columns=latent_names(rows.shape[1]))


def latent_columns(columns: Sequence[Any]) -> list[Any]:
    """Find the columns of a latent point among others, in the order of their numbers.

    Examples
    --------
    >>> latent_columns(["smiles", "z_10", "z_2", "zinc"])
    ['z_2', 'z_10']
    """
    numbers = {int(match[1]): column for column in columns if (match := _LATENT.match(str(column)))}
    return [numbers[i] for i in sorted(numbers)]


def read_latents(data: Any, latent_dim: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Read latent points [N, D], NaN where a row has none, and the table's other columns (N rows).

    Raises
    ------
    NothingUsableError
        If there is no point.
    InputError
        If the data cannot be read, or the points do not have ``latent_dim`` numbers.
    """
    if isinstance(data, (str, Path)) and str(data).lower().endswith(".npy"):
        z, others, name = _read_npy(Path(data)), None, str(data)
    elif not isinstance(data, (str, Path)) and (codes := read_codes(data)) is not None and not _has_names(data):
        z, others, name = np.array(codes.detach().cpu() if hasattr(codes, "detach") else codes, np.float32), None, "the data"
        z = z[None] if z.ndim == 1 else z
    else:
        z, others, name = _read_latent_columns(data)
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise InputError(
            f"{name} holds points of shape {list(z.shape)}; this model's have {latent_dim} numbers. "
            "Decode with the model that encoded them."
        )
    if not np.isfinite(z).all(axis=1).any():
        raise NothingUsableError(f"{name} holds no latent point: every row has gaps.")
    without = np.flatnonzero(~np.isfinite(z).all(axis=1))
    if len(without):
        logger.warning("%s: %s no latent point (numbers missing or not finite).", name, _told(without))
    z[without] = np.nan
    return z, pd.DataFrame(index=range(len(z))) if others is None else others


def _told(rows: np.ndarray) -> str:
    """Some rows, counted from 0 as in the table that is written."""
    some = ", ".join(map(str, rows[:3]))
    more = f" and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {some}{more} {'has' if len(rows) == 1 else 'have'}"


def _has_names(data: Any) -> bool:
    """Whether a table says which of its columns are latent points."""
    return bool(latent_columns(getattr(data, "columns", ()))) and not all(isinstance(name, int) for name in data.columns)


def _read_npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read as a NumPy file ({reason}). Write it with chemvae encode -o NAME.npy."
        ) from None


def _read_latent_columns(data: Any) -> tuple[np.ndarray, pd.DataFrame, str]:
    source = open_source(data)
    frames = [chunk.frame for chunk in source.chunks]
    frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    columns = latent_columns(frame.columns)
    if not columns:
        listed = ", ".join(map(str, frame.columns)) or "none"
        raise NothingUsableError(
            f"{source.name} has no columns z_0, z_1, ... (its columns: {listed}). Make it with chemvae encode."
        )
    return _read_points(frame[columns], source.name), frame.drop(columns=columns), source.name


def _read_points(frame: pd.DataFrame, source: str) -> np.ndarray:
    """The numbers of a table's latent columns as float32 [N, D]; how many cells hold none is said."""
    found = read_columns(frame)
    refused = [(row, why) for column in found for row, why in column.refused.items()]
    if refused:
        row, why = min(refused, key=itemgetter(0))
        what = f"{len(refused):,} latent cells are no numbers" if len(refused) > 1 else "a latent cell is no number"
        logger.warning("%s: %s, and rows with such have no point; the first: row %s, %s.", source, what, f"{row + 1:,}", why)
    return np.column_stack([column.values for column in found]).astype(np.float32)
