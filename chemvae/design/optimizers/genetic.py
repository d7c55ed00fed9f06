"""The control: a graph genetic algorithm against the process on structures, without latent space."""

from __future__ import annotations

from itertools import islice
from typing import Any

import torch
from torch import Tensor

from chemvae.design.optimizers.latent_ga import LatentGA
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.surrogates.predicted import PredictedUtility


class GraphGA(LatentGA):
    """A genetic algorithm on molecular graphs whose children are judged by a Gaussian process on structures.

    All but the proposals is the default search's: parents, niches, generations between two payments, and how a batch is chosen.
    So the difference between the two is what the model contributes. The model is asked for the first molecules only, where no
    library of start molecules is given; a child need not be one that its vocabulary can write.

    Parameters
    ----------
    region, seed, predicted
        As for :class:`Optimizer`; the predictor is not asked.
    **settings
        As for :class:`LatentGA`; ``graphs`` is the number of children for each point that the default search asks for.

    References
    ----------
    Tripp & Hernandez-Lobato, Genetic algorithms are strong baselines for molecule generation, 2023.
    https://arxiv.org/abs/2310.09267. Crosses and mutations: Jensen, 2019. https://doi.org/10.1039/C8SC05372C
    """

    uses_latents = False

    def __init__(self, region: LatentRegion, seed: int = 0, predicted: PredictedUtility | None = None, **settings: Any):
        super().__init__(region, seed, None, **{"graphs": 1.0, **settings, "retrain": False})

    def ask(self, n: int) -> Tensor:
        """Draws from the prior while there is nothing to breed from, n [n, D]; then no point [0, D]."""
        can_breed = len(list(islice(filter(None, self.archive.smiles), 2))) == 2
        if can_breed or (self.library and not len(self.archive)):
            self.point_origins = []
            return torch.empty(0, self.region.latent_dim)
        return self._asked_for(self.region.explored(n, self.generator))
