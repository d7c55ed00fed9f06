"""How each figure is taken, in a sentence: the ``protocol`` that travels with the figures."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_SENTENCES = {
    "reconstruction_greedy": "Share of {n_molecules:,} molecules whose posterior mean, decoded greedily once, gives the "
    "same isomeric canonical SMILES; one that the vocabulary cannot write, or that comes back unfinished, is a failure.",
    "reconstruction_jt": "Share of decodes that give the molecule's isomeric canonical SMILES: {n_reconstruction_jt:,} "
    "molecules, {jt_draws} draws of z from the posterior, {jt_decodes} decodes of each at temperature 1; a molecule that "
    "cannot be encoded counts 0.",
    "novelty": "Share of the distinct valid molecules of {sample} that are not in the training set.",
    "internal_diversity": "1 - mean Tanimoto similarity (Morgan, radius 2, 1024 bits) over all pairs of the valid of {sample}.",
    "snn": "Mean Tanimoto similarity (Morgan, radius 2, 1024 bits) of the valid of {sample} to the nearest of the "
    "{n_molecules:,} molecules.",
    "scaffold_similarity": "Cosine between the counts of Murcko scaffolds with at least 2 rings: the valid of {sample} against "
    "the {n_molecules:,} molecules.",
    "fragment_similarity": "Cosine between the counts of BRICS fragments: the valid of {sample} against the {n_molecules:,} "
    "molecules.",
    "elbo": "-(cross_entropy + kl), nats per molecule.",
    "kl": "Mean KL(q(z|x) || {kl_prior}) {kl_by} over the molecules that can be encoded, nats per molecule.",
    "cross_entropy": "Mean -log p(x|z), teacher-forced, end token included, one z from each posterior, over the molecules that "
    "can be encoded, nats per molecule.",
    "rate": "Mean log q(z|x) - log p(z) at one z from each posterior, with {source} for p(z), the prior that is sampled from, "
    "nats per molecule.",
    "distortion": "Mean -log p(x|z) at one z from each posterior, nats per molecule: the cross-entropy.",
    "active_units": "Share of latent dimensions whose posterior mean has a variance above 0.01 over the molecules.",
    "mutual_information": "I(x; z) = E KL(q(z|x) || p) - KL(q(z) || p) in nats, with q(z) estimated as the mean of these "
    "molecules' posteriors: it cannot exceed the log of their number, {log_n:.2f}.",
    "mutual_information_upper": "E log q(z|x) / r(z) in nats, with {source} for r: an upper bound of I(x; z) for every r.",
    "aggregated_posterior_gap": "KL(q(z) || p(z)) as kl - mutual_information, p(z) = {kl_prior}, in nats: from above, as the "
    "mutual information of few molecules is underestimated.",
    "aggregated_posterior_gap_lower": "KL(q(z) || p(z)) as kl - mutual_information_upper, in nats: from below.",
    "neighbors_kept_10": "Of the 10 nearest molecules in z, the share that is among the 10 most similar by fingerprint (ECFP4, "
    "2048 bits, Tanimoto), over the first 2,000 molecules that can be encoded, or all of fewer.",
    "log_px_is": "Mean log p(x) by importance sampling from q(z|x), 1,000 draws, of {n_likelihood:,} molecules, with {source} "
    "for p(z), nats per molecule; from below in expectation.",
    "log_px_ais": "Mean log p(x) of the same molecules by annealed importance sampling: {ais_chains:,} chains from q(z|x) to "
    "p(x, z), {ais_temperatures:,} temperatures, 5 leapfrog steps of Hamiltonian Monte Carlo at each; from below in "
    "expectation.",
    "bdmc_gap": "Reverse less forward annealed importance sampling, mean over {n_bdmc:,} molecules that the model wrote at "
    "draws of {source}, where exact draws of p(z|x) are known: the width of the interval that holds log p(x), nats.",
    "amortization_gap": "What fitting each molecule's own posterior adds to the bound, 200 steps of Adam from the encoder's "
    "answer, the same {n_likelihood:,} molecules and prior, nats per molecule.",
    "n_molecules": "Molecules evaluated: all that RDKit reads, or the {most:,} with the lowest sha1 of their canonical SMILES.",
    "n_failed_parse": "Rows that RDKit cannot read; left out before anything else.",
    "n_unencodable": "Evaluated molecules that the vocabulary cannot write.",
    "n_samples": "Decodes per sampling figure. Valid: RDKit parses it, it has at least one atom, and the end token was "
    "written. Raw decoder: no syntax mask, no repair.",
    "n_reconstruction_jt": "Molecules of reconstruction_jt: the first of those evaluated.",
    "n_fcd": "Generated molecules in fcd; 0 if it was not computed.",
    "n_likelihood": "Molecules of log_px_is, log_px_ais and amortization_gap: the first of those that can be encoded.",
    "n_bdmc": "Molecules of bdmc_gap: as many as those of log_px_ais, less what the model did not end.",
    "seed": "Of every draw.",
}
_PRIOR = r"(?P<prior>.+)_(?P<temperature>greedy|sampled)"
_STEP = r"(?P<step>[0-9.]+)"
_PATTERNS = {
    rf"validity_{_PRIOR}": "Share valid of {n_samples:,} z {from_prior}, {how}.",
    rf"unique_10k_{_PRIOR}": "Share of distinct molecules among the first {n_unique:,} valid ones (all, if there are fewer) of "
    "{n_samples:,} z {from_prior}, {how}.",
    rf"fcd_{_PRIOR}": "Frechet ChemNet distance to the {n_molecules:,} molecules of the first {fcd_most:,} valid ones (all, if "
    "there are fewer) of {n_samples:,} z {from_prior}, {how}; biased upward for small sets; needs the optional package fcd.",
    rf"own_code_found_{_PRIOR}": "Share of the first {n_codes:,} z (all, if there are fewer) {from_prior} that are the nearest "
    "of these to the code of what they are decoded to ({how}); what is no molecule, or cannot be encoded, is not found.",
    r"within_z_similarity_(?P<prior>.+)": "Mean Tanimoto similarity (ECFP4, 2048 bits) of {n_texts} decodes of one z at "
    "temperature 1, over pairs of valid ones, then over a fifth of the {n_codes:,} z {from_prior}.",
    r"between_z_similarity_(?P<prior>.+)": "The same of the first valid decodes of different z.",
    rf"similarity_at_{_STEP}sd": "Mean Tanimoto similarity (ECFP4, 2048 bits) to the molecule of a greedy decode {step} "
    "posterior standard deviations from its code, first {n_smoothness:,} molecules, valid decodes.",
    rf"similarity_at_{_STEP}": "Mean Tanimoto similarity (ECFP4, 2048 bits) to the molecule of a greedy decode at its code + "
    "{step} e, e normal with the standard deviations of all codes per dimension (on a sphere along the great circle), first "
    "{n_smoothness:,} molecules, valid decodes.",
    rf"valid_at_{_STEP}(?P<sd>sd)?": "Share valid of the decodes of similarity_at_{step}{sd}.",
    rf"property_change_at_{_STEP}(?P<sd>sd)?_(?P<property>.+)": "Mean absolute change of {property} (computed from the "
    "structure) from the molecule to the decode of similarity_at_{step}{sd}, valid ones, in standard deviations of {property} "
    "over these molecules.",
}
_PROPERTY_SENTENCES = {
    "mae": "Mean absolute error of {property}, predicted from the posterior mean (and trees, if it has some), over the "
    "molecules with a label.",
    "rmse": "Root mean square error of {property}, predicted from the posterior mean (and trees, if it has some), over the "
    "molecules with a label.",
    "r2": "1 - residual / total sum of squares of {property}, over the molecules with a label.",
    "spearman": "Rank correlation of predicted and true {property}, average ranks for ties.",
    "coverage90": "Share of the labels of {property} within 1.645 predicted standard deviations; 0.90 is right.",
    "n_labels": "Molecules with a label of {property} and a prediction.",
}


def protocol_sentences(
    figures: Mapping[str, Any], facts: Mapping[str, Any], prior: str, before: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Say for every figure how it was taken, with the numbers of this evaluation.

    Parameters
    ----------
    figures : mapping
        The figures; their counts go into the sentences.
    facts : mapping
        Settings that the sentences name: ``most`` (molecules used at most), ``n_unique``, ``jt_draws``, ``jt_decodes``,
        ``fcd_most``, ``n_codes``, ``n_texts``, ``n_smoothness``, ``ais_temperatures``, ``ais_chains``; ``base`` (the family's
        own prior, in words, by default N(0, I)) ``kl_by`` (how the KL was taken, by default in closed form)
        and ``kl_prior`` (the prior it was taken to, by default ``base``).
    prior : str
        Where the sample comes from that is compared with the molecules: a name in the model's priors.
    before : mapping, optional
        Old name of a figure to the name it has now.

    Examples
    --------
    >>> protocol_sentences({"validity_normal_greedy": 0.5, "n_samples": 2000}, {}, "normal")["validity_normal_greedy"]
    'Share valid of 2,000 z ~ N(0, I), one greedy decode each.'
    """
    facts = {"base": "N(0, I)", "kl_by": "in closed form", **facts}
    facts = {"kl_prior": facts["base"], **facts}
    source = _prior_in_words(prior, facts["base"])
    words = {**facts, **figures, "source": source}
    words["sample"] = f"{figures.get('n_samples') or 0:,} decodes at temperature 1 from {source}"
    words["log_n"] = math.log(max(figures.get("n_molecules") or 1, 1))
    return {key: _sentence(key, words, before or {}) for key in figures}


def _sentence(key: str, words: Mapping[str, Any], before: Mapping[str, str]) -> str:
    if key in before:
        return f"{_sentence(before[key], words, {})} Name of before; now {before[key]}."
    if key in _SENTENCES:
        return _SENTENCES[key].format(**words)
    for pattern, text in _PATTERNS.items():
        if found := re.fullmatch(pattern, key):
            return text.format(**words, **_parts_in_words(found.groupdict(), words["base"]))
    name = next((name for name in _PROPERTY_SENTENCES if key.startswith(name + "_")), None)
    return "" if name is None else _PROPERTY_SENTENCES[name].format(property=key[len(name) + 1 :])


def _parts_in_words(parts: Mapping[str, str | None], base: str) -> dict[str, str]:
    """What stands in a key, as a sentence has it."""
    words = {name: value or "" for name, value in parts.items()}
    if parts.get("prior"):
        prior = _prior_in_words(words["prior"], base)
        words["from_prior"] = f"~ {prior}" if words["prior"] == "normal" else f"from {prior}"
    words["how"] = "one greedy decode each" if words.get("temperature") == "greedy" else "one decode each at temperature 1"
    return words


def _prior_in_words(prior: str, base: str) -> str:
    words = {"normal": base, "learned": "the prior fitted on q(z)", "trained": "the prior that the model was trained with"}
    return words.get(prior, f"the model's prior '{prior}'")
