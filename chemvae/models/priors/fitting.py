"""Maximum likelihood for priors that are networks: fitted to draws from q(z) once the weights stand."""

from __future__ import annotations

import copy
import logging
import math
import time
from typing import TypeVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from chemvae.models.priors.base import FittedPrior
from chemvae.schedules import cosine_decay, step_by_time

log = logging.getLogger(__name__)

FIT_POINTS = 250_000
BATCH_SIZE = 512
PASSES, STEPS = 30, (500, 8_000)
LEARNING_RATE = 1e-3
WARMUP_STEPS = 200
DECAY = 0.999  # of the averaged weights
CHECK_EVERY = 250
MOST_HELD_OUT = 4_000
PATIENCE_NATS = 1.0  # held-out codes may become so much less likely before fitting ends


class Standardised(FittedPrior):
    """A prior with a ``mean`` and a ``scale`` [D] of the codes it is fitted to, through which its network sees them."""

    mean: Tensor
    scale: Tensor
    fit_s: float = 0.0
    """Seconds that fitting may take, into which the learning rate's fall is compressed; 0 takes what the steps take."""


Fitted = TypeVar("Fitted", bound=Standardised)


def fit_by_likelihood(prior: Fitted, z: np.ndarray, seed: int = 0, n_steps: int | None = None) -> Fitted:
    """Fit a prior to draws z [N, D]; what a twentieth of them, held out, likes best of its averaged weights is kept.

    By default 30 passes over the draws, at least 500 and at most 8,000 steps; fewer where ``prior.fit_s`` is over before. Its
    parameters do not learn afterwards.
    """
    from torch.optim.swa_utils import AveragedModel  # seconds that sampling does not need

    n_steps = n_steps or int(np.clip(PASSES * len(z) // BATCH_SIZE, *STEPS))
    rng = np.random.default_rng(seed)
    codes = torch.from_numpy(np.asarray(z, dtype=np.float32)[rng.permutation(len(z))])
    held_out, codes = codes[: max(1, len(codes) // 20)], codes[len(codes) // 20 :]
    prior.mean.copy_(codes.mean(dim=0))
    prior.scale.copy_(codes.std(dim=0, correction=0).clamp(min=1e-6))
    prior.requires_grad_(True)
    optimizer = torch.optim.AdamW(prior.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    average = AveragedModel(prior, avg_fn=lambda kept, new, n: kept.lerp(new, 1 - min(DECAY, (1 + n) / (10 + n))))
    best, best_score = copy.deepcopy(prior.state_dict()), -math.inf
    started = time.monotonic()
    for step in range(n_steps):
        place = step_by_time(step, n_steps, time.monotonic() - started, prior.fit_s)
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * cosine_decay(place, n_steps, WARMUP_STEPS, 0.0)
        _climb(prior, optimizer, codes[torch.from_numpy(rng.integers(len(codes), size=BATCH_SIZE))])
        average.update_parameters(prior)
        is_last = place + 1 >= n_steps
        if (step + 1) % CHECK_EVERY == 0 or is_last:
            with torch.no_grad():
                score = float(cast(Standardised, average.module).log_prob(held_out[:MOST_HELD_OUT]).mean())
            log.info("prior: step %d of %d, %.2f nats on held-out codes", step + 1, n_steps, score)
            if score > best_score:
                best, best_score = copy.deepcopy(average.module.state_dict()), score
            elif score < best_score - PATIENCE_NATS:
                break
        if is_last:
            break
    prior.load_state_dict(best)
    return prior.requires_grad_(False)


def _climb(prior: Standardised, optimizer: torch.optim.Optimizer, batch: Tensor) -> None:
    loss = -prior.log_prob(batch).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(prior.parameters(), 5.0)
    optimizer.step()
