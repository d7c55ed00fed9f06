"""The orders in which a library is searched. Each gives bounds for all rows of a shard at once, and exact values for few."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from chemvae.library.codes import distance_bounds
from chemvae.library.scan import count_common
from chemvae.library.shard import Shard


class Ranking(Protocol):
    """An order of molecules, the smallest value first."""

    def bounds(self, shard: Shard) -> tuple[np.ndarray, float]:
        """Lower bounds of the values of all rows [n], and how far the values can lie above them."""

    def values(self, shard: Shard, places: np.ndarray) -> np.ndarray:
        """Exact values of some rows (places [m] in the shard): float64 [m]."""

    def least(self, shard: Shard) -> float:
        """No row of the shard has a smaller value: known without reading it."""


class ByDistance:
    """Euclidean distance in latent space from a point [D]; the order of geodesic distance on a sphere, too."""

    def __init__(self, point: np.ndarray):
        self.point = np.asarray(point, dtype=np.float64)

    def bounds(self, shard: Shard) -> tuple[np.ndarray, float]:
        return distance_bounds(shard.array("codes"), shard.facts.quantization, self.point)

    def values(self, shard: Shard, places: np.ndarray) -> np.ndarray:
        return np.linalg.norm(shard.array("points")[places].astype(np.float64) - self.point, axis=1)

    def least(self, shard: Shard) -> float:
        return 0.0


class BySimilarity:
    """One minus Tanimoto similarity to a fingerprint [256]."""

    def __init__(self, fingerprint: np.ndarray):
        self.fingerprint = fingerprint

    def bounds(self, shard: Shard) -> tuple[np.ndarray, float]:
        return 1.0 - similarities(shard, self.fingerprint), 0.0

    def values(self, shard: Shard, places: np.ndarray) -> np.ndarray:
        return 1.0 - similarities(shard, self.fingerprint, places)

    def least(self, shard: Shard) -> float:
        return 0.0


class InOrder:
    """The order in which molecules stand in the library."""

    def bounds(self, shard: Shard) -> tuple[np.ndarray, float]:
        return self.values(shard, np.arange(len(shard))), 0.0

    def values(self, shard: Shard, places: np.ndarray) -> np.ndarray:
        return (shard.first_row + places).astype(np.float64)

    def least(self, shard: Shard) -> float:
        return float(shard.first_row)


def similarities(shard: Shard, query: np.ndarray, places: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Tanimoto similarity of a shard's rows, all of them or those at ``places`` [m], to a fingerprint [256]: float64.

    It is 0 where neither has a bit.
    """
    common = count_common(shard.array("morgan")[places], query).astype(np.float64)
    either = shard.array("bit_counts")[places] + float(np.bitwise_count(query).sum()) - common
    return common / np.maximum(either, 1.0)


class Best:
    """The n smallest values met so far and their rows, from any thread; of equal values the earlier row.

    Examples
    --------
    >>> best = Best(2)
    >>> best.offer(np.array([3.0, 1.0, 2.0]), np.array([0, 1, 2]))
    >>> best.rows.tolist(), best.bound
    ([1, 2], 2.0)
    """

    def __init__(self, n: int):
        self.n = n
        self.values, self.rows = np.empty(0), np.empty(0, np.int64)
        self._lock = threading.Lock()

    @property
    def bound(self) -> float:
        """A row with a larger value is none of them."""
        values = self.values
        return float(values[-1]) if len(values) >= self.n else np.inf

    def offer(self, values: np.ndarray, rows: np.ndarray) -> None:
        """Take in values [m] of rows [m] that were not offered before."""
        with self._lock:
            values, rows = np.concatenate([self.values, values]), np.concatenate([self.rows, rows])
            order = np.lexsort((rows, values))[: self.n]
            self.rows, self.values = rows[order], values[order]
