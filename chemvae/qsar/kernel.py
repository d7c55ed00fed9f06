"""The kernel of a model of a new property: a sum of what latent codes, counted fingerprints and descriptors say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from chemvae.gp.kernels import rbf, tanimoto
from chemvae.gp.linalg import cholesky, squared_distance
from chemvae.qsar.features import DESCRIPTORS, Features

ITERATIONS = 40
LEAST_NOISE = 1e-4  # of the labels' variance; keeps the matrices invertible
REACH = 5.0  # logarithms stay this near to where they start: a line search may try what no rounding survives
COUNT_SCALE = 60.0  # about the squared length of log(1 + counts) of a drug-sized molecule
WEIGHTS = {"counts": ("tanimoto", "dot"), "z": ("code",), "descriptors": ("matern", "line")}


@dataclass(frozen=True)
class Products:
    """What hyperparameters do not change: similarities [N, M] of two sets of molecules."""

    tanimoto: Tensor | None
    dot: Tensor | None

    @property
    def similarity(self) -> Tensor:
        """Tanimoto similarities, which were asked for."""
        assert self.tanimoto is not None
        return self.tanimoto


class Kernel:
    """Covariance of standardised labels, with hyperparameters fitted by maximum marginal likelihood under weak priors::

        k(x, x') = w_tanimoto T(c, c') + w_dot <log(1 + c), log(1 + c')> / 60    c: counts, T: their Tanimoto similarity
                 + w_code exp(-|z - z'|^2 / (2 D l^2))                           z: codes, D dimensions
                 + w_matern M(d - d') + w_line <d, d'> / 12                      d: descriptors

    M is the Matern 3/2 function with a length for each descriptor. The two products make an additive model, as group
    contributions are; without them every prediction far from the training molecules falls back to the mean.

    Parameters
    ----------
    parts : sequence of str
        Of "z", "counts" and "descriptors".

    Attributes
    ----------
    log : dict of Tensor
        Natural logarithms of the hyperparameters.
    """

    def __init__(self, parts: Sequence[str]):
        self.parts = tuple(parts)
        double: dict[str, Any] = {"dtype": torch.float64}
        self.log = {name: torch.tensor(-1.0, **double) for part in self.parts for name in WEIGHTS[part]}
        self.log["noise"] = torch.tensor(-2.0, **double)
        if "z" in self.parts:
            self.log["code length"] = torch.zeros((), **double)
        if "descriptors" in self.parts:
            self.log["matern length"] = torch.zeros(len(DESCRIPTORS), **double)

    @property
    def noise(self) -> Tensor:
        """Variance of the labels about the function."""
        return self.log["noise"].exp() + LEAST_NOISE

    def fit(self, features: Features, y: Tensor) -> Kernel:
        """Choose the hyperparameters for scaled features of N molecules and standardised labels y [N]."""
        products, start = self.products(features, features), self.log
        moved = {name: torch.zeros_like(value, requires_grad=True) for name, value in start.items()}
        optimizer = torch.optim.LBFGS(list(moved.values()), max_iter=ITERATIONS, line_search_fn="strong_wolfe")
        identity = torch.eye(len(y), dtype=torch.float64)

        def loss() -> Tensor:
            optimizer.zero_grad()
            self.log = {name: value + REACH * torch.tanh(moved[name] / REACH) for name, value in start.items()}
            root = cholesky(self(features, features, products) + self.noise * identity, relative=True)
            weights = torch.cholesky_solve(y[:, None], root)[:, 0]
            nats = 0.5 * y @ weights + root.diagonal().log().sum() - self._log_prior()
            nats.backward()
            return nats

        with torch.enable_grad():
            optimizer.step(loss)
            loss()  # the optimizer need not stop where it looked last
        self.log = {name: value.detach() for name, value in self.log.items()}
        return self

    def _log_prior(self) -> Tensor:
        """Log-normal: weights and noise around exp(-1) within a factor of 24, lengths around 1 within a factor of 3."""
        lengths = [value for name, value in self.log.items() if name.endswith("length")]
        others = [value + 1.0 for name, value in self.log.items() if not name.endswith("length")]
        nothing = torch.zeros((), dtype=torch.float64)
        of_lengths = sum((one.square().sum() for one in lengths), nothing)
        return -0.5 * of_lengths - 0.05 * sum((one.square().sum() for one in others), nothing)

    def products(self, a: Features, b: Features, with_tanimoto: bool = False) -> Products:
        """Compare a (N molecules) with b (M); what the kernel does not look at is left out, unless it is asked for."""
        looks = "counts" in self.parts
        similarity = tanimoto(a.counts, b.counts) if looks or with_tanimoto else None
        return Products(similarity, a.counts.log1p().double() @ b.counts.log1p().double().T / COUNT_SCALE if looks else None)

    def __call__(self, a: Features, b: Features, products: Products | None = None) -> Tensor:
        """Covariance [N, M] of the function at scaled a and b, noise left out."""
        products = products or self.products(a, b)
        total = torch.zeros(len(a), len(b), dtype=torch.float64)
        if "counts" in self.parts:
            assert products.tanimoto is not None and products.dot is not None, "the products of another kernel"
            total = total + self._weight("tanimoto") * products.tanimoto + self._weight("dot") * products.dot
        if "z" in self.parts:
            scale = torch.exp(-self.log["code length"]) / math.sqrt(a.z.shape[1])
            total = total + self._weight("code") * rbf(a.z * scale, b.z * scale)
        if "descriptors" in self.parts:
            scale = torch.exp(-self.log["matern length"]) * math.sqrt(3 / len(DESCRIPTORS))
            r = (squared_distance(a.descriptors * scale, b.descriptors * scale) + 1e-12).sqrt()
            total = total + self._weight("matern") * (1 + r) * torch.exp(-r)
            total = total + self._weight("line") * (a.descriptors @ b.descriptors.T) / len(DESCRIPTORS)
        return total

    def variance(self, a: Features) -> Tensor:
        """Variance [N] of the function at scaled a, noise left out: the diagonal of ``kernel(a, a)``."""
        total = torch.zeros(len(a), dtype=torch.float64)
        if "counts" in self.parts:
            squares = a.counts.log1p().square().sum(dim=1).double()
            total = total + self._weight("tanimoto") + self._weight("dot") * squares / COUNT_SCALE
        if "z" in self.parts:
            total = total + self._weight("code")
        if "descriptors" in self.parts:
            total = total + self._weight("matern") + self._weight("line") * a.descriptors.square().mean(dim=1)
        return total

    def _weight(self, name: str) -> Tensor:
        return self.log[name].exp()
