"""Fit boosted trees on fingerprints beside a model's predictor, and keep them where they are nearer to the truth."""

from __future__ import annotations

import logging

import numpy as np
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.predictor import FEWEST_TO_CALIBRATE
from chemvae.models.structure.heads import StructureHeads, describe_structures
from chemvae.models.structure.trees import BoostedTrees, TreeSettings
from chemvae.models.vae import MolVAE

log = logging.getLogger(__name__)

FEWEST_LABELS = 200
"""Of training molecules; trees need more than a line does."""
MOST_LABELS = 40_000
"""Drawn at random where there are more: a code has learned from all of them."""
LEAST_GAIN = 0.05
"""Share of the error on validation molecules that trees must take off, or a prediction is not worth the wait for them."""
LABELS_PER_S = 60
"""That a slow core takes through 250 trees."""
SHARES = np.linspace(0.1, 1.0, 10)


def fit_structure(
    model: MolVAE, train: SmilesDataset, valid: SmilesDataset, settings: TreeSettings, seed: int = 0, limit_s: float = 0.0
) -> None:
    """Give a model the trees that pay, in place; the intervals are to be calibrated anew afterwards.

    A property's trees learn from its training labels; on validation molecules that are not among the training molecules the
    share of their answer in the prediction is chosen, of tenths the one of least absolute error. Where even that takes off less
    than a twentieth of the error the property keeps none, and neither does one of fewer than 200 training or 20 validation
    labels.

    Parameters
    ----------
    model : MolVAE
    train, valid : SmilesDataset
        With labels, NaN where missing.
    settings : TreeSettings
    seed : int
        Of the labels that are drawn, and of the trees.
    limit_s : float
        Seconds that a slow core may take for all; the trees learn from as many labels as that allows. 0 is any time.
    """
    predictor = model.predictor
    predictor.structure = StructureHeads(len(model.property_names))
    learned = set(train.smiles)
    new = [i for i, one in enumerate(valid.smiles) if one not in learned]
    labels, held_out = _standardised(model, train), _standardised(model, valid)[new]
    wanted = np.flatnonzero((_count(labels) >= FEWEST_LABELS) & (_count(held_out) >= FEWEST_TO_CALIBRATE))
    if not len(wanted):
        return
    judges = [valid.smiles[i] for i in new]
    z = torch.from_numpy(model.encode(judges, canonicalize=False)).to(model.device)
    with torch.no_grad():
        mean = predictor.standardise(predictor(z)[0].cpu()).numpy()
    seen = describe_structures(judges)
    order = np.random.default_rng(seed).permutation(len(train))
    most, rows = labels_within(limit_s, len(wanted), settings.rounds), order[:0]
    for i in wanted:
        before, rows = rows, order[~np.isnan(labels[order, i])][:most]
        if not np.array_equal(rows, before):  # properties of one source have labels for the same molecules
            inputs = describe_structures([train.smiles[j] for j in rows])
        trees = BoostedTrees.fit(inputs, labels[rows, i], settings, seed)
        share, gain = best_share(mean[:, i], trees.predict(seen), held_out[:, i])
        log.info("%s: trees take %.0f %% off the error, with a share of %.1f", model.property_names[i], 100 * gain, share)
        if gain >= LEAST_GAIN:
            predictor.structure.trees[int(i)], predictor.structure.share[i] = trees, share


def labels_within(limit_s: float, n_properties: int, rounds: int) -> int:
    """How many labels of each property its trees may learn from; the clock is not asked, so that a run can be repeated.

    Examples
    --------
    >>> labels_within(600.0, 3, 250), labels_within(0.0, 3, 250), labels_within(1.0, 3, 250)
    (12000, 40000, 200)
    """
    if not limit_s:
        return MOST_LABELS
    return int(np.clip(limit_s / n_properties * LABELS_PER_S * 250 / rounds, FEWEST_LABELS, MOST_LABELS))


def _standardised(model: MolVAE, data: SmilesDataset) -> np.ndarray:
    """Labels [N, P] in the predictor's own scale."""
    return model.predictor.standardise(torch.as_tensor(np.asarray(data.labels), dtype=torch.float64)).cpu().numpy()


def _count(labels: np.ndarray) -> np.ndarray:
    """How many labels [N, P] each property has: [P]."""
    return (~np.isnan(labels)).sum(axis=0)


def best_share(mean: np.ndarray, answers: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Of tenths the share of ``answers`` [N] beside ``mean`` [N] that errs least on labels [N], NaN where missing.

    Returns
    -------
    share, gain : float
        ``gain`` is what it takes off the mean absolute error, as a share of that of ``mean``; below 0 where it adds to it.

    Examples
    --------
    >>> best_share(np.array([1.0, 2.0]), np.array([3.0, 6.0]), np.array([2.0, 4.0]))
    (0.5, 1.0)
    """
    errors = [np.nanmean(np.abs(mean + share * (answers - mean) - labels)) for share in (0.0, *SHARES)]
    best = int(np.argmin(errors[1:]))
    gain = 1.0 - errors[1 + best] / errors[0] if errors[0] else 0.0
    return float(SHARES[best]), float(gain)
