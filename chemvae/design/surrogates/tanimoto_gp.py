"""A Gaussian process over molecules themselves: Tanimoto kernel on Morgan counts, whatever latent point they came from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from chemvae.chem.fingerprints import CountRows, count_tanimoto, unfolded_counts
from chemvae.design.surrogates.training_set import LOWEST_TARGET, REFIT_GROWTH, centre_and_spread, training_rows
from chemvae.errors import InputError, NothingUsableError
from chemvae.gp.linalg import cholesky

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_ROWS = 3000  # molecules conditioned on; time grows with their cube
SPECTRUM_ROWS = 1000  # molecules the noise is estimated on
MIN_ROWS = 8  # below it the evidence says nothing about the noise
NOISE_RATIOS = (1e-4, 10.0)  # from nearly exact to nearly nothing learned
DEFAULT_RATIO = 0.1
SHORTLIST = 500
BLOCK = 1024  # molecules predicted at a time: their covariances with 3,000 rows take 25 MB
SMALLEST = 1e-10  # variance in units of the prior's


class MoleculeRows(Protocol):
    """N molecules as a kernel looks at them: rows that can be chosen and joined."""

    def __len__(self) -> int: ...

    def __getitem__(self: Rows, rows: Any) -> Rows: ...

    def __add__(self: Rows, other: Rows) -> Rows: ...


Rows = TypeVar("Rows", bound=MoleculeRows)


class MoleculeGP(Generic[Rows]):
    """A Gaussian process over molecules; a subclass says what it looks at, and how alike that makes them.

    Parameters, attributes and what it does are described where it is used: :class:`TanimotoGP`.
    """

    def __init__(self, max_rows: int = MAX_ROWS, noise_ratio: float | None = None, seed: int = 0):
        self.max_rows, self.seed, self._given_ratio = max_rows, seed, noise_ratio
        self.y = torch.empty(0, dtype=torch.float64)
        self._forget()

    def __len__(self) -> int:
        return len(self.y)

    def fit(self, fingerprints: Rows | Sequence[str], y: Tensor | Sequence[float]) -> Self:
        """Start anew from molecules and their scores.

        Parameters
        ----------
        fingerprints : CountRows or sequence of SMILES, length N >= 1
        y : Tensor [N]
            Finite scores, the higher the better.

        Raises
        ------
        NothingUsableError
            If there is no molecule.
        InputError
            If a score is not finite, a fingerprint is empty, or their numbers differ.
        """
        fingerprints, y = _checked(self._rows_of(fingerprints), y)
        if not len(y):
            raise NothingUsableError("there is no molecule to fit a Gaussian process to; give one with a finite score, or more")
        self._told, self.y = fingerprints, y
        self._forget()
        self._rebuild()
        return self

    def extend(self, fingerprints: Rows | Sequence[str], y: Tensor | Sequence[float]) -> Self:
        """Take further molecules: new rows of the factor, at the noise ratio there is unless the data grew by a quarter."""
        if not len(self):
            return self.fit(fingerprints, y)
        fingerprints, y = _checked(self._rows_of(fingerprints), y)
        if not len(y):
            return self
        self._told, self.y = self._told + fingerprints, torch.cat([self.y, y])
        if len(self) > self.max_rows or len(self) >= REFIT_GROWTH * self._fitted_on:
            self._rebuild()
        else:
            self._append(fingerprints)
        return self

    def predict(self, fingerprints: Rows | Sequence[str]) -> tuple[Tensor, Tensor]:
        """Posterior mean and standard deviation, without noise, of each molecule: [M] each, in the unit of the scores."""
        return self._marginal(self._asked(fingerprints), torch.float64)

    def bound(self, fingerprints: Rows | Sequence[str], kappa: float) -> Tensor:
        """Mean + kappa std [M]; the std from a solve in single precision, which is faster and good enough to sort by."""
        mean, std = self._marginal(self._asked(fingerprints), torch.float32)
        return mean + kappa * std

    def joint(self, fingerprints: Rows | Sequence[str]) -> tuple[Tensor, Tensor]:
        """Posterior mean [M] and covariance [M, M], without noise."""
        asked = self._asked(fingerprints)
        cross = self._similarity(asked, self._active)
        half = torch.linalg.solve_triangular(self._root, cross.T, upper=False)  # [R, M]
        return self.mean + cross @ self._weights, (self._similarity(asked, asked) - half.T @ half) * self.scale**2

    def select_batch(
        self,
        fingerprints: Rows | Sequence[str],
        n: int,
        kappa: float = 1.0,
        generator: torch.Generator | None = None,
        shortlist: int = SHORTLIST,
        offset: Tensor | None = None,
        bound: Tensor | None = None,
    ) -> list[int]:
        """Choose n molecules of high mean + kappa std, each time as if those already chosen had turned out as predicted.

        Parameters
        ----------
        fingerprints : CountRows or sequence of SMILES, length M
        n : int
            Molecules wanted; all M if that is fewer.
        kappa : float
            Standard deviations added to the mean: 0 exploits only.
        generator : torch.Generator, optional
            Breaks ties; without one the earlier molecule wins.
        shortlist : int
            Molecules of highest bound among which the batch is chosen, 2 n at least.
        offset : Tensor [M], optional
            Added to the means: what is known of the scores besides this process.
        bound : Tensor [M], optional
            What :meth:`bound` says of these molecules at this kappa, where that is known already.

        Returns
        -------
        list of int
            Indices, the first choice first.
        """
        asked = self._asked(fingerprints)
        order = torch.arange(len(asked)) if generator is None else torch.randperm(len(asked), generator=generator)
        offset = torch.zeros(len(asked)) if offset is None else offset
        bound = (self.bound(asked, kappa) if bound is None else bound) + offset
        candidates = order[bound[order].argsort(descending=True, stable=True)[: max(shortlist, 2 * n)]]
        mean, covariance = self.joint(asked[candidates])
        return candidates[greedy_bound(mean + offset[candidates], covariance, n, kappa)].tolist()

    def _forget(self) -> None:
        self.noise_ratio = DEFAULT_RATIO if self._given_ratio is None else self._given_ratio
        self._fitted_on = 0

    def _rebuild(self) -> None:
        """Choose the rows and factorise their covariance; estimate the noise where that is due."""
        generator = torch.Generator().manual_seed(self.seed)
        self.rows = training_rows(self.y, self.max_rows, generator)
        self._active = self._told[self.rows]
        if len(self) >= REFIT_GROWTH * self._fitted_on:
            self._fitted_on = len(self)
            self._fit_hyperparameters(generator)
        similarity = self._similarity(self._active, self._active)
        similarity.diagonal().add_(self.noise_ratio)
        self._root = cholesky(similarity)  # [R, R]
        self._condition()

    def _fit_hyperparameters(self, generator: torch.Generator) -> None:
        """Choose the noise ratio by the evidence of some of the rows, unless it is given."""
        if self._given_ratio is None and len(self._active) >= MIN_ROWS:
            some = torch.randperm(len(self._active), generator=generator)[:SPECTRUM_ROWS].sort().values
            rows = self._active[some]
            self.noise_ratio = Evidence(self._similarity(rows, rows), self._targets()[0][some]).best_ratio()

    def _similarity(self, a: Rows, b: Rows) -> Tensor:
        """The kernel in units of its scale: [A, B]."""
        raise NotImplementedError

    def _variances(self, rows: Rows) -> Tensor:
        """Its diagonal [N]."""
        raise NotImplementedError

    def _append(self, new: Rows) -> None:
        """Add rows to the factor of a covariance [R, R] that has grown by n: the old rows stay as they are."""
        below = torch.linalg.solve_triangular(self._root, self._similarity(self._active, new), upper=False).T  # [n, R]
        corner = self._similarity(new, new) - below @ below.T
        corner.diagonal().add_(self.noise_ratio)
        right = torch.zeros(len(self._root), len(new), dtype=torch.float64)
        self._root = torch.cat([torch.cat([self._root, right], 1), torch.cat([below, cholesky(corner)], 1)])
        self._active, self.rows = self._active + new, torch.arange(len(self))
        self._condition()

    def _condition(self) -> None:
        """Mean, scale and weights for the factor and scores there are."""
        targets, centre, spread = self._targets()
        both = torch.stack([torch.ones_like(targets), targets], dim=1)
        one, y = torch.linalg.solve_triangular(self._root, both, upper=False).T  # [R] each
        mean = (one @ y) / (one @ one)
        left = y - mean * one
        variance = float(left.square().mean())
        weights = torch.linalg.solve_triangular(self._root.T, left[:, None], upper=True)[:, 0]
        self.mean, self._weights = float(mean * spread + centre), weights * spread
        self.scale = float(spread) * (math.sqrt(variance) if variance > SMALLEST else 1.0)

    def _targets(self) -> tuple[Tensor, Tensor, Tensor]:
        """Standardised scores of the rows [R], and the centre and spread they were taken from."""
        y = self.y[self.rows]
        centre, spread = centre_and_spread(y) if len(y) > 1 else (y[0], torch.ones_like(y[0]))
        return ((y - centre) / spread).clamp_min(LOWEST_TARGET), centre, spread

    def _marginal(self, asked: Rows, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [M], the latter by a solve in ``dtype``."""
        root = self._root.to(dtype)
        means, variances = [torch.empty(0, dtype=torch.float64)], [torch.empty(0, dtype=torch.float64)]
        for first in range(0, len(asked), BLOCK):
            block = asked[first : first + BLOCK]
            cross = self._similarity(block, self._active)
            half = torch.linalg.solve_triangular(root, cross.to(dtype).T, upper=False)
            means.append(self.mean + cross @ self._weights)
            variances.append(self._variances(block) - half.square_().sum(dim=0).double())
        return torch.cat(means), torch.cat(variances).clamp_min(SMALLEST).sqrt() * self.scale

    def _asked(self, fingerprints: Rows | Sequence[str]) -> Rows:
        if not len(self):
            raise NothingUsableError("the Gaussian process has no scores to go by; call fit first")
        return self._rows_of(fingerprints)

    def _rows_of(self, molecules: Rows | Sequence[str]) -> Rows:
        """Rows, or those of SMILES, as this process looks at them; every row must be a molecule."""
        raise NotImplementedError


class TanimotoGP(MoleculeGP[CountRows]):
    """A Gaussian process with k(a, b) = s^2 T(a, b), a constant mean and noise r s^2, where T compares Morgan counts.

    Mean and s^2 have closed forms at the maximum of the marginal likelihood, so that only the noise ratio r is searched for,
    on the eigenvalues of the similarities of 1,000 molecules at most; closed forms are also why BoTorch, which would take
    gradient steps through each of these factorisations, is not used. Scores more than three spreads below the median count
    as three. Where more molecules were told than ``max_rows``, it conditions on half the best, a quarter the latest and
    others at random.

    Parameters
    ----------
    max_rows : int
        Molecules conditioned on at most.
    noise_ratio : float, optional
        r, if it is not to be estimated.
    seed : int
        For what is taken at random when there are more molecules than fit.

    Attributes
    ----------
    y : Tensor [N]
        Scores of all molecules told, float64.
    rows : Tensor [R]
        Those conditioned on, R <= ``max_rows``.
    mean, scale : float
        Prior mean and standard deviation s, in the unit of the scores. Where the scores do not differ, s is 1.
    noise_ratio : float
        Variance of the noise over s^2.

    References
    ----------
    Ralaivola et al., Graph kernels for chemical informatics, 2005. https://doi.org/10.1016/j.neunet.2005.07.009. Rasmussen &
    Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5. https://gaussianprocess.org/gpml

    Examples
    --------
    >>> gp = TanimotoGP().fit(["CCO", "CCCO", "CCCCO", "CCN"], [1.0, 2.0, 3.0, 0.0])
    >>> mean, std = gp.predict(["CCCCO", "c1ccccc1"])
    >>> bool(mean[0] > mean[1]), bool(std[0] < std[1]), gp.select_batch(["CCN", "CCCCCO"], 1)
    (True, True, [1])
    """

    def _similarity(self, a: CountRows, b: CountRows) -> Tensor:
        return torch.from_numpy(count_tanimoto(a, b))

    def _variances(self, rows: CountRows) -> Tensor:
        return torch.ones(len(rows), dtype=torch.float64)

    def _rows_of(self, molecules: CountRows | Sequence[str]) -> CountRows:
        return _as_counts(molecules)


class Evidence:
    """Log marginal likelihood of targets under similarities, at the best mean and variance, as a function of the noise ratio.

    With T = U diag(e) U' every ratio costs a sum over the N eigenvalues.

    Parameters
    ----------
    similarity : Tensor [N, N]
    targets : Tensor [N]
    """

    def __init__(self, similarity: Tensor, targets: Tensor):
        self.values, vectors = torch.linalg.eigh(similarity)
        self.one, self.y = vectors.sum(dim=0), targets @ vectors

    def __call__(self, ratio: Tensor) -> Tensor:
        """Nats at ratios [G]: -N/2 log(2 pi e s^2) - 1/2 log |T + r I|; [G]."""
        spread = self.values.clamp_min(0.0) + ratio[:, None]  # [G, N]
        mean = (self.one * self.y / spread).sum(dim=1) / (self.one.square() / spread).sum(dim=1)
        left = self.y - mean[:, None] * self.one
        variance = (left.square() / spread).mean(dim=1).clamp_min(SMALLEST)
        return -0.5 * (len(self.y) * (2 * math.pi * math.e * variance).log() + spread.log().sum(dim=1))

    def best_ratio(self) -> float:
        """Return the ratio of highest evidence within bounds; the default where the targets do not differ."""
        if float(self.y.square().sum()) < SMALLEST:
            return DEFAULT_RATIO
        low, high = (math.log(bound) for bound in NOISE_RATIOS)
        for _ in range(3):  # each time around the best of 41, down to 0.0015 in log r
            grid = torch.linspace(low, high, 41, dtype=torch.float64)
            best = int(self(grid.exp()).argmax())
            low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 40)])
        return float(grid[best].exp())


def greedy_bound(mean: Tensor, covariance: Tensor, n: int, kappa: float) -> list[int]:
    """Choose n of M values by mean + kappa std; each choice is then taken as known, which leaves the means as they are.

    Parameters
    ----------
    mean : Tensor [M]
    covariance : Tensor [M, M]
    n : int
    kappa : float

    Examples
    --------
    >>> alike = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> greedy_bound(torch.tensor([0.2, 0.1, 0.0]), alike, 2, kappa=1.0)
    [0, 2]
    """
    n = min(n, len(mean))
    variance, factor = covariance.diagonal().clone(), covariance.new_zeros(len(mean), n)
    smallest = SMALLEST * float(variance.max()) if n else 0.0
    bound_of_chosen = mean.new_zeros(len(mean))
    chosen: list[int] = []
    for i in range(n):
        best = int((mean + kappa * variance.clamp_min(0.0).sqrt() + bound_of_chosen).argmax())
        column = covariance[:, best] - factor[:, :i] @ factor[best, :i]  # what is left of it after the earlier choices
        factor[:, i] = column / column[best].clamp_min(smallest).sqrt()
        variance -= factor[:, i].square()
        bound_of_chosen[best] = -torch.inf
        chosen.append(best)
    return chosen


def _as_counts(fingerprints: CountRows | Sequence[str]) -> CountRows:
    """Take fingerprints, or those of SMILES; every row must be a molecule."""
    counts = fingerprints if isinstance(fingerprints, CountRows) else unfolded_counts(fingerprints)
    empty = [i for i, total in enumerate(counts.totals.tolist()) if not total]
    if empty:
        raise InputError(f"fingerprint {empty[0]} of {len(counts)} is empty, so it is of no molecule; leave such rows out")
    return counts


def _checked(counts: Rows, y: Tensor | Sequence[float]) -> tuple[Rows, Tensor]:
    y = torch.as_tensor(y, dtype=torch.float64).reshape(-1)
    if len(counts) != len(y):
        raise InputError(f"there are {len(counts)} fingerprints and {len(y)} scores; give one score per molecule")
    bad = (~y.isfinite()).nonzero()[:, 0].tolist()
    if bad:
        raise InputError(f"score {bad[0]} of {len(y)} is {float(y[bad[0]])}; leave out molecules without a finite score")
    return counts, y
