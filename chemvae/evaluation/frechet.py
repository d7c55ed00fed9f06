"""Frechet ChemNet distance: how far apart two sets of molecules lie in the features of a network that knows bioactivities.

The network comes with the optional package ``fcd``; without it the distance is None, never an error.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

MAX_CHARACTERS = 349  # what the network pads to; longer strings would change the padding, and so the distance, of all
MIN_MOLECULES = 2


def fcd(generated: Sequence[str | None], reference: Sequence[str | None], device: str = "cpu") -> float | None:
    """Frechet ChemNet distance between the valid generated molecules and the reference; 0 for equal sets.

    Biased upward for small sets: below some thousands of molecules write the number beside it, and compare only figures that
    were taken with the same numbers.

    Parameters
    ----------
    generated, reference : sequence of str or None
        Canonical SMILES; None and strings over 349 characters are left out.
    device : str
        Where the network runs.

    Returns
    -------
    float or None
        None if the package ``fcd`` (install extra ``eval``) is missing, or fewer than two molecules are left on a side.

    References
    ----------
    Preuer et al., Frechet ChemNet Distance, 2018. https://arxiv.org/abs/1803.09518
    """
    return FrechetReference(reference, device).distance(generated)


class FrechetReference:
    """Held-out molecules that several generated sets are compared with: the network reads them once, when first needed.

    Parameters
    ----------
    smiles : sequence of str or None
        Canonical SMILES; None and strings over 349 characters are left out.
    device : str
        Where the network runs.
    """

    def __init__(self, smiles: Sequence[str | None], device: str = "cpu"):
        self.smiles, self.device = _readable(smiles), device
        self._network: Any = None
        self._features: np.ndarray | None = None

    def distance(self, generated: Sequence[str | None]) -> float | None:
        """Frechet ChemNet distance of a generated set, as :func:`fcd`."""
        usable = _readable(generated)
        if find_spec("fcd") is None or min(len(usable), len(self.smiles)) < MIN_MOLECULES:
            return None
        if self._features is None:
            self._features = self._read(self.smiles)
        return max(frechet_distance(self._read(usable), self._features), 0.0)

    def _read(self, smiles: list[str]) -> np.ndarray:
        """The network's features of molecules, [n, 512]."""
        import fcd as package

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the package calls names that numpy renames
            if self._network is None:
                self._network = package.load_ref_model()
            return package.get_predictions(self._network, smiles, n_jobs=0, device=self.device).astype(np.float64)


def _readable(smiles: Sequence[str | None]) -> list[str]:
    return [s for s in smiles if isinstance(s, str) and len(s) <= MAX_CHARACTERS]


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Squared 2-Wasserstein distance between the Gaussians fitted to two samples.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2)``: the symmetric form, whose square roots exist for singular
    covariances too.

    Parameters
    ----------
    a, b : ndarray [n, F], [m, F]

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(points, points), 6), round(frechet_distance(points, points + 3.0), 6)
    (0.0, 18.0)
    """
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    values, vectors = np.linalg.eigh(np.atleast_2d(first))
    root = (vectors * np.sqrt(values.clip(min=0.0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ np.atleast_2d(second) @ root).clip(min=0.0)
    shift = a.mean(axis=0) - b.mean(axis=0)
    spread = np.trace(np.atleast_2d(first)) + np.trace(np.atleast_2d(second)) - 2.0 * np.sqrt(cross).sum()
    return float(shift @ shift + max(spread, 0.0))  # below 0 by rounding only
