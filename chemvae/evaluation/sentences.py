"""How each figure is taken, in a sentence: the ``protocol`` that travels with the figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_SENTENCES = {
    "reconstruction_greedy": "Share of {n_molecules:,} molecules whose posterior mean, decoded greedily once, gives the "
    "same isomeric canonical SMILES; one that the vocabulary cannot write, or that comes back unfinished, is a failure.",
    "reconstruction_jt": "Share of decodes that give the molecule's isomeric canonical SMILES: {n_reconstruction_jt:,} "
    "molecules, {jt_draws} draws of z from the posterior, {jt_decodes} decodes of each at temperature 1; a molecule that "
    "cannot be encoded counts 0.",
    "validity_prior_greedy": "Share valid of {n_samples:,} z ~ {base}, one greedy decode each.",
    "validity_prior_sampled": "Share valid of {n_samples:,} z ~ {base}, one decode each at temperature 1.",
    "validity_learned_prior": "Share valid of {n_samples:,} z from the prior fitted on q(z), one decode each at temperature 1.",
    "unique_10k": "Share of distinct molecules among the first {n_unique:,} valid ones (all, if there are fewer) of {sample}.",
    "novelty": "Share of the distinct valid molecules of {sample} that are not in the training set.",
    "internal_diversity": "1 - mean Tanimoto similarity (Morgan, radius 2, 1024 bits) over all pairs of the valid of {sample}.",
    "snn": "Mean Tanimoto similarity (Morgan, radius 2, 1024 bits) of the valid of {sample} to the nearest of the "
    "{n_molecules:,} molecules.",
    "scaffold_similarity": "Cosine between the counts of Murcko scaffolds with at least 2 rings: the valid of {sample} against "
    "the {n_molecules:,} molecules.",
    "fragment_similarity": "Cosine between the counts of BRICS fragments: the valid of {sample} against the {n_molecules:,} "
    "molecules.",
    "fcd": "Frechet ChemNet distance of the first {n_fcd:,} valid of {sample} to the {n_molecules:,} molecules; biased upward "
    "for small sets; needs the optional package fcd.",
    "elbo": "-(cross_entropy + kl), nats per molecule.",
    "kl": "Mean KL(q(z|x) || {kl_prior}) {kl_by} over the molecules that can be encoded, nats per molecule.",
    "cross_entropy": "Mean -log p(x|z), teacher-forced, end token included, one z from each posterior, over the molecules that "
    "can be encoded, nats per molecule.",
    "active_units": "Share of latent dimensions whose posterior mean has a variance above 0.01 over the molecules.",
    "mutual_information": "I(x; z) = E KL(q(z|x) || p) - KL(q(z) || p) in nats, with q(z) estimated as the mean of these "
    "molecules' posteriors: it cannot exceed the log of their number, {log_n:.2f}.",
    "mutual_information_upper": "E log q(z|x) / r(z) in nats, with {source} for r: an upper bound of I(x; z) for every r.",
    "n_molecules": "Molecules evaluated: all that RDKit reads, or the {most:,} with the lowest sha1 of their canonical SMILES.",
    "n_failed_parse": "Rows that RDKit cannot read; left out before anything else.",
    "n_unencodable": "Evaluated molecules that the vocabulary cannot write.",
    "n_samples": "Decodes per sampling figure. Valid: RDKit parses it, it has at least one atom, and the end token was "
    "written. Raw decoder: no syntax mask, no repair.",
    "n_reconstruction_jt": "Molecules of reconstruction_jt: the first of those evaluated.",
    "n_fcd": "Generated molecules in fcd; 0 if it was not computed.",
    "seed": "Of every draw.",
}
_PROPERTY_SENTENCES = {
    "mae": "Mean absolute error of {property}, predicted from the posterior mean, over the molecules with a label.",
    "rmse": "Root mean square error of {property}, predicted from the posterior mean, over the molecules with a label.",
    "r2": "1 - residual / total sum of squares of {property}, over the molecules with a label.",
    "spearman": "Rank correlation of predicted and true {property}, average ranks for ties.",
    "coverage90": "Share of the labels of {property} within 1.645 predicted standard deviations; 0.90 is right.",
    "n_labels": "Molecules with a label of {property} and a prediction.",
}


def protocol_sentences(figures: Mapping[str, Any], facts: Mapping[str, Any], prior: str) -> dict[str, str]:
    """Say for every figure how it was taken, with the numbers of this evaluation.

    Parameters
    ----------
    figures : mapping
        The figures; their counts go into the sentences.
    facts : mapping
        ``most`` (molecules used at most), ``n_unique``, ``jt_draws``, ``jt_decodes``; ``base`` (the family's own prior, in
        words, by default N(0, I)), ``kl_by`` (how the KL was taken, by default in closed form) and ``kl_prior`` (to which
        prior, by default ``base``).
    prior : str
        Where the sample comes from that is compared with the molecules: "learned" or "normal".

    Examples
    --------
    >>> protocol_sentences({"validity_prior_greedy": 0.5, "n_samples": 2000}, {}, "normal")["validity_prior_greedy"]
    'Share valid of 2,000 z ~ N(0, I), one greedy decode each.'
    """
    facts = {"base": "N(0, I)", "kl_by": "in closed form", **facts}
    facts = {"kl_prior": facts["base"], **facts}
    source = "the learned prior" if prior == "learned" else facts["base"]
    words = {**facts, **figures, "source": source}
    words["sample"] = f"{figures.get('n_samples') or 0:,} decodes at temperature 1 from {source}"
    words["log_n"] = math.log(max(figures.get("n_molecules") or 1, 1))
    return {
        key: _sentence(key).format(**words, property=key.split("_", 2 if key.startswith("n_") else 1)[-1]) for key in figures
    }


def _sentence(key: str) -> str:
    if key in _SENTENCES:
        return _SENTENCES[key]
    return next((text for name, text in _PROPERTY_SENTENCES.items() if key.startswith(name + "_")), "")
