"""The contract of a posterior family: from the encoder's h to q(z|x), drawn together with its log density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from chemvae.errors import SettingsError
from chemvae.models.latent_space import FLAT, FlatSpace
from chemvae.seeding import forked_rng


@dataclass(frozen=True)
class Posterior:
    """q(z|x) for B molecules: draws with their log density, and the one z that stands for each.

    What the distribution knows besides (``mean``, ``stddev``, ``covariance_matrix``, ``sample``) is read through it, where the
    family has it: code that serves every family asks for :meth:`draw`, :meth:`log_prob` and ``point`` alone.

    Parameters
    ----------
    distribution : Distribution
        Batch shape [B], event shape [D], with ``rsample`` and ``log_prob``.
    point : Tensor [B, D]
        The z that stands for each molecule.
    kl, kl_dims : Tensor [B] and [B, D], or None
        KL to the family's prior in closed form, and the same split over dimensions, where the family has them. Nats.
    reads_any_z : bool
        False where the density of a z of another molecule takes many times that of an own draw.
    select : callable, optional
        From an index of molecules to their posterior, where that can be had; see :meth:`__getitem__`.

    Examples
    --------
    >>> from torch.distributions import MultivariateNormal
    >>> q = Posterior(MultivariateNormal(torch.zeros(3, 2), torch.eye(2)), point=torch.zeros(3, 2))
    >>> z, log_qz_x = q.draw(5)
    >>> z.shape, log_qz_x.shape, q.covariance_matrix.shape
    (torch.Size([5, 3, 2]), torch.Size([5, 3]), torch.Size([3, 2, 2]))
    """

    distribution: Distribution
    point: Tensor
    kl: Tensor | None = None
    kl_dims: Tensor | None = None
    reads_any_z: bool = True
    select: Callable[[Any], Posterior] | None = field(default=None, repr=False, compare=False)

    def draw(self, n_draws: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Draw z [K, B, D] with gradients to the parameters, and log q(z|x) [K, B] in nats."""
        with forked_rng(generator):
            z = self.distribution.rsample((n_draws,))
        return z, self.log_prob(z)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density [..., B] in nats of z [..., B, D], or of z [..., 1, D] under every molecule's posterior."""
        return self.distribution.log_prob(z)

    def __len__(self) -> int:
        return len(self.point)

    def __getitem__(self, rows: Any) -> Posterior:
        """The posterior of some of the molecules: a slice, or an index array or tensor of them.

        Raises
        ------
        SettingsError
            If it was made without its ``select``; that of :meth:`MolVAE.posterior` has it.
        """
        if self.select is None:
            raise SettingsError("this posterior cannot be indexed; make it with model.posterior(smiles), or give it its select")
        return self.select(rows)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "distribution":  # asked for while it is copied or unpickled
            raise AttributeError(name)
        return getattr(self.distribution, name)


class PosteriorFamily(nn.Module):
    """Interface: ``forward(h [B, H]) -> Posterior`` and ``prior()``, the density z is measured against.

    A family whose posterior depends on h through a few numbers only may say so in :meth:`summary` and :meth:`from_summary`:
    they are kept for many molecules where h would be larger. Rows do not meet: molecules are independent given their h.
    """

    latent_dim: int
    space: FlatSpace = FLAT
    """Where its draws lie."""
    reads_any_z: bool = True
    """Whether the density of a z that it has not drawn itself costs about as much as one that it has."""

    def forward(self, h: Tensor) -> Posterior:
        raise NotImplementedError

    def prior(self) -> Distribution:
        """The density of z before any molecule is seen: batch shape [], event shape [D], on this module's device."""
        raise NotImplementedError

    def summary(self, h: Tensor) -> Tensor:
        """What q(z|x) depends on [B, S], from h [B, H]; by default h itself."""
        return h

    def from_summary(self, summary: Tensor) -> Posterior:
        """The posterior of molecules with these summaries [B, S]."""
        return self(summary)

    def component(self, h: Tensor) -> Distribution:
        """What stands for q(z|x) [B] in a mixture, where every z is read under all of them: by default q(z|x) itself."""
        return self(h).distribution
