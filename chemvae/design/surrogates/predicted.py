"""The utility of latent points by the model's own predictor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from chemvae.design.goals import Utility

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


class PredictedUtility:
    """What the model's predictor says about latent points: its properties, and the utility when it knows the goals.

    Parameters
    ----------
    model : MolVAE
        Only read; gradients flow to z alone.
    utility : Utility
    known : sequence of str, optional
        Goals that mean the predicted property of the same name. If that is all of them, the utility itself is predicted.

    Attributes
    ----------
    is_complete : bool
        Whether the utility is predicted.
    """

    def __init__(self, model: MolVAE, utility: Utility, known: tuple[str, ...] = ()):
        self.model, self.utility = model, utility
        columns = {name.lower(): i for i, name in enumerate(model.property_names)}
        matched = {name.lower() for name in known}
        self.columns = [columns.get(name.lower()) if name.lower() in matched else None for name in utility.names]
        self.is_complete = bool(self.columns) and all(column is not None for column in self.columns)
        self.device = model.latent_statistics.mean.device

    def properties(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of all predicted properties at z [N, D]: [N, P] each, float64."""
        mean, std = self.model.predict_latent(z.to(self.device, torch.float32))
        return mean.to(z.device).double(), std.to(z.device).double()

    def lower_bound(self, z: Tensor, kappa: float = 1.0) -> Tensor:
        """Lower confidence bound [N] of the utility at z [N, D]; differentiable. Asks for ``is_complete``."""
        mean, std = self.properties(z)
        return self.utility.pessimistic(mean[:, self.columns], std[:, self.columns], kappa)
