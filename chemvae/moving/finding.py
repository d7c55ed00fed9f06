"""The public functions of this room, from molecules and names to tables and files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from chemvae.data.given import as_written, list_molecules
from chemvae.errors import InvalidMoleculeError, NothingUsableError, SettingsError
from chemvae.models.vae import MolVAE
from chemvae.moving.analogies import analogy_path
from chemvae.moving.editing import EditSettings, edit_molecule, say_substitute
from chemvae.moving.labelled import Table, labelled_codes
from chemvae.moving.pages import completions_page, edit_legends, edit_page, neighbors_page
from chemvae.moving.surroundings import AroundSettings, around
from chemvae.moving.vectors import AttributeVector, fit_vector
from chemvae.registry import make_spec
from chemvae.tables.neighbors import neighbors as known_neighbors
from chemvae.tables.structures import check_structures, write_structures

COLUMNS = ("query", "kind", "radius", "rank", "smiles", "similarity", "distance", "count", "novel", "row")
"""Of known and new neighbours together, those that are there."""


def find_neighbors(
    model: MolVAE, molecules: Any, among: Any = None, n: int = 10, space: str = "fingerprint", **options: Any
) -> pd.DataFrame:
    """Known neighbours of a table beside new ones decoded around each molecule, at rising radius.

    Parameters
    ----------
    model : MolVAE
    molecules : SMILES, or several in any form
    among : table, optional
        As for :func:`chemvae.tables.neighbors.neighbors`; None looks for new ones only.
    n : int
        Known neighbours of each molecule, and new ones of each radius, the most similar first.
    space : {"fingerprint", "latent"}
        What known ones are near in.
    **options
        Fields of :class:`chemvae.moving.surroundings.AroundSettings`.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`. ``attrs["decodes"]``: molecule -> what was counted at each radius.
    """
    if n < 1:
        raise SettingsError(f"n must be >= 1, got {n}")
    settings = make_spec(AroundSettings, None, options)
    around_each = {query: around(model, query, settings) for query in one_by_one(molecules)}
    parts = [_nearest_new(query, new, n) for query, new in around_each.items()]
    if among is not None:
        known = known_neighbors(list(around_each), among, n, model, space=space).assign(kind="known")
        parts = [part for i, query in enumerate(around_each) for part in (known[known["query"] == query], parts[i])]
    found = pd.concat([part.dropna(axis=1, how="all") for part in parts], ignore_index=True)
    missing = [name for name in ("query", "kind", "radius", "rank", "smiles", "similarity") if name not in found]
    found = found.reindex(columns=[*found.columns, *missing])
    found = found[[name for name in COLUMNS if name in found]]
    found.attrs["decodes"] = {query: new.attrs["decodes"] for query, new in around_each.items()}
    return found


def _nearest_new(query: str, new: pd.DataFrame, n: int) -> pd.DataFrame:
    """The n most similar new neighbours of every radius, ranked."""
    near = new.groupby("radius", sort=True).head(n)
    return near.assign(query=query, kind="new", rank=near.groupby("radius").cumcount() + 1)


def one_by_one(molecules: Any) -> list[str]:
    """Molecules in any form as texts, each once.

    Raises
    ------
    NothingUsableError, InvalidMoleculeError
        If there is none; for what is no text and no molecule.
    """
    texts = [as_written(one) for one in list_molecules(molecules)[0]]
    if not texts:
        raise NothingUsableError("There is no molecule to look around.")
    for row, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip():
            raise InvalidMoleculeError(str(text), "there is nothing in it", row)
    return list(dict.fromkeys(texts))


def write_neighbors(output: str | Path | None, *, overwrite: bool = False) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What writes neighbours as a page, an SDF or a table, and hands them back; refused now if it could not be written."""
    if output is not None:
        check_structures(output, overwrite=overwrite)

    def write(found: pd.DataFrame) -> pd.DataFrame:
        if output is not None:
            queries = list(dict.fromkeys([*found.attrs.get("decodes", {}), *found["query"].tolist()]))
            write_structures(found, output, lambda: neighbors_page(found, queries))
        return found

    return write


def find_edit(
    model: MolVAE,
    smiles: str,
    along: str | None = None,
    pair: Sequence[str] | None = None,
    fit: Table | None = None,
    method: str = "auto",
    **options: Any,
) -> pd.DataFrame:
    """Change a molecule along a property, or as a first molecule is changed into a second one.

    Parameters
    ----------
    model : MolVAE
    smiles : str
    along : str, optional
        A property that can be computed or that the model predicts, a column of the table ``fit``, or ``COLUMN=VALUE`` of it.
    pair : two SMILES, optional
        A and B, for "A is to B as this molecule is to ?"; the property is then only told.
    fit : table, optional
        Labelled molecules that the direction is learned from; by default the training codes that the model keeps.
    method : {"auto", "regression", "mean"}
    **options
        Fields of :class:`chemvae.moving.editing.EditSettings`.

    Returns
    -------
    DataFrame
        See :func:`chemvae.moving.editing.edit_molecule` and :func:`chemvae.moving.analogies.analogy_path`.
        ``attrs["sentences"]`` says where the direction is from, and what the model writes at the molecule's own code where that
        is another molecule; ``attrs["properties"]`` which columns are properties.
    """
    if along is None and pair is None:
        raise SettingsError("say where to: along a property (--along P), or as one molecule is to another (--pair A B)")
    if pair is not None and len(pair) != 2:
        raise SettingsError(f"a pair is two molecules, got {len(pair)}")
    settings = make_spec(EditSettings, None, options)
    vector = None if along is None else fit_vector(model, labelled_codes(model, along, fit, settings.seed), method)
    if pair is not None:
        found = analogy_path(model, pair[0], pair[1], smiles, settings, vector)
    else:
        assert vector is not None, "one of the two was given"
        found = edit_molecule(model, smiles, vector, settings)
    found.attrs["sentences"] = list(_sentences(vector, pair, smiles, found.iloc[0]))
    found.attrs["properties"] = [] if vector is None else [vector.name]
    return found


def _sentences(vector: AttributeVector | None, pair: Sequence[str] | None, smiles: str, first: pd.Series) -> Iterable[str]:
    if pair is not None:
        yield f"{pair[0]} is to {pair[1]} as {smiles} is to the last step."
    elif vector is not None:
        yield vector.sentence()
    if words := say_substitute(smiles, first["smiles"] if first["valid"] else None, first["similarity"]):
        yield words


def write_edit(output: str | Path | None, *, overwrite: bool = False) -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    """As :func:`write_neighbors`, for the steps of an edit of a molecule, also as a row of pictures."""
    if output is not None:
        check_structures(output, overwrite=overwrite, film=True)

    def write(found: pd.DataFrame, smiles: str) -> pd.DataFrame:
        if output is not None:
            names, words = found.attrs["properties"], found.attrs["sentences"]
            legends = edit_legends(found, names)
            write_structures(found, output, lambda: edit_page(found, smiles, words, names), legends, names)
        return found

    return write


def write_completions(output: str | Path | None, *, overwrite: bool = False) -> Callable[[pd.DataFrame, str], pd.DataFrame]:
    """As :func:`write_neighbors`, for what fills the gaps of a pattern."""
    if output is not None:
        check_structures(output, overwrite=overwrite)

    def write(found: pd.DataFrame, pattern: str) -> pd.DataFrame:
        if output is not None:
            write_structures(found, output, lambda: completions_page(found, pattern))
        return found

    return write
