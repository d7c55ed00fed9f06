"""What is written at draws of a prior: validity with the distinct share and the Frechet distance, and whether z decides.

For every prior P of a model (``normal`` is the posterior family's own, ``learned`` the one fitted to its codes, any other as
the model names it) and every temperature T (``greedy``, ``sampled`` at 1). A validity alone says little: greedy decodes can all
be molecules and mostly the same ones, so the three keys of a pair of P and T are always made together.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from chemvae.evaluation import metrics
from chemvae.evaluation.frechet import FrechetReference
from chemvae.evaluation.latent.code_use import own_code_found, text_similarity
from chemvae.evaluation.roundtrip import Canonical, Encoded, decode_molecules, normal_draws
from chemvae.evaluation.settings import EvaluationSettings
from chemvae.models.latent_space import find_prior
from chemvae.models.posteriors import is_standard_normal

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

N_UNIQUE = 10_000
SHARE_OF_TEXTS = 5  # one draw in so many of those that are encoded again is decoded several times
STANDARD_NORMAL = "N(0, I)"
TEMPERATURES = {"greedy": 0.0, "sampled": 1.0}
TRIPLE = ("validity", "unique_10k", "fcd")
"""What stands together for each pair of prior and temperature."""


@dataclass(frozen=True)
class PriorDraws:
    """Draws of a prior, and what each was decoded to."""

    prior: str
    z: Tensor
    """[N, D], on the model's device."""
    decodes: dict[str, pd.DataFrame]
    """By temperature, as :func:`decode_molecules` gives them."""


def generation_figures(
    model: MolVAE, encoded: Encoded, training: Collection[str] | None, canonical: Canonical, settings: EvaluationSettings
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure what a model writes at draws of each of its priors.

    Returns
    -------
    figures : dict
        The keys of every prior and temperature; those of the sample that stands for the model, temperature 1 from
        :func:`sampling_prior`, against the molecules; and names of before.
    samples : DataFrame
        That sample: ``smiles``, ``valid``, ``molecule``.
    """
    reference, chosen = FrechetReference(encoded.smiles), sampling_prior(model)
    figures: dict[str, Any] = {"n_samples": settings.n_samples}
    samples = pd.DataFrame()
    for draws in _drawn_and_decoded(model, canonical, settings):
        figures |= _figures_of(draws, reference, settings.n_fcd)
        if settings.n_codes:
            figures |= _code_use(model, draws, canonical, settings)
        if draws.prior == chosen:
            samples = draws.decodes["sampled"][["smiles", "valid", "molecule"]]
    figures |= _compared(model, list(samples["molecule"]), encoded, training, settings.jobs)
    return figures | _names_of_before(figures, chosen, samples, settings), samples


def sampled_priors(model: MolVAE) -> list[str]:
    """Names of the priors that can be drawn from: all but a learned one that was never fitted (training did not end)."""
    fitted = getattr(getattr(model, "latent_statistics", None), "is_fitted", True)
    return [name for name in model.priors if name != "learned" or fitted]


def sampling_prior(model: MolVAE) -> str:
    """The prior that ``sample`` uses by default: the learned one, else one trained with the model, else the family's own."""
    names = sampled_priors(model)
    return "learned" if "learned" in names else next((name for name in names if name != "normal"), "normal")


def base_name(model: MolVAE) -> str:
    """What the sentences call the family's own prior."""
    return STANDARD_NORMAL if is_standard_normal(find_prior(model, "normal").distribution()) else "the family's own prior"


def _drawn_and_decoded(model: MolVAE, canonical: Canonical, settings: EvaluationSettings) -> Iterator[PriorDraws]:
    for prior in sampled_priors(model):
        z = _draws(model, prior, settings.n_samples, settings.seed)
        decodes = {
            name: decode_molecules(model, z, canonical, temperature=temperature, seed=settings.seed)
            for name, temperature in TEMPERATURES.items()
        }
        yield PriorDraws(prior, z, decodes)


def _draws(model: MolVAE, prior: str, n: int, seed: int) -> Tensor:
    """Draw z [n, D] from a prior."""
    if prior == "normal" and base_name(model) == STANDARD_NORMAL:
        return normal_draws((n, model.latent_dim), seed)
    with torch.no_grad():
        return find_prior(model, prior).sample(n, torch.Generator(getattr(model, "device", "cpu")).manual_seed(seed))


def _figures_of(draws: PriorDraws, reference: FrechetReference, n_fcd: int) -> dict[str, float | None]:
    """The three that stand together, for both temperatures."""
    figures: dict[str, float | None] = {}
    for name, table in draws.decodes.items():
        found = list(table["molecule"])
        valid = [m for m in found if isinstance(m, str)][:n_fcd]
        values = (metrics.validity(found), metrics.unique_at(found, N_UNIQUE), reference.distance(valid) if valid else None)
        figures |= {f"{key}_{draws.prior}_{name}": value for key, value in zip(TRIPLE, values, strict=True)}
    return figures


def _code_use(model: MolVAE, draws: PriorDraws, canonical: Canonical, settings: EvaluationSettings) -> dict[str, float]:
    """Whether z decides, of the first draws of a prior."""
    z = draws.z[: settings.n_codes]
    figures = {
        f"own_code_found_{draws.prior}_{name}": own_code_found(model, z, list(table["molecule"])[: len(z)])
        for name, table in draws.decodes.items()
    }
    pair = text_similarity(model, z[: math.ceil(len(z) / SHARE_OF_TEXTS)], canonical, seed=settings.seed)
    names = (f"within_z_similarity_{draws.prior}", f"between_z_similarity_{draws.prior}")
    return figures | dict(zip(names, pair, strict=True))


def _compared(
    model: MolVAE, found: list[str | None], encoded: Encoded, training: Collection[str] | None, jobs: int
) -> dict[str, float | None]:
    """A sample against the training set, itself and the held-out molecules."""
    bits = metrics.fingerprint_matrix(found)
    return {
        "novelty": _novelty(model, found, training),
        "internal_diversity": metrics.internal_diversity(bits),
        "snn": metrics.snn(bits, encoded.smiles),
        "scaffold_similarity": metrics.scaffold_similarity(found, encoded.smiles, jobs),
        "fragment_similarity": metrics.fragment_similarity(found, encoded.smiles, jobs),
    }


def _novelty(model: MolVAE, found: Sequence[str | None], training: Collection[str] | None) -> float | None:
    if training is not None:
        return metrics.novelty(found, set(training))
    distinct = sorted({s for s in found if isinstance(s, str)})
    known = model.is_known(distinct)
    return None if known is None else metrics.novelty(distinct, {s for s, old in zip(distinct, known, strict=True) if old})


def _names_of_before(
    figures: Mapping[str, Any], chosen: str, samples: pd.DataFrame, settings: EvaluationSettings
) -> dict[str, Any]:
    """The same figures under the names they had before priors and temperatures stood in them, for one version."""
    old = {name: figures.get(new) for name, new in names_of_before(chosen).items()}
    n_fcd = min(settings.n_fcd, sum(isinstance(m, str) for m in samples["molecule"]))
    return old | {"n_fcd": 0 if old["fcd"] is None else n_fcd}


def names_of_before(chosen: str) -> dict[str, str]:
    """Old key to the key it stands for; ``chosen`` is the prior that :func:`sampling_prior` names."""
    return {
        "validity_prior_greedy": "validity_normal_greedy",
        "validity_prior_sampled": "validity_normal_sampled",
        "validity_learned_prior": "validity_learned_sampled",
        "unique_10k": f"unique_10k_{chosen}_sampled",
        "fcd": f"fcd_{chosen}_sampled",
    }
