"""The part of latent space where a model can be trusted, and ways to move in it."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from chemvae.design.optimizers.points import Points
from chemvae.design.origin import Origin
from chemvae.models.latent_space import draw_prior, find_prior, space_of, usual_prior
from chemvae.seeding import LARGEST_SHORT_SEED, draw_seed

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

MOVED_DIMENSIONS = 20  # of a sparse move, on average (Eriksson et al. 2019)
DENSITY_QUANTILE = 0.01
NORM_QUANTILE = 0.95
MOST_INVERTED = 256
WIDEST_MOVE = 1.0  # around anchors, in standard deviations of the training latents
MOST_PARALLEL = 0.9995  # cosine of parents that are crossed


class LatentRegion:
    """Where the training data lies in latent space, seen through one model.

    Parameters
    ----------
    model : MolVAE
        Only read.
    anchors : Tensor [A, D], optional
        Explore around these points instead of over the prior: for searches bound to be similar to given molecules.
    anchor_smiles : sequence of str, length A, optional
        The molecules of the anchors.

    Attributes
    ----------
    scale : Tensor [D]
        Standard deviation of the training latents: one unit of movement.
    density_threshold : float
        Log density under the learned prior (nats) that 99 % of the training latents exceed; -inf where the model kept none.
    norm_cap : float
        Norm that 95 % of them stay below; inf where the model kept none.
    references : Tensor [R, D]
        Latents of a sample of training molecules; may be empty.
    """

    def __init__(self, model: MolVAE, anchors: Tensor | None = None, anchor_smiles: Sequence[str] = ()):
        self.model, self.anchors, self.anchor_smiles = model, anchors, list(anchor_smiles)
        self.latent_dim: int = model.latent_dim
        self.space = space_of(model)
        statistics = model.latent_statistics
        self.device = statistics.mean.device
        self.scale = statistics.std.detach().float().cpu().clamp_min(1e-6)
        self.density_threshold = _finite_or(statistics.density_threshold(DENSITY_QUANTILE), -math.inf)
        self.norm_cap = _finite_or(statistics.norm_cap(NORM_QUANTILE), math.inf)
        references = getattr(statistics, "references", torch.empty(0, self.latent_dim)).detach().float().cpu()
        self.references = references[~references.isnan().any(dim=1)]
        self.prior = find_prior(model, usual_prior(model))

    def take_copy(self) -> None:
        """Go on with a copy of the model, so that the caller's own stays as it is when this one is retrained."""
        self.model = copy.deepcopy(self.model)

    def encode(self, smiles: Sequence[str]) -> Tensor:
        """Return the posterior mean of each molecule [N, D]; NaN rows for what cannot be encoded."""
        if not len(smiles):
            return torch.empty(0, self.latent_dim)
        return torch.from_numpy(np.asarray(self.model.encode(list(smiles)), dtype=np.float32))

    def encode_exactly(self, smiles: Sequence[str]) -> Tensor:
        """Codes [N, D] that decode to their molecule, where a short search from the posterior mean finds one.

        That of :func:`chemvae.sampling.inversion.invert`, for the first 256 molecules; a stand-in for a model is only asked to
        encode.
        """
        if not hasattr(self.model, "log_px_z"):
            return self.encode(smiles)
        from chemvae.sampling.inversion import invert

        sought, others = list(smiles[:MOST_INVERTED]), smiles[MOST_INVERTED:]
        return torch.cat([torch.from_numpy(invert(self.model, sought)[0]), self.encode(others)]) if sought else self.encode([])

    def log_density(self, z: Tensor) -> Tensor:
        """Log density [N] (nats) under the learned prior; differentiable."""
        return self.prior.log_prob(z.to(self.device, torch.float32)).to(z.device)

    def contains(self, z: Tensor) -> Tensor:
        """Tell which points pass both gates, density and norm: bool [N]."""
        with torch.no_grad():
            return (self.log_density(z) >= self.density_threshold) & (z.norm(dim=1) <= self.norm_cap * (1.0 + 1e-6))

    def cap(self, z: Tensor) -> Tensor:
        """Pull points whose norm exceeds the cap back onto it, in the model's latent space: [N, D]."""
        z = self.space.project(z)
        return z * (self.norm_cap / z.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp(max=1.0)

    def draw(self, n: int, seed: int) -> Tensor:
        """Draw n points [n, D] from the learned prior, or the normal one where there is none; on the CPU."""
        return draw_prior(self.model, n, usual_prior(self.model), seed).float().cpu()

    def explore(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw n points [n, D] from the learned prior, or around the anchors at widths up to one standard deviation."""
        return self.explored(n, generator).z

    def explored(self, n: int, generator: torch.Generator) -> Points:
        """As :meth:`explore`, with where each point comes from."""
        if self.anchors is None or not len(self.anchors):
            z = self.draw(n, draw_seed(generator, LARGEST_SHORT_SEED))
            return Points(z, [Origin("prior")] * len(z))
        rows = torch.randint(len(self.anchors), (n,), generator=generator)
        known = len(self.anchor_smiles) == len(self.anchors)
        centres = Points.of(self.anchors[rows], [self.anchor_smiles[i] if known else "" for i in rows.tolist()])
        widths = torch.rand(n, generator=generator) * WIDEST_MOVE
        return centres.moved(self.perturb(centres.z, widths, generator), "neighbour")

    def perturb(self, centres: Tensor, widths: Tensor, generator: torch.Generator) -> Tensor:
        """Move each centre along a random few dimensions.

        Each dimension moves with probability min(20 / D, 1), at least one does, by a normal step of ``widths`` standard
        deviations of the training latents; the norm stays capped.

        Parameters
        ----------
        centres : Tensor [N, D]
        widths : Tensor [N]
        generator : torch.Generator

        Returns
        -------
        Tensor [N, D]

        References
        ----------
        Eriksson et al., Scalable Global Optimization via Local Bayesian Optimization, 2019. https://arxiv.org/abs/1910.01739
        """
        n, dim = centres.shape
        moved = torch.rand(n, dim, generator=generator) < min(MOVED_DIMENSIONS / dim, 1.0)
        forced = torch.randint(dim, (n,), generator=generator)
        moved[torch.arange(n), forced] = True
        step = torch.randn(n, dim, generator=generator) * self.scale * widths[:, None]
        return self.cap(self.space.move(centres, step * moved))

    def mix(self, first: Tensor, second: Tensor, generator: torch.Generator) -> Tensor:
        """Cross pairs of points: half by spherical interpolation, half by taking each coordinate from either.

        Parameters
        ----------
        first, second : Tensor [N, D]

        Returns
        -------
        Tensor [N, D]
        """
        share = torch.rand(len(first), 1, generator=generator)
        coin = torch.rand(first.shape, generator=generator) < share
        swapped = torch.where(coin, second, first)
        use_slerp = torch.rand(len(first), 1, generator=generator) < 0.5
        return self.cap(torch.where(use_slerp, self.space.between(first, second, share, MOST_PARALLEL), swapped))


def _finite_or(value: float, otherwise: float) -> float:
    return float(value) if math.isfinite(value) else otherwise
