"""Two-dimensional pictures of the latent space: fit once, place new molecules on the same axes, keep it in one file.

A projection remembers what it needs to place new points, so a saved map gives the same answer as the one in memory.
Coordinates of t-SNE, UMAP and PaCMAP change with library versions and thread counts: store the fitted projection and
its coordinates instead of computing them again.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from chemvae.disk.checksums import arrays_sha256
from chemvae.disk.files import write_atomically
from chemvae.errors import InputError, NothingUsableError

FORMAT = "chemvae projection 1"
RANKED_AT_ONCE = 20_000_000
"""Distances that are held at a time."""


class Projection(BaseEstimator):
    """Contract of every 2D projection: ``fit`` on latents [N, D], ``transform`` to coordinates [N, 2].

    A row with a NaN (a molecule that could not be encoded) is left out of the fit and comes back as a NaN row. A new
    member writes ``_fit_rows``, ``_place_rows``, ``_state`` and ``_restore``, and gets a line in ``PROJECTIONS``.

    Attributes
    ----------
    embedding_ : ndarray [N, 2]
        Coordinates of the rows given to ``fit``; NaN where the row had one. Not stored by ``save``.
    n_features_in_ : int
        Width D of the latents.
    """

    name: ClassVar[str]
    used_name: str = ""
    """Of the projection that was really made, where that is another one; empty before it is fitted."""
    about: Mapping[str, str] = MappingProxyType({})
    """What a file it was loaded from says of it."""

    def __init__(self, random_state: int = 0):
        self.random_state = random_state

    def fit(self, z: np.ndarray, y: Any = None) -> Projection:
        """Learn the projection from latents ``z`` [N, D]; ``y`` is ignored, as in scikit-learn."""
        rows, usable = finite_rows(z)
        if not usable.any():
            raise NothingUsableError(f"The {self.name} map got no usable point: {len(rows)} rows, each with a NaN.")
        self.n_features_in_ = rows.shape[1]
        self.embedding_ = np.full((len(rows), 2), np.nan)
        self.embedding_[usable] = self._fit_rows(rows[usable])
        return self

    def transform(self, z: np.ndarray) -> np.ndarray:
        """Return map coordinates [N, 2] of latents ``z`` [N, D]; NaN rows stay NaN."""
        self._check_fitted()
        rows, usable = finite_rows(z)
        if rows.shape[1] != self.n_features_in_:
            raise InputError(
                f"This {self.name} map was fitted on {self.n_features_in_} latent dimensions, got {rows.shape[1]}. "
                "Encode the molecules with the model the map was made with, or fit a new map."
            )
        xy = np.full((len(rows), 2), np.nan)
        if usable.any():
            xy[usable] = self._place_rows(rows[usable])
        return xy

    def fit_transform(self, z: np.ndarray, y: Any = None) -> np.ndarray:
        """Fit, then return ``embedding_`` [N, 2]."""
        return self.fit(z).embedding_

    def axis_labels(self) -> tuple[str, str] | None:
        """What the two axes mean, or None where only neighbourhoods do."""
        return None

    def save(self, path: Path | str, about: Mapping[str, str] | None = None) -> Path:
        """Write the fitted projection to one safetensors file and return its path.

        Parameters
        ----------
        path : path
        about : mapping of str to str, optional
            What else the file shall say, such as what was projected.
        """
        from safetensors.numpy import save_file

        from chemvae.disk.tensor_files import system_errors

        self._check_fitted()
        settings = {"name": self.name, "n_features": self.n_features_in_, "settings": self.get_params()}
        settings |= {"used_name": self.used_name, "about": dict(about or {})}
        tensors = {key: np.ascontiguousarray(value) for key, value in self._state().items()}
        path = Path(path)
        facts = {"format": FORMAT, "projection": json.dumps(settings), "sha256": arrays_sha256(tensors)}
        write_atomically(path, lambda temporary: system_errors(lambda: save_file(tensors, temporary, metadata=facts)))
        return path

    @abstractmethod
    def _fit_rows(self, rows: np.ndarray) -> np.ndarray:
        """Fit on finite rows [N, D] and return their coordinates [N, 2]."""

    @abstractmethod
    def _place_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return coordinates [N, 2] of finite rows [N, D]."""

    @abstractmethod
    def _state(self) -> dict[str, np.ndarray]:
        """Arrays that ``_place_rows`` needs."""

    @abstractmethod
    def _restore(self, state: dict[str, np.ndarray]) -> None:
        """Take back what ``_state`` gave."""

    def _check_fitted(self) -> None:
        if not hasattr(self, "n_features_in_"):
            raise InputError(f"This {self.name} map is not fitted yet. Call fit(z) first, or load a saved one.")


class PCAProjection(Projection):
    """Principal components: linear, exact for new points, the same on every machine.

    x = (z - mean) W, W the two leading eigenvectors of the covariance of z. Missing directions (one molecule, or one
    latent dimension) are zero.

    Attributes
    ----------
    mean_ : ndarray [D]
    components_ : ndarray [2, D]
        Orthonormal rows, the direction of largest variance first.
    explained_variance_ratio_ : ndarray [2]
        Share of the total variance, 0-1.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.array([[0.0, 1.0, 0.0], [0.0, 3.0, 0.0], [0.0, 5.0, 0.0], [np.nan, 0.0, 0.0]])
    >>> np.abs(PCAProjection().fit_transform(z)).round(6)
    array([[ 2.,  0.],
           [ 0.,  0.],
           [ 2.,  0.],
           [nan, nan]])
    """

    name = "pca"

    def _fit_rows(self, rows: np.ndarray) -> np.ndarray:
        from sklearn.decomposition import PCA

        rows = rows.astype(np.float64)
        n_found = min(2, *rows.shape)
        self.mean_ = rows.mean(axis=0)
        self.components_ = np.zeros((2, rows.shape[1]))
        self.explained_variance_ratio_ = np.zeros(2)
        if len(rows) > 1 and np.ptp(rows, axis=0).any():
            pca = PCA(n_found, svd_solver="covariance_eigh" if len(rows) > rows.shape[1] else "full").fit(rows)
            self.components_[:n_found] = pca.components_
            self.explained_variance_ratio_[:n_found] = pca.explained_variance_ratio_
        return self._place_rows(rows)

    def _place_rows(self, rows: np.ndarray) -> np.ndarray:
        return (rows.astype(np.float64) - self.mean_) @ self.components_.T

    def axis_labels(self) -> tuple[str, str] | None:
        """Return both components with the share of variance they carry."""
        first, second = (100 * self.explained_variance_ratio_).round(1)
        return f"PC 1 ({first:g} %)", f"PC 2 ({second:g} %)"

    def _state(self) -> dict[str, np.ndarray]:
        names = ("mean_", "components_", "explained_variance_ratio_")
        return {name: getattr(self, name) for name in names}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def finite_rows(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``z`` as a float array [N, D] and which rows are finite, bool [N]."""
    rows = np.asarray(z)
    if rows.ndim != 2:
        raise InputError(f"A map needs latents of shape [N, D], got {list(rows.shape)}.")
    if rows.dtype.kind != "f":
        rows = rows.astype(np.float64)
    return rows, np.isfinite(rows).all(axis=1)


def map_quality(
    z: np.ndarray, xy: np.ndarray, *, n_neighbors: int = 15, max_points: int = 2_000, seed: int = 0
) -> dict[str, float]:
    """Say how far the neighbourhoods of the map can be trusted.

    Parameters
    ----------
    z, xy : ndarray [N, D], [N, 2]
        Latents and their places on the map.
    n_neighbors : int
        Size k of a neighbourhood.
    max_points, seed : int
        Of more usable rows than ``max_points``, as many are chosen at random and their neighbourhoods looked at, among all.

    Returns
    -------
    dict
        ``trustworthiness`` (1: whatever is near on the map is near in the latent space), ``neighbours_kept`` (share
        of the k nearest in the latent space that are among the k nearest on the map; k/(N-1) by chance), both NaN
        with fewer than 2k + 1 different points; ``n_points`` whose neighbourhoods were looked at.

    References
    ----------
    Venna & Kaski, Neighborhood preservation in nonlinear projection methods, 2001.
    https://doi.org/10.1007/3-540-44668-0_68

    Examples
    --------
    >>> import numpy as np
    >>> flat = np.random.default_rng(0).normal(size=(100, 2))
    >>> map_quality(flat, 3 * flat + 1)
    {'trustworthiness': 1.0, 'neighbours_kept': 1.0, 'n_points': 100}
    """
    (rows, usable), (places, placed) = finite_rows(z), finite_rows(xy)
    index = np.flatnonzero(usable & placed)
    rows, places = np.asarray(rows[index], dtype=np.float32), places[index]
    asked = np.arange(len(index))
    if len(index) > max_points:
        asked = np.sort(np.random.default_rng(seed).choice(len(index), max_points, replace=False))
    found: dict[str, float] = {"trustworthiness": float("nan"), "neighbours_kept": float("nan"), "n_points": len(asked)}
    if len(index) > 2 * n_neighbors and len(np.unique(rows[asked], axis=0)) > 2 * n_neighbors:
        ranks = neighbour_ranks(rows, places, asked, n_neighbors)
        found["trustworthiness"] = _trustworthiness(ranks, len(rows))
        found["neighbours_kept"] = float((ranks <= n_neighbors).mean())
    return found


def neighbour_ranks(rows: np.ndarray, places: np.ndarray, asked: np.ndarray, k: int) -> np.ndarray:
    """Ranks [n, k] in the latent space (1: the nearest) of the k nearest neighbours on the map of some points.

    Parameters
    ----------
    rows : ndarray [N, D]
    places : ndarray [N, 2]
    asked : ndarray [n]
        Rows whose neighbours are looked at.
    k : int
    """
    ranks = np.empty((len(asked), k), dtype=np.int64)
    step = max(1, RANKED_AT_ONCE // len(rows))
    for start in range(0, len(asked), step):
        part = asked[start : start + step]
        near = _nearest_others(_squared_distances(places, part), k)
        apart = _squared_distances(rows, part)
        limit = np.take_along_axis(apart, near, axis=1)
        for column in range(k):
            ranks[start : start + step, column] = 1 + (apart < limit[:, [column]]).sum(axis=1)
    return ranks


def _squared_distances(rows: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Squared distances [n, N] of some rows to all; of a row to itself infinite."""
    from sklearn.metrics.pairwise import euclidean_distances

    apart = euclidean_distances(rows[part], rows, squared=True)
    apart[np.arange(len(part)), part] = np.inf
    return apart


def _nearest_others(apart: np.ndarray, k: int) -> np.ndarray:
    """Columns [n, k] of the k smallest distances of each row."""
    return np.argpartition(apart, k - 1, axis=1)[:, :k]


def _trustworthiness(ranks: np.ndarray, n: int) -> float:
    """1 - 2 / (m k (2 n - 3 k - 1)) sum over m points and their k neighbours of max(0, rank - k) (Venna & Kaski, 2001)."""
    m, k = ranks.shape
    return float(1.0 - 2.0 / (m * k * (2.0 * n - 3.0 * k - 1.0)) * np.maximum(ranks - k, 0).sum())
