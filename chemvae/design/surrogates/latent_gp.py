"""What stands in for the oracle between calls: the model's own predictor, and a Gaussian process on what was scored."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from chemvae.design.surrogates.exact_gp import ExactGP, fit_hyperparameters
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.design.surrogates.training_set import LOWEST_TARGET, REFIT_GROWTH, centre_and_spread
from chemvae.gp.linalg import cholesky


class LatentGP:
    """A Gaussian process over molecules, seen through their latent codes and predicted properties.

    The kernel is a sum: an isotropic RBF over z, and an RBF and a line over the predicted properties, so that what the oracle
    shares with properties the model knows is learned from a few scores. Where the predictor knows the goals, its utility is
    the mean function and the process models what it leaves over. Utilities are standardised by median and quantiles, and
    clipped three spreads below the median. BoTorch fits the hyperparameters; predictions are written out in
    :mod:`chemvae.design.surrogates.exact_gp`, because an ascent asks for hundreds and the general machinery takes some
    milliseconds each.

    Parameters
    ----------
    predicted : PredictedUtility, optional

    References
    ----------
    Balandat et al., BoTorch, 2020. https://arxiv.org/abs/1910.06403. Length scale prior: Hvarfner et al., Vanilla Bayesian
    Optimization Performs Great in High Dimensions, 2024. https://arxiv.org/abs/2402.02229

    Examples
    --------
    >>> gp = LatentGP().fit(torch.linspace(-2, 2, 20)[:, None], torch.linspace(-2, 2, 20).double() ** 2)
    >>> bool((gp.posterior(torch.tensor([[0.5]]))[0] - 0.25).abs() < 0.1)
    True
    """

    def __init__(self, predicted: PredictedUtility | None = None):
        self.predicted = predicted
        self._process: ExactGP | None = None
        self._state: dict[str, Tensor] | None = None
        self._fitted_on = 0

    @property
    def is_fitted(self) -> bool:
        """Whether there is a posterior to ask."""
        return self._process is not None

    @property
    def _fitted(self) -> ExactGP:
        assert self._process is not None, "fit() comes first"
        return self._process

    @property
    def unit(self) -> float:
        """The power of two next to the spread of the utilities: dividing by it changes no digit."""
        return 2.0 ** math.frexp(float(self._y_std))[1]

    def fit(self, codes: Tensor, y: Tensor) -> LatentGP:
        """Fit to molecules.

        Parameters
        ----------
        codes : Tensor [N, D]
        y : Tensor [N]
            Finite utilities, N >= 2.
        """
        with torch.no_grad():
            properties = self._properties(codes)
            self._centre = properties.mean(dim=0)
            self._spread = spread_of(properties, self._centre)
            inputs, known = self._inputs(codes)
            self._y_mean, self._y_std = centre_and_spread(y.double() - known)
            targets = ((y.double() - known - self._y_mean) / self._y_std).clamp_min(LOWEST_TARGET)
            self._process = self._condition(inputs, targets)
        return self

    def posterior(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [M] of the utility of molecules with codes [M, D]; differentiable."""
        inputs, known = self._inputs(codes)
        mean, variance = self._fitted.marginal(inputs)
        return mean * self._y_std + self._y_mean + known, variance.sqrt() * self._y_std

    def lower_bound(self, codes: Tensor, kappa: float = 1.0) -> Tensor:
        """Lower confidence bound [M]; differentiable."""
        mean, std = self.posterior(codes)
        return mean - kappa * std

    @torch.no_grad()
    def draw(self, codes: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """Draw n functions jointly at the M codes: [n, M] utilities."""
        inputs, known = self._inputs(codes)
        mean, covariance = self._fitted.joint(inputs)
        noise = torch.randn(n, len(codes), generator=generator, dtype=torch.float64)
        return (mean + noise @ cholesky(covariance).T) * self._y_std + self._y_mean + known

    def _inputs(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """What the process sees of molecules [N, D + P], codes and standardised properties, and its mean function [N]."""
        properties = self._properties(codes)
        inputs = torch.cat([codes.double(), (properties - self._centre) / self._spread], dim=1)
        if self.predicted is None or not self.predicted.is_complete:
            return inputs, torch.zeros(len(codes), dtype=torch.float64)
        values = properties[:, self.predicted.columns]
        return inputs, self.predicted.utility.pessimistic(values, torch.zeros_like(values), 0.0)

    def _properties(self, codes: Tensor) -> Tensor:
        """What the predictor says [N, P], in the data's units; P is 0 without one."""
        if self.predicted is None or not self.predicted.model.property_names:
            return torch.empty(len(codes), 0, dtype=torch.float64)
        return self.predicted.properties(codes)[0]

    def _condition(self, x: Tensor, y: Tensor) -> ExactGP:
        """Condition on the data; fit the hyperparameters anew if the data has grown enough, else keep them."""
        n_latent = x.shape[1] - len(self._centre)
        if self._state is None or len(x) >= REFIT_GROWTH * self._fitted_on:
            with torch.enable_grad():
                self._state = fit_hyperparameters(x, y, n_latent, self._state)
            self._fitted_on = len(x)
        return ExactGP(x, y, n_latent, self._state)


def spread_of(values: Tensor, centre: Tensor) -> Tensor:
    """Standard deviation of each column of single-precision values [N, P] about its centre [P], in any unit.

    1 for a column that varies by no more than its rounding.

    Examples
    --------
    >>> values = torch.tensor([[1e-200, 5.0], [3e-200, 5.0]], dtype=torch.float64)
    >>> spread_of(values, values.mean(dim=0)).tolist()
    [1e-200, 1.0]
    """
    deviations = values - centre
    exponent = torch.frexp(deviations.abs().amax(dim=0)).exponent  # so that squares neither overflow nor vanish
    spread = torch.ldexp(torch.ldexp(deviations, -exponent).square().mean(dim=0).sqrt(), exponent)
    return torch.where(spread > torch.finfo(torch.float32).eps * centre.abs(), spread, torch.ones_like(spread))
