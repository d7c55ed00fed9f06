"""Objectives by name, what may go beside one, and how a run's objective is built."""

from typing import Any

from chemvae.objectives.base import Loss, Objective, ObjectiveContext, ObjectiveWrapper
from chemvae.objectives.bounds import BetaELBO
from chemvae.objectives.noised_codes import NoisedCodes
from chemvae.objectives.own_samples import OwnSamples
from chemvae.registry import build

OBJECTIVES = {"beta-elbo": BetaELBO}
WRAPPERS = {"noised_codes": NoisedCodes, "prior_points": OwnSamples}
"""By the setting that holds the weight of what each adds; 0 leaves it out. The later goes around the earlier."""


def build_objective(spec: Any, context: ObjectiveContext) -> Objective:
    """Build what a run minimises: the objective, inside the wrappers its settings give a weight to.

    Parameters
    ----------
    spec : str, dict or Objective
        A name in OBJECTIVES, a dict of ``name`` and settings, or an objective as it is.
    context : ObjectiveContext

    Raises
    ------
    UnknownNameError
        If there is no objective of that name.
    """
    objective = build({name: one.from_settings for name, one in OBJECTIVES.items()}, spec, "objective", context=context)
    for setting, wrapper in WRAPPERS.items():
        if weight := getattr(context.settings, setting):
            objective = wrapper.from_settings(context, objective=objective, weight=weight)
    return objective


__all__ = [
    "OBJECTIVES",
    "WRAPPERS",
    "BetaELBO",
    "Loss",
    "NoisedCodes",
    "Objective",
    "ObjectiveContext",
    "ObjectiveWrapper",
    "OwnSamples",
    "build_objective",
]
