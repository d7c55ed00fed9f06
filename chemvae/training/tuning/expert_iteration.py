"""Teach a trained decoder to write molecules wherever the priors look, not only where training molecules lie.

Training molecules fill a thin part of latent space: their codes carry 100 nats where 25 would tell them apart, so almost every
draw from N(0, I) lies between them, where no example ever said what to write. Here the decoder makes its own examples: it
writes several texts at each such point, RDKit says which are molecules, and the best of these is the target there. Rounds
repeat with the improved decoder, beside the ordinary reconstruction of training molecules, which keeps what it knows. Encoder,
posterior and predictor stay as they are; nothing is masked or repaired when the decoder is used.

The rule "train on your own successes" is that of expert iteration (Anthony et al. 2017, https://arxiv.org/abs/1705.08439).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import is_molecule
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.data.tokens.vocabulary import PAD
from chemvae.models.decoding import finished
from chemvae.models.vae import MolVAE
from chemvae.parallel import map_ordered
from chemvae.training.tuning.base import DecoderTuner, Report, TuningSettings, draw_points

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExpertIterationSettings(TuningSettings):
    """How long and how hard, beside what every :class:`~chemvae.training.tuning.base.TuningSettings` says.

    Half of a round's points are drawn from N(0, I), half from the learned prior where there is one. Of the texts at a point the
    valid one that is most probable per token is the target. It is taken as it was written: its canonical form would teach the
    decoder another order of atoms than the one it has begun, at ten times the cost in reconstruction.

    Attributes
    ----------
    rounds : times that targets are written anew.
    points : per round.
    draws : texts written at each point.
    distinct : points of a round never share a target; those left without one are skipped. Else short texts spread.
    temperature : of the texts.
    jobs : worker processes for RDKit.
    """

    rounds: int = 6
    points: int = 20_000
    draws: int = 4
    distinct: bool = True
    temperature: float = 0.5
    jobs: int = 1

    least: ClassVar[dict[str, float]] = {**TuningSettings.least, "rounds": 1, "points": 1, "draws": 1}


def tune_by_expert_iteration(
    model: MolVAE, train: SmilesDataset, settings: ExpertIterationSettings | None = None, report: Report | None = None
) -> list[dict[str, float]]:
    """Tune a model's decoder in place so that points drawn from N(0, I) decode to molecules.

    Parameters
    ----------
    model : MolVAE
        Trained. Its decoder changes, nothing else.
    train : SmilesDataset
        Training molecules, whose reconstruction is kept up meanwhile.
    settings : ExpertIterationSettings, optional
    report : callable, optional
        Told each round's row.

    Returns
    -------
    list of dict
        Per round: ``round``, ``valid`` (share of this round's texts that were molecules, before tuning on them), ``reached``
        (share of points with at least one), ``distinct`` (share of different ones among each point's best), ``loss_points`` and
        ``loss_reconstruction`` (nats per molecule), ``elapsed_s``.
    """
    settings = settings or ExpertIterationSettings()
    tuner = _Tuner(model, train, settings)
    rows = []
    try:
        for number in range(settings.rounds):
            rows.append(tuner.round(number))
            log.debug("prior tuning %s", rows[-1])
            if report is not None:
                report(rows[-1])
    finally:
        tuner.close()
    return rows


class _Tuner(DecoderTuner):
    """The state of :func:`tune_by_expert_iteration`."""

    settings: ExpertIterationSettings

    def __init__(self, model: MolVAE, train: SmilesDataset, settings: ExpertIterationSettings):
        super().__init__(model, train, settings, n_steps=settings.rounds * -(-settings.points // settings.batch_size))

    def round(self, number: int) -> dict[str, float]:
        """Write texts at new points, tune on the molecules among them."""
        s = self.settings
        z = draw_points(self.model, s.points, self.noise, s.seed * 1_000 + number)
        with self.average.applied():
            found, valid = self._write(z, s.seed + number)
        chosen = self._choose(found)
        reached = [i for i, text in enumerate(chosen) if text]
        targets = [chosen[i] for i in reached]
        losses = list(self._learn(z[reached], targets)) if targets else []
        means = {name: np.mean([one[name] for one in losses]) if losses else np.nan for name in ("points", "others")}
        return {
            "round": number + 1,
            "valid": valid,
            "reached": sum(map(bool, found)) / s.points,
            "distinct": len({text for texts in found for text in texts[:1]}) / max(1, sum(map(bool, found))),
            "loss_points": float(means["points"]),
            "loss_reconstruction": float(means["others"]),
            "elapsed_s": self.elapsed_s,
        }

    def _choose(self, found: list[list[str]]) -> list[str]:
        """Each point's target: its best text, or its best that no point before it has; "" where there is none."""
        if not self.settings.distinct:
            return [texts[0] if texts else "" for texts in found]
        taken, chosen = set(), []
        for texts in found:
            chosen.append(next((text for text in texts if text not in taken), ""))
            taken.add(chosen[-1])
        return chosen

    def _write(self, z: Tensor, seed: int) -> tuple[list[list[str]], float]:
        """Per point the molecules among its texts, in canonical form, and the share of texts that were one."""
        s = self.settings
        repeated = z.repeat_interleave(s.draws, dim=0)
        generator = torch.Generator().manual_seed(seed)
        ids, log_prob = self.model.decode_ids(repeated.to(self.model.device), s.temperature, generator)
        texts = self.model.vocabulary.decode_rows(ids.numpy())
        written = [text if done else "" for text, done in zip(texts, finished(ids).tolist(), strict=True)]
        valid = map_ordered(is_molecule, written, jobs=s.jobs, chunk=512)
        readable = self.model.vocabulary.complaint  # a text that its own vocabulary would cut otherwise is no example
        usable = [text if good and readable(text) is None else "" for text, good in zip(written, valid, strict=True)]
        per_token = log_prob / (ids != PAD).sum(dim=1).clamp(min=1)  # the sum would favour short texts, the same at many points
        best_first = per_token.view(-1, s.draws).argsort(dim=1, descending=True).tolist()
        found = [[one for j in order if (one := usable[i * s.draws + j])] for i, order in enumerate(best_first)]
        return found, float(np.mean(valid))

    def _learn(self, z: Tensor, targets: list[str]) -> Iterator[dict[str, float]]:
        """Points with their targets, each batch beside as many training molecules at draws from their posteriors."""
        s = self.settings
        points = SmilesDataset(targets, self.model.vocabulary)
        for index in points.order(0, s.batch_size, int(self.rng.integers(2**31))):
            others, own = self.training_molecules()
            yield self.step({"points": (points.batch(index), z[index], s.share), "others": (others, own, 1 - s.share)})
