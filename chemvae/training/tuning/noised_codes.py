"""Teach a trained decoder more of what lies between the codes of molecules, with true examples.

A molecule's code that was moved towards a density by noise (:mod:`chemvae.objectives.noised_codes`) is, for a decoder, a
draw of that density at which it knows what to write. Where the codes are distributed like the density, so are the noised
ones, at every level, and texts sampled at its draws are then distributed like the data: p(x | z') at z' from its marginal
gives the marginal of x. Real codes are so only roughly. While a model trains, this gets a small weight, because
reconstruction would suffer; here the codes stand, the decoder alone learns on, and both get their share.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.vae import MolVAE
from chemvae.training.tuning.base import DecoderTuner, Keeper, Report, TuningSettings

log = logging.getLogger(__name__)

REPORT_EVERY = 100


@dataclass(frozen=True)
class NoisedCodeSettings(TuningSettings):
    """How long and how hard, beside what every :class:`~chemvae.training.tuning.base.TuningSettings` says.

    Attributes
    ----------
    steps : of AdamW, each on ``batch_size`` molecules at their own codes and as many others at noised ones.
    learned_share : chance that a step's codes move towards the learned prior, where there is one; else towards N(0, I).
    noise_exponent : above 1 more of the noised codes have next to nothing left of themselves (:func:`noised_codes`), so that
        at a draw from a prior the decoder relies less on its code and more on what it knows of texts.
    """

    steps: int = 5_000
    batch_size: int = 192
    share: float = 0.5
    ema_decay: float = 0.999
    learned_share: float = 0.5
    noise_exponent: float = 1.0

    least: ClassVar[dict[str, float]] = {**TuningSettings.least, "steps": 1}
    shares: ClassVar[tuple[str, ...]] = ("learned_share",)
    positive: ClassVar[tuple[str, ...]] = (*TuningSettings.positive, "noise_exponent")


def tune_to_noised_codes(
    model: MolVAE,
    train: SmilesDataset,
    settings: NoisedCodeSettings | None = None,
    report: Report | None = None,
    reconstruction_data: SmilesDataset | None = None,
    keeper: Keeper | None = None,
) -> list[dict[str, float]]:
    """Tune a model's decoder in place so that texts sampled at draws from its priors are distributed like the data.

    Parameters
    ----------
    model : MolVAE
        Trained. Its decoder changes, nothing else.
    train : SmilesDataset
        What samples are to be like.
    settings : NoisedCodeSettings, optional
    report : callable, optional
        Told each row.
    reconstruction_data : SmilesDataset, optional
        Molecules whose reconstruction is trained beside it, by default ``train``.
    keeper : Keeper, optional
        Keeps what is reached, and may end the tuning early.

    Returns
    -------
    list of dict
        Per hundred steps: ``step``, ``loss_noised`` and ``loss_others`` (nats per molecule, at noised and at own codes),
        ``elapsed_s``.
    """
    s = settings or NoisedCodeSettings()
    tuner = DecoderTuner(model, train, s, n_steps=s.steps, reconstruction_data=reconstruction_data, keeper=keeper)
    losses: list[dict[str, float]] = []
    try:
        if (state := keeper.restore() if keeper else None) is not None:
            tuner.load(state)
        while tuner.n_done < s.steps:
            (others, own), (molecules, codes) = tuner.reconstruction(), tuner.training_molecules()
            noised = tuner.noised(codes, s.learned_share, s.noise_exponent)
            losses.append(tuner.step({"noised": (molecules, noised, s.share), "others": (others, own, 1 - s.share)}))
            ends = tuner.kept()
            if tuner.n_done % REPORT_EVERY == 0 or tuner.n_done == s.steps or ends:
                means = {f"loss_{name}": float(np.mean([one[name] for one in losses])) for name in losses[0]}
                tuner.rows.append({"step": tuner.n_done, **means, "elapsed_s": tuner.elapsed_s})
                losses = []
                log.debug("noised tuning %s", tuner.rows[-1])
                if report is not None:
                    report(tuner.rows[-1])
            if ends:
                break
    finally:
        tuner.close()
    return tuner.rows
