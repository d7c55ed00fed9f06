"""Nearest rows of a fixed set: exactly where that is quick, else by looking only into the cells around each point."""

from __future__ import annotations

import numpy as np

MOST_PAIRS = 4_000_000_000
"""Distances that are computed one by one: more of them are only looked for in the nearest cells."""
N_PROBED = 24
"""Cells looked into for each row."""
FITTED_PER_CELL = 40


def nearest_rows(
    reference: np.ndarray, rows: np.ndarray, k: int, *, most_pairs: int = MOST_PAIRS
) -> tuple[np.ndarray, np.ndarray]:
    """Find the k nearest of M reference rows for each of N rows, in Euclidean distance.

    With more than ``most_pairs`` pairs the reference is cut into about sqrt(M) cells by k-means and only the nearest cells of
    each row are searched, so that a few of the neighbours found are not the nearest.

    Parameters
    ----------
    reference : ndarray [M, D]
    rows : ndarray [N, D]
    k : int
        At most M.
    most_pairs : int
        N M up to which every distance is computed.

    Returns
    -------
    distance : ndarray [N, k]
        Ascending.
    index : ndarray [N, k]
        Rows of the reference.

    Examples
    --------
    >>> line = np.arange(10.0)[:, None]
    >>> distance, index = nearest_rows(line, np.array([[3.2]]), 2)
    >>> index.tolist(), distance.round(1).tolist()
    ([[3, 4]], [[0.2, 0.8]])
    """
    if len(reference) * len(rows) <= most_pairs:
        return _exactly(reference, rows, k)
    return _in_cells(reference, rows, k)


def _exactly(reference: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """All distances."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reference).kneighbors(rows)


def _in_cells(reference: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The nearest in the nearest cells, cell by cell; a row whose cells hold too few is answered exactly."""
    centres = _centres(reference)
    home = _exactly(centres, reference, 1)[1][:, 0]
    probed = _exactly(centres, rows, min(N_PROBED, len(centres)))[1]
    distance, index = np.full((len(rows), k), np.inf), np.full((len(rows), k), -1)
    order = np.argsort(probed, axis=None, kind="stable")
    begins = np.searchsorted(probed.reshape(-1)[order], np.arange(len(centres) + 1))
    members = np.split(np.argsort(home, kind="stable"), np.cumsum(np.bincount(home, minlength=len(centres)))[:-1])
    for cell, inside in enumerate(members):
        asking = order[begins[cell] : begins[cell + 1]] // probed.shape[1]
        if len(asking) and len(inside):
            found = _exactly(reference[inside], rows[asking], min(k, len(inside)))
            distance[asking], index[asking] = _merged(distance[asking], index[asking], found[0], inside[found[1]])
    short = np.flatnonzero((index < 0).any(axis=1))
    if len(short):
        distance[short], index[short] = _exactly(reference, rows[short], k)
    return distance, index


def _centres(reference: np.ndarray) -> np.ndarray:
    """Middles of about sqrt(M) cells, from a part of the reference."""
    from sklearn.cluster import MiniBatchKMeans

    n_cells = max(1, int(np.sqrt(len(reference))))
    n_fitted = min(len(reference), FITTED_PER_CELL * n_cells)
    sample = np.random.default_rng(0).choice(len(reference), n_fitted, replace=False)
    cells = MiniBatchKMeans(n_cells, random_state=0, n_init=1, batch_size=4096, max_iter=20)
    return cells.fit(reference[sample]).cluster_centers_


def _merged(
    distance: np.ndarray, index: np.ndarray, more_distance: np.ndarray, more_index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest of two lists of neighbours."""
    both, which = np.hstack([distance, more_distance]), np.hstack([index, more_index])
    best = np.argsort(both, axis=1, kind="stable")[:, : distance.shape[1]]
    return np.take_along_axis(both, best, axis=1), np.take_along_axis(which, best, axis=1)
