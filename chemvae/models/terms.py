"""What any objective may need about one batch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class Terms:  # not frozen: it leaves the model through Fabric, which refuses frozen dataclasses
    """What any objective may need about one batch, in nats per molecule.

    ``log_px_z``, ``log_pz``, ``log_qz_x``, ``log_py_z`` [K, B]: tokens given z (end token included), prior, posterior and
    labels given z (0 without labels). ``kl`` [B] and ``kl_dims`` [B, D] in closed form where the family has them.
    ``z`` [K, B, D]. ``prior_z`` [N, D] are draws from the prior, for an objective that asked for them.
    """

    log_px_z: Tensor
    log_pz: Tensor
    log_qz_x: Tensor
    kl: Tensor | None
    kl_dims: Tensor | None
    log_py_z: Tensor
    z: Tensor
    prior_z: Tensor | None = None
