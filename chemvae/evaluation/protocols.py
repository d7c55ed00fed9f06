"""Measure a model on molecules: every figure of ``chemvae evaluate``, each with the sentence that says how it was taken."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.errors import SettingsError
from chemvae.evaluation import metrics
from chemvae.evaluation.curves import radius_curve, validity_against_norm
from chemvae.evaluation.frechet import fcd
from chemvae.evaluation.mistakes import failure_table
from chemvae.evaluation.roundtrip import (
    JT_DECODES,
    JT_DRAWS,
    Canonical,
    Encoded,
    decode_molecules,
    encode_molecules,
    normal_draws,
    reconstruction_greedy,
    reconstruction_sampled,
)
from chemvae.evaluation.selection import select_molecules
from chemvae.evaluation.sentences import protocol_sentences
from chemvae.models.information import ACTIVE_VARIANCE, active_units, kl_to_model_prior, mutual_information
from chemvae.models.latent_space import space_of
from chemvae.models.posteriors import Posterior, diagonal_parameters, is_standard_normal
from chemvae.registry import make_spec

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

N_UNIQUE = 10_000
STANDARD_NORMAL = "N(0, I)"
PROPERTY_FIGURES = ("mae", "rmse", "r2", "spearman", "coverage90")


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is measured."""

    n_molecules: int = 5_000
    """Molecules of the file that are used at most."""
    n_samples: int = 30_000
    """Decodes per sampling figure."""
    n_reconstruction: int = 1_000
    """Molecules of ``reconstruction_jt``; each costs 100 decodes."""
    n_fcd: int = 10_000
    """Generated molecules that the Frechet distance takes at most; 0 leaves it out."""
    n_curve: int = 500
    """Molecules per point of the curves against distance; 0 leaves the curves out."""
    seed: int = 0
    """Of every draw."""
    jobs: int = 1
    """Worker processes for RDKit's part."""

    def __post_init__(self) -> None:
        least = {"n_molecules": 1, "n_samples": 1, "n_reconstruction": 1, "n_fcd": 0, "n_curve": 0}
        complaints = [f"{k} must be >= {low}, got {getattr(self, k)}" for k, low in least.items() if getattr(self, k) < low]
        if complaints:
            raise SettingsError(complaints)


@dataclass
class Evaluation:
    """Everything that one evaluation found."""

    figures: dict[str, Any]
    """What ``--json`` writes: flat, with ``protocol`` and ``seed``; None for what could not be measured."""
    predictions: pd.DataFrame
    """Per evaluated molecule: ``smiles``, and for each labelled property P: ``P_label``, ``P``, ``P_std``."""
    failures: pd.DataFrame
    """Molecules that did not come back, as :func:`~chemvae.evaluation.mistakes.failures` gives them."""
    samples: pd.DataFrame
    """Molecules decoded from the sampling prior: ``smiles`` as written, ``valid``, ``molecule`` (canonical or None)."""
    radius: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Validity against the distance from a molecule."""
    norm: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Validity against the scale of N(0, I)."""
    units: dict[str, str] = field(default_factory=dict)
    """Unit of each property."""
    posterior_radius: float = math.nan
    """Median distance of a posterior draw from its mean."""
    neighbour_radius: float = math.nan
    """Median distance of a molecule's posterior mean from the nearest other one in this set."""


def evaluate_model(
    model: MolVAE,
    smiles: Sequence[str],
    labels: pd.DataFrame | Mapping[str, Sequence[float]] | None = None,
    *,
    training: Collection[str] | None = None,
    settings: EvaluationSettings | None = None,
    **changes: int,
) -> dict[str, Any]:
    """Measure a model and return the figures; :func:`run_evaluation` returns what stands behind them too.

    Parameters
    ----------
    model, smiles, labels, training, settings
        As in :func:`run_evaluation`.
    **changes
        Fields of :class:`EvaluationSettings`, such as ``seed=1`` or ``n_samples=1000``.
    """
    return run_evaluation(model, smiles, labels, training=training, settings=settings, **changes).figures


def run_evaluation(
    model: MolVAE,
    smiles: Sequence[str],
    labels: pd.DataFrame | Mapping[str, Sequence[float]] | None = None,
    *,
    training: Collection[str] | None = None,
    settings: EvaluationSettings | None = None,
    **changes: int,
) -> Evaluation:
    """Measure reconstruction, validity, sample quality, the bound and the property predictions of a model.

    The raw decoder is measured: no syntax mask, no repair, no second try. A decode is valid if RDKit parses it, it has at least
    one atom and the end token was written.

    Parameters
    ----------
    model : MolVAE
        Not modified.
    smiles : sequence of str, length N
        Held-out molecules. What RDKit cannot read is counted and left out; of more than ``n_molecules`` those with the lowest
        sha1 of their canonical SMILES are used.
    labels : DataFrame or mapping, optional
        Property name (case does not matter) -> N values in the data's unit; NaN where missing.
    training : collection of str, optional
        Canonical SMILES of the training set, for novelty; by default the model's own index.
    settings : EvaluationSettings, optional
    **changes
        Fields of the settings to change.

    Raises
    ------
    NothingUsableError
        If no string is a molecule.
    SettingsError
        If a size is out of range, or a column of labels has not N values.
    UnknownNameError
        If there is no such field.
    """
    settings = make_spec(EvaluationSettings, settings, changes)
    canonical = Canonical(settings.jobs)
    table, n_failed = select_molecules(smiles, labels, settings.n_molecules, canonical)
    encoded = encode_molecules(model, table["smiles"].tolist(), canonical)
    counts = {"n_molecules": len(table), "n_failed_parse": n_failed, "n_unencodable": len(table) - len(encoded.rows)}
    logger.info("Evaluating on %d molecules (%d could not be read, %d not encoded)", *counts.values())
    back, decodes = _reconstruction(model, encoded, canonical, settings)
    quality, samples = _generation(model, encoded, training, canonical, settings)
    errors, predictions = _properties(model, encoded, table)
    figures = back | quality | _bound(model, encoded, settings.seed) | errors | counts
    curves = _curves(model, encoded, canonical, settings) if settings.n_curve and len(encoded.rows) else {}
    failures, units = failure_table(encoded, decodes), dict(model.property_units)
    return Evaluation(_with_protocol(figures, model, settings, encoded), predictions, failures, samples, units=units, **curves)


def _with_protocol(figures: Mapping[str, Any], model: MolVAE, settings: EvaluationSettings, encoded: Encoded) -> dict[str, Any]:
    """The figures as JSON holds them, with the seed and a sentence for each of how it was measured."""
    plain = {key: _plain(value) for key, value in figures.items()} | {"seed": settings.seed}
    facts = {"most": settings.n_molecules, "n_unique": N_UNIQUE, "jt_draws": JT_DRAWS, "jt_decodes": JT_DECODES}
    facts |= {"base": _base_name(model), "kl_by": _kl_by(model, encoded)}
    facts |= {"kl_prior": "the prior it was trained with"} if "trained" in model.priors else {}
    return plain | {"protocol": protocol_sentences(plain, facts, _sampling_prior(model))}


def _reconstruction(
    model: MolVAE, encoded: Encoded, canonical: Canonical, settings: EvaluationSettings
) -> tuple[dict[str, Any], pd.DataFrame]:
    share, decodes = reconstruction_greedy(model, encoded, canonical)
    first = min(settings.n_reconstruction, len(encoded.smiles))
    sampled = reconstruction_sampled(model, encoded, canonical, first=first, seed=settings.seed)
    logger.info("Reconstructed %.1f %% greedily; sampling %d molecules three times", 100 * share, settings.n_samples)
    return {"reconstruction_greedy": share, "reconstruction_jt": sampled, "n_reconstruction_jt": first}, decodes


def _generation(
    model: MolVAE, encoded: Encoded, training: Collection[str] | None, canonical: Canonical, settings: EvaluationSettings
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Sample three times, and compare the sample of :func:`_sampling_prior` with the molecules."""
    n, seed, jobs = settings.n_samples, settings.seed, settings.jobs
    normal = _base_draws(model, n, seed)
    greedy = decode_molecules(model, normal, canonical, seed=seed)
    samples = decode_molecules(model, normal, canonical, temperature=1.0, seed=seed)
    figures = {
        "n_samples": n,
        "validity_prior_greedy": metrics.validity(greedy["molecule"]),
        "validity_prior_sampled": metrics.validity(samples["molecule"]),
        "validity_learned_prior": None,
    }
    if _sampling_prior(model) == "learned":
        z = model.priors["learned"].sample(n, torch.Generator().manual_seed(seed))
        samples = decode_molecules(model, z, canonical, temperature=1.0, seed=seed)
        figures["validity_learned_prior"] = metrics.validity(samples["molecule"])
    found = list(samples["molecule"])
    valid = [s for s in found if isinstance(s, str)][: settings.n_fcd]
    distance = fcd(valid, encoded.smiles) if valid else None
    bits = metrics.fingerprint_matrix(found)
    figures |= {
        "unique_10k": metrics.unique_at(found, N_UNIQUE),
        "novelty": _novelty(model, found, training),
        "internal_diversity": metrics.internal_diversity(bits),
        "snn": metrics.snn(bits, encoded.smiles),
        "scaffold_similarity": metrics.scaffold_similarity(found, encoded.smiles, jobs),
        "fragment_similarity": metrics.fragment_similarity(found, encoded.smiles, jobs),
        "fcd": distance,
        "n_fcd": 0 if distance is None else len(valid),
    }
    return figures, samples[["smiles", "valid", "molecule"]]


def _base_draws(model: MolVAE, n: int, seed: int) -> Tensor:
    """Draw z [n, D] from the family's own prior."""
    if is_standard_normal(model.priors["normal"].distribution()):
        return normal_draws((n, model.latent_dim), seed)
    return model.priors["normal"].sample(n, torch.Generator(model.device).manual_seed(seed))


def _base_name(model: MolVAE) -> str:
    """What the sentences call the family's own prior."""
    return STANDARD_NORMAL if is_standard_normal(model.priors["normal"].distribution()) else "the family's own prior"


def _sampling_prior(model: MolVAE) -> str:
    """The prior that ``sample`` uses by default: the learned one where it was fitted (training ran to its end)."""
    fitted = getattr(getattr(model, "latent_statistics", None), "is_fitted", True)
    return "learned" if "learned" in model.priors and fitted else "normal"


def _novelty(model: MolVAE, found: Sequence[str | None], training: Collection[str] | None) -> float | None:
    if training is not None:
        return metrics.novelty(found, set(training))
    distinct = sorted({s for s in found if isinstance(s, str)})
    known = model.is_known(distinct)
    return None if known is None else metrics.novelty(distinct, {s for s, old in zip(distinct, known, strict=True) if old})


@torch.no_grad()
def _bound(model: MolVAE, encoded: Encoded, seed: int) -> dict[str, Any]:
    """The evidence bound's parts, means over the encodable molecules, and what z carries."""
    keys = ("elbo", "kl", "cross_entropy", "active_units", "mutual_information", "mutual_information_upper")
    if len(encoded.rows) == 0:
        return dict.fromkeys(keys)
    z = encoded.draw(1, seed)[0]  # [n, D]
    log_px_z = model.log_likelihood(z, [encoded.smiles[i] for i in encoded.rows])  # [n]
    kl = float(kl_to_model_prior(encoded.posterior, model, z[None]).mean())
    cross_entropy = -float(log_px_z.double().mean())
    return {
        "elbo": -cross_entropy - kl,
        "kl": kl,
        "cross_entropy": cross_entropy,
        "active_units": active_units(encoded.loc, ACTIVE_VARIANCE * space_of(model).unit_variance(model.latent_dim)),
        "mutual_information": mutual_information(encoded.posterior, z),
        "mutual_information_upper": _information_bound(model, encoded, z),
    }


def _kl_by(model: MolVAE, encoded: Encoded) -> str:
    """How the KL was taken, in words."""
    if "trained" in model.priors or (encoded.posterior is not None and encoded.posterior.kl is None):
        return "estimated by one draw from each posterior"
    return "in closed form"


@torch.no_grad()
def _information_bound(model: MolVAE, encoded: Encoded, z: Tensor) -> float:
    """E log q(z|x) / r(z), r the sampling prior: above I(x; z) for every r, equal for r = q(z) (Barber & Agakov, 2003)."""
    prior = model.priors[_sampling_prior(model)]
    log_qz_x = encoded.posterior.log_prob(z)  # [n]
    log_rz = prior.log_prob(z.to(getattr(model, "device", z.device))).to(z)  # [n]
    return float((log_qz_x.double() - log_rz.double()).mean())


def _properties(model: MolVAE, encoded: Encoded, table: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    """Compare predictions from the posterior mean with the labels that the table holds."""
    columns = {name.lower(): name for name in table.columns if name != "smiles"}
    labelled = [name for name in model.property_names if name.lower() in columns]
    frame = table[["smiles"]].copy()
    predicted = model.predict(encoded.loc) if len(encoded.rows) and labelled else pd.DataFrame()
    figures: dict[str, Any] = {}
    for name in labelled:
        frame[f"{name}_label"] = table[columns[name.lower()]].to_numpy(float)
        for column in (name, f"{name}_std"):
            frame[column] = np.nan
            if column in predicted:
                frame.loc[encoded.rows, column] = predicted[column].to_numpy(float)
        found = metrics.regression(*(frame[c].to_numpy() for c in (f"{name}_label", name, f"{name}_std")))
        figures |= {f"{key}_{name}": found[key] for key in PROPERTY_FIGURES} | {f"n_labels_{name}": found["n"]}
    return figures, frame


def _curves(model: MolVAE, encoded: Encoded, canonical: Canonical, settings: EvaluationSettings) -> dict[str, Any]:
    logger.info("Decoding at growing distance from the data")
    first = settings.n_curve
    some = encoded.among(first)
    loc = encoded.loc[: 0 if some is None else len(some)]
    gaps = torch.cdist(loc, encoded.loc)
    gaps.fill_diagonal_(math.inf)  # the molecule itself; loc is the head of encoded.loc
    nearest = gaps.min(dim=1).values
    return {
        "radius": radius_curve(model, encoded, canonical, seed=settings.seed, first=first),
        "norm": validity_against_norm(model, n=first, seed=settings.seed, canonical=canonical),
        "posterior_radius": _spread(some, settings.seed),
        "neighbour_radius": float(nearest.median()) if bool(nearest.isfinite().all()) else math.nan,
    }


@torch.no_grad()
def _spread(posterior: Posterior | None, seed: int) -> float:
    """Median over the molecules of how far a posterior draw lies from their point (root mean square for a Gaussian)."""
    if posterior is None:
        return math.nan
    gaussian = diagonal_parameters(posterior)
    if gaussian is not None:
        return float(gaussian[1].pow(2).sum(dim=1).sqrt().median())
    z, _ = posterior.draw(1, torch.Generator().manual_seed(seed))
    return float((z[0] - posterior.point).norm(dim=1).median())


def _plain(value: Any) -> float | int | None:
    """A number that JSON can hold: None for what is not finite."""
    if value is None or isinstance(value, int):
        return value
    return float(value) if math.isfinite(float(value)) else None
