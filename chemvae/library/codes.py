"""Latent points as int8 codes, and how far such a code can be from its point: what makes a search over codes exact.

A shard has a centre m [D] and one step s for all dimensions. The code of a point x is c = round((x - m) / s), which stands for
m + s c. With e the largest distance |x - (m + s c)| in the shard, the distance of any query q to any of its points obeys

    |q - (m + s c)| - e  <=  |q - x|  <=  |q - (m + s c)| + e ,

so that what cannot be among the nearest is known from its code alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chemvae.library.scan import squared_steps

LARGEST = 127  # of a code
FINEST = 64  # steps of a query for one step of a code, at most
ROUNDING = 1e-5  # of a distance: more than float32 loses over all dimensions


@dataclass(frozen=True)
class Quantization:
    """How the codes of a shard stand for its points."""

    center: np.ndarray
    """m, float64 [D]."""
    step: float
    """s, in the unit of the latent space."""
    error: float
    """e, the largest distance between a point and what its code stands for."""

    def restore(self, codes: np.ndarray) -> np.ndarray:
        """What codes [n, D] stand for: float64 [n, D]."""
        return self.center + self.step * codes.astype(np.float64)


def quantize(points: np.ndarray) -> tuple[np.ndarray, Quantization]:
    """Find int8 codes for points.

    Parameters
    ----------
    points : ndarray [n, D]
        Finite, n >= 1.

    Returns
    -------
    codes : ndarray of int8 [n, D]
    quantization : Quantization
        With the true error of these points.

    Examples
    --------
    >>> codes, how = quantize(np.array([[0.0, 1.0], [2.54, 1.0]]))
    >>> codes.tolist(), round(how.step, 6), how.error < 1e-12
    ([[-127, 0], [127, 0]], 0.01, True)
    """
    exact = points.astype(np.float64)
    low, high = exact.min(axis=0), exact.max(axis=0)
    center = (low + high) / 2
    step = float((high - low).max()) / (2 * LARGEST) or 1.0
    codes = np.clip(np.rint((exact - center) / step), -LARGEST, LARGEST).astype(np.int8)
    blank = Quantization(center, step, 0.0)
    error = float(np.linalg.norm(exact - blank.restore(codes), axis=1).max())
    return codes, Quantization(center, step, error)


def distance_bounds(codes: np.ndarray, how: Quantization, query: np.ndarray) -> tuple[np.ndarray, float]:
    """Lower bounds of the distances from a query to the points behind codes, and how far the true ones can lie above.

    Parameters
    ----------
    codes : ndarray of int8 [n, D]
    how : Quantization
    query : ndarray [D]

    Returns
    -------
    lower : ndarray of float32 [n]
        No distance is smaller.
    gap : float
        No distance is larger than its lower bound by more.

    Examples
    --------
    >>> codes, how = quantize(np.array([[0.0, 0.0], [3.0, 4.0]]))
    >>> lower, gap = distance_bounds(codes, how, np.zeros(2))
    >>> bool(lower[1] <= 5.0 <= lower[1] + gap)
    True
    """
    wanted = (np.asarray(query, dtype=np.float64) - how.center) / how.step  # in steps of the codes
    factor = _finest_factor(np.abs(wanted).max(), len(wanted))
    most = _largest_query(factor, len(wanted))
    steps = np.clip(np.rint(factor * wanted), -most, most).astype(np.int16)
    error = how.error + how.step * float(np.linalg.norm(wanted - steps / factor))
    distance = np.sqrt(squared_steps(codes, steps, factor), dtype=np.float32) * np.float32(how.step / factor)
    slack = error + ROUNDING * (error + float(distance.max(initial=0.0)))
    return distance - np.float32(slack), 2 * slack


def _largest_query(factor: int, latent_dim: int) -> int:
    """The largest step of a query for which neither a difference (int16) nor the sum of their squares (int32) overflows."""
    return min(int(np.sqrt((2**31 - 1) / latent_dim)), 2**15 - 1) - factor * (LARGEST + 1)


def _finest_factor(largest: float, latent_dim: int) -> int:
    """The largest power of two by which a query can be finer than the codes; 1 for one that lies far away."""
    factor = FINEST
    while factor > 1 and factor * largest + 1 > _largest_query(factor, latent_dim):
        factor //= 2
    return factor
