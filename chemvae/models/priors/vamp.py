"""The VampPrior: a mixture of the model's own posteriors at pseudo-inputs that are trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, MixtureSameFamily

from chemvae.models.posteriors import PosteriorFamily
from chemvae.models.priors.base import Prior
from chemvae.seeding import forked_rng

N_PSEUDO_INPUTS = 100
AT_ONCE = 4096  # draws: each has a posterior of its own


class VampPrior(Prior):
    """p(z) = 1/K sum_k q(z | u_k), the best prior there is for a given encoder if the u_k stand for the data (Tomczak & Welling
    2018, https://arxiv.org/abs/1705.07120).

    Departure: a molecule's tokens have no gradient, so that the u_k take the place of what the encoder makes of a molecule, h
    [H]; between h and z all is the posterior family's own. A family that reads only its own draws cheaply gives
    :meth:`~chemvae.models.posteriors.base.PosteriorFamily.component` instead of q(z | u_k).

    Parameters
    ----------
    family : PosteriorFamily
        Trained through here too; its weights stay its own.
    hidden_dim : int
        H.
    n_pseudo_inputs : int
        K.
    """

    is_trainable = True
    space_kinds = ("flat", "sphere")
    log_weights: Tensor

    def __init__(self, family: PosteriorFamily, hidden_dim: int, n_pseudo_inputs: int = N_PSEUDO_INPUTS):
        super().__init__()
        self._family = (family,)  # in a tuple: a module would be taken for a part of this one, and its weights saved twice
        self.pseudo_inputs = nn.Parameter(0.5 * torch.randn(n_pseudo_inputs, hidden_dim))  # a GRU's states lie in -1 .. 1
        self.register_buffer("log_weights", torch.zeros(n_pseudo_inputs), persistent=False)

    @classmethod
    def trained_for(cls, family: PosteriorFamily, hidden_dim: int) -> Prior:
        return cls(family, hidden_dim)

    def distribution(self) -> MixtureSameFamily:
        parts = self._family[0].component(self.pseudo_inputs)
        return MixtureSameFamily(Categorical(logits=self.log_weights), parts, validate_args=False)

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw z [n, D]."""
        with forked_rng(generator):
            chosen = torch.randint(len(self.pseudo_inputs), (n,), device=self.pseudo_inputs.device)
            rows = (self.pseudo_inputs[part] for part in chosen.split(AT_ONCE))
            return torch.cat([self._family[0].component(h).sample() for h in rows])
