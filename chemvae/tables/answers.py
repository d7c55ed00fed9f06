"""Encode, predict and decode tables: one row for every row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.errors import SettingsError
from chemvae.progress import Step, steps
from chemvae.tables.latents import latent_names, read_latents
from chemvae.tables.rows import REASON, Block, read_blocks, with_numbers

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)
Progress = Callable[[int], Any]
ENCODED_AT_ONCE = 4 * 512  # whole batches of MolVAE.encode
ENDINGS = ("_std", "_low", "_high")  # of columns that belong to the property before them


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
        As in :func:`chemvae.data.prepare.tables.load_table`.
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
    """
    names = latent_names(model.latent_dim)

    def encode(smiles: list[str]) -> pd.DataFrame:
        return pd.DataFrame(model.encode(smiles, canonicalize=False), columns=names)

    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    return answer_rows(blocks, encode, names, "_encoded", on_invalid, progress)


def predict_table(
    model: MolVAE,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
    progress: Progress | None = None,
    *,
    computed: bool = False,
) -> pd.DataFrame:
    """Predict the properties of every molecule of a table.

    Parameters
    ----------
    model, data, smiles_column, on_invalid, standardize, jobs, progress
        As in :func:`encode_table`.
    computed : bool
        Put what RDKit computes beside the prediction, for the properties it can compute.

    Returns
    -------
    DataFrame
        The table's own columns; ``P`` and ``P_std`` for each property P, in the unit of the training data (``P_predicted``
        and ``P_predicted_std`` where the table has a column P); ``P_computed`` if asked for; ``distance``; then ``reason``
        under ``keep``.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError, NothingUsableError, InputError
        As in :func:`encode_table`.
    """
    known = [name for name in model.property_names if computed and name.lower() in {one.lower() for one in PROPERTIES}]
    computed_names = [f"{name}_computed" for name in known]
    names = [column for name in model.property_names for column in (name, f"{name}_std")] + [*computed_names, "distance"]

    def predict(smiles: list[str]) -> pd.DataFrame:
        table = model.predict(smiles, canonicalize=False)
        if known:
            table[computed_names] = compute_table(smiles, known, jobs).to_numpy()
        return with_digits(table[names], wide_properties(model))

    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    return answer_rows(blocks, predict, names, "_predicted", on_invalid, progress)


def decode_table(
    model: MolVAE,
    data: Any,
    n_samples: int = 1,
    temperature: float | None = None,
    seed: int = 0,
    *,
    best_of: int = 0,
    beam: int = 0,
    mask_syntax: bool = False,
) -> pd.DataFrame:
    """Decode the latent points of a table.

    Parameters
    ----------
    model : MolVAE
    data : str, Path or DataFrame
        A table with the columns ``z_0`` ... as :func:`encode_table` gives them, or an ``.npy`` file of shape [N, D].
    n_samples, temperature, seed, best_of, beam, mask_syntax
        Fields of :class:`chemvae.sampling.ranking.DecodeSettings`.

    Returns
    -------
    DataFrame
        ``row`` (from 0), ``sample``, ``smiles`` (as written), ``valid``, ``log_prob`` (nats), and the table's other columns;
        ours are called ``smiles_decoded`` and so on where the table uses the name. A row without a point gives an empty,
        invalid molecule.

    Raises
    ------
    SettingsError
        If what is asked for contradicts itself, with every complaint at once.
    NothingUsableError
        If there is no latent point.
    InputError
        If the data cannot be read, or its points have another length than the model's.
    """
    from chemvae.sampling.ranking import DecodeSettings, decode_points

    settings = DecodeSettings(n_samples, temperature, seed, best_of, beam, mask_syntax)
    z, others = read_latents(data, model.latent_dim)
    decoded = decode_points(model, z, settings)
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
    *,
    step: Step | None = None,
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> tuple[list[str], np.ndarray, pd.DataFrame]:
    """Encode the usable molecules of a table, for a map.

    Parameters
    ----------
    model, data, smiles_column, standardize, jobs
        As in :func:`encode_table`.
    limit : int, optional
        At most so many molecules, chosen at random with ``seed``.
    step : callable, optional
        Called in the stages "read" and "encode"; what it raises ends the work.
    prepare : callable
        What is made of the table's other columns, numbers as numbers, before anything is encoded; what it raises ends the work.

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
    step = step or steps()
    blocks = []
    for block in read_blocks(model, data, smiles_column, "skip", standardize, jobs):
        blocks.append(block)
        step("read", sum(len(one.smiles) for one in blocks), None)
    smiles = [one for block in blocks for one in block.smiles]
    frame = pd.concat([block.frame.drop(columns=block.smiles_column) for block in blocks], ignore_index=True)
    if limit is not None and len(smiles) > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(len(smiles), limit, replace=False))
        smiles, frame = [smiles[i] for i in chosen], frame.iloc[chosen].reset_index(drop=True)
    frame = prepare(with_numbers(frame))
    z = _encode_in_steps(model, smiles, step)
    predicted = _renamed(with_digits(model.predict(z), wide_properties(model)), frame.columns, "_predicted")
    return smiles, z, pd.concat([frame, predicted], axis=1)


def _encode_in_steps(model: MolVAE, smiles: list[str], step: Step) -> np.ndarray:
    """Posterior means [N, D], the bits of ``model.encode`` at once: whole batches, in the order of length it takes them in."""
    z = np.empty((len(smiles), model.latent_dim), dtype=np.float32)
    order = np.argsort(model.tokens(smiles).lengths, kind="stable")
    step("encode", 0, len(smiles))
    for start in range(0, len(smiles), ENCODED_AT_ONCE):
        rows = order[start : start + ENCODED_AT_ONCE]
        z[rows] = model.encode([smiles[i] for i in rows], canonicalize=False)
        step("encode", min(start + ENCODED_AT_ONCE, len(smiles)), len(smiles))
    return z


def answer_rows(
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
        answers = compute([block.smiles[i] for i in usable])[names] if usable else pd.DataFrame(columns=names, dtype=np.float32)
        ours = answers.set_axis(usable).reindex(range(len(block.smiles)))
        if on_invalid == "keep":
            ours[REASON] = pd.Series(block.reasons, dtype="str")
        theirs = block.frame.reset_index(drop=True)
        frames.append(pd.concat([theirs, _renamed(ours, theirs.columns, suffix)], axis=1))
        n_done += len(block.smiles)
        if progress is not None:
            progress(n_done)
    return pd.concat(frames, ignore_index=True)


def wide_properties(model: MolVAE) -> list[str]:
    """The properties whose predictions need float64 (:attr:`chemvae.models.predictor.PropertyPredictor.wide`)."""
    return [name for name, wide in zip(model.property_names, model.predictor.wide, strict=True) if wide]


def with_digits(answers: pd.DataFrame, wide: Sequence[str]) -> pd.DataFrame:
    """Answers as float32, but for the columns of properties of which that would lose what tells molecules apart.

    Examples
    --------
    >>> with_digits(pd.DataFrame({"E": [-384.0001], "E_std": [0.001], "MW": [46.07]}), ["E"]).dtypes.astype(str).tolist()
    ['float64', 'float64', 'float32']
    """
    kept = {f"{name}{end}" for name in wide for end in ("", *ENDINGS, "_computed")}
    return answers.astype({name: np.float64 if name in kept else np.float32 for name in answers.columns})


def _renamed(ours: pd.DataFrame, taken: Sequence[str], suffix: str) -> pd.DataFrame:
    """Give our columns a suffix where their name is taken; a property, its deviation and its interval go together."""
    taken = set(map(str, taken))
    clashing = {
        name for name in ours.columns if name in taken or any(name + end in taken & set(ours.columns) for end in ENDINGS)
    }
    names = {}
    for name in ours.columns:
        end = next((end for end in ENDINGS if name.endswith(end) and name.removesuffix(end) in clashing), "")
        if end or name in clashing:
            names[name] = f"{name.removesuffix(end)}{suffix}{end}"
    if names:
        logger.info("The table already has %s; ours: %s.", ", ".join(sorted(clashing)), ", ".join(names.values()))
    return ours.rename(columns=names)
