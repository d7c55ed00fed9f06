"""Objectives by name."""

from chemvae.objectives.base import Loss, Objective
from chemvae.objectives.bounds import BetaELBO

OBJECTIVES = {"beta-elbo": BetaELBO}

__all__ = ["OBJECTIVES", "BetaELBO", "Loss", "Objective"]
