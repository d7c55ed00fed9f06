"""The most similar molecules of a table to given ones: by fingerprint, or by place in latent space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chemvae.chem.fingerprints import morgan, tanimoto
from chemvae.chem.molecules import canonicalize
from chemvae.data.given import as_written, list_molecules
from chemvae.data.prepare.preparation import load_table
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.models.storage import open_model

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

SPACES = ("fingerprint", "latent")


def neighbors(
    molecules: Any, among: Any, n: int = 10, model: MolVAE | str | Path | None = None, *, space: str = "fingerprint"
) -> pd.DataFrame:
    """Find for each molecule the n nearest ones of a table.

    Parameters
    ----------
    molecules : str, sequence of str, Series, DataFrame or RDKit molecules
    among : str, Path, DataFrame or sequence of str
        The table to look in; a catalog name or a file too.
    n : int
        Neighbours of each, >= 1; fewer where the table has fewer.
    model : MolVAE, name or run folder
        For ``space="latent"``; the shipped one by default.
    space : {"fingerprint", "latent"}
        ECFP4 Tanimoto similarity, or the distance of the posterior means.

    Returns
    -------
    DataFrame
        ``query`` (as given), ``rank`` (from 1), ``smiles`` (canonical, of the table), ``row`` (in the table, from 0), and
        ``similarity`` (0 to 1) or ``distance``, the nearest first. None for what is no molecule.

    Raises
    ------
    SettingsError, NothingUsableError
        If n < 1, or there is no such space; if the table has no molecule.

    Examples
    --------
    >>> neighbors("CCO", ["CCN", "CCCO", "c1ccccc1"], n=2)[["smiles", "similarity"]].values.tolist()
    [['CCCO', 0.5555555555555556], ['CCN', 0.3333333333333333]]
    """
    if n < 1:
        raise SettingsError(f"n must be >= 1, got {n}")
    if space not in SPACES:
        raise SettingsError(f"space must be one of {', '.join(SPACES)}, got '{space}'")
    known, asked = _read_known(among), _read_queries(molecules)
    measure = _similarity if space == "fingerprint" else _closeness(open_model(model))
    rows = [row for text, found in asked.items() for row in _nearest(text, measure([found], known.tolist())[0], known, n)]
    name = "similarity" if space == "fingerprint" else "distance"
    found = pd.DataFrame(rows, columns=["query", "rank", "smiles", "row", name])
    return found if space == "fingerprint" else found.assign(distance=-found["distance"])


def _read_known(among: Any) -> pd.Series:
    """The molecules of the table, canonical, by their row; NothingUsableError if there is none."""
    is_table = isinstance(among, (str, Path, pd.DataFrame))
    texts = load_table(among).smiles if is_table else [as_written(one) for one in list_molecules(among)[0]]
    known = pd.Series([canonicalize(text) if isinstance(text, str) else None for text in texts], dtype=object).dropna()
    if not len(known):
        raise NothingUsableError("The table to look in has no molecule.")
    return known


def _read_queries(molecules: Any) -> dict[str, str]:
    """Each molecule as it was given -> canonical; what is no molecule is left out."""
    texts = [as_written(one) for one in list_molecules(molecules)[0]]
    return {text: found for text in texts if isinstance(text, str) and (found := canonicalize(text)) is not None}


def _nearest(query: str, merit: np.ndarray, known: pd.Series, n: int) -> list[tuple[str, int, str, int, float]]:
    """Rows of one query; what has no merit (NaN) is no neighbour."""
    order = np.argsort(-merit, kind="stable")[:n]
    best = [i for i in order if np.isfinite(merit[i])]
    return [(query, rank, known.iloc[i], int(known.index[i]), float(merit[i])) for rank, i in enumerate(best, 1)]


def _similarity(smiles: list[str], known: list[str]) -> np.ndarray:
    return tanimoto(morgan(smiles), morgan(known))


def _closeness(model: MolVAE) -> Any:
    """Minus the distance of posterior means [Q, N]."""

    def measure(smiles: list[str], known: list[str]) -> np.ndarray:
        ours, theirs = model.encode(smiles), model.encode(known)
        return -np.linalg.norm(ours[:, None] - theirs[None], axis=2)

    return measure
