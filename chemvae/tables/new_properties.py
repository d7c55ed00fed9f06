"""Predict properties the model was not trained on, from a table in which they were measured."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.kind import ORGANIC, SALT, KindCheck, elements_of, n_symbols
from chemvae.data.files.columns import list_names
from chemvae.data.labels import check_labels, needs_double
from chemvae.data.prepare.checking import number_columns
from chemvae.data.prepare.tables import load_table
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.naming import extra_stem, property_stem
from chemvae.tables.answers import Progress, answer_rows
from chemvae.tables.rows import REASON, read_blocks

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE
    from chemvae.qsar.model import PropertyModel

logger = logging.getLogger(__name__)


def check_prediction(fit: Any, properties: Sequence[str] | None, *, computed: bool) -> None:
    """Refuse what contradicts itself: a table to learn from without columns, columns without one, or both and RDKit.

    Raises
    ------
    SettingsError
        With every complaint at once.
    """
    is_table = fit is not None and not isinstance(fit, Mapping)
    complaints = [_which_columns(fit)] if is_table and not properties else []
    if properties and fit is None:
        complaints.append("-p names columns of the table in --fit TABLE; a model predicts what it was trained on")
    if computed and fit is not None:
        complaints.append("--computed goes with the model's own properties; leave out --fit")
    if complaints:
        raise SettingsError(complaints)


def _which_columns(fit: Any) -> str:
    """Ask for the columns to learn, naming those that could be."""
    names = number_columns(fit)
    named = f"-p {shlex.quote(names[0])}" if names else "-p COLUMN"
    beside = f" (columns of numbers: {list_names(names, 10)})" if len(names) > 1 else ""
    return f"--fit needs the columns to learn: {named}{beside}"


def fit_properties(
    model: MolVAE,
    data: Any,
    properties: Sequence[str],
    smiles_column: str | None = None,
    standardize: str = "none",
    jobs: int = 1,
    seed: int = 0,
) -> dict[str, PropertyModel]:
    """Learn each of some properties from a table of molecules with labels.

    Parameters
    ----------
    model : MolVAE
    data : str, Path or DataFrame
        As in :func:`chemvae.data.prepare.tables.load_table`. Rows that are not molecules are left out and counted.
    properties : sequence of str
        Columns of labels; case does not matter, labels may be missing.
    smiles_column, standardize, jobs
        As in :func:`encode_table`.
    seed : int

    Returns
    -------
    dict
        The column's own name -> its fitted model.

    Raises
    ------
    NothingUsableError
        If a property has fewer than 20 labels, or only one value.
    InputError
        If the data cannot be read, has no such column, or a label that cannot be learned.
    """
    from chemvae.qsar.model import PropertyModel

    if not properties:
        raise SettingsError("name what is to be learned from the table: -p COLUMN")
    table = load_table(data, smiles_column=smiles_column, properties=list(properties), standardize=standardize, jobs=jobs)
    check_labels(table.labels, table.property_names, table.rows, table.name)
    found = {}
    for name, labels in zip(table.property_names, table.labels.T, strict=True):
        try:
            found[name] = PropertyModel(model, unit=table.units.get(name, "")).fit(table.smiles, labels, seed)
        except NothingUsableError as error:
            raise NothingUsableError(f"{table.name}, column {name}: {error}") from None
    return found


def predict_new_table(
    models: Mapping[str, PropertyModel],
    data: Any,
    smiles_column: str | None = None,
    on_invalid: str = "keep",
    standardize: str = "none",
    jobs: int = 1,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict with what :func:`fit_properties` learned, a row for every row.

    Parameters
    ----------
    models : mapping of str to PropertyModel
        Fitted, all with one MolVAE.
    data, smiles_column, on_invalid, standardize, jobs, progress
        As in :func:`encode_table`; a molecule that the model's vocabulary cannot write is predicted all the same.

    Returns
    -------
    DataFrame
        The table's own columns; for each property P, in the unit it was learned in, ``P``, ``P_std``, and ``P_low`` and
        ``P_high``, the ends of the 90 % interval (``P_predicted``, ``P_predicted_std``, ... where the table has a column P);
        ``similarity`` to the most similar molecule learned from (0..1); then ``reason`` under ``keep``.
    """
    from chemvae.qsar.features import Features

    ends = {"mean": "", "std": "_std", "low": "_low", "high": "_high"}
    stems = [property_stem(name, list(ends.values())) for name in models]
    stems += [extra_stem("similarity", models.keys()), extra_stem(REASON, models.keys())]
    doubles = [needs_double(one.label_mean, one.label_std) for one in models.values() for _ in ends] + [False]
    seen = {smiles for one in models.values() for smiles in one.smiles}
    n_seen = 0
    kinds = KindCheck(elements_of(seen) | ORGANIC, max(map(n_symbols, seen), default=None), {SALT})

    def predict(smiles: list[str]) -> np.ndarray:
        nonlocal n_seen
        n_seen += sum(one in seen for one in smiles)
        features = Features.of(next(iter(models.values())).model, smiles)
        tables = [one.predict_features(features) for one in models.values()]
        similarity = np.max([table["similarity"] for table in tables], axis=0)
        kinds.look_at(smiles, is_far=similarity < min(one.reach for one in models.values()))
        return np.column_stack([*(table[key] for table in tables for key in ends), similarity])

    blocks = read_blocks(None, data, smiles_column, on_invalid, standardize, jobs)
    answers = answer_rows(blocks, predict, stems, on_invalid, progress, doubles)
    for sentence in kinds.sentences():
        logger.warning("%s", sentence)
    if n_seen:
        words = "row holds a molecule that was" if n_seen == 1 else "rows hold molecules that were"
        logger.info("%s %s learned from: what stands there is a fit, no prediction.", f"{n_seen:,}", words)
    return answers
