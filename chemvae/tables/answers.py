"""Encode, predict and decode tables: one row for every row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.kind import ORGANIC, SALT, KindCheck
from chemvae.chem.properties import PROPERTIES, compute_table
from chemvae.data.files.columns import list_names
from chemvae.errors import SettingsError
from chemvae.naming import Stem, extra_stem, name_columns
from chemvae.progress import Step, steps
from chemvae.tables.latents import latent_names, read_latents
from chemvae.tables.rows import REASON, Block, read_blocks, with_numbers

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)
Progress = Callable[[int], Any]
FAR = 2.0  # distance to the training data, in units of what is typical there
ENCODED_AT_ONCE = 4 * 512  # whole batches of MolVAE.encode


def encode_table(
    model: MolVAE,
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
    progress: Progress | None = None,
    *,
    refine: int = 0,
    chain: int = 0,
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
    refine : int
        Steps of :func:`chemvae.models.inference.refinement.refine`, 0-10,000; one takes about as long as two steps of training.
    chain : int
        Moves of a Hamiltonian chain on each molecule's true posterior after these steps, 0 or 2-10,000: the point is its mean.

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
    encode = _Encoder(model, refine, chain, progress)
    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    stems = [Stem([(name, "") for name in latent_names(model.latent_dim)], "_encoded"), extra_stem(REASON, suffix="_encoded")]
    answers = answer_rows(blocks, encode, stems, on_invalid, progress)
    encode.tell_gain()
    return answers


class _Encoder:
    """From n SMILES to their points [n, D], by the encoder alone or with steps of refinement and a chain."""

    def __init__(self, model: MolVAE, n_steps: int, n_moves: int, progress: Progress | None):
        from chemvae.models.inference.refinement import check_steps

        check_steps(n_steps, n_moves)
        self.model, self.n_steps, self.n_moves, self.progress = model, n_steps, n_moves, progress
        self.gained: list[np.ndarray] = []
        self.accepted: list[np.ndarray] = []

    def __call__(self, smiles: list[str]) -> np.ndarray:
        if not self.n_steps and not self.n_moves:
            return self.model.encode(smiles, canonicalize=False)
        from chemvae.models.inference.refinement import refine

        done, progress = sum(map(len, self.gained)), self.progress
        found = refine(
            self.model, smiles, self.n_steps, n_moves=self.n_moves, progress=lambda n: progress(done + n) if progress else None
        )
        self.gained.append(found.gained)
        self.accepted.append(found.accepted)
        return found.z

    def tell_gain(self) -> None:
        """Say how many nats the steps have brought, and whether the chains have moved."""
        if self.gained and self.n_steps:
            logger.info("Refining raised the bound by %.2f nats a molecule.", np.concatenate(self.gained).mean())
        if self.accepted and self.n_moves:
            logger.info("The chains accepted %.0f %% of their moves.", 100 * np.concatenate(self.accepted).mean())


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
    *predicted, distance = model.prediction_stems()
    stems = [*predicted, *(Stem([(name, "_computed")]) for name in known), distance, extra_stem(REASON, model.property_names)]

    kinds = KindCheck(ORGANIC | model.training_facts.elements, model.training_facts.max_tokens, {SALT})

    def predict(smiles: list[str]) -> np.ndarray:
        values = model.predict(smiles, canonicalize=False).to_numpy()  # [n, 2P + 1], the distance last
        kinds.look_at(smiles, is_far=values[:, -1] > FAR)
        return np.column_stack([values[:, :-1], compute_table(smiles, known, jobs).to_numpy(), values[:, -1]])

    wide = dict(zip(model.property_names, model.predictor.wide, strict=True))
    doubles = [*np.repeat(list(wide.values()), 2), *(wide[name] for name in known), False]

    blocks = read_blocks(model, data, smiles_column, on_invalid, standardize, jobs)
    answers = answer_rows(blocks, predict, stems, on_invalid, progress, doubles)
    for sentence in kinds.sentences():
        logger.warning("%s", sentence)
    return answers


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
    stems = [Stem([(name, "")], "_decoded") for name in decoded.columns]
    return pd.concat([decoded.set_axis(_named(stems, others.columns), axis=1), others], axis=1)


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
    smiles = [one for block in blocks for one in block.usable().values()]
    frame = pd.concat([block.frame.drop(columns=block.smiles_column) for block in blocks], ignore_index=True)
    if limit is not None and len(smiles) > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(len(smiles), limit, replace=False))
        smiles, frame = [smiles[i] for i in chosen], frame.iloc[chosen].reset_index(drop=True)
    frame = prepare(with_numbers(frame))
    z = _encode_in_steps(model, smiles, step)
    predicted = with_digits(model.predict(z), [*np.repeat(model.predictor.wide, 2), False])
    return smiles, z, pd.concat([frame, predicted.set_axis(_named(model.prediction_stems(), frame.columns), axis=1)], axis=1)


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
    compute: Callable[[list[str]], np.ndarray],
    stems: Sequence[Stem],
    on_invalid: str,
    progress: Progress | None,
    doubles: Sequence[bool] = (),
) -> pd.DataFrame:
    """Compute for the usable rows of each block, and put the answers beside the rows they belong to.

    Parameters
    ----------
    blocks : iterator of Block
    compute : callable
        n SMILES -> [n, K].
    stems : sequence of Stem
        Of K columns and, last, of the reasons.
    on_invalid : {"keep", "skip", "error"}
        Reasons are told under "keep".
    progress : callable, optional
    doubles : sequence of bool
        Which of the K columns are float64; by default none.
    """
    frames: list[pd.DataFrame] = []
    names: list[str] = []
    n_done = 0
    for block in blocks:
        theirs = block.frame.reset_index(drop=True)
        names = names or _named(stems, theirs.columns)
        usable = block.usable()
        values = np.full((len(block.smiles), len(names) - 1), np.nan)
        if usable:
            values[list(usable)] = compute(list(usable.values()))
        ours = with_digits(pd.DataFrame(values, columns=names[:-1]), doubles or [False] * (len(names) - 1))
        if on_invalid == "keep":
            ours[names[-1]] = pd.Series(block.reasons, dtype="str")
        frames.append(pd.concat([theirs, ours], axis=1))
        n_done += len(block.smiles)
        if progress is not None:
            progress(n_done)
    return pd.concat(frames, ignore_index=True)


def _named(stems: Sequence[Stem], taken: Sequence[str]) -> list[str]:
    """Names of our columns beside those of a table; what is not called as usual is said."""
    usual, names = name_columns(stems), name_columns(stems, taken)
    if names != usual:
        other = [name for name, plain in zip(names, usual, strict=True) if name != plain]
        words = "a column of that name, so the new one is" if len(other) == 1 else "columns of such names, so the new ones are"
        logger.info("The table has %s called %s.", words, list_names(other, 10))
    return names


def with_digits(answers: pd.DataFrame, doubles: Sequence[bool]) -> pd.DataFrame:
    """Answers as float32, but for the columns where that would lose what tells molecules apart.

    Examples
    --------
    >>> with_digits(pd.DataFrame({"E": [-384.0001], "MW": [46.07]}), [True, False]).dtypes.astype(str).tolist()
    ['float64', 'float32']
    """
    return answers.astype({name: np.float32 for name, double in zip(answers.columns, doubles, strict=True) if not double})
