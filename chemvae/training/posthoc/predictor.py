"""Fit the property predictor once more, with the encoder as it is.

Where a model learns from more molecules than those it is meant for (written ones beside those of a data set), its predictor
is a little off for the data set. A minute on the data set's own molecules, with codes that no longer move, removes that.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.vae import MolVAE
from chemvae.parallel import limited_threads
from chemvae.schedules import cosine_decay
from chemvae.training.optim import make_optimizer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RefitSettings:
    """How long and how hard.

    Attributes
    ----------
    epochs : passes over the molecules.
    batch_size : molecules in a step.
    learning_rate : at the start; falls to 0 along half a cosine.
    warmup_steps, weight_decay : as in training.
    seed : of the order, and of the draws from the posteriors.
    """

    epochs: int = 10
    batch_size: int = 256
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 1e-4
    seed: int = 0


def refit_predictor(model: MolVAE, train: SmilesDataset, settings: RefitSettings | None = None) -> float:
    """Fit a model's predictor in place by maximum likelihood at draws from q(z|x); nothing else changes.

    Its intervals are to be calibrated anew afterwards.

    Parameters
    ----------
    model : MolVAE
    train : SmilesDataset
        With labels, NaN where missing.
    settings : RefitSettings, optional

    Returns
    -------
    float
        Mean negative log likelihood (nats, standardised labels) over the last epoch.
    """
    s = settings or RefitSettings()
    q = model.posterior(train.smiles, canonicalize=False)
    labels = torch.as_tensor(np.asarray(train.labels), dtype=torch.float64)
    predictor = model.predictor.requires_grad_(True).train()
    optimizer = make_optimizer(predictor, s.learning_rate, s.weight_decay)
    noise, n = torch.Generator().manual_seed(s.seed), len(train)
    per_epoch, step, total = -(-n // s.batch_size), 0, 0.0
    with limited_threads(1):
        for epoch in range(s.epochs):
            total = 0.0
            for rows in torch.randperm(n, generator=noise).split(s.batch_size):
                share = cosine_decay(step, s.epochs * per_epoch, s.warmup_steps, 0.0)
                for group in optimizer.param_groups:
                    group["lr"] = s.learning_rate * share
                z = q[rows].draw(1, noise)[0][0]  # [B, D]
                loss = -predictor.log_prob(z.to(model.device), labels[rows]).mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(predictor.parameters(), 5.0)
                optimizer.step()
                total, step = total + float(loss.detach()) * len(rows) / n, step + 1
            log.info("predictor: pass %d of %d, %.4f nats", epoch + 1, s.epochs, total)
    predictor.eval().requires_grad_(False)
    return total
