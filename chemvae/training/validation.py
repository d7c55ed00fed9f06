"""What is measured on held-out molecules after every epoch, and when a model counts as collapsed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.data.tokens.vocabulary import PAD
from chemvae.errors import CollapseError
from chemvae.models.information import ACTIVE_VARIANCE, active_units, mutual_information
from chemvae.models.vae import MolVAE, eval_mode
from chemvae.objectives import Objective
from chemvae.training.settings import TrainingSettings

FREE_RUNNING_MOLECULES = 500
MONITOR_BATCH = 250


@torch.no_grad()
def measure(model: MolVAE, data: SmilesDataset, seed: int = 0) -> dict[str, float]:
    """Measure a model on all molecules of ``data``, in nats per molecule, means over molecules.

    Returns
    -------
    dict
        ``cross_entropy``, ``kl``, ``elbo``, ``property_nll``; ``active_units`` (fraction of D); ``mutual_information``
        (nats, an upper-bounded estimate, see :func:`mutual_information`); ``token_accuracy_teacher_forced`` and
        ``reconstruction_greedy`` (share of the first 500 molecules whose greedy free-running decode is the same string).
    """
    with eval_mode(model):
        generator = torch.Generator(model.device).manual_seed(seed)
        rows, summaries, points, draws = [], [], [], []
        for start in range(0, len(data), MONITOR_BATCH):
            batch = data.batch(np.arange(start, min(start + MONITOR_BATCH, len(data)))).to(model.device)
            summary = model.posterior_family.summary(model.hidden_of(batch))
            posterior = model.posterior_family.from_summary(summary)
            z, log_qz_x = posterior.draw(1, generator)
            log_px_z, hits, tokens = _teacher_forced(model, z[0], batch)
            closed = posterior.kl if "trained" not in model.priors else None
            kl = closed if closed is not None else (log_qz_x - model.log_pz(z))[0]
            nll = -model.predictor.log_prob(z[0], batch.labels) if model.property_names else torch.zeros(len(batch))
            rows.append(torch.stack([-log_px_z.cpu(), kl.cpu(), nll.cpu(), hits.cpu(), tokens.cpu()], dim=1))
            summaries.append(summary.cpu())
            points.append(posterior.point.cpu())
            draws.append(z[0].cpu())
        cross_entropy, kl, nll, hits, tokens = torch.cat(rows).double().mean(dim=0).tolist()
        point, q = torch.cat(points), model.posterior_from(torch.cat(summaries).float())
        model_facts = {
            "cross_entropy": cross_entropy,
            "kl": kl,
            "elbo": -(cross_entropy + kl),
            "property_nll": nll,
            "active_units": active_units(point, ACTIVE_VARIANCE * model.latent_space.unit_variance(model.latent_dim)),
            "mutual_information": mutual_information(q, torch.cat(draws)),
            "token_accuracy_teacher_forced": hits / tokens,
            "reconstruction_greedy": _free_running(model, point, data.smiles),
        }
    return model_facts


def _teacher_forced(model: MolVAE, z: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """log p(x|z) [B], number of right next tokens [B] and of tokens [B]."""
    targets = batch.targets
    logits = model.decoder(z, batch.decoder_inputs, model.product_dtype)
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="none")
    counted = targets != PAD
    hits = (logits.argmax(dim=-1) == targets) & counted
    return -losses.view(targets.shape).sum(dim=1), hits.sum(dim=1).float(), counted.sum(dim=1).float()


def _free_running(model: MolVAE, means: Tensor, smiles: Sequence[str]) -> float:
    n = min(len(smiles), FREE_RUNNING_MOLECULES)
    decoded = model.decode(means[:n], check=False)["smiles"]
    return float(np.mean([a == b for a, b in zip(decoded, smiles[:n], strict=True)]))


def measure_objective(model: MolVAE, data: SmilesDataset, objective: Objective, step: int, seed: int = 0) -> dict[str, float]:
    """What an objective measures of itself on all molecules of ``data`` (:meth:`Objective.validate`)."""
    starts = range(0, len(data), MONITOR_BATCH)
    batches = (data.batch(np.arange(start, min(start + MONITOR_BATCH, len(data)))).to(model.device) for start in starts)
    with eval_mode(model):
        return objective.validate(model, batches, step, torch.Generator(model.device).manual_seed(seed))


def check_collapse(facts: dict[str, float], settings: TrainingSettings, objective: Objective) -> None:
    """Raise CollapseError if the objective finds that the latent space carries (almost) nothing."""
    if problems := objective.collapse(facts, settings):
        raise CollapseError(
            f"COLLAPSED: the decoder ignores the latent space: {' and '.join(problems)}. {objective.collapse_remedy(settings)}"
        )
