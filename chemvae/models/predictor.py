"""Property predictor: z [N, D] to a mean and a standard deviation per property, in the data's unit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from chemvae.data.labels import label_scale, needs_double
from chemvae.models.labelled_regions import LabelledRegions
from chemvae.models.structure.heads import StructureHeads

MIN_SCALE = 0.02  # of a property's own spread: below it the likelihood rewards memorising single labels
STATISTICS = ("label_mean", "label_std")
FEWEST_TO_CALIBRATE = 20  # held-out labels of a property


def _head(latent_dim: int, hidden_dim: int, n_properties: int) -> nn.Sequential:
    """z [..., D] to 2 P numbers; no layers where there is no property."""
    if not n_properties:
        return nn.Sequential()
    hidden = [nn.Linear(latent_dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, hidden_dim), nn.SiLU()]
    return nn.Sequential(*hidden, nn.Linear(hidden_dim, 2 * n_properties))


class PropertyPredictor(nn.Module):
    """Two hidden layers and a Gaussian per property; labels are scaled inside, so both ends speak the data's unit.

    Of several heads, which start from weights of their own, the answer is the mean and the spread of their mixture: where they
    were told little they differ, and the interval says so. Lakshminarayanan et al., Simple and Scalable Predictive Uncertainty
    Estimation using Deep Ensembles, 2017, https://arxiv.org/abs/1612.01474; what it brings here: experiments/06-family.

    The scale is standardisation by the training labels' mean and standard deviation, kept in the checkpoint. Both are float64,
    whatever the weights are, and so is what is computed with them before it is centred and scaled: labels near -384 with a
    spread of 0.003 are as good as any.

    Parameters
    ----------
    latent_dim, hidden_dim, n_properties : int
        D, width of both hidden layers, P.
    n_heads : int
        K, each as wide.
    """

    label_mean: Tensor
    label_std: Tensor
    widening: Tensor

    def __init__(self, latent_dim: int, hidden_dim: int, n_properties: int, n_heads: int = 1):
        super().__init__()
        self.latent_dim, self.n_properties = latent_dim, n_properties
        self.layers = _head(latent_dim, hidden_dim, n_properties)
        self.others = nn.ModuleList()
        self.take_heads(n_heads, hidden_dim)
        self.register_buffer("label_mean", torch.zeros(n_properties, dtype=torch.float64))
        self.register_buffer("label_std", torch.ones(n_properties, dtype=torch.float64))
        self.register_buffer("widening", torch.ones(n_properties))  # of the intervals, fitted on held-out molecules
        self.regions = LabelledRegions(n_properties, latent_dim)
        self.structure = StructureHeads(n_properties)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Move the label statistics with the rest, but keep them float64 (and on the CPU where a device has none)."""
        kept: dict[str, Tensor] = {name: getattr(self, name) for name in STATISTICS}
        self._buffers.update(dict.fromkeys(STATISTICS))
        super()._apply(fn, recurse)
        device = self.widening.device
        self._buffers.update({name: one if device.type == "mps" else one.to(device) for name, one in kept.items()})
        return self

    @torch.no_grad()
    def fit_scale(self, labels: Tensor) -> None:
        """Set the scaling from labels [N, P]; NaN entries are left out, a constant column keeps scale 1."""
        for i, column in enumerate(labels.cpu().unbind(dim=1)):
            if not bool(column.isnan().all()):
                self.label_mean[i], self.label_std[i] = label_scale(column.numpy())

    @property
    def wide(self) -> list[bool]:
        """Which of the P properties must be predicted in float64, because single precision would lose their digits."""
        return [needs_double(*both) for both in zip(self.label_mean.tolist(), self.label_std.tolist(), strict=True)]

    def standardise(self, labels: Tensor) -> Tensor:
        """Centre and scale labels [..., P] in float64; NaN stays NaN."""
        return (labels.to(self.label_mean.device).double() - self.label_mean) / self.label_std

    @property
    def n_heads(self) -> int:
        """K."""
        return 1 + len(self.others)

    def take_heads(self, n_heads: int, hidden_dim: int) -> None:
        """Keep the first heads, or make further ones where these are fewer than ``n_heads``."""
        new = [_head(self.latent_dim, hidden_dim, self.n_properties) for _ in range(self.n_heads, n_heads)]
        device = next((one.device for one in self.layers.parameters()), None)
        self.others = nn.ModuleList([*self.others, *new][: n_heads - 1]).to(device)

    def _apart(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """What each head says: means and standard deviations [K, ..., P] of standardised labels."""
        mean, raw = torch.stack([head(z) for head in (self.layers, *self.others)]).chunk(2, dim=-1)
        return mean, nn.functional.softplus(raw) + MIN_SCALE

    def _standardised(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation [..., P] of the heads' mixture."""
        if self.n_properties == 0:
            return z[..., :0], z[..., :0]
        means, scales = self._apart(z)
        if self.n_heads == 1:
            return means[0], scales[0]
        return means.mean(dim=0), (scales.square().mean(dim=0) + means.var(dim=0, correction=0)).sqrt()

    def forward(self, z: Tensor, answers: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation [..., P] for z [..., D], in the data's unit.

        In the type of z, or in float64 where a property needs it (:attr:`wide`). Beyond the molecules that a property was
        learned from its standard deviation grows (:class:`LabelledRegions`).

        Parameters
        ----------
        z : Tensor [..., D]
        answers : Tensor [N, P], optional
            Of :meth:`StructureHeads.answers` for the N molecules at z [N, D]; without them it is the codes alone that speak.
        """
        mean, raw = self._standardised(z)
        widening = self.widening
        if answers is not None:
            mean, widening = self.structure.beside(mean, answers, widening)
        scale = raw * widening
        if self.regions.is_fitted:
            scale = (scale.square() + self.regions.excess(z)).sqrt()
        wide = torch.tensor(self.wide, dtype=torch.bool, device=self.label_mean.device)
        centre = torch.where(wide, 0.0, self.label_mean).to(z)
        spread = torch.where(wide, 1.0, self.label_std).to(z)
        found = centre + spread * mean, spread * scale
        if not any(self.wide):
            return found
        mean, scale = (one.to(self.label_mean.device).double() for one in (mean, scale))
        exact = self.label_mean + self.label_std * mean, self.label_std * scale
        mean, scale = (torch.where(wide, a, b.to(a)) for a, b in zip(exact, found, strict=True))
        return mean, scale

    def log_prob(self, z: Tensor, labels: Tensor) -> Tensor:
        """Return log p(y|z) [...] in nats, standardised labels, summed over the labels [..., P] that are not NaN.

        In training the mean of what each head says by itself, so that each learns as if it were alone.
        """
        if self.n_heads == 1 or not self.training:
            return self._log_density(*self._standardised(z), labels)
        return self._log_density(*self._apart(z), labels).mean(dim=0)

    def _log_density(self, mean: Tensor, scale: Tensor, labels: Tensor) -> Tensor:
        y = self.standardise(labels).to(mean)
        observed = ~y.isnan()
        error = (torch.where(observed, y, mean.detach()) - mean) / scale
        log_density = -0.5 * error.square() - scale.log() - 0.5 * math.log(2 * math.pi)
        return torch.where(observed, log_density, 0.0).sum(dim=-1)

    @torch.no_grad()
    def calibrate(self, z: Tensor, labels: Tensor, coverage: float = 0.9, answers: Tensor | None = None) -> None:
        """Widen or narrow the intervals so that ``coverage`` of held-out labels [N, P] lie inside (split conformal).

        Both of what is predicted from z [N, D] alone and, with ``answers`` [N, P] as in :meth:`forward`, of molecules.
        Properties with fewer than 20 labels keep their interval. See Angelopoulos & Bates 2021,
        https://arxiv.org/abs/2107.07511.
        """
        self.widening.fill_(1.0)
        mean, raw = self._standardised(z)
        self._widen(self.widening, mean, raw, z, labels, coverage)
        if answers is not None:
            self.structure.widening.copy_(self.widening.cpu())
            mean, _ = self.structure.beside(mean, answers, self.widening)
            self._widen(self.structure.widening, mean, raw, z, labels, coverage)

    def _widen(self, widening: Tensor, mean: Tensor, raw: Tensor, z: Tensor, labels: Tensor, coverage: float) -> None:
        """Set ``widening`` [P] by held-out labels, for what is predicted at z with this mean and scale [N, P]."""
        normal = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor((1 + coverage) / 2))
        error = (self.standardise(labels).cpu() - mean.double().cpu()).square() / normal**2
        error = (error - self.regions.excess(z).double().cpu()).clamp(min=0.0).sqrt() / raw.double().cpu()
        for i in range(self.n_properties):
            score = error[~error[:, i].isnan(), i]
            if len(score) >= FEWEST_TO_CALIBRATE:
                level = min(1.0, coverage * (1 + 1 / len(score)))
                widening[i] = score.quantile(level)
