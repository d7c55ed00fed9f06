"""Inverse autoregressive flow posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent
from torch.nn.functional import softplus

from chemvae.errors import MissingExtraError, SettingsError
from chemvae.models.posteriors.base import Posterior, PosteriorFamily
from chemvae.models.posteriors.gaussian import MIN_SCALE, independent_normal, standard_normal

if TYPE_CHECKING:
    import zuko


class InverseAutoregressive(Distribution):
    """A Gaussian moved by autoregressive steps that are cheap in the direction of sampling.

    A draw and its density take one pass of the networks a step. The density of another z takes D: each step is solved for its
    argument coordinate by coordinate. The last draw is remembered with its density, so that whoever asks for it pays nothing.

    Parameters
    ----------
    base : Independent
        Batch shape [B], event shape [D].
    steps : zuko.transforms.ComposedTransform
        From draws of the base to z.
    """

    has_rsample = True
    arg_constraints: dict = {}

    def __init__(self, base: Independent, steps: zuko.transforms.ComposedTransform):
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)
        self.base, self.steps = base, steps
        self._last: tuple[Tensor, Tensor, bool] | None = None

    def rsample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        start = self.base.rsample(torch.Size(sample_shape))
        z, log_volume = self.steps.call_and_ladj(start)
        self._last = z, self.base.log_prob(start) - log_volume, torch.is_grad_enabled()
        return z

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [..., B] in nats of z [..., B, D]."""
        if self._last is not None and self._last[0] is z and (self._last[2] or not torch.is_grad_enabled()):
            return self._last[1]
        z = z.expand(torch.broadcast_shapes(z.shape, (*self.batch_shape, *self.event_shape)))
        start = self.steps.inv(z)
        return self.base.log_prob(start) - self.steps.call_and_ladj(start)[1]


class InverseAutoregressiveFlow(PosteriorFamily):
    """q(z|x): z_0 ~ N(loc, diag(scale^2)), then steps z_t = shift_t(z_<, c) + slope_t(z_<, c) z_(t-1), against N(0, I).

    Every step is a masked network that reads the coordinates before each one and a context c that the encoder gives; the order
    is turned round from step to step (Kingma et al. 2016, https://arxiv.org/abs/1606.04934). The steps are zuko's. Departure:
    their slope is an exponential rather than the gate of an LSTM. There is no KL in closed form; the point that stands for a
    molecule is where loc is moved to.

    Parameters
    ----------
    hidden_dim, latent_dim : int
    n_steps : int
        T.
    width : int
        Of the masked networks' two hidden layers; 0 takes twice the latent dimensions.
    context_dim : int
        Of c; 0 takes the latent dimensions.
    """

    reads_any_z = False

    zero: Tensor

    def __init__(self, hidden_dim: int, latent_dim: int, n_steps: int = 4, width: int = 0, context_dim: int = 0):
        super().__init__()
        if latent_dim < 2:
            raise SettingsError(f"the posterior 'iaf' takes latent_dim >= 2, got {latent_dim}")
        try:
            import zuko
        except ImportError:
            raise MissingExtraError("zuko", "flows", "The posterior 'iaf'") from None
        self.latent_dim = latent_dim
        widths, context_dim = (width or 2 * latent_dim,) * 2, context_dim or latent_dim
        self.project = nn.Linear(hidden_dim, 2 * latent_dim + context_dim)
        orders = [torch.arange(latent_dim).flip(0) if i % 2 else torch.arange(latent_dim) for i in range(n_steps)]
        step = zuko.flows.MaskedAutoregressiveTransform
        self.steps = zuko.lazy.LazyComposedTransform(
            *(step(latent_dim, context_dim, order=order, hidden_features=widths, activation=nn.ELU) for order in orders)
        )
        self.register_buffer("zero", torch.zeros(latent_dim), persistent=False)

    def forward(self, h: Tensor) -> Posterior:
        return self.from_summary(self.summary(h))

    def summary(self, h: Tensor) -> Tensor:
        """loc, the scale before its softplus, and the context, side by side [B, 2D + C]."""
        return self.project(h)

    def from_summary(self, summary: Tensor) -> Posterior:
        loc, scale, steps = self._parts(summary)
        return Posterior(InverseAutoregressive(independent_normal(loc, scale), steps), point=steps(loc), reads_any_z=False)

    def _parts(self, summary: Tensor) -> tuple[Tensor, Tensor, zuko.transforms.ComposedTransform]:
        loc, raw, context = summary.tensor_split([self.latent_dim, 2 * self.latent_dim], dim=-1)
        return loc, softplus(raw) + MIN_SCALE, self.steps(context)

    def component(self, h: Tensor) -> Distribution:
        """The flow, straightened at its point: N(point, diag(scale^2)), with scales whose product is that of the flow there.

        The flow itself would take D passes for every pair of a z and a component.
        """
        loc, scale, steps = self._parts(self.summary(h))
        point, log_volume = steps.call_and_ladj(loc)
        return independent_normal(point, scale * (log_volume / self.latent_dim).exp()[..., None])

    def prior(self) -> Distribution:
        return standard_normal(self.zero)
