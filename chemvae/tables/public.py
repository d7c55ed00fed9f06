"""encode, decode, fit and predict for whole tables: data in any form, a model or its name, and a file out if one is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from chemvae.errors import SettingsError
from chemvae.models.storage import open_model
from chemvae.progress import steps
from chemvae.seeding import as_seed
from chemvae.tables.answers import decode_table, encode_table, predict_table
from chemvae.tables.new_properties import check_prediction, fit_properties, predict_new_table
from chemvae.tables.writing import LATENT_ENDINGS, TABLE_ENDINGS, check_output, write_table

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE
    from chemvae.qsar.model import PropertyModel


def encode(data: Any, model: MolVAE | str | Path | None = None, **options: Any) -> pd.DataFrame:
    """Encode a table, a row for every row, as ``chemvae encode`` does; see :func:`chemvae.tables.encode_table`.

    Parameters
    ----------
    data : str, Path, DataFrame or sequence of str
    model : MolVAE, name or run folder
        The shipped one by default.
    **options
        Of :func:`chemvae.tables.encode_table`: ``smiles_column``, ``on_invalid``, ``standardize``, ``jobs``; and

        - ``out``: a file to write too, its ending says the format; ``overwrite`` replaces one
        - ``progress``: told of each :class:`chemvae.progress.Progress`, rows done; ``cancel``: a CancelToken
        - ``device``
    """
    return _answer(encode_table, data, model, LATENT_ENDINGS, **options)


def decode(data: Any, model: MolVAE | str | Path | None = None, **options: Any) -> pd.DataFrame:
    """Decode a table of latent points, as ``chemvae decode`` does; see :func:`chemvae.tables.decode_table`.

    Parameters
    ----------
    data : str, Path or DataFrame
        Columns ``z_0``, ``z_1``, ..., or an ``.npy`` file.
    model : MolVAE, name or run folder
    **options
        Of :func:`chemvae.tables.decode_table`: ``n_samples``, ``temperature``, ``seed``, ``best_of``, ``beam``,
        ``mask_syntax``; and ``out``, ``overwrite``, ``device`` as in :func:`encode`.
    """
    return _answer(decode_table, data, model, TABLE_ENDINGS, **options)


def fit(
    data: Any, properties: str | Sequence[str], model: MolVAE | str | Path | None = None, **options: Any
) -> PropertyModel | dict[str, PropertyModel]:
    """Learn properties from a table of measured values, as ``chemvae predict --fit TABLE -p COLUMN`` does.

    Parameters
    ----------
    data : str, Path or DataFrame
        Molecules with 20 labels or more.
    properties : str or sequence of str
        Columns of labels.
    model : MolVAE, name or run folder
        Its latent codes are among what is looked at. The shipped one by default.
    **options
        Of :func:`chemvae.tables.fit_properties`: ``smiles_column``, ``standardize``, ``jobs``, ``seed``; and ``device``.

    Returns
    -------
    PropertyModel or dict
        Fitted; for several names a dict, column -> model. ``.predict(smiles)`` takes molecules, :func:`predict` tables.

    Raises
    ------
    NothingUsableError
        If a property has fewer than 20 labels, or only one value.
    """
    vae = open_model(model, options.pop("device", "auto"))
    found = fit_properties(vae, data, as_list(properties), **options)
    return next(iter(found.values())) if isinstance(properties, str) else found


def predict(
    data: Any,
    model: MolVAE | str | Path | None = None,
    *,
    fit: Any = None,
    properties: str | Sequence[str] = (),
    computed: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Predict the properties of a table's molecules, a row for every row, as ``chemvae predict`` does.

    Parameters
    ----------
    data : str, Path, DataFrame or sequence of str
    model : MolVAE, name or run folder
    fit : str, Path, DataFrame or dict, optional
        A table to learn new properties from first, or what :func:`fit` has learned of several.
    properties : str or sequence of str
        Columns of that table.
    computed : bool
        Put what RDKit computes beside the model's own predictions.
    **options
        As in :func:`encode`; ``seed`` for learning.

    Returns
    -------
    DataFrame
        See :func:`chemvae.tables.predict_table` and :func:`chemvae.tables.predict_new_table`.

    Raises
    ------
    SettingsError
        If what is asked contradicts itself, or the model knows no property.
    """
    properties = as_list(properties)
    check_prediction(fit, properties, computed=computed)
    vae, seed = open_model(model, options.pop("device", "auto")), as_seed(options.pop("seed", 0))
    if fit is None:
        if not vae.property_names:
            raise SettingsError(
                "this model was trained without properties; learn them from a table with --fit TABLE -p COLUMN, or train one "
                "that knows them with: chemvae train DATA -p COLUMN -o RUN"
            )
        return _answer(predict_table, data, vae, TABLE_ENDINGS, computed=computed, **options)
    if not isinstance(fit, Mapping):
        reading = {name: options[name] for name in ("standardize", "jobs") if name in options}
        fit = fit_properties(vae, fit, properties, seed=seed, **reading)
    return _answer(lambda _, *given, **named: predict_new_table(fit, *given, **named), data, vae, TABLE_ENDINGS, **options)


def _answer(
    compute: Callable[..., pd.DataFrame],
    data: Any,
    model: MolVAE | str | Path | None,
    endings: Sequence[str],
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    device: str = "auto",
    **options: Any,
) -> pd.DataFrame:
    """Compute a table of answers and, where a file is named, write it; told of and ended on its way."""
    if out is not None:
        check_output(out, endings, overwrite=overwrite)
    if {"progress", "cancel"} & options.keys():
        step = steps(options.pop("progress", None), options.pop("cancel", None))
        options["progress"] = lambda n: step("rows", n, None)
    answers = compute(open_model(model, device), data, **options)
    if out is not None:
        write_table(answers, out)
    return answers


def as_list(names: str | Sequence[str] | None) -> list[str]:
    """One name or several, as a list."""
    return [names] if isinstance(names, str) else list(names or ())
