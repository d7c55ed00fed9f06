"""Objectives by name, what may go beside one, and how a run's objective is built."""

from collections.abc import Mapping
from typing import Any

from chemvae.errors import SettingsError
from chemvae.models.posteriors import POSTERIORS
from chemvae.models.settings import ModelSettings
from chemvae.objectives.adversarial import AdversarialAutoencoder
from chemvae.objectives.autoencoder import Autoencoder, DenoisingAutoencoder
from chemvae.objectives.base import Loss, Objective, ObjectiveContext, ObjectiveWrapper
from chemvae.objectives.bounds import BetaELBO
from chemvae.objectives.homoencoder import Homoencoder
from chemvae.objectives.importance import IWAE
from chemvae.objectives.matching import InfoVAE, WassersteinAutoencoder
from chemvae.objectives.noised_codes import NoisedCodes
from chemvae.objectives.own_samples import OwnSamples
from chemvae.objectives.pairs import AdversarialPairs
from chemvae.objectives.semi_amortized import SemiAmortized
from chemvae.objectives.sleep import Sleep
from chemvae.objectives.stein import SteinVAE
from chemvae.registry import build

OBJECTIVES: dict[str, type[Objective]] = {
    "beta-elbo": BetaELBO,
    "iwae": IWAE,
    "infovae": InfoVAE,
    "wae": WassersteinAutoencoder,
    "aae": AdversarialAutoencoder,
    "ali": AdversarialPairs,
    "autoencoder": Autoencoder,
    "denoising": DenoisingAutoencoder,
    "semi-amortized": SemiAmortized,
    "homoencoder": Homoencoder,
    "stein": SteinVAE,
}
WRAPPERS: dict[str, type[ObjectiveWrapper]] = {"noised_codes": NoisedCodes, "prior_points": OwnSamples, "sleep": Sleep}
"""By the setting that holds the weight of what each adds; 0 leaves it out. The later goes around the earlier."""


def combination_complaints(spec: Any, free_bits: float, model: ModelSettings) -> list[str]:
    """Say why an objective does not go with a model's posterior and prior, naming what goes with what.

    Parameters
    ----------
    spec : str, dict or Objective
    free_bits : float
    model : ModelSettings
    """
    settings = dict(spec) if isinstance(spec, Mapping) else {"name": spec}
    name = type(spec).__name__ if isinstance(spec, Objective) else settings.pop("name")
    made = spec if isinstance(spec, Objective) else OBJECTIVES.get(name)
    if made is None:
        return []
    found = []
    if model.prior != "normal" and not made.trains_prior:
        others = ", ".join(key for key, one in OBJECTIVES.items() if one.trains_prior)
        found.append(
            f"the objective '{name}' has no log p(z) in its loss, and the prior '{model.prior}' would learn nothing: take "
            f"the prior normal with it, or the prior {model.prior} with one of the objectives {others}"
        )
    if free_bits > 0 and not made.has_free_bits:
        others = ", ".join(key for key, one in OBJECTIVES.items() if one.has_free_bits)
        found.append(f"free_bits goes with the objective {others}, not with '{name}'")
    return found + _any_z_complaints(made, name, settings, model.posterior)


def _any_z_complaints(made: Any, name: str, settings: Mapping[str, Any], posterior: Any) -> list[str]:
    reads_any_z = made.reads_any_z if isinstance(made, Objective) else made.reads_any_z_with(settings)
    posterior = posterior.get("name") if isinstance(posterior, Mapping) else posterior
    family = POSTERIORS.get(posterior) if isinstance(posterior, str) else posterior
    if not reads_any_z or getattr(family, "reads_any_z", True):
        return []
    others = ", ".join(key for key, one in POSTERIORS.items() if one.reads_any_z)
    return [
        f"doubly reparameterized gradients of '{name}' read q(z|x) at a given z, which takes the posterior '{posterior}' one "
        f"pass per dimension: take them with one of {others}, or leave them out"
    ]


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
    SettingsError
        If it does not go with the model's posterior or prior.
    """
    objective = build({name: one.from_settings for name, one in OBJECTIVES.items()}, spec, "objective", context=context)
    if context.model is not None:
        if found := combination_complaints(spec, context.settings.free_bits, context.model.settings):
            raise SettingsError(found)
    for setting, wrapper in WRAPPERS.items():
        if weight := getattr(context.settings, setting):
            objective = wrapper.from_settings(context, objective=objective, weight=weight)
    return objective


__all__ = [
    "OBJECTIVES",
    "WRAPPERS",
    "AdversarialAutoencoder",
    "AdversarialPairs",
    "Autoencoder",
    "BetaELBO",
    "DenoisingAutoencoder",
    "Homoencoder",
    "IWAE",
    "InfoVAE",
    "Loss",
    "NoisedCodes",
    "Objective",
    "ObjectiveContext",
    "ObjectiveWrapper",
    "OwnSamples",
    "SemiAmortized",
    "Sleep",
    "SteinVAE",
    "WassersteinAutoencoder",
    "build_objective",
    "combination_complaints",
]
