"""What happens once the weights stand: calibrate the predictor, fit the learned prior, remember the training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.priors import FittedPrior
from chemvae.models.storage import model_tensors, prior_tensors
from chemvae.models.training_facts import smiles_hash
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.training.posthoc.prior_matching import match_prior

FIT_MOLECULES = 20_000
CALIBRATION_MOLECULES = 5_000
REGION_MOLECULES = 2_000


@torch.no_grad()
def finish(
    model: MolVAE,
    train: SmilesDataset,
    valid: SmilesDataset,
    run: RunFolder | None,
    seed: int = 0,
    matching: Mapping[str, int] | None = None,
) -> None:
    """Fit everything that follows from the weights, and write it to the run folder.

    The learned prior is fitted on one draw from q(z|x) for each of up to 20,000 training molecules (a flow: 250,000) and then,
    if asked, matched to them (``rounds`` and ``texts`` of :func:`~chemvae.training.posthoc.prior_matching.match_prior`); the
    latent statistics on the molecules' points, the prediction intervals on validation molecules.
    """
    model.eval()
    rng = np.random.default_rng(seed)
    learned = cast(FittedPrior, model.priors["learned"]).cpu()
    chosen = train.shuffled(rng)[: learned.fit_points]
    q = model.posterior([train.smiles[i] for i in chosen], canonicalize=False)
    draws, _ = q.draw(1, torch.Generator().manual_seed(seed))
    with torch.enable_grad():
        learned.fit(draws[0].numpy(), seed)
    if matching:
        match_prior(model, train, seed=seed, **matching)
        learned.cpu()
    known = q.point[:FIT_MOLECULES]
    model.latent_statistics.cpu().fit(known, learned.log_prob(known), seed)
    model.to(model.device)
    _fit_regions(model, train, seed)
    calibrate_predictor(model, valid if len(valid) else train)
    hashes = np.sort(smiles_hash(train.smiles))
    model.training_facts = replace(model.training_facts, hashes=hashes)
    if run is not None:
        with run.all_at_once() as together:
            together.write_tensors("model.safetensors", model_tensors(model))
            together.write_tensors("prior.safetensors", prior_tensors(model))
            if model.predictor.regions.is_fitted:
                together.write_tensors("labels.safetensors", model.predictor.regions.tensors())
            if model.predictor.structure.is_fitted:
                together.write_tensors("trees.safetensors", model.predictor.structure.tensors())
            together.write_training_index(hashes)


def _fit_regions(model: MolVAE, train: SmilesDataset, seed: int) -> None:
    """Where each property has labels, told from 2,000 molecules with one, or all; and the range of all labels."""
    if not model.property_names:
        return
    labels = torch.as_tensor(np.asarray(train.labels), dtype=torch.float64)
    rng, chosen = np.random.default_rng(seed), set()
    for column in labels.unbind(dim=1):
        known = torch.nonzero(~column.isnan()).flatten().numpy()
        chosen |= set(rng.permutation(known)[:REGION_MOLECULES].tolist())
    if not (rows := sorted(chosen)):
        return
    q = model.posterior([train.smiles[i] for i in rows], canonicalize=False)
    draws, _ = q.draw(1, torch.Generator().manual_seed(seed))
    model.predictor.regions.fit(draws[0], q.point, labels[rows])
    model.predictor.regions.fit_range(labels)  # of all, not of those few


def calibrate_predictor(model: MolVAE, data: SmilesDataset) -> None:
    """Let a model's intervals, in place, hold what they promise on up to 5,000 molecules that it has not learned from."""
    if not model.property_names:
        return
    smiles = data.smiles[:CALIBRATION_MOLECULES]
    z = torch.from_numpy(model.encode(smiles, canonicalize=False)).to(model.device)
    structure = model.predictor.structure
    answers = structure.answers(smiles) if structure.is_fitted else None
    model.predictor.calibrate(z, torch.tensor(data.labels[: len(smiles)], dtype=torch.float64), answers=answers)
