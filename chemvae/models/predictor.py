"""Property predictor: z [N, D] to a mean and a standard deviation per property, in the data's unit."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

MIN_SCALE = 0.02  # of a property's own spread: below it the likelihood rewards memorising single labels


class PropertyPredictor(nn.Module):
    """Two hidden layers and a Gaussian per property; labels are scaled inside, so both ends speak the data's unit.

    The scale is standardisation by the training labels' mean and standard deviation, kept in the checkpoint.

    Parameters
    ----------
    latent_dim, hidden_dim, n_properties : int
        D, width of both hidden layers, P.
    """

    def __init__(self, latent_dim: int, hidden_dim: int, n_properties: int):
        super().__init__()
        self.n_properties = n_properties
        width = 2 * n_properties
        hidden = [nn.Linear(latent_dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, hidden_dim), nn.SiLU()]
        self.layers = nn.Sequential(*hidden, nn.Linear(hidden_dim, width)) if n_properties else nn.Sequential()
        self.register_buffer("label_mean", torch.zeros(n_properties))
        self.register_buffer("label_std", torch.ones(n_properties))
        self.register_buffer("widening", torch.ones(n_properties))  # of the intervals, fitted on held-out molecules

    @torch.no_grad()
    def fit_scale(self, labels: Tensor) -> None:
        """Set the scaling from labels [N, P]; NaN entries are left out, a constant column keeps scale 1."""
        for i, column in enumerate(labels.unbind(dim=1)):
            known = column[~column.isnan()].double()
            if len(known):
                self.label_mean[i] = known.mean()
                spread = known.std() if len(known) > 1 else torch.tensor(1.0)
                self.label_std[i] = spread if spread > 1e-8 else 1.0

    def _standardised(self, z: Tensor) -> tuple[Tensor, Tensor]:
        if self.n_properties == 0:
            return z[..., :0], z[..., :0]
        mean, raw = self.layers(z).chunk(2, dim=-1)  # [..., P] each
        return mean, nn.functional.softplus(raw) + MIN_SCALE

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation [..., P] for z [..., D], in the data's unit."""
        mean, scale = self._standardised(z)
        return self.label_mean + self.label_std * mean, self.label_std * scale * self.widening

    def log_prob(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return log p(y|z) [...] in nats, standardised labels, summed over the labels [..., P] that are not NaN."""
        mean, scale = self._standardised(z)
        y = (labels - self.label_mean) / self.label_std
        observed = ~y.isnan()
        error = (torch.where(observed, y, mean.detach()) - mean) / scale
        log_density = -0.5 * error.square() - scale.log() - 0.5 * math.log(2 * math.pi)
        return torch.where(observed, log_density, 0.0).sum(dim=-1)

    @torch.no_grad()
    def calibrate(self, z: Tensor, labels: Tensor, coverage: float = 0.9) -> None:
        """Widen or narrow the intervals so that ``coverage`` of held-out labels [N, P] lie inside (split conformal).

        Properties with fewer than 20 labels keep their interval. See Angelopoulos & Bates 2021,
        https://arxiv.org/abs/2107.07511.
        """
        self.widening.fill_(1.0)
        mean, std = self(z)
        normal = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + coverage) / 2))
        for i in range(self.n_properties):
            score = ((labels[:, i] - mean[:, i]) / std[:, i]).abs()
            score = score[~score.isnan()]
            if len(score) >= 20:
                level = min(1.0, coverage * (1 + 1 / len(score)))
                self.widening[i] = score.quantile(level) / normal
