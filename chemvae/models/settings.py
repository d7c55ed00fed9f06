"""The settings of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chemvae.errors import SettingsError
from chemvae.models.priors import learned_priors
from chemvae.registry import wrong_kinds

PRECISIONS = ("auto", "bf16", "fp32")
LARGEST_SIZE = 65_536  # a square matrix of it has 17 GB
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
    posterior : the family of q(z|x), a name in POSTERIORS; in Python also a dict of name and settings.
    prior : what "learned" is, fitted to the codes when training has ended; a flow comes closest and takes minutes.
    precision : "bf16", "fp32", or "auto" for bf16 where the hardware multiplies it fast.
    """

    embedding_dim: int = 64
    encoder_dim: int = 256
    decoder_dim: int = 512
    latent_dim: int = 64
    predictor_dim: int = 256
    posterior: str = "gaussian"
    prior: str = "mixture"
    precision: str = "auto"

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        if wrong := wrong_kinds(self, free=("posterior",)):
            return wrong
        sizes = {name: getattr(self, name) for name in SIZES}
        found = [f"{name} must be >= 1, got {size}" for name, size in sizes.items() if size < 1]
        found += [f"{name} must be <= {LARGEST_SIZE:,}, got {size:,}" for name, size in sizes.items() if size > LARGEST_SIZE]
        if self.precision not in PRECISIONS:
            found.append(f"precision must be one of {', '.join(PRECISIONS)}, got '{self.precision}'")
        if not _names_a_family(self.posterior):
            found.append(f"posterior must be a name, or a dict with a name, got {self.posterior!r:.60}")
        if self.prior not in (learned := learned_priors()):
            found.append(f"prior must be one of {', '.join(learned)}, got '{self.prior}'")
        return found

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)


def _names_a_family(posterior: Any) -> bool:
    """Whether this can stand for a family: its name, a dict with one, or in Python an object of its own."""
    if isinstance(posterior, Mapping):
        return isinstance(posterior.get("name"), str)
    return posterior is not None and not isinstance(posterior, (bool, int, float, list))
