"""The projections by name, and how a saved one is read."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from chemvae.disk.checksums import arrays_sha256
from chemvae.errors import InputError
from chemvae.maps.manifold import PaCMAPProjection, TSNEProjection, UMAPProjection
from chemvae.maps.projection import FORMAT, PCAProjection, Projection

PROJECTIONS: dict[str, type[Projection]] = {
    "pca": PCAProjection,
    "tsne": TSNEProjection,
    "umap": UMAPProjection,
    "pacmap": PaCMAPProjection,
}
"""Ways to draw a map in two dimensions."""

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
