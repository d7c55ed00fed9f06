"""The optimizers by name, and how one is made."""

from __future__ import annotations

from typing import Any

from chemvae.design.optimizers.base import Optimizer
from chemvae.design.optimizers.genetic import GraphGA
from chemvae.design.optimizers.gradient import GradientAscent
from chemvae.design.optimizers.latent_ga import LatentGA
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.pareto import ParetoGA
from chemvae.design.optimizers.random_search import RandomSearch
from chemvae.design.optimizers.turbo import BayesianOptimization
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.registry import build

OPTIMIZERS = {
    "auto": LatentGA,
    "bayesian": BayesianOptimization,
    "genetic": GraphGA,
    "gradient": GradientAscent,
    "pareto": ParetoGA,
    "random": RandomSearch,
}
"""Ways to search: ``ask(n) -> z``, ``tell(z, y)``."""


def make_optimizer(method: Any, region: LatentRegion, seed: int, predicted: PredictedUtility) -> Optimizer:
    """Make an optimizer from its name in ``OPTIMIZERS``, a dict with name and settings, or a class.

    Raises
    ------
    UnknownNameError
        If there is none of this name.
    """
    if isinstance(method, type):
        return method(region, seed=seed, predicted=predicted)
    return build(OPTIMIZERS, method, "method", region=region, seed=seed, predicted=predicted)
