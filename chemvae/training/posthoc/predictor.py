"""Fit the property predictor once more, with the encoder as it is.

Where a model learns from more molecules than those it is meant for (written ones beside those of a data set), its predictor
is a little off for the data set. A minute on the data set's own molecules, with codes that no longer move, removes that.
"""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.posteriors import Posterior
from chemvae.models.vae import MolVAE, eval_mode
from chemvae.parallel import limited_threads
from chemvae.schedules import cosine_decay, step_by_time
from chemvae.training.optim import make_optimizer

log = logging.getLogger(__name__)


EVERY = 50  # steps, or a pass: how often held-out molecules are asked
LINES = 10  # of the log


@dataclass(frozen=True)
class RefitSettings:
    """How long and how hard.

    Attributes
    ----------
    epochs : passes over the molecules.
    least_steps : of a small set more passes, until there are so many steps; heads start from nothing.
    heads : predictors beside each other (:class:`~chemvae.models.predictor.PropertyPredictor`).
    batch_size : molecules in a step.
    learning_rate : at the start; falls to 0 along half a cosine.
    warmup_steps, weight_decay : as in training.
    seed : of new heads, of the order, and of the draws from the posteriors.
    """

    epochs: int = 10
    least_steps: int = 2_000
    heads: int = 5
    batch_size: int = 256
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 1e-4
    seed: int = 0


def refit_predictor(
    model: MolVAE,
    train: SmilesDataset,
    settings: RefitSettings | None = None,
    valid: SmilesDataset | None = None,
    budget_s: float = 0.0,
) -> float:
    """Fit a model's predictor in place by maximum likelihood at draws from q(z|x); nothing else changes.

    Its intervals are to be calibrated anew afterwards.

    Parameters
    ----------
    model : MolVAE
    train : SmilesDataset
        With labels, NaN where missing.
    settings : RefitSettings, optional
    valid : SmilesDataset, optional
        Molecules that decide how long: the weights are kept that these like best, at their posterior means.
    budget_s : float
        Seconds into which all of it is to fit, the rate's fall included; 0 is any time.

    Returns
    -------
    float
        Mean negative log likelihood (nats, standardised labels): of ``valid`` by the weights that are kept, else over the
        last pass.
    """
    s = settings or RefitSettings()
    if model.settings.predictor_heads != s.heads:
        model.take_predictor_heads(s.heads, s.seed)
    q = model.posterior(train.smiles, canonicalize=False)
    labels = torch.as_tensor(np.asarray(train.labels), dtype=torch.float64)
    best = _Best(model, valid)
    model.predictor.requires_grad_(True).train()
    with limited_threads(1):
        total = _fit(model, q, labels, s, best, budget_s)
    model.predictor.eval().requires_grad_(False)
    return best.restore(total)


def _fit(model: MolVAE, q: Posterior, labels: Tensor, s: RefitSettings, best: _Best, budget_s: float) -> float:
    """Take all steps; the mean loss over the last pass."""
    optimizer = make_optimizer(model.predictor, s.learning_rate, s.weight_decay)
    noise, n, step, started = torch.Generator().manual_seed(s.seed), len(labels), 0, time.monotonic()
    per_epoch = -(-n // s.batch_size)
    epochs, every = max(s.epochs, -(-s.least_steps // per_epoch)), -(-EVERY // per_epoch)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for rows in torch.randperm(n, generator=noise).split(s.batch_size):
            place = step_by_time(step, epochs * per_epoch, time.monotonic() - started, budget_s)
            rate = s.learning_rate * cosine_decay(place, epochs * per_epoch, s.warmup_steps, 0.0)
            z = q[rows].draw(1, noise)[0][0]  # [B, D]
            loss = _take_step(model, optimizer, rate, z.to(model.device), labels[rows])
            total, step = total + loss * len(rows) / n, step + 1
        is_over = epoch == epochs or 0 < budget_s < time.monotonic() - started
        if epoch % every == 0 or is_over:
            best.look()
        if epoch % max(1, epochs // LINES) == 0:
            log.info("predictor: pass %d of %d, %.4f nats", epoch, epochs, total)
        if is_over:
            break
    return total


def _take_step(model: MolVAE, optimizer: torch.optim.Optimizer, rate: float, z: Tensor, labels: Tensor) -> float:
    """One step at this rate on codes [B, D] and labels [B, P]; its loss."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = -model.predictor.log_prob(z, labels).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.predictor.parameters(), 5.0)
    optimizer.step()
    return float(loss.detach())


class _Best:
    """The weights of a predictor that held-out molecules like best, if there are any with labels."""

    def __init__(self, model: MolVAE, valid: SmilesDataset | None):
        self.predictor = model.predictor
        self.loss: float | None = None
        self.weights: dict[str, Tensor] = {}
        has_labels = valid is not None and len(valid) > 0 and not np.isnan(np.asarray(valid.labels)).all()
        self.valid = valid if has_labels else None
        if self.valid is not None:
            self.z = torch.from_numpy(model.encode(self.valid.smiles, canonicalize=False)).to(model.device)
            self.labels = torch.as_tensor(np.asarray(self.valid.labels), dtype=torch.float64)

    @torch.no_grad()
    def look(self) -> None:
        """Keep the weights as they are now if they are the best so far."""
        if self.valid is None:
            return
        with eval_mode(self.predictor):
            loss = -float(self.predictor.log_prob(self.z, self.labels).mean())
        if self.loss is None or loss < self.loss:
            self.loss, self.weights = loss, copy.deepcopy(self.predictor.state_dict())

    def restore(self, otherwise: float) -> float:
        """Go back to them; their loss, or the other one where nothing was held out."""
        if self.loss is None:
            return otherwise
        self.predictor.load_state_dict(self.weights)
        return self.loss
