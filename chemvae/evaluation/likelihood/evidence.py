"""What a model knows of its likelihood: the parts of the evidence bound and what z carries; and log p(x) three ways.

All in nats per molecule, end token included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.data.tokens.vocabulary import EOS, PAD
from chemvae.evaluation.generation import sampling_prior
from chemvae.evaluation.likelihood.annealing import AnnealedPath, Annealing
from chemvae.evaluation.likelihood.importance import log_evidence
from chemvae.evaluation.roundtrip import Encoded
from chemvae.models.decoding import finished
from chemvae.models.inference.geometry import latent_geometry
from chemvae.models.inference.refinement import fit_summary, gain, repeated, summary_of
from chemvae.models.information import ACTIVE_VARIANCE, active_units, kl_to_model_prior, mutual_information
from chemvae.models.latent_space import find_prior, space_of
from chemvae.models.posteriors import Posterior
from chemvae.models.vae import eval_mode

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

BATCH_SIZE = 64
N_IMPORTANCE_DRAWS = 1_000
REFINE_STEPS = 200
N_BOUND_DRAWS = 64  # of z, the same before and after, in the bound that refinement is measured by

BOUND_KEYS = (
    "elbo", "kl", "cross_entropy", "rate", "distortion", "active_units", "mutual_information", "mutual_information_upper",
    "aggregated_posterior_gap", "aggregated_posterior_gap_lower",
)  # fmt: skip

Joint = Callable[[Tensor], Tensor]


@torch.no_grad()
def bound_figures(model: MolVAE, encoded: Encoded, seed: int) -> dict[str, Any]:
    """Take the bound apart at one draw from each posterior.

    I(x; z) + KL(q(z) || p(z)) is the mean KL, whatever the model (Hoffman & Johnson, 2016): with mutual information between two
    bounds, the gap between aggregated posterior and prior lies between two as well. p(z) is the prior the model was trained
    with, except in ``rate`` and ``mutual_information_upper``: there it is the one that is sampled from.

    Returns
    -------
    dict
        All of :data:`BOUND_KEYS`; None for no molecule.
    """
    if len(encoded.rows) == 0 or encoded.posterior is None:
        return dict.fromkeys(BOUND_KEYS)
    z = encoded.draw(1, seed)[0]  # [n, D]
    log_px_z = model.log_likelihood(z, [encoded.smiles[i] for i in encoded.rows])  # [n]
    kl = float(kl_to_model_prior(encoded.posterior, model, z[None]).mean())
    cross_entropy = -float(log_px_z.double().mean())
    rate, information = _rate(model, encoded.posterior, z), mutual_information(encoded.posterior, z)
    return {
        "elbo": -cross_entropy - kl,
        "kl": kl,
        "cross_entropy": cross_entropy,
        "rate": rate,
        "distortion": cross_entropy,
        "active_units": active_units(encoded.loc, ACTIVE_VARIANCE * space_of(model).unit_variance(model.latent_dim)),
        "mutual_information": information,
        "mutual_information_upper": rate,
        "aggregated_posterior_gap": kl - information,
        "aggregated_posterior_gap_lower": kl - rate,
    }


def _rate(model: MolVAE, posterior: Posterior, z: Tensor) -> float:
    """E log q(z|x) / r(z), r the sampling prior: above I(x; z) for every r, equal for r = q(z) (Barber & Agakov, 2003)."""
    prior = find_prior(model, sampling_prior(model))
    log_qz_x = posterior.log_prob(z)  # [n]
    log_rz = prior.log_prob(z.to(getattr(model, "device", z.device))).to(z)  # [n]
    return float((log_qz_x.double() - log_rz.double()).mean())


def kl_by(model: MolVAE, encoded: Encoded) -> str:
    """How the KL was taken, in words."""
    if "trained" in model.priors or (encoded.posterior is not None and encoded.posterior.kl is None):
        return "estimated by one draw from each posterior"
    return "in closed form"


def evidence_figures(
    model: MolVAE, smiles: Sequence[str], *, prior: str = "normal", annealing: Annealing | None = None, seed: int = 0
) -> dict[str, Any]:
    """Estimate log p(x) of molecules under one prior, and say how sure that is.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    smiles : sequence of str, length N
        Canonical; the vocabulary must be able to write them.
    prior : str
        p(z): one of ``model.priors``.
    annealing : Annealing, optional
    seed : int

    Returns
    -------
    dict
        ``log_px_is``: importance sampling, 1,000 draws. ``log_px_ais``: annealed importance sampling. ``bdmc_gap``: upper less
        lower bound on molecules that the model wrote, where both are had. ``amortization_gap``: what each molecule's own
        posterior, fitted by gradients, gains over the encoder's. Means in nats. ``n_likelihood``: N; ``n_bdmc``: molecules that
        the model wrote, up to N: those that ended.

    References
    ----------
    Cremer, Li & Duvenaud, Inference Suboptimality in Variational Autoencoders, 2018. https://arxiv.org/abs/1801.03558
    """
    settings, generator = annealing or Annealing(), torch.Generator().manual_seed(seed)
    with eval_mode(model):
        importance = log_evidence(model, smiles, n_draws=N_IMPORTANCE_DRAWS, seed=seed, prior=prior)
        lower = [_path(model, b, prior, settings, generator).lower() for b in _batches(model, smiles)]
        gaps = [amortization_gap(model, b, tensor_joint(model, b, prior), seed=seed) for b in _batches(model, smiles)]
        between = [
            (path := _path(model, batch, prior, settings, generator)).upper(z) - path.lower()
            for batch, z in written_molecules(model, len(smiles), prior, seed)
        ]
    return {
        "log_px_is": _mean(importance),
        "log_px_ais": _mean(*lower),
        "bdmc_gap": _mean(*between),
        "amortization_gap": _mean(*gaps),
        "n_likelihood": len(smiles),
        "n_bdmc": sum(map(len, between)),
    }


def tensor_joint(model: MolVAE, batch: Batch, prior: str = "normal") -> Joint:
    """The function z [C, B, D] -> log p(x|z) + log p(z) [C, B] of a batch on the model's device, differentiable in z."""

    def joint(z: Tensor) -> Tensor:
        flat = z.reshape(-1, z.shape[-1]).to(model.device)  # [C * B, D]
        log_pxz = model.log_px_z(flat, repeated(batch, len(z)), None) + find_prior(model, prior).log_prob(flat)
        return log_pxz.to(z).reshape(z.shape[:-1])

    return joint


def written_molecules(model: MolVAE, n: int, prior: str = "normal", seed: int = 0) -> Iterator[tuple[Batch, Tensor]]:
    """Draw z from a prior and tokens from p(x|z), as batches with their z [B, D]: exact draws of p(z|x).

    Tokens are taken as they come, molecule or not; what did not end within the model's longest text is left out.
    """
    generator = torch.Generator(model.device).manual_seed(seed)
    with torch.no_grad():
        z = find_prior(model, prior).sample(n, generator)
        ids, _ = model.decode_ids(z, 1.0, generator)
    lengths = (ids != PAD).sum(dim=1) - 1  # without the end token
    kept = torch.nonzero(finished(ids) & (lengths > 0))[:, 0]
    for rows in kept.split(BATCH_SIZE):
        tokens = ids[rows, : int(lengths[rows].max())]
        batch = Batch(torch.where(tokens == EOS, PAD, tokens), lengths[rows], torch.zeros(len(rows), 0))
        yield batch.to(model.device), z[rows.to(z.device)].float().cpu()


def amortization_gap(model: MolVAE, batch: Batch, joint: Joint, *, n_steps: int = REFINE_STEPS, seed: int = 0) -> Tensor:
    """What fitting each molecule's own posterior, from the encoder's answer on, adds to the evidence bound, [B] in nats.

    Adam on the few numbers that a molecule's posterior depends on (:meth:`PosteriorFamily.summary`): the family stays.
    """
    summary = summary_of(model, batch)

    def bound(summary: Tensor, n_draws: int, generator: torch.Generator) -> Tensor:
        z, log_qz_x = model.posterior_from(summary).draw(n_draws, generator)
        return (joint(z) - log_qz_x).mean(dim=0)

    own = fit_summary(summary, bound, n_steps, torch.Generator().manual_seed(seed))
    return gain(summary, own, bound, N_BOUND_DRAWS, seed + 1)


def _path(model: MolVAE, batch: Batch, prior: str, settings: Annealing, generator: torch.Generator) -> AnnealedPath:
    posterior = model.posterior_from(summary_of(model, batch))
    return AnnealedPath(posterior, tensor_joint(model, batch, prior), settings, latent_geometry(model), generator)


def _batches(model: MolVAE, smiles: Sequence[str]) -> Iterator[Batch]:
    data = SmilesDataset(list(smiles), model.vocabulary)
    for start in range(0, len(data), BATCH_SIZE):
        yield data.batch(np.arange(start, min(start + BATCH_SIZE, len(data)))).to(model.device)


def _mean(*parts: Tensor) -> float | None:
    """Mean over all molecules; None for none."""
    values = torch.cat([part.double() for part in parts]) if parts else torch.empty(0)
    return float(values.mean()) if len(values) else None
