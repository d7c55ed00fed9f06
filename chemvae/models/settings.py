"""The settings of a model."""

from __future__ import annotations

from dataclasses import dataclass

from chemvae.errors import SettingsError
from chemvae.models.priors import learned_priors

PRECISIONS = ("auto", "bf16", "fp32")


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
        sizes = ("embedding_dim", "encoder_dim", "decoder_dim", "latent_dim", "predictor_dim")
        found = [f"{name} must be >= 1, got {getattr(self, name)}" for name in sizes if getattr(self, name) < 1]
        if self.precision not in PRECISIONS:
            found.append(f"precision must be one of {', '.join(PRECISIONS)}, got '{self.precision}'")
        if self.prior not in (learned := learned_priors()):
            found.append(f"prior must be one of {', '.join(learned)}, got '{self.prior}'")
        return found

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)
