"""Maps that keep neighbourhoods: t-SNE, UMAP and PaCMAP, each behind the same contract.

The library lays the map out once. New molecules then join it by their nearest neighbours in the latent space, the same
way for every member, in memory or loaded from a file. We do so because the libraries' own transforms are slow (UMAP) or
can only be stored as pickles (openTSNE), and because a placement by neighbours cannot land where no molecule is.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from abc import abstractmethod
from types import ModuleType
from typing import Any

import numpy as np

from chemvae.errors import MissingExtraError
from chemvae.maps.neighbours import nearest_rows
from chemvae.maps.projection import PCAProjection, Projection

log = logging.getLogger(__name__)

PLACED_AT_ONCE = 50_000
SMALLEST_LAYOUT = 12
"""With fewer points neighbourhoods mean little and the libraries fail in different ways: such maps use PCA."""


class NeighbourProjection(Projection):
    """A layout made by a library, and a placement of new points by their neighbours.

    A new point goes to the weighted geometric median of its ``n_placement`` nearest reference points, weight
    1/distance^2: the median, because the mean of neighbours from two islands lies in the sea between them. A point of
    the reference keeps its own place.

    Parameters
    ----------
    n_neighbors : int
        Neighbourhood the library preserves (t-SNE: its perplexity).
    max_fit : int
        Larger inputs are laid out on a random subset of this size, and the rest are placed by their neighbours.
    n_placement : int
        Neighbours that decide where a new point goes.
    random_state : int
        Seed of the subset and of the library.

    Attributes
    ----------
    reference_ : ndarray [M, D]
        Latents that were laid out.
    reference_xy_ : ndarray [M, 2]
        Their places.
    """

    def __init__(self, n_neighbors: int = 15, max_fit: int = 50_000, n_placement: int = 5, random_state: int = 0):
        super().__init__(random_state)
        self.n_neighbors, self.max_fit, self.n_placement = n_neighbors, max_fit, n_placement

    @abstractmethod
    def _lay_out(self, rows: np.ndarray) -> np.ndarray:
        """Return the library's coordinates [M, 2] of rows [M, D], M >= SMALLEST_LAYOUT."""

    def _fit_rows(self, rows: np.ndarray) -> np.ndarray:
        chosen = np.arange(len(rows))
        if len(rows) > self.max_fit:
            chosen = np.sort(np.random.default_rng(self.random_state).choice(len(rows), self.max_fit, replace=False))
        self.used_name = self.name
        self.reference_ = np.ascontiguousarray(rows[chosen], dtype=np.float32)
        self.reference_xy_ = np.asarray(self._lay_out_or_pca(self.reference_), dtype=np.float32)
        xy = np.empty((len(rows), 2))
        xy[chosen] = self.reference_xy_
        others = np.setdiff1d(np.arange(len(rows)), chosen, assume_unique=True)
        if len(others):
            xy[others] = self._place_rows(rows[others])
        return xy

    def _lay_out_or_pca(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) >= SMALLEST_LAYOUT and len(np.unique(rows, axis=0)) > 3:
            return self._lay_out(rows)
        n_different = len(np.unique(rows, axis=0))
        what = (
            f"{len(rows)} points are" if n_different == len(rows) else f"{n_different} different points among {len(rows)} are"
        )
        log.warning("%s too few for a %s map; PCA is used instead", what, self.name)
        self.used_name = PCAProjection.name
        return PCAProjection().fit_transform(rows)

    def _place_rows(self, rows: np.ndarray) -> np.ndarray:
        rows = rows.astype(np.float32)
        distance, index = nearest_rows(self.reference_, rows, min(self.n_placement, len(self.reference_)))
        parts = range(0, len(rows), PLACED_AT_ONCE)
        places = [self._place_beside(rows[a : (b := a + PLACED_AT_ONCE)], distance[a:b], index[a:b]) for a in parts]
        return np.concatenate(places)

    def _place_beside(self, rows: np.ndarray, distance: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Places [n, 2] of rows [n, D] whose neighbours [n, K] are known."""
        same = np.stack([(rows == self.reference_[near]).all(axis=-1) for near in index.T], axis=1)
        return place_by_neighbours(distance, self.reference_xy_[index], same)

    def _state(self) -> dict[str, np.ndarray]:
        return {"reference_": self.reference_, "reference_xy_": self.reference_xy_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.reference_, self.reference_xy_ = state["reference_"], state["reference_xy_"]


def place_by_neighbours(distance: np.ndarray, places: np.ndarray, exact: np.ndarray, n_steps: int = 15) -> np.ndarray:
    """Return the weighted geometric median [N, 2] of each row's neighbours (Weiszfeld's iteration).

    Parameters
    ----------
    distance : ndarray [N, K]
        From each point to its neighbours in the latent space; weights are 1/distance^2.
    places : ndarray [N, K, 2]
        The neighbours on the map.
    exact : ndarray [N, K] of bool
        Neighbours that are the point itself; the first of them decides.
    n_steps : int
        Iterations; the result moves by less than a pixel after about ten.

    Examples
    --------
    >>> places = np.array([[[0.0, 0.0], [0.0, 1.0], [90.0, 90.0]]])
    >>> xy = place_by_neighbours(np.array([[1.0, 1.0, 1.2]]), places, np.zeros((1, 3), bool))
    >>> bool(np.hypot(*xy[0]) < 2)
    True
    """
    places = places.astype(np.float64)
    weight = 1.0 / np.maximum(distance.astype(np.float64), 1e-9) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    xy = (weight[:, :, None] * places).sum(axis=1)
    spread = np.ptp(places, axis=1).max(axis=1, keepdims=True)
    for _ in range(n_steps):
        apart = np.linalg.norm(places - xy[:, None, :], axis=2)
        pull = weight / np.maximum(apart, 1e-3 * spread + 1e-12)
        xy = (pull[:, :, None] * places).sum(axis=1) / pull.sum(axis=1, keepdims=True)
    known = exact.any(axis=1)
    xy[known] = places[known, exact[known].argmax(axis=1)]
    return xy


class TSNEProjection(NeighbourProjection):
    """t-SNE, by openTSNE where it is installed (much faster above 10,000 points), else by scikit-learn.

    References
    ----------
    van der Maaten & Hinton, Visualizing data using t-SNE, 2008. https://www.jmlr.org/papers/v9/vandermaaten08a.html
    Policar, Strazar & Zupan, openTSNE, 2024. https://doi.org/10.18637/jss.v109.i03
    """

    name = "tsne"

    def __init__(self, n_neighbors: int = 30, max_fit: int = 50_000, n_placement: int = 5, random_state: int = 0):
        super().__init__(n_neighbors, max_fit, n_placement, random_state)

    def _lay_out(self, rows: np.ndarray) -> np.ndarray:
        perplexity = min(self.n_neighbors, (len(rows) - 1) / 3)
        try:
            library = importlib.import_module("openTSNE")
        except ImportError:
            from sklearn.manifold import TSNE

            return TSNE(perplexity=perplexity, init="pca", random_state=self.random_state).fit_transform(rows)
        return np.asarray(library.TSNE(perplexity=perplexity, random_state=self.random_state, n_jobs=1).fit(rows))


class UMAPProjection(NeighbourProjection):
    """UMAP. With a seed it runs on one thread; the first call compiles for half a minute.

    References
    ----------
    McInnes, Healy & Melville, UMAP, 2018. https://arxiv.org/abs/1802.03426
    """

    name = "umap"

    def _lay_out(self, rows: np.ndarray) -> np.ndarray:
        library = need("umap", "umap-learn", "A UMAP map")
        n_neighbors = min(self.n_neighbors, len(rows) - 1)
        return library.UMAP(n_neighbors=n_neighbors, random_state=self.random_state, n_jobs=1).fit_transform(rows)


class PaCMAPProjection(NeighbourProjection):
    """PaCMAP: fast, and keeps more of the large-scale order than the others; suits 20,000 points and more.

    References
    ----------
    Wang, Huang, Rudin & Shaposhnik, Understanding how dimension reduction tools work, 2021.
    https://jmlr.org/papers/v22/20-1061.html
    """

    name = "pacmap"

    def __init__(self, n_neighbors: int = 10, max_fit: int = 250_000, n_placement: int = 5, random_state: int = 0):
        super().__init__(n_neighbors, max_fit, n_placement, random_state)

    def _lay_out(self, rows: np.ndarray) -> np.ndarray:
        library = need("pacmap", "pacmap", "A PaCMAP map")
        n_neighbors = min(self.n_neighbors, (len(rows) - 1) // 3)
        return library.PaCMAP(n_neighbors=n_neighbors, random_state=self.random_state).fit_transform(rows, init="pca")


def need(module: str, package: str, purpose: str) -> ModuleType:
    """Import an optional library quietly, or raise ``MissingExtraError`` with the words that install it."""
    log.info("%s: the first call compiles code and may take half a minute", purpose)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            library: Any = importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(package, "maps", purpose) from error
    return library
