"""What a map is drawn of and by: spaces and projections by name, and how a saved projection is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from chemvae.chem.fingerprints import morgan
from chemvae.disk.checksums import arrays_sha256
from chemvae.errors import InputError
from chemvae.maps.manifold import PaCMAPProjection, TSNEProjection, UMAPProjection
from chemvae.maps.projection import FORMAT, PCAProjection, Projection
from chemvae.parallel.pool import map_ordered

PROJECTIONS: dict[str, type[Projection]] = {
    "pca": PCAProjection,
    "tsne": TSNEProjection,
    "umap": UMAPProjection,
    "pacmap": PaCMAPProjection,
}
"""Ways to draw a map in two dimensions."""

SPACES = ("latent", "fingerprint")
"""Spaces whose neighbourhoods a map can keep."""
FOLDED_BITS = 512
"""2,048 bits fold to these: a quarter of the memory, and rows that a layout takes as they are."""

AUTO = "auto"
KEEPS_NEIGHBOURS = {"openTSNE": "tsne", "pacmap": "pacmap"}
"""Library -> projection, the preferred first: what a map is drawn by where nothing is asked for (experiments/09-maps)."""


def best_method() -> str:
    """Return the projection that keeps neighbourhoods and whose library is installed, else ``"pca"``.

    Examples
    --------
    >>> best_method() in PROJECTIONS
    True
    """
    return next((name for library, name in KEEPS_NEIGHBOURS.items() if _installed(library)), "pca")


def _installed(library: str) -> bool:
    """Whether a library can be imported, without importing it."""
    try:
        return find_spec(library) is not None
    except ValueError:  # it was taken out of reach: sys.modules holds None
        return False


def load_projection(path: Path | str) -> Projection:
    """Read a projection written by ``Projection.save``; nothing in the file can run code.

    Parameters
    ----------
    path : Path or str
        A safetensors file.

    Returns
    -------
    Projection
        Fitted, without ``embedding_``; ``about`` holds what ``save`` was told.

    Raises
    ------
    InputError
        If the file is missing, damaged or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}
        if facts.get("format") != FORMAT:
            raise InputError(f"'{path}' is not a map projection of this version. Fit and save the map again.")
        if facts.get("sha256", intact := arrays_sha256(state)) != intact:
            raise ValueError("its numbers are not those that were saved")
        saved = json.loads(facts["projection"])
        projection = PROJECTIONS[saved["name"]](**saved["settings"])
        projection._restore(state)
        projection.n_features_in_ = saved["n_features"]
        projection.used_name = saved.get("used_name", "")
        projection.about = {str(key): str(value) for key, value in saved.get("about", {}).items()}
        return projection
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"'{path}' cannot be read as a map projection ({error}). Fit and save the map again.") from error


def fingerprint_rows(smiles: Sequence[str], jobs: int = 1) -> np.ndarray:
    """Return ECFP4 as vectors of length one: near means a high cosine similarity, which orders much as Tanimoto does.

    Parameters
    ----------
    smiles : sequence of str, N
    jobs : int
        Worker processes.

    Returns
    -------
    ndarray [N, FOLDED_BITS]
        float32; NaN rows for what is no molecule.

    Examples
    --------
    >>> rows = fingerprint_rows(["CCO", "CCO", "c1ccccc1", "C1"])
    >>> float((rows[0] @ rows[1]).round(6)), float(rows[0] @ rows[2]), bool(np.isnan(rows[3]).all())
    (1.0, 0.0, True)
    """
    found = map_ordered(_bits_on, smiles, jobs, chunk=512)
    rows = np.zeros((len(found), FOLDED_BITS), dtype=np.float32)
    for row, bits in zip(rows, found, strict=True):
        row[bits if bits is not None else slice(None)] = np.nan if bits is None else 1.0 / np.sqrt(max(len(bits), 1))
    return rows


def _bits_on(smiles: str) -> list[int] | None:
    """Places of a molecule's fingerprint that are set; None for what is no molecule."""
    bits = morgan([smiles], n_bits=FOLDED_BITS)[0]
    return None if bits is None else list(bits.GetOnBits())
