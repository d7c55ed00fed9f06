"""The GRU: layer, compiled kernels, workspace."""

from chemvae.deprecation.modules import moved_names

__getattr__ = moved_names(__name__, "models.gru.layer", ("GRU", "Steps", "Stepper", "bf16_is_fast"))
