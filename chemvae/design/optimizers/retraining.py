"""Weighted retraining: teach a copy of the model's decoder what has scored well, beside what it knew.

A decoder trained on a library writes that library's kind of molecule, and a code far from it leads nowhere. Every so many new
scores the decoder is trained for a few seconds on good molecules, drawn by rank, and on as many molecules of its own that it
wrote before the search began, so that it keeps its grammar. The encoder stays, so codes, prior and predictor keep their
meaning; the caller's model is never touched.

References
----------
Tripp, Daxberger & Hernandez-Lobato, Sample-Efficient Optimization in the Latent Space of Deep Generative Models via Weighted
Retraining, 2020. https://arxiv.org/abs/2006.09191 (there encoder and decoder, over the whole training set).
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence

import numpy as np
import torch

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.design.optimizers.archive import Archive
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.objectives import Loss
from chemvae.parallel import limited_threads
from chemvae.seeding import LARGEST_SHORT_SEED, draw_seed

logger = logging.getLogger(__name__)

N_REPLAY = 2_000
N_ELITE = 512
RANK_OFFSET = 1e-3  # of the molecules scored: weight of a molecule is 1 / (offset * N + rank)
BATCH_SIZE = 64
WEIGHT_DECAY = 0.01
CLIP_NORM = 5.0
N_CHECKED = 200
MOST_LOST = 0.05  # of the replayed molecules that came back before


class Retrainer:
    """Retrains the decoder of a region's own copy of the model.

    Parameters
    ----------
    region : LatentRegion
        Its model is replaced by a copy before the first step.
    every : int
        New scores between two retrainings, and before the first.
    n_steps : int
        Batches of 64 per retraining, half of them good molecules.
    learning_rate : float
    generator : torch.Generator
    """

    def __init__(
        self, region: LatentRegion, generator: torch.Generator, every: int = 200, n_steps: int = 60, learning_rate: float = 3e-4
    ):
        self.region, self.generator = region, generator
        self.every, self.n_steps, self.learning_rate = every, n_steps, learning_rate
        self._told = 0
        self._replay: list[str] = []

    @staticmethod
    def can_retrain(model: object) -> bool:
        """Whether a model has a decoder to train (a stand-in may have none)."""
        return hasattr(model, "decoder") and hasattr(model, "log_px_z")

    def step(self, archive: Archive) -> bool:
        """Retrain if enough is new; tell whether the decoder has changed."""
        if len(archive) - self._told < self.every:
            return False
        self._told = len(archive)
        if not self._replay:
            self.region.take_copy()
            self._replay = own_molecules(self.region, N_REPLAY, draw_seed(self.generator, LARGEST_SHORT_SEED))
        if not self._replay:
            return False
        decoder = self.region.model.decoder
        before, known = copy.deepcopy(decoder.state_dict()), self._comes_back()
        self._train(self._elite(archive))
        lost = known - self._comes_back()
        if lost > MOST_LOST:
            decoder.load_state_dict(before)
            logger.info("Retraining after %d scores is undone: %.0f %% of its molecules were lost.", len(archive), 100 * lost)
        return lost <= MOST_LOST

    def _elite(self, archive: Archive) -> list[str]:
        """Good molecules, drawn by rank with repetition, one for each place in the batches."""
        order = [i for i in archive.top(N_ELITE).tolist() if archive.smiles[i]]
        weights = 1.0 / (RANK_OFFSET * len(archive) + torch.arange(1, len(order) + 1))
        drawn = torch.multinomial(weights, self.n_steps * BATCH_SIZE // 2, replacement=True, generator=self.generator)
        return [archive.smiles[order[i]] for i in drawn.tolist()]

    def _train(self, elite: Sequence[str]) -> None:
        # loaded here, as searches without retraining need not wait two seconds for it
        from chemvae.training.data_parallel import DataParallel
        from chemvae.training.optim import make_optimizer

        model = self.region.model
        chosen = torch.randint(len(self._replay), (len(elite),), generator=self.generator).tolist()
        data = SmilesDataset([*elite, *(self._replay[i] for i in chosen)], model.vocabulary)
        model.decoder.requires_grad_(True)
        optimizer = make_optimizer(model.decoder, self.learning_rate, WEIGHT_DECAY)
        batches = data.epoch(0, BATCH_SIZE, draw_seed(self.generator, LARGEST_SHORT_SEED))
        threads = torch.get_num_threads() if model.device.type == "cpu" else 1
        parallel = DataParallel(model.decoder, threads, draw_seed(self.generator, LARGEST_SHORT_SEED))
        try:
            with limited_threads(1):
                for step, batch in enumerate(batches):
                    parallel.backward(batch.to(model.device), self._loss, step)
                    parallel.update(optimizer, CLIP_NORM, None, step)
        finally:
            parallel.close()
            model.decoder.requires_grad_(False)

    def _loss(self, batch: Batch, noise: torch.Generator) -> Loss:
        """Cross-entropy (nats) of molecules at draws from their posteriors."""
        model = self.region.model
        with torch.no_grad():
            z = model.posterior_of(batch).draw(1, noise if model.device.type == "cpu" else None)[0][0]
        return Loss(-model.log_px_z(z, batch, None).mean(), {})

    def _comes_back(self) -> float:
        """Share of the first replayed molecules that decode to themselves."""
        texts = self._replay[:N_CHECKED]
        z = self.region.encode(texts)
        return float(np.mean([a == b for a, b in zip(self.region.model.decode(z)["smiles"], texts, strict=True)]))


def own_molecules(region: LatentRegion, n: int, seed: int) -> list[str]:
    """Up to n distinct molecules that the model writes at draws from its learned prior and that it can encode, as written."""
    z = region.draw(2 * n, seed)
    table = region.model.decode(z, temperature=0.5, seed=seed)
    texts = list(dict.fromkeys(table["smiles"][table["valid"]]))
    reasons = region.model.encode_reasons(texts)
    return [text for text, reason in zip(texts, reasons, strict=True) if reason is None][:n]
