"""Objectives that match the codes of all molecules together to the prior, by maximum mean discrepancy: InfoVAE and WAE."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import Loss, Objective, ObjectiveContext, kl_of

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # Tolstikhin et al. 2018, their code


def inverse_multiquadratic(squares: Tensor, width: float) -> Tensor:
    """Sum over scales s of C / (C + d^2), C = s * width, of squared distances d^2 [...]."""
    return reduce(operator.add, (scale * width / (scale * width + squares) for scale in SCALES))


def mmd(x: Tensor, y: Tensor, kernel: Callable[[Tensor], Tensor]) -> Tensor:
    """Unbiased estimate of the squared maximum mean discrepancy between the densities of two samples.

    Parameters
    ----------
    x : Tensor [N, D]
    y : Tensor [M, D]
        Two at least of each.
    kernel : callable
        Squared distances [...] -> values of a positive definite kernel.

    Returns
    -------
    Tensor
        Scalar; negative at times where the densities are alike.

    References
    ----------
    Gretton et al., A Kernel Two-Sample Test, 2012, equation 3. https://jmlr.org/papers/v13/gretton12a.html

    Examples
    --------
    >>> x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[5.0], [6.0]])
    >>> mmd(x, y, lambda squares: (squares < 2).float())  # all pairs within, no pair between: 1 + 1 - 2 * 0
    tensor(2.)
    """
    within = [_off_diagonal_mean(kernel(_squares(one, one))) for one in (x, y)]
    return within[0] + within[1] - 2 * kernel(_squares(x, y)).mean()


def _squares(a: Tensor, b: Tensor) -> Tensor:
    """Squared distances [N, M]."""
    return (a.square().sum(dim=1)[:, None] + b.square().sum(dim=1) - 2 * a @ b.t()).clamp_min(0)


def _off_diagonal_mean(values: Tensor) -> Tensor:
    n = len(values)
    return (values.sum() - values.diagonal().sum()) / (n * (n - 1))


class InfoVAE(Objective):
    """-log p(x|z) + beta KL(q(z|x) || p) + weight MMD(q(z), p) - property_weight log p(y|z), in nats per molecule.

    In the words of Zhao, Song & Ermon (2019, https://arxiv.org/abs/1706.02262): beta = 1 - alpha, weight = alpha + lambda - 1.
    The MMD is between the codes of a batch and as many draws from the prior, with a sum of inverse multiquadratic kernels
    whose width is the mean squared distance of two prior draws, 2 D times the variance of a dimension (Tolstikhin et al.
    2018). It is a figure of the batch's codes together, so that threads cannot share the batch.

    Parameters
    ----------
    beta : callable
        Step to KL weight.
    weight : float
        Of the MMD.
    property_weight : float
    width : float
        Mean squared distance of two draws from the prior.
    """

    def __init__(
        self, beta: Callable[[int], float], weight: float = 100.0, property_weight: float = 1.0, width: float | None = None
    ):
        self.beta, self.weight, self.property_weight, self.width = beta, weight, property_weight, width

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> InfoVAE:
        return cls(context.beta, **{"property_weight": context.settings.property_weight, **settings})

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        terms = super().terms(model, batch, step, generator)
        prior_z = model.trained_prior.sample(terms.z.shape[:2].numel(), generator).detach().to(terms.z)
        self.width = 2 * model.latent_dim * model.latent_space.unit_variance(model.latent_dim)
        return replace(terms, prior_z=prior_z)

    def loss(self, terms: Terms, step: int) -> Loss:
        cross_entropy, property_nll = -terms.log_px_z.mean(), -terms.log_py_z.mean()
        kl, discrepancy = kl_of(terms).mean(), self._discrepancy(terms)
        parts = {"cross_entropy": cross_entropy, "kl": kl, "mmd": discrepancy, "property_nll": property_nll}
        total = cross_entropy + self.weight * discrepancy + self.property_weight * property_nll
        if beta := self.beta(step):
            total = total + beta * kl
        return Loss(total, {name: value.detach() for name, value in parts.items()})

    def _discrepancy(self, terms: Terms) -> Tensor:
        codes = terms.z.flatten(0, 1)  # [K B, D]
        if len(codes) < 2:
            return codes.sum() * 0.0  # one molecule has no distribution
        assert terms.prior_z is not None, "terms() draws them"
        width = self.width or 2.0 * codes.shape[1]
        return mmd(codes, terms.prior_z, lambda squares: inverse_multiquadratic(squares, width))

    def schedule(self, step: int) -> dict[str, float]:
        return {"beta": self.beta(step)}

    def collapse(self, facts: Any, settings: Any) -> list[str]:
        """As of every objective, but for the KL: where codes are matched as a whole, it may be anything."""
        return [one for one in super().collapse(facts, settings) if not one.startswith("KL")]


class WassersteinAutoencoder(InfoVAE):
    """-log p(x|z) + weight MMD(q(z), p): InfoVAE with beta = 0, the Wasserstein autoencoder (Tolstikhin et al. 2018,
    https://arxiv.org/abs/1711.01558).

    Made for the posterior "deterministic"; the spread of another family shrinks by itself.
    """

    trains_prior = False

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> WassersteinAutoencoder:
        return cls(lambda step: 0.0, **{"property_weight": context.settings.property_weight, **settings})
