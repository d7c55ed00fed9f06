"""Where each property has labels: beyond that a prediction is worth less, and none is worth more than the labels vouch for."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

FEWEST = 20
"""Labels of a property; with fewer it has no region."""
INSIDE = 0.99
"""Share of the labelled molecules that lie inside the radius."""


class LabelledRegions(nn.Module):
    """For each property an ellipsoid around the codes of the molecules with a label, and the range of those labels.

    A model that learns several properties from different molecules knows a property only where it has labels, and its predictor
    is as sure of itself elsewhere. How far a code lies outside is told by the squared Mahalanobis distance m to the labelled
    codes; their own 99 % quantile is the radius r. Beyond it the variance of a prediction grows by (m / r - 1) times the
    variance of the labels (:meth:`excess`): by as much as one would err without any structure at twice the radius.

    Buffers, kept in labels.safetensors and not among the weights: ``centre`` [P, D], ``whitening`` [P, D, D], ``radius`` [P], 0
    where a property has no region, and ``low`` and ``high`` [P] of its labels, in the data's unit, float64.

    References
    ----------
    Lee, Lee, Lee & Shin, A simple unified framework for detecting out-of-distribution samples and adversarial attacks, 2018.
    https://arxiv.org/abs/1807.03888
    """

    centre: Tensor
    whitening: Tensor
    radius: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, n_properties: int, latent_dim: int):
        super().__init__()
        shapes = {"centre": (n_properties, latent_dim), "whitening": (n_properties, latent_dim, latent_dim)}
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape), persistent=False)
        self.register_buffer("radius", torch.zeros(n_properties), persistent=False)
        for name in ("low", "high"):
            self.register_buffer(name, torch.zeros(n_properties, dtype=torch.float64), persistent=False)

    @property
    def is_fitted(self) -> bool:
        """Whether any property has a region."""
        return bool(self.radius.any())

    def label_ranges(self) -> list[tuple[float, float]]:
        """Least and largest label of each property [P], in the data's unit; without bounds where it has no region."""
        ends = zip(self.radius.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        return [(low, high) if radius else (-math.inf, math.inf) for radius, low, high in ends]

    def tensors(self) -> dict[str, Tensor]:
        """What labels.safetensors holds."""
        return dict(self.named_buffers())

    @torch.no_grad()
    def fit(self, draws: Tensor, points: Tensor, labels: Tensor) -> LabelledRegions:
        """Fit to molecules, in place.

        Parameters
        ----------
        draws : Tensor [N, D]
            One from each posterior: the predictor has learned from such.
        points : Tensor [N, D]
            Posterior means: predictions are made at such.
        labels : Tensor [N, P]
            In the data's unit, NaN where missing. Their range is that of all labels there are: :meth:`fit_range`.
        """
        from sklearn.covariance import LedoitWolf

        self.radius.zero_()
        self.fit_range(labels)
        for i, column in enumerate(labels.cpu().unbind(dim=1)):
            known = ~column.isnan()
            if int(known.sum()) < FEWEST:
                continue
            found = LedoitWolf().fit(draws.cpu()[known].double().numpy())
            self.centre[i] = torch.from_numpy(found.location_)
            self.whitening[i] = torch.from_numpy(np.linalg.cholesky(found.precision_))
            self.radius[i] = self._squared_distance(points[known].to(self.centre), i).quantile(INSIDE)
        return self

    def fit_range(self, labels: Tensor) -> None:
        """Take the range of labels [N, P], NaN where missing; a property without any keeps its own."""
        for i, column in enumerate(labels.cpu().unbind(dim=1)):
            if len(known := column[~column.isnan()]):
                self.low[i], self.high[i] = known.min(), known.max()

    def excess(self, z: Tensor) -> Tensor:
        """(m / r - 1) where that is positive, else 0: [..., P] for z [..., D]; in units of the labels' variance.

        Examples
        --------
        >>> regions = LabelledRegions(1, 2).fit(torch.randn(500, 2), torch.randn(500, 2), torch.randn(500, 1))
        >>> regions.excess(torch.zeros(1, 2)).item(), regions.excess(torch.full((1, 2), 9.0)).item() > 1.0
        (0.0, True)
        """
        found = [
            (self._squared_distance(z, i) / self.radius[i].to(z) - 1.0).clamp(min=0.0)
            if self.radius[i]
            else z.new_zeros(z.shape[:-1])
            for i in range(len(self.radius))
        ]
        return torch.stack(found, dim=-1) if found else z[..., :0]

    def _squared_distance(self, z: Tensor, i: int) -> Tensor:
        """Squared Mahalanobis distance [...] of z [..., D] to the labelled codes of property i."""
        return ((z - self.centre[i].to(z)) @ self.whitening[i].to(z)).square().sum(dim=-1)
