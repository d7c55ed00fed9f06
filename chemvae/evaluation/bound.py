"""The evidence bound's parts, and what z carries: means over the encodable molecules, in nats per molecule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from chemvae.evaluation.generation import sampling_prior
from chemvae.evaluation.roundtrip import Encoded
from chemvae.models.information import ACTIVE_VARIANCE, active_units, kl_to_model_prior, mutual_information
from chemvae.models.latent_space import space_of
from chemvae.models.posteriors import Posterior

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

KEYS = (
    "elbo", "kl", "cross_entropy", "rate", "distortion", "active_units", "mutual_information", "mutual_information_upper",
    "aggregated_posterior_gap", "aggregated_posterior_gap_lower",
)  # fmt: skip


@torch.no_grad()
def bound_figures(model: MolVAE, encoded: Encoded, seed: int) -> dict[str, Any]:
    """Take the bound apart at one draw from each posterior.

    I(x; z) + KL(q(z) || p(z)) is the mean KL, whatever the model (Hoffman & Johnson, 2016): with mutual information between two
    bounds, the gap between aggregated posterior and prior lies between two as well. p(z) is the prior the model was trained
    with, except in ``rate`` and ``mutual_information_upper``: there it is the one that is sampled from.

    Returns
    -------
    dict
        All of :data:`KEYS`; None for no molecule.
    """
    if len(encoded.rows) == 0 or encoded.posterior is None:
        return dict.fromkeys(KEYS)
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
    prior = model.priors[sampling_prior(model)]
    log_qz_x = posterior.log_prob(z)  # [n]
    log_rz = prior.log_prob(z.to(getattr(model, "device", z.device))).to(z)  # [n]
    return float((log_qz_x.double() - log_rz.double()).mean())


def kl_by(model: MolVAE, encoded: Encoded) -> str:
    """How the KL was taken, in words."""
    if "trained" in model.priors or (encoded.posterior is not None and encoded.posterior.kl is None):
        return "estimated by one draw from each posterior"
    return "in closed form"
