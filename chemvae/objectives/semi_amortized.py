"""Semi-amortized inference: the encoder begins, a few gradient steps on each molecule's own posterior finish.

Kim, Wiseman, Miller, Sontag & Rush, Semi-Amortized Variational Autoencoders, 2018. https://arxiv.org/abs/1802.02550
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch
from chemvae.errors import SettingsError
from chemvae.models.terms import Terms
from chemvae.models.vae import MolVAE
from chemvae.objectives.base import ObjectiveContext
from chemvae.objectives.bounds import BetaELBO
from chemvae.seeding import draw_seed

if TYPE_CHECKING:
    from typing_extensions import Self

GRADIENTS = ("stopped", "through")
LARGEST_GRADIENT = 5.0  # norm of one molecule's gradient; longer ones are shortened to it
PROBE = 1e-2  # length, in units of the summary, of the step that a second derivative is taken by

Bound = Callable[[Tensor, int], Tensor]
"""(summary [B, S], seed of the draws) -> bound [B] in nats, differentiable in the summary and in the weights."""


class SemiAmortized(BetaELBO):
    """The beta-ELBO at posteriors that took ``n_steps`` gradient steps from the encoder's answer.

    lambda_0 = encoder(x),  lambda_k+1 = lambda_k + rate g_k,  with g_k the gradient of a molecule's own bound at one draw of
    z, no longer than 5. What is minimised is the loss at lambda_K.

    With gradients "stopped" the encoder receives the gradient of the last step's loss as if the steps were constants; the
    weights receive what they would with lambda_K given. "through" adds how the steps themselves depend on both, by
    Hessian-vector products from finite differences as in the paper (there one-sided, here central); it takes about three times
    as long, and products in fp32.

    Parameters
    ----------
    beta : callable
        Step to KL weight.
    n_steps : int
        K, >= 1.
    rate : float
        In units of the summary (:meth:`PosteriorFamily.summary`).
    gradients : {"stopped", "through"}
    **options
        Of :class:`BetaELBO`.

    Raises
    ------
    SettingsError
        If a setting is outside its range.
    """

    def __init__(
        self, beta: Callable[[int], float], n_steps: int = 5, rate: float = 0.05, gradients: str = "stopped", **options: Any
    ):
        super().__init__(beta, **options)
        found = [] if n_steps >= 1 else [f"n_steps must be >= 1, got {n_steps}"]
        found += [] if rate > 0 else [f"rate must be > 0, got {rate:g}"]
        found += [] if gradients in GRADIENTS else [f"gradients must be {' or '.join(GRADIENTS)}, got '{gradients}'"]
        if found:
            raise SettingsError(found)
        self.n_steps, self.rate, self.gradients = n_steps, rate, gradients

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> Self:
        made = super().from_settings(context, **settings)
        if made.gradients == "through" and context.model is not None and context.model.product_dtype == torch.bfloat16:
            raise SettingsError(
                "semi-amortized gradients 'through' are differences that bf16 products drown: take --precision fp32, "
                "or gradients 'stopped'"
            )
        return made

    def terms(self, model: MolVAE, batch: Batch, step: int, generator: torch.Generator | None = None) -> Terms:
        start = model.posterior_family.summary(model.hidden_of(batch))  # [B, S]
        seeds = [draw_seed(generator) for _ in range(self.n_steps)]
        climb = Climb(own_bound(model, batch, self.beta(step)), seeds, self.rate)
        if self.gradients == "through" and torch.is_grad_enabled():
            # what moves lambda but is no part of the encoder: its gradient comes back through the climb
            weights = [p for name, p in model.named_parameters() if p.requires_grad and not name.startswith("encoder.")]
            summary = _Through.apply(start, climb, *weights)
        else:
            summary = start + (climb.path(start.detach())[-1] - start).detach()
        posterior = model.posterior_family.from_summary(summary)
        z, log_qz_x = posterior.draw(self.n_draws, generator)
        return model.terms_at(z, log_qz_x, posterior, batch, generator)


def own_bound(model: MolVAE, batch: Batch, beta: float) -> Bound:
    """Each molecule's bound at one draw of z, as a function of its posterior's summary."""

    def bound(summary: Tensor, seed: int) -> Tensor:
        generator = torch.Generator(summary.device).manual_seed(seed)
        posterior = model.posterior_family.from_summary(summary)
        z, log_qz_x = posterior.draw(1, generator)
        own = posterior.kl if "trained" not in model.priors else None
        kl = (log_qz_x - model.log_pz(z))[0] if own is None else own
        return model.log_px_z(z[0], batch, generator) - beta * kl

    return bound


@dataclass(frozen=True)
class Climb:
    """Gradient ascent of each molecule on its own bound, one seed a step."""

    bound: Bound
    seeds: Sequence[int]
    rate: float

    def path(self, start: Tensor) -> list[Tensor]:
        """Summaries [B, S] before every step, and after the last; without gradients."""
        found = [start.detach()]
        for seed in self.seeds:
            slope, _ = self.slopes(found[-1], seed)
            found.append(found[-1] + self.rate * shortening(slope) * slope)
        return found

    def slopes(
        self, summary: Tensor, seed: int, weights: Sequence[Tensor] = (), counts: Tensor | float = 1.0
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Gradients of the sum of bounds, each times what it ``counts`` [B], in the summary [B, S] and in the weights."""
        with torch.enable_grad():
            at = summary.detach().requires_grad_(True)
            found = torch.autograd.grad((counts * self.bound(at, seed)).sum(), [at, *weights], allow_unused=True)
        slope = found[0] if found[0] is not None else torch.zeros_like(summary)
        return slope.nan_to_num(0.0), list(found[1:])

    def back(self, path: Sequence[Tensor], gradient: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, list[Tensor | None]]:
        """From a gradient [B, S] at the end of a path to those at its start and in the weights.

        The length at which gradients are shortened counts as a constant.
        """
        sums: list[Tensor | None] = [None] * len(weights)
        for summary, seed in zip(reversed(path[:-1]), reversed(self.seeds), strict=True):
            along = self.rate * shortening(self.slopes(summary, seed)[0]) * gradient
            length = along.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(along.dtype).tiny)
            probe, counts = PROBE / length * along, length[:, 0] / (2 * PROBE)
            above, below = (self.slopes(summary + one, seed, weights, counts) for one in (probe, -probe))
            gradient = gradient + above[0] - below[0]
            sums = [_plus(old, a, b) for old, a, b in zip(sums, above[1], below[1], strict=True)]
        return gradient, sums


def shortening(slope: Tensor) -> Tensor:
    """Factor [B, 1] by which each molecule's gradient [B, S] is shortened."""
    return (LARGEST_GRADIENT / slope.norm(dim=-1, keepdim=True).clamp_min(LARGEST_GRADIENT)).detach()


def _plus(old: Tensor | None, above: Tensor | None, below: Tensor | None) -> Tensor | None:
    if above is None or below is None:
        return old
    return above - below if old is None else old + above - below


class _Through(torch.autograd.Function):
    """The end of a climb as a function of its start and of the weights that the bound reads."""

    @staticmethod
    def forward(ctx: Any, start: Tensor, climb: Climb, *weights: Tensor) -> Tensor:
        path = climb.path(start)
        ctx.climb, ctx.path, ctx.weights = climb, path, weights
        return path[-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        start, sums = ctx.climb.back(ctx.path, gradient, ctx.weights)
        return start, None, *sums
