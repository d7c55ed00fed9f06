"""Names for the regions of a map, at every zoom: what the molecules of a region have and others have not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chemvae.maps.terms import GROUPS, RINGS, TERMS, term_table  # noqa: F401 (TERMS is for the example)

LEVELS = (8, 32, 128, 512)
"""Regions at each zoom."""
SMALLEST_REGION = 12
"""Molecules, of those looked at, that a name is drawn from."""
MOST_LOOKED_AT = 6_000
COMMON, LIFTED = 0.35, 1.6
"""A name holds for this share of a region at least, and as many times as often as elsewhere."""


@dataclass(frozen=True)
class RegionLabel:
    """A name that stands on a map."""

    x: float
    y: float
    level: int
    """0 for the whole map, more for what is seen when it is near."""
    text: str


def region_labels(
    xy: np.ndarray, smiles: Sequence[str], *, jobs: int = 1, seed: int = 0, terms: np.ndarray | None = None
) -> list[RegionLabel]:
    """Cut a map into regions at several zooms and name each by the terms that set it apart.

    Parameters
    ----------
    xy : ndarray [N, 2]
        Rows with NaN are left out.
    smiles : sequence of str, N
    jobs : int
        Worker processes for RDKit.
    seed : int
        Of the molecules that are looked at, at most ``MOST_LOOKED_AT``, and of the regions.
    terms : ndarray of bool [n, len(TERMS)], optional
        Of the molecules that are looked at, where they are known.

    Returns
    -------
    list of RegionLabel
        Coarse ones first; a region whose molecules have nothing in common has none.

    References
    ----------
    McInnes, datamapplot, 2024. https://datamapplot.readthedocs.io (that maps name their clusters at each zoom)
    """
    placed = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if len(placed) > MOST_LOOKED_AT:
        placed = np.sort(np.random.default_rng(seed).choice(placed, MOST_LOOKED_AT, replace=False))
    if len(placed) < 2 * SMALLEST_REGION:
        return []
    held = term_table([smiles[row] for row in placed.tolist()], jobs) if terms is None else terms
    found = []
    for level, n_regions in enumerate(LEVELS):
        n_regions = min(n_regions, len(placed) // SMALLEST_REGION)
        if level and n_regions < LEVELS[level - 1]:
            break
        found += _named_regions(xy[placed], held, n_regions, level, seed)
    return found


def _named_regions(xy: np.ndarray, held: np.ndarray, n_regions: int, level: int, seed: int) -> list[RegionLabel]:
    """The labels of one level."""
    from sklearn.cluster import KMeans

    region = KMeans(n_regions, n_init=1, random_state=seed, max_iter=30).fit_predict(xy)
    labels = []
    for number in range(n_regions):
        mine = np.flatnonzero(region == number)
        text = name_of(held[mine].mean(axis=0), held.mean(axis=0)) if len(mine) >= SMALLEST_REGION else ""
        if text:
            middle = np.median(xy[mine], axis=0)
            labels.append(RegionLabel(float(middle[0]), float(middle[1]), level, text))
    return labels


def name_of(share: np.ndarray, everywhere: np.ndarray) -> str:
    """Name a region by its most telling ring and its most telling group; "" if nothing sets it apart.

    A term tells p log(p / q), p its share in the region and q that on the whole map: its part of the divergence of the two.

    Parameters
    ----------
    share : ndarray [len(TERMS)]
        Of the region's molecules, that hold each term.
    everywhere : ndarray [len(TERMS)]
        Of all.

    Examples
    --------
    >>> share = np.zeros(len(TERMS))
    >>> share[[TERMS.index("piperazine"), TERMS.index("sulfonamide")]] = 0.9, 0.6
    >>> name_of(share, np.full(len(TERMS), 0.1)), name_of(np.full(len(TERMS), 0.1), np.full(len(TERMS), 0.1))
    ('piperazine sulfonamide', '')
    """
    telling = share * np.log(np.maximum(share, 1e-9) / np.maximum(everywhere, 1e-9))
    telling[(share < COMMON) | (share < LIFTED * everywhere)] = 0.0
    rings, groups = telling[: len(RINGS)], telling[len(RINGS) :]
    words = [table[int(part.argmax())] for part, table in ((rings, list(RINGS)), (groups, list(GROUPS))) if part.max() > 0]
    return " ".join(words)
