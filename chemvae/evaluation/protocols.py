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

from chemvae.evaluation import metrics
from chemvae.evaluation.generation import N_UNIQUE, base_name, generation_figures, names_of_before, sampling_prior
from chemvae.evaluation.latent.code_use import N_TEXTS
from chemvae.evaluation.latent.curves import radius_curve, validity_against_norm
from chemvae.evaluation.latent.smoothness import neighbors_kept, smoothness
from chemvae.evaluation.likelihood.annealing import Annealing
from chemvae.evaluation.likelihood.evidence import bound_figures, evidence_figures, kl_by
from chemvae.evaluation.mistakes import failure_table
from chemvae.evaluation.roundtrip import (
    JT_DECODES,
    JT_DRAWS,
    Canonical,
    Encoded,
    encode_molecules,
    reconstruction_greedy,
    reconstruction_sampled,
)
from chemvae.evaluation.selection import select_molecules
from chemvae.evaluation.sentences import protocol_sentences
from chemvae.evaluation.settings import EvaluationSettings
from chemvae.models.posteriors import Posterior, diagonal_parameters
from chemvae.naming import label_columns, prediction_columns
from chemvae.registry import make_spec

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

PROPERTY_FIGURES = ("mae", "rmse", "r2", "spearman", "coverage90")


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
    quality, samples = generation_figures(model, encoded, training, canonical, settings)
    space = _latent_space(model, encoded, canonical, settings)
    errors, predictions = _properties(model, encoded, table)
    figures = back | quality | bound_figures(model, encoded, settings.seed) | space | errors | counts
    curves = _curves(model, encoded, canonical, settings) if settings.n_curve and len(encoded.rows) else {}
    failures, units = failure_table(encoded, decodes), dict(model.property_units)
    return Evaluation(_with_protocol(figures, model, settings, encoded), predictions, failures, samples, units=units, **curves)


def _with_protocol(figures: Mapping[str, Any], model: MolVAE, settings: EvaluationSettings, encoded: Encoded) -> dict[str, Any]:
    """The figures as JSON holds them, with the seed and a sentence for each of how it was measured."""
    plain = {key: _plain(value) for key, value in figures.items()} | {"seed": settings.seed}
    facts: dict[str, Any] = {"most": settings.n_molecules, "n_unique": N_UNIQUE, "jt_draws": JT_DRAWS, "jt_decodes": JT_DECODES}
    facts |= {name: getattr(settings, name) for name in ("n_codes", "n_smoothness", "ais_temperatures", "ais_chains")}
    facts |= {"base": base_name(model), "kl_by": kl_by(model, encoded), "n_texts": N_TEXTS, "fcd_most": settings.n_fcd}
    facts |= {"kl_prior": "the prior it was trained with"} if "trained" in model.priors else {}
    chosen = sampling_prior(model)
    return plain | {"protocol": protocol_sentences(plain, facts, chosen, names_of_before(chosen))}


def _reconstruction(
    model: MolVAE, encoded: Encoded, canonical: Canonical, settings: EvaluationSettings
) -> tuple[dict[str, Any], pd.DataFrame]:
    share, decodes = reconstruction_greedy(model, encoded, canonical)
    first = min(settings.n_reconstruction, len(encoded.smiles))
    sampled = reconstruction_sampled(model, encoded, canonical, first=first, seed=settings.seed)
    logger.info("Reconstructed %.1f %% greedily; sampling %d molecules from each prior, twice", 100 * share, settings.n_samples)
    return {"reconstruction_greedy": share, "reconstruction_jt": sampled, "n_reconstruction_jt": first}, decodes


def _latent_space(model: MolVAE, encoded: Encoded, canonical: Canonical, settings: EvaluationSettings) -> dict[str, Any]:
    """What steps in latent space do, which neighbours stay, and log p(x) where that is asked for."""
    figures: dict[str, Any] = {}
    if settings.n_smoothness:
        logger.info("Stepping away from %d codes", settings.n_smoothness)
        figures |= smoothness(model, encoded, canonical, settings.n_smoothness, settings.seed)
        figures["neighbors_kept_10"] = neighbors_kept(encoded)
    if settings.likelihood and len(encoded.rows):
        some = [encoded.smiles[i] for i in encoded.rows[: settings.likelihood]]
        logger.info("Estimating the likelihood of %d molecules", len(some))
        annealing = Annealing(settings.ais_temperatures, settings.ais_chains)
        figures |= evidence_figures(model, some, prior=sampling_prior(model), annealing=annealing, seed=settings.seed)
    return figures


def _properties(model: MolVAE, encoded: Encoded, table: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    """Compare predictions, as `chemvae predict` makes them, with the labels that the table holds."""
    columns = {name.lower(): name for name in table.columns if name != "smiles"}
    labelled = [name for name in model.property_names if name.lower() in columns]
    frame = table[["smiles"]].copy()
    predicted = pd.DataFrame()
    if len(encoded.rows) and labelled:
        predicted = model.predict_encoded(encoded.loc, [encoded.smiles[i] for i in encoded.rows])
    figures: dict[str, Any] = {}
    told, _ = prediction_columns(model.property_names)
    for name, (label, *beside) in label_columns(labelled).items():
        frame[label] = table[columns[name.lower()]].to_numpy(float)
        for column, source in zip(beside, told[name], strict=True):
            frame[column] = np.nan
            if source in predicted:
                frame.loc[encoded.rows, column] = predicted[source].to_numpy(float)
        found = metrics.regression(*(frame[c].to_numpy() for c in (label, *beside)))
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
