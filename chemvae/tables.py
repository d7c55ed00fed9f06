"""Tables of molecules in, tables of answers out: one row for every row, columns that were there passed through unchanged.

A row that cannot be used keeps its place with empty values and its reason (``keep``), is left out and counted (``skip``), or
ends the work (``error``). A column of ours whose name the table already uses gets a suffix; theirs stay as they are.
"""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.molecules import check_standardize_mode
from chemvae.data.cleaning import BROKEN_ROW, Clean
from chemvae.data.columns import find_smiles_column, parse_numbers
from chemvae.data.reading import STDIN, Chunk, split_suffix
from chemvae.data.sources import clean_pieces, open_source
from chemvae.errors import (
    ChemVAEError,
    InputError,
    InvalidMoleculeError,
    MissingExtraError,
    NothingUsableError,
    SettingsError,
)
from chemvae.runs import write_atomically

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

ON_INVALID = ("keep", "skip", "error")
TABLE_ENDINGS = (".csv", ".tsv", ".parquet")
LATENT_ENDINGS = (*TABLE_ENDINGS, ".npy")
REASON = "reason"
_LATENT = re.compile(r"^z_?(\d+)$")
_ID_LIKE = re.compile(r"^[-+]?0\d")
Progress = Callable[[int], Any]


@dataclass(frozen=True)
class Block:
    """Some rows of a table and what became of their SMILES."""

    frame: pd.DataFrame
    """Cells as they stand in the source; text for text formats."""
    smiles: list[str | None]
    """Canonical; None where the row cannot be used."""
    reasons: list[str]
    """Why not; "" where it can."""
    smiles_column: str
    """Where the SMILES stand."""


def encode_table(
    model: MolVAE,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Encode every molecule of a table.

    Parameters
    ----------
    model : MolVAE
    data : str, Path, sequence of str or DataFrame
        As in :func:`chemvae.data.tables.load_table`.
    smiles_column : str, optional
        Found by itself if it has a usual name or is the first that holds molecules.
    on_invalid : {"keep", "skip", "error"}
    standardize : {"none", "salts", "neutral"}
        Before encoding; the SMILES that is passed through stays as it was.
    jobs : int
        Worker processes for cleaning.
    progress : callable, optional
        Told the number of rows done.

    Returns
    -------
    DataFrame
        The table's own columns, then the posterior mean as ``z_0`` ... ``z_<D-1>`` (float32), then ``reason`` under ``keep``.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        At the first row that cannot be used, under ``error``.
    NothingUsableError
        If no row can be used.
    InputError
        If the data cannot be read.

    Examples
    --------
    >>> encode_table(model, ["OCC", "C1"]).columns.tolist()  # doctest: +SKIP
    ['smiles', 'z_0', ..., 'z_63', 'reason']
    """
    names = latent_names(model.latent_dim)

    def encode(smiles: list[str]) -> pd.DataFrame:
        return pd.DataFrame(model.encode(smiles), columns=names)

    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    return _answer(blocks, encode, names, "_encoded", on_invalid, progress)


def predict_table(
    model: MolVAE,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict the properties of every molecule of a table.

    Parameters
    ----------
    model, data, smiles_column, on_invalid, standardize, jobs, progress
        As in :func:`encode_table`.

    Returns
    -------
    DataFrame
        The table's own columns; ``P`` and ``P_std`` for each property P, in the unit of the training data (``P_predicted``
        and ``P_predicted_std`` where the table has a column P); ``distance``; then ``reason`` under ``keep``.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError, NothingUsableError, InputError
        As in :func:`encode_table`.
    """
    names = [column for name in model.property_names for column in (name, f"{name}_std")] + ["distance"]

    def predict(smiles: list[str]) -> pd.DataFrame:
        return model.predict(smiles)[names].astype(np.float32)

    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    return _answer(blocks, predict, names, "_predicted", on_invalid, progress)


def decode_table(model: MolVAE, data: Any, n_samples: int = 1, temperature: float = 0.0, seed: int = 0) -> pd.DataFrame:
    """Decode the latent points of a table.

    Parameters
    ----------
    model : MolVAE
    data : str, Path or DataFrame
        A table with the columns ``z_0`` ... as :func:`encode_table` gives them, or an ``.npy`` file of shape [N, D].
    n_samples, temperature, seed
        As in :meth:`chemvae.models.vae.MolVAE.decode`.

    Returns
    -------
    DataFrame
        ``row`` (from 0), ``sample``, ``smiles`` (as written), ``valid``, ``log_prob`` (nats), and the table's other columns;
        ours are called ``smiles_decoded`` and so on where the table uses the name. A row without a point gives an empty,
        invalid molecule.

    Raises
    ------
    NothingUsableError
        If there is no latent point.
    InputError
        If the data cannot be read, or its points have another length than the model's.
    """
    if n_samples < 1:
        raise SettingsError(f"n_samples must be >= 1, got {n_samples}")
    if not temperature >= 0:
        raise SettingsError(f"temperature must be >= 0, got {temperature}")
    z, others = read_latents(data, model.latent_dim)
    decoded = model.decode(z, n_samples=n_samples, temperature=temperature, seed=seed)
    others = others.iloc[decoded["row"]].reset_index(drop=True)
    return pd.concat([_renamed(decoded, others.columns, "_decoded"), others], axis=1)


def latent_table(
    model: MolVAE,
    data: Any,
    smiles_column: str | None = None,
    standardize: str = "none",
    limit: int | None = None,
    seed: int = 0,
    jobs: int = 1,
) -> tuple[list[str], np.ndarray, pd.DataFrame]:
    """Encode the usable molecules of a table, for a map.

    Parameters
    ----------
    model, data, smiles_column, standardize, jobs
        As in :func:`encode_table`.
    limit : int, optional
        At most so many molecules, chosen at random with ``seed``.

    Returns
    -------
    smiles : list of str
        Canonical, N.
    z : ndarray [N, D]
    columns : DataFrame, N rows
        The table's other columns, numbers as numbers, and what the model predicts, named as in :func:`predict_table`.
    """
    if limit is not None and limit < 1:
        raise SettingsError(f"limit must be >= 1, got {limit}")
    blocks = list(read_blocks(model, data, smiles_column, "skip", standardize, jobs))
    smiles = [one for block in blocks for one in block.smiles]
    frame = pd.concat([block.frame.drop(columns=block.smiles_column) for block in blocks], ignore_index=True)
    if limit is not None and len(smiles) > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(len(smiles), limit, replace=False))
        smiles, frame = [smiles[i] for i in chosen], frame.iloc[chosen].reset_index(drop=True)
    z = model.encode(smiles)
    predicted = _renamed(model.predict(z).astype(np.float32), frame.columns, "_predicted")
    return smiles, z, pd.concat([with_numbers(frame), predicted], axis=1)


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


# reading -----------------------------------------------------------------------------------------------------------------


def read_blocks(
    model: MolVAE | None,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
) -> Iterator[Block]:
    """Read a table in blocks, each row judged: a molecule, and one that the model's vocabulary can write.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        At the first row that cannot be used, under ``on_invalid="error"``.
    NothingUsableError
        If there are no rows, or none can be used.
    """
    if on_invalid not in ON_INVALID:
        raise SettingsError(f"on_invalid must be one of {', '.join(ON_INVALID)}, got '{on_invalid}'")
    check_standardize_mode(standardize)
    source = open_source(data, jobs=jobs, smiles_column=smiles_column)
    head = next(source.chunks)
    column = find_smiles_column(head.frame, source.smiles_column, source.name)
    n_rows, counts, first = 0, Counter(), ""
    for chunk, cleaned in clean_pieces(chain([head], source.chunks), column, standardize, jobs, None):
        block = _judge(chunk, cleaned, column, model, on_invalid, counts)
        first = first or next((reason for reason in block.reasons if reason), "")
        n_rows += len(block.smiles)
        if on_invalid == "skip":
            block = _only_usable(block)
        yield block
    n_bad = sum(counts.values())
    if n_bad == n_rows:
        raise NothingUsableError(f"None of the {n_rows:,} rows of {source.name} can be used; the first: {first}.")
    if n_bad:
        listed = ", ".join(f"{reason}: {count:,}" for reason, count in counts.most_common())
        fate = f"they have no values, and a {REASON}" if on_invalid == "keep" else "they are left out"
        logger.warning("%s of %s rows of %s cannot be used (%s); %s.", f"{n_bad:,}", f"{n_rows:,}", source.name, listed, fate)


def _judge(chunk: Chunk, cleaned: list[Clean], column: str, model: MolVAE | None, on_invalid: str, counts: Counter) -> Block:
    """Put a chunk and the verdicts on its rows together."""
    smiles, reasons = [], []
    for row, raw, clean in zip(chunk.frame.index.tolist(), chunk.frame[column].tolist(), cleaned, strict=True):
        clean = Clean(None, BROKEN_ROW, chunk.problems[row]) if row in chunk.problems else clean
        complaint = model.vocabulary.complaint(clean.smiles) if model is not None and clean.smiles is not None else None
        if on_invalid == "error" and clean.smiles is None:
            raise InvalidMoleculeError(str(raw), clean.detail, row)
        if on_invalid == "error" and complaint:
            model.vocabulary.encode(clean.smiles)  # raises, naming molecule, symbol and position
        clean = Clean(None, "unknown symbol", complaint) if complaint else clean
        counts.update([clean.reason] if clean.smiles is None else [])
        smiles.append(clean.smiles)
        reasons.append("" if clean.smiles is not None else clean.detail or clean.reason)
    return Block(chunk.frame, smiles, reasons, column)


def _only_usable(block: Block) -> Block:
    usable = [i for i, smiles in enumerate(block.smiles) if smiles is not None]
    smiles = [block.smiles[i] for i in usable]
    return Block(block.frame.iloc[usable], smiles, [""] * len(usable), block.smiles_column)


def _answer(
    blocks: Iterator[Block],
    compute: Callable[[list[str]], pd.DataFrame],
    names: list[str],
    suffix: str,
    on_invalid: str,
    progress: Progress | None,
) -> pd.DataFrame:
    """Compute for the usable rows of each block, and put the answers beside the rows they belong to."""
    frames, n_done = [], 0
    for block in blocks:
        usable = [i for i, smiles in enumerate(block.smiles) if smiles is not None]
        values = np.full((len(block.smiles), len(names)), np.nan, dtype=np.float32)
        if usable:
            values[usable] = compute([block.smiles[i] for i in usable])[names].to_numpy(dtype=np.float32)
        ours = pd.DataFrame(values, columns=names)
        if on_invalid == "keep":
            ours[REASON] = pd.Series(block.reasons, dtype="str")
        theirs = block.frame.reset_index(drop=True)
        frames.append(pd.concat([theirs, _renamed(ours, theirs.columns, suffix)], axis=1))
        n_done += len(block.smiles)
        if progress is not None:
            progress(n_done)
    return pd.concat(frames, ignore_index=True)


def _renamed(ours: pd.DataFrame, taken: Sequence[str], suffix: str) -> pd.DataFrame:
    """Give our columns a suffix where their name is taken; a property and its standard deviation go together."""
    taken = set(map(str, taken))
    clashing = {name for name in ours.columns if name in taken or f"{name}_std" in taken & set(ours.columns)}
    names = {}
    for name in ours.columns:
        stem = name.removesuffix("_std")
        if stem in clashing and stem != name:
            names[name] = f"{stem}{suffix}_std"
        elif name in clashing:
            names[name] = f"{name}{suffix}"
    if names:
        logger.info("The table already has %s; ours: %s.", ", ".join(sorted(clashing)), ", ".join(names.values()))
    return ours.rename(columns=names)


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
    else:
        z, others, name = _read_latent_columns(data)
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise InputError(
            f"{name} holds points of shape {list(z.shape)}; this model's have {latent_dim} numbers. "
            "Decode with the model that encoded them."
        )
    if not np.isfinite(z).all(axis=1).any():
        raise NothingUsableError(f"{name} holds no latent point: every row has gaps.")
    z[~np.isfinite(z).all(axis=1)] = np.nan
    return z, pd.DataFrame(index=range(len(z))) if others is None else others


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
    numbers = {int(match[1]): column for column in frame.columns if (match := _LATENT.match(str(column)))}
    if not numbers:
        listed = ", ".join(map(str, frame.columns)) or "none"
        raise NothingUsableError(
            f"{source.name} has no columns z_0, z_1, ... (its columns: {listed}). Make it with chemvae encode."
        )
    columns = [numbers[i] for i in sorted(numbers)]
    z = np.column_stack([parse_numbers(frame[column])[0] for column in columns]).astype(np.float32)
    return z, frame.drop(columns=columns), source.name


def with_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text that hold numbers and gaps only into numbers; names such as 007 stay text.

    Examples
    --------
    >>> with_numbers(pd.DataFrame({"MW": ["46.1", ""], "id": ["007", "1"]})).dtypes.astype(str).tolist()
    ['float64', 'str']
    """
    changed = {}
    for name in frame.columns:
        values, bad = parse_numbers(frame[name])
        is_text = not pd.api.types.is_numeric_dtype(frame[name])
        if is_text and not bad.any() and np.isfinite(values).any() and not any(_ID_LIKE.match(str(c)) for c in frame[name]):
            changed[name] = values
    return frame.assign(**changed)


# writing -----------------------------------------------------------------------------------------------------------------


def check_output(output: str | Path, endings: Sequence[str] = TABLE_ENDINGS, overwrite: bool = False) -> None:
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
    if Path(output).is_dir():
        raise ChemVAEError(f"'{output}' is a folder. Give the name of a file.")
    if Path(output).exists() and not overwrite:
        raise ChemVAEError(f"'{output}' exists. Add --overwrite to replace it, or choose another name.")


def write_table(frame: pd.DataFrame, output: str | Path) -> None:
    """Write a table whole or not at all; the ending says the format, "-" is CSV on stdout.

    ``.csv`` and ``.tsv``, with ``.gz`` or ``.zst`` after it; ``.parquet``; ``.npy`` keeps the columns ``z_0`` ... only.
    """
    if str(output) == STDIN:
        frame.to_csv(sys.stdout, index=False)
        return
    ending, compression = split_suffix(output)

    def write(path: Path) -> None:
        if ending == ".parquet":
            frame.to_parquet(path, index=False)
        elif ending == ".npy":
            with path.open("wb") as file:
                np.save(file, frame[[name for name in frame.columns if _LATENT.match(str(name))]].to_numpy(np.float32))
        else:
            kind = {".gz": "gzip", ".zst": "zstd"}.get(compression)
            frame.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",", compression=kind)

    write_atomically(Path(output), write)
