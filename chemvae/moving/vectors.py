"""Attribute vectors: the direction of latent space along which a property changes, learned from labelled molecules.

Of a number it is the direction of a ridge regression on the codes, of a class the difference of the two means (Mikolov et al.
2013 and Radford et al. 2016 did so with words and faces). Both in standard deviations of the codes, so that no dimension counts
for more because it is wider.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from chemvae.errors import UnknownNameError
from chemvae.models.vae import MolVAE
from chemvae.moving.labelled import LabelledCodes
from chemvae.moving.steps import spread_of

Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]
METHODS = ("auto", "regression", "mean")
RIDGES = np.logspace(-3, 3, 13)
"""Penalties that are tried, per molecule; the one with the least error on molecules that were left out is taken."""
SHARE_APART = 1 / 3
"""Of all molecules, at either end of a number's range, whose means are compared by the method "mean"."""
N_FOLDS = 5


@dataclass(frozen=True)
class AttributeVector:
    """A direction and what stands behind it."""

    name: str
    direction: Tensor
    """[D], of length one, in standard deviations of the codes; the property rises along it."""
    method: str
    """"regression" or "mean"."""
    n: int
    """Molecules it was learned from."""
    score: float
    """On molecules left out: R^2 of a number, area under the ROC curve of a class."""
    slope: float
    """Change of the property, by this line, for one standard deviation of the codes along the direction."""
    offset: float
    """Its value, by this line, at the mean of the codes."""
    is_class: bool
    source: str

    def estimate(self, model: MolVAE, z: np.ndarray) -> np.ndarray:
        """The property at codes z [N, D], by this line: [N]."""
        return self.offset + self.slope * (standardised(model, z) @ self.direction.double().numpy())

    def sentence(self) -> str:
        """Where the direction is from and how far it can be trusted."""
        what = "area under the ROC curve" if self.is_class else "R^2"
        how = {"regression": "a ridge regression", "mean": "the difference of two means"}[self.method]
        return f"{self.name} along {how} of {self.n:,} molecules ({self.source}): {what} {self.score:.2f} on those left out."


def fit_vector(model: MolVAE, labelled: LabelledCodes, method: str = "auto") -> AttributeVector:
    """Learn the direction of a property.

    Parameters
    ----------
    model : MolVAE
        For the spread of its codes.
    labelled : LabelledCodes
    method : {"auto", "regression", "mean"}
        "auto" takes the mean difference for classes, the regression for numbers.

    Returns
    -------
    AttributeVector

    Raises
    ------
    UnknownNameError
        If there is no such method.

    References
    ----------
    White, Sampling Generative Networks, 2016. https://arxiv.org/abs/1609.04468 (attribute vectors). Hoerl & Kennard, Ridge
    Regression, 1970. https://doi.org/10.1080/00401706.1970.10488634
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, list(METHODS))
    if method == "auto":
        method = "mean" if labelled.is_class else "regression"
    x, y = standardised(model, labelled.z), labelled.values.astype(float)
    fit = _regression if method == "regression" else _mean_difference
    weights = fit(x, y)
    unit = weights / max(float(np.linalg.norm(weights)), 1e-300)
    slope, offset = np.polyfit(x @ unit, y, 1)
    return AttributeVector(
        name=labelled.name,
        direction=torch.from_numpy(unit).float(),
        method=method,
        n=len(y),
        score=_left_out_score(x, y, fit, labelled.is_class),
        slope=float(slope),
        offset=float(offset),
        is_class=labelled.is_class,
        source=labelled.source,
    )


def standardised(model: MolVAE, z: np.ndarray) -> np.ndarray:
    """Codes [N, D] in standard deviations of the training codes from their mean, float64."""
    mean = model.latent_statistics.mean.detach().cpu().double().numpy()
    return (np.asarray(z, dtype=float) - mean) / spread_of(model).double().numpy()


def _regression(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights [D] of the ridge regression of y [N] on x [N, D] with the least leave-one-out error, in closed form."""
    x, y = x - x.mean(axis=0), y - y.mean()
    u, s, v = np.linalg.svd(x, full_matrices=False)
    errors, shares = [], []
    for penalty in len(y) * RIDGES:
        share = s**2 / (s**2 + penalty)  # of each principal direction that is kept
        leverage = (u**2 * share).sum(axis=1) + 1 / len(y)
        residual = (y - u @ (share * (u.T @ y))) / np.maximum(1 - leverage, 1e-9)
        errors.append(np.square(residual).mean())
        shares.append(share)
    best = shares[int(np.argmin(errors))]
    inverse = np.divide(best, s, out=np.zeros_like(s), where=s > 0)
    return v.T @ (inverse * (u.T @ y))


def _mean_difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of x [N, D] where y [N] is large less the mean where it is small: two classes, or the ends of a number's range."""
    low, high = np.quantile(y, [SHARE_APART, 1 - SHARE_APART])
    if low == high:  # two classes of unlike size, or a number that is nearly always the same
        low, high = y[y < y.max()].max(), y.max()
    return x[y >= high].mean(axis=0) - x[y <= low].mean(axis=0)


def _left_out_score(x: np.ndarray, y: np.ndarray, fit: Fit, is_class: bool) -> float:
    """How well directions order molecules they were not learned from, in five folds; NaN where a fold lacks a class."""
    fold = np.random.default_rng(0).permutation(len(y)) % N_FOLDS
    along = np.empty(len(y))
    for i in range(N_FOLDS):
        kept = y[fold != i]
        if kept.min() == kept.max():
            return math.nan
        weights = fit(x[fold != i], kept)
        unit = weights / max(float(np.linalg.norm(weights)), 1e-300)
        line = np.polyfit(x[fold != i] @ unit, kept, 1)
        along[fold == i] = np.polyval(line, x[fold == i] @ unit)
    if is_class:
        return _area_under_roc(along, y == y.max())
    return float(1 - np.square(y - along).mean() / y.var())


def _area_under_roc(score: np.ndarray, is_in: np.ndarray) -> float:
    """Share of pairs, one in the class and one not, of which the former has the higher score (Mann & Whitney 1947)."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    n_in, n_out = int(is_in.sum()), int((~is_in).sum())
    return float((ranks[is_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))
