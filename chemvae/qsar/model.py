"""A property the model was not trained on, learned from a table of values: a Gaussian process with calibrated intervals.

Nothing is saved: the table is the model. Fitting it again takes seconds, gives the same numbers, and executes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.fingerprints import scaffold
from chemvae.chem.molecules import check_standardize_mode, standardize
from chemvae.data.given import GivenMolecules, read_molecules
from chemvae.data.labels import ROUNDING, label_scale
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.gp.linalg import cholesky
from chemvae.qsar.features import PARTS, Features, Scaling, check_parts
from chemvae.qsar.kernel import Kernel
from chemvae.seeding import as_seed

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

FEWEST = 20  # labelled molecules; with fewer, neither hyperparameters nor intervals mean anything
MOST = 6_000  # molecules a process conditions on: memory grows as their square, 0.3 GB a matrix here
HYPERPARAMETER_MOLECULES = 500
LARGEST_GROUP = 0.2  # of all molecules, left out together
COVERAGE = 0.9
HALF_WIDTH = 1.6448536269514722  # of a 90 % interval of a normal distribution, in standard deviations


class PropertyModel:
    """A Gaussian process over molecules, seen through latent codes, counted fingerprints and descriptors.

    The kernel is the sum of :class:`chemvae.qsar.kernel.Kernel`. Hyperparameters are fitted on at most 500 of the
    molecules, the process is conditioned on all of them. Intervals are widened or narrowed until they hold 90 % of the training
    labels, each predicted with its scaffold left out of the process (cross-conformal; in closed form, so it costs nothing).
    Every scaffold weighs the same there: what is promised is a molecule with a new scaffold. Among known ones more than 90 %
    lie inside.

    Parameters
    ----------
    model : MolVAE
        Encodes; not modified. A molecule that its vocabulary cannot write is known by fingerprint and descriptors alone.
    parts : sequence of str
        Of "z", "counts" and "descriptors": what the kernel looks at.
    unit : str
        Of the labels; "" where it is not known.
    standardize : {"none", "salts", "neutral"}
        What is done to every molecule, learned from or predicted (:func:`chemvae.chem.molecules.standardize`).

    Attributes
    ----------
    label_low, label_high : float
        Range of the labels.
    reach : float
        Similarity that 95 % of the molecules learned from have to one of another scaffold: intervals are calibrated there,
        and mean little for what is less like every one of them.

    References
    ----------
    Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5. Vovk, Cross-conformal predictors,
    2015. https://doi.org/10.1007/s10472-013-9368-4
    """

    def __init__(self, model: MolVAE, parts: Sequence[str] = PARTS, unit: str = "", standardize: str = "none"):
        check_parts(parts)
        check_standardize_mode(standardize)
        self.model, self.parts, self.unit, self.standardize = model, tuple(parts), unit, standardize
        self.smiles: list[str] = []  # it has learned from

    def fit(self, smiles: Any, labels: Sequence[float] | np.ndarray, seed: int = 0) -> PropertyModel:
        """Learn from labelled molecules.

        Parameters
        ----------
        smiles : sequence of str, length N
            Or another form of molecules (:mod:`chemvae.data.given`); what is none is left out. Several labels of one molecule
            are averaged.
        labels : array [N]
            In the data's unit; NaN is no label. Of more than 6,000 labelled molecules, 6,000 are taken at random.
        seed : int

        Raises
        ------
        NothingUsableError
            With fewer than 20 labelled molecules, or if all labels are the same.
        """
        given, labels = self._read(smiles), np.asarray(labels, dtype=np.float64)
        if len(given) != len(labels):
            raise SettingsError(f"there must be a label for each molecule, got {len(labels)} labels and {len(given)} molecules")
        labelled = pd.Series(labels, index=given.smiles)[[one is not None for one in given.smiles]]
        known = labelled[np.isfinite(labelled)].groupby(level=0, sort=False).mean()
        chosen = np.sort(np.random.default_rng(seed := as_seed(seed)).permutation(len(known))[:MOST])
        known = known.iloc[chosen]
        check_labels(known.to_numpy())
        self.smiles = smiles = known.index.tolist()
        return self.fit_features(Features.of(self.model, smiles), known.to_numpy(), [scaffold(one) for one in smiles], seed)

    def fit_features(
        self, features: Features, labels: np.ndarray, scaffolds: Sequence[str | None], seed: int = 0
    ) -> PropertyModel:
        """Learn from the features of N different molecules, their labels [N] and their scaffolds."""
        self.label_mean, self.label_std = label_scale(labels, ddof=0)
        self.label_low, self.label_high = float(np.min(labels)), float(np.max(labels))
        self.scaling = Scaling.fit(features)
        self.features = self.scaling(features)
        y = torch.from_numpy((labels - self.label_mean) / self.label_std)
        rng = np.random.default_rng(seed)
        few = torch.from_numpy(np.sort(rng.permutation(len(y))[:HYPERPARAMETER_MOLECULES]))
        self.kernel = Kernel(self.parts).fit(self.features.part(few), y[few])
        products = self.kernel.products(self.features, self.features, with_tanimoto=True)
        covariance = self.kernel(self.features, self.features, products)
        covariance.diagonal().add_(self.kernel.noise)
        self._cholesky = cholesky(covariance, relative=True)
        inverse = torch.cholesky_inverse(self._cholesky)
        self._weights = inverse @ y  # [N]
        groups = group(scaffolds, rng)
        self.reach = similarity_kept(products.similarity, torch.from_numpy(groups))
        error, std = leave_out(inverse, self._weights, torch.from_numpy(groups))
        self.left_out_rmse = float(error.square().mean().sqrt()) * self.label_std
        """Root mean square error of the training molecules, each predicted without its scaffold; in the data's unit."""
        self.widening = conformal_quantile((error.abs() / std).numpy(), 1 / np.bincount(groups)[groups]) / HALF_WIDTH
        return self

    def predict(self, smiles: Any) -> pd.DataFrame:
        """Predict M molecules, in any form that :mod:`chemvae.data.given` knows.

        Returns
        -------
        DataFrame
            ``mean`` and ``std`` in the data's unit, ``low`` and ``high`` (ends of the 90 % interval, mean -+ 1.645 std),
            ``similarity`` (of the fingerprint's counts to the most similar training molecule's, Tanimoto). NaN for what is no
            molecule, with its ``reason`` then.
        """
        given = self._read(smiles)
        usable = [i for i, one in enumerate(given.smiles) if one is not None]
        table = self.predict_features(Features.of(self.model, given.known(usable)))
        table = table.set_axis(usable).reindex(range(len(given)))
        if any(given.reasons):
            table["reason"] = [reason or "" for reason in given.reasons]
        return table if given.index is None else table.set_axis(given.index)

    def predict_features(self, features: Features) -> pd.DataFrame:
        """As :meth:`predict`, from features."""
        features = self.scaling(features)
        products = self.kernel.products(features, self.features, with_tanimoto=True)
        between = self.kernel(features, self.features, products)  # [M, N]
        explained = torch.linalg.solve_triangular(self._cholesky, between.T, upper=False).square().sum(dim=0)
        variance = (self.kernel.variance(features) - explained).clamp_min(0.0) + self.kernel.noise
        mean = (between @ self._weights).numpy() * self.label_std + self.label_mean
        std = variance.sqrt().numpy() * self.label_std * self.widening
        nearest = products.similarity.amax(dim=1).numpy() if len(features) else np.zeros(0)
        ends = {"low": mean - HALF_WIDTH * std, "high": mean + HALF_WIDTH * std}
        return pd.DataFrame({"mean": mean, "std": std, **ends, "similarity": nearest})

    def reservations(self, smiles: Any) -> list[str]:
        """What is to be said against the prediction of each of M molecules, in words; "" where there is nothing."""
        table = self.predict(smiles)
        return [self._reservation(mean, similar) for mean, similar in zip(table["mean"], table["similarity"], strict=True)]

    def _reservation(self, mean: float, similarity: float) -> str:
        said = []
        if not self.label_low <= mean <= self.label_high:
            said.append(f"outside the labels ({self.label_low:.4g} to {self.label_high:.4g})")
        if not similarity >= self.reach:
            said.append(f"unlike every labelled molecule (similarity {similarity:.2f}, usual is {self.reach:.2f} and more)")
        return "; ".join(said)

    def _read(self, smiles: Any) -> GivenMolecules:
        """Molecules in any form, standardised."""
        given = read_molecules(smiles)
        if self.standardize == "none":
            return given
        return replace(given, smiles=[None if one is None else standardize(one, self.standardize) for one in given.smiles])


def similarity_kept(similarity: Tensor, groups: Tensor, share: float = 0.95) -> float:
    """The similarity [N, N] to the nearest point of another group that this share of points has; 0 with one group only.

    Examples
    --------
    >>> similarity_kept(torch.tensor([[1.0, 0.5, 0.9], [0.5, 1.0, 0.2], [0.9, 0.2, 1.0]]), torch.tensor([0, 1, 0]), 1.0)
    0.2...
    """
    others = torch.where(groups[:, None] == groups[None, :], 0.0, similarity)
    return float(np.quantile(others.amax(dim=1).numpy(), 1.0 - share))


def check_labels(labels: np.ndarray) -> None:
    """Raise NothingUsableError if so few or such labels [N] teach nothing."""
    if len(labels) < FEWEST:
        raise NothingUsableError(
            f"Only {len(labels)} molecules have a label; a model of a new property needs at least {FEWEST}. Measure more."
        )
    if np.ptp(labels) <= ROUNDING * np.abs(labels).max():
        raise NothingUsableError(f"All {len(labels):,} labels are {labels[0]:g}: there is nothing to learn from them.")


def group(scaffolds: Sequence[str | None], rng: np.random.Generator) -> np.ndarray:
    """Number the groups [N] that are left out together: a scaffold each, very large ones (all acyclic molecules) in shares.

    Examples
    --------
    >>> group(["a", "b", "a", "c", "d", "b", "e", "f", "g", "h"], np.random.default_rng(0)).tolist()
    [0, 1, 0, 2, 3, 1, 4, 5, 6, 7]
    """
    groups = pd.factorize(pd.Series(list(scaffolds), dtype=object).fillna(""))[0]
    most = max(1, int(LARGEST_GROUP * len(groups)))
    for number in np.flatnonzero(np.bincount(groups) > most):
        rows = rng.permutation(np.flatnonzero(groups == number))
        shares = math.ceil(len(rows) / most)
        groups[rows] = np.where(np.arange(len(rows)) % shares == 0, number, groups.max() + np.arange(len(rows)) % shares)
    return groups


def leave_out(inverse: Tensor, weights: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Error (prediction minus label) and predictive deviation [N] of each point when its whole group is left out.

    With A the inverse covariance, A_g the group's block of it and y the labels: error -A_g^-1 (A y)_g, variances the diagonal
    of A_g^-1 (Rasmussen & Williams 2006, equation 5.12, for groups).

    Parameters
    ----------
    inverse : Tensor [N, N]
        Of the covariance of the labels, noise included.
    weights : Tensor [N]
        ``inverse`` times the labels.
    groups : Tensor [N] of int
    """
    error, variance = torch.empty_like(weights), torch.empty_like(weights)
    for number in groups.unique():
        rows = (groups == number).nonzero()[:, 0]
        block = torch.cholesky_inverse(cholesky(inverse[rows][:, rows], relative=True))
        error[rows], variance[rows] = -(block @ weights[rows]), block.diagonal()
    return error, variance.sqrt()


def conformal_quantile(scores: np.ndarray, weights: np.ndarray, coverage: float = COVERAGE) -> float:
    """The score that a new one exceeds with probability at most 1 - coverage, if it is exchangeable with these.

    Parameters
    ----------
    scores : array [N]
    weights : array [N]
        How much each counts; the new one counts as their mean.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 100.0), np.ones(99))
    90.0
    """
    order = np.argsort(scores)
    reached = np.cumsum(weights[order]) / (weights.sum() + weights.mean())
    return float(scores[order][min(len(scores) - 1, int(np.searchsorted(reached, coverage - 1e-9)))])
