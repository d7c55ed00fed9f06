"""The settings of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chemvae.deprecation.names import warn_renamed
from chemvae.errors import SettingsError
from chemvae.models.posteriors import POSTERIORS
from chemvae.models.priors import PRIORS, learned_priors, space_complaint, trained_priors
from chemvae.registry import wrong_kinds

PRECISIONS = ("auto", "bf16", "fp32")
LARGEST_SIZE = 65_536  # a square matrix of it has 17 GB
MOST_HEADS = 100
SIZES = ("embedding_dim", "encoder_dim", "decoder_dim", "latent_dim", "predictor_dim")


@dataclass(frozen=True)
class ModelSettings:
    """Sizes of the model.

    Attributes
    ----------
    embedding_dim : width of token embeddings.
    encoder_dim : width of one direction of the encoder GRU.
    decoder_dim : width of the decoder GRU.
    latent_dim : dimensions of z.
    predictor_dim : width of the property predictor's hidden layers.
    posterior : the family of q(z|x), a name in POSTERIORS, or as JSON (in Python a dict) its name and settings.
    prior : what the model is trained with: normal, the posterior's own, or one that is trained along.
    fitted_prior : what "learned" is, fitted to the codes when training has ended; a flow comes closest and takes minutes.
    precision : "bf16", "fp32", or "auto" for bf16 where the hardware multiplies it fast.
    predictor_heads : predictors beside each other, whose disagreement is part of the interval.
    """

    embedding_dim: int = 64
    encoder_dim: int = 256
    decoder_dim: int = 512
    latent_dim: int = 64
    predictor_dim: int = 256
    posterior: str = "gaussian"
    prior: str = "normal"
    fitted_prior: str = "mixture"
    precision: str = "auto"
    predictor_heads: int = 1

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        if wrong := wrong_kinds(self, free=("posterior",)):
            return wrong
        sizes = {name: getattr(self, name) for name in SIZES}
        found = [f"{name} must be >= 1, got {size}" for name, size in sizes.items() if size < 1]
        found += [f"{name} must be <= {LARGEST_SIZE:,}, got {size:,}" for name, size in sizes.items() if size > LARGEST_SIZE]
        if not 1 <= self.predictor_heads <= MOST_HEADS:
            found.append(f"predictor_heads must be between 1 and {MOST_HEADS}, got {self.predictor_heads:,}")
        if self.precision not in PRECISIONS:
            found.append(f"precision must be one of {', '.join(PRECISIONS)}, got '{self.precision}'")
        if not _names_a_family(self.posterior):
            found.append(f"posterior must be a name, or a dict with a name, got {self.posterior!r:.60}")
        for name, allowed in (("prior", trained_priors()), ("fitted_prior", learned_priors())):
            if getattr(self, name) not in allowed:
                found.append(f"{name} must be one of {', '.join(allowed)}, got '{getattr(self, name)}'")
        return found or self._space_complaints()

    def _space_complaints(self) -> list[str]:
        """Which prior is no density where the posterior's codes lie."""
        name = self.posterior.get("name") if isinstance(self.posterior, Mapping) else self.posterior
        family = POSTERIORS.get(name) if isinstance(name, str) else self.posterior
        if not hasattr(family, "space"):
            return []
        asked = {"prior": trained_priors(), "fitted_prior": learned_priors()}
        tables = {setting: {name: PRIORS[name] for name in allowed} for setting, allowed in asked.items()}
        said = [space_complaint(getattr(self, setting), family, setting, table) for setting, table in tables.items()]
        return [one for one in said if one]

    def __post_init__(self) -> None:
        if self.prior in learned_priors() and self.prior not in trained_priors():
            warn_renamed(f"prior='{self.prior}', which is fitted after training,", f"fitted_prior='{self.prior}'", stacklevel=4)
            object.__setattr__(self, "fitted_prior", self.prior)
            object.__setattr__(self, "prior", "normal")
        if found := self.complaints():
            raise SettingsError(found)

    @classmethod
    def from_config(cls, written: Mapping[str, Any]) -> ModelSettings:
        """The settings that a config.json holds; one from before ``fitted_prior`` meant that by its ``prior``."""
        if "fitted_prior" not in written and "prior" in written:
            written = {**written, "prior": "normal", "fitted_prior": written["prior"]}
        return cls(**written)


def _names_a_family(posterior: Any) -> bool:
    """Whether this can stand for a family: its name, a dict with one, or in Python an object of its own."""
    if isinstance(posterior, Mapping):
        return isinstance(posterior.get("name"), str)
    return posterior is not None and not isinstance(posterior, (bool, int, float, list))
