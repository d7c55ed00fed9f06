"""Fit the learned prior so that what is written at its draws, and not the draws alone, lies where the training molecules do.

A density fitted to codes gives draws that are distributed like them, on the average. The molecules written there are not: long
ones and ones of many rings fail more often, and only what RDKit reads is left, so the samples are smaller than the data. Here
texts are written at draws of the prior and the molecules among them encoded. A logistic regression that tells training codes
from these estimates by how much the written ones are too rare in each direction of latent space (the log ratio of the two
densities; Grover et al. 2019, https://arxiv.org/abs/1906.09531), and the prior is fitted again to training molecules that are
drawn with that ratio as their weight. What is rare among the samples is thereby asked for more often; the decoder stays as it
is.
"""

from __future__ import annotations

import logging
from typing import cast

import numpy as np
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import NothingUsableError, SettingsError
from chemvae.models.latent_space import draw_prior
from chemvae.models.priors import FittedPrior
from chemvae.models.vae import MolVAE
from chemvae.training.tuning.base import write

log = logging.getLogger(__name__)

LARGEST_LOG_WEIGHT = 2.0  # e^2: no molecule counts more than some seven times as much as an average one
INVERSE_PENALTY = 0.01
FEWEST_MOLECULES = 10
CODES = 40_000


@torch.no_grad()
def match_prior(
    model: MolVAE, train: SmilesDataset, rounds: int = 2, texts: int = 12_000, seed: int = 0
) -> list[dict[str, float]]:
    """Fit a model's learned prior in place, again and again, to weighted training molecules; nothing else changes.

    Parameters
    ----------
    model : MolVAE
        Trained, with a fitted learned prior.
    train : SmilesDataset
        Training molecules; up to 40,000 of them are used.
    rounds, texts : int
        Times that the prior is fitted again, and texts written each time, at temperature 1.

    Returns
    -------
    list of dict
        Per round, of the prior before it: ``valid`` (share of texts that were molecules), ``classifier_accuracy`` (share of
        codes that the regression assigns correctly; 0.5 where training molecules and written ones lie alike), and after it
        ``effective_share`` (of the training molecules, by Kish's (sum w)^2 / (n sum w^2); 1 where all weigh the same).

    Raises
    ------
    NothingUsableError
        If fewer than ten of the texts are molecules, or there are fewer than ten training molecules.
    SettingsError
        If ``rounds`` or ``texts`` is below 1.
    """
    asked = {"rounds": rounds, "texts": texts}
    if complaints := [f"{name} must be >= 1, got {value}" for name, value in asked.items() if value < 1]:
        raise SettingsError(complaints)
    rng = np.random.default_rng(seed)
    known, draws = _codes(model, train, rng)
    model.priors["learned"].to(model.device)
    log_weight, rows = np.zeros(len(known)), []
    for number in range(rounds):
        written = _written(model, texts, seed + number)
        _check_enough(len(written), texts, len(known))
        direction, classifier_accuracy = log_ratio(known, model.encode(written, canonicalize=False))
        log_weight = log_weight + known @ direction
        log_weight = (log_weight - log_weight.mean()).clip(-LARGEST_LOG_WEIGHT, LARGEST_LOG_WEIGHT)
        weight = np.exp(log_weight)
        _fit_weighted(model, draws, weight, rng, seed)
        figures = {"valid": len(written) / texts, "classifier_accuracy": classifier_accuracy}
        rows.append({"round": number + 1, **figures, "effective_share": _effective_share(weight)})
        log.info("prior matching %s", rows[-1])
    return rows


def _codes(model: MolVAE, train: SmilesDataset, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means [N, D] of training molecules, and one draw from each posterior."""
    q = model.posterior(train.smiles.take(train.shuffled(rng)[:CODES]), canonicalize=False)
    draws, _ = q.draw(1, torch.Generator().manual_seed(int(rng.integers(2**31))))
    return q.point.numpy(), draws[0].numpy()


def _check_enough(n_written: int, texts: int, n_known: int) -> None:
    """Refuse to tell apart what there is too little of."""
    if min(n_written, n_known) < FEWEST_MOLECULES:
        raise NothingUsableError(
            f"{n_written} of {texts} texts written at draws of the learned prior are molecules, beside {n_known}"
            f" training molecules; matching takes at least {FEWEST_MOLECULES} of each, so train longer, or on more of them"
        )


def _fit_weighted(model: MolVAE, draws: np.ndarray, weight: np.ndarray, rng: np.random.Generator, seed: int) -> None:
    """Fit the learned prior to as many draws [N, D] as there are, chosen by their weight [N]."""
    chosen = rng.choice(len(draws), len(draws), p=weight / weight.sum())
    prior = cast(FittedPrior, model.priors["learned"])
    with torch.enable_grad():
        prior.cpu().fit(draws[chosen], seed)
    prior.to(model.device)


def _effective_share(weight: np.ndarray) -> float:
    """Kish's effective sample size over n; 1 where all weigh the same."""
    return float(weight.sum() ** 2 / (weight @ weight) / len(weight))


def log_ratio(known: np.ndarray, written: np.ndarray) -> tuple[np.ndarray, float]:
    """Slope [D] of the log density ratio of codes, known [N, D] to written [M, D], and the share of them on its right side.

    By logistic regression on as many of either; between two Gaussians of one covariance C it is C^-1 (m_known - m_written), a
    little less for the penalty.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> slope, _ = log_ratio(rng.normal(0.5, 1, (20_000, 1)), rng.normal(0, 1, (20_000, 1)))
    >>> bool(abs(slope[0] - 0.5) < 0.03)
    True
    """
    from sklearn.linear_model import LogisticRegression

    n = min(len(known), len(written))
    codes = np.concatenate([known[:n], written[:n]])
    labels = np.repeat([1, 0], n)
    regression = LogisticRegression(C=INVERSE_PENALTY, max_iter=300).fit(codes, labels)
    return regression.coef_[0], float(regression.score(codes, labels))


def _written(model: MolVAE, n: int, seed: int) -> list[str]:
    """Molecules among n texts at draws of the learned prior, in canonical form."""
    z = draw_prior(model, n, "learned", seed)
    return [one for one in write(model, z, torch.Generator().manual_seed(seed))[1] if one]
