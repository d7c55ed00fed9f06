"""Reward a trained decoder for what it writes at draws from the priors: molecules, and ones like the training set's.

Between the codes of molecules a decoder writes as a language model does: each token is likely, and one text in seven is no
molecule, or an odd one. No example says what should stand there instead, but every text can be judged once it is written. RDKit
says whether it is a molecule; a critic (:mod:`chemvae.training.tuning.critic`) says how much likelier the molecule is among the
training molecules than among the decoder's own, from its code and its atom environments; and the encoder says whether the text
tells at which point it was written, so that the decoder goes on reading z where a language model would do. Several texts are
written at each point, and those that are judged better than the others there are made likelier, worse ones less likely:

    gradient = mean over texts x_k at z of (R(x_k) - mean of the other R(x_j)) * gradient of log p(x_k | z)

(REINFORCE with the others as its baseline, Kool et al. 2019, https://openreview.net/forum?id=r1lgTGL5DE). The critic learns on
as the decoder changes, as in adversarial training (Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; for texts Yu et
al. 2017, https://arxiv.org/abs/1609.05473). Texts whose advantage is next to nothing are left out of the mean. Beside it the
decoder goes on reading molecules at draws from their posteriors, which keeps reconstruction, and training molecules at noised
codes. Nothing is masked, repaired or turned down when it is used.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.fingerprints import folded_counts, ring_counts
from chemvae.chem.molecules import parse
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.errors import NothingUsableError
from chemvae.models.vae import MolVAE
from chemvae.parallel import limited_threads
from chemvae.training.tuning.base import DecoderTuner, Keeper, Report, TuningSettings, draw_points, write
from chemvae.training.tuning.critic import KEPT_ROUNDS, Critic

log = logging.getLogger(__name__)

SMALLEST_ADVANTAGE = 0.05  # texts nearer to the others' mean reward say nothing worth their time
MOLECULES_PER_NOISED = 3
REPORT_EVERY = 10


@dataclass(frozen=True)
class ReinforceSettings(TuningSettings):
    """How long and how hard, beside what every :class:`~chemvae.training.tuning.base.TuningSettings` says.

    Attributes
    ----------
    rounds : times that texts are written and learned from.
    points : latent points per round.
    draws : texts written at each, at temperature 1; at least 2.
    learned_share : of a round's points from the learned prior, where there is one; the rest from N(0, I).
    realism : most that a molecule is rewarded for looking like a training molecule, of a reward of at most 1; the rest it has
        for being one. 0 does without a critic.
    own_code : most that a molecule is rewarded for telling at which point it was written (:func:`told_share`), of the same 1.
    invalid : reward of a text that is no molecule.
    critic_points, critic_steps : texts from which the critic learns before the first round, and for how many steps.
    critic_molecules : most training molecules that it compares them with.
    fingerprint_bits : places of the folded counts of atom environments (Morgan, radius 2). Codes say more about a molecule's
        spelling than about what is odd in it, so the critic sees these, too, and how many rings of which size there are. 0 for
        codes alone.
    noised : weight, beside the others, of every third of a batch of training molecules at a noised code, half of the steps
        towards each prior.
    noise_exponent : of the noised codes, as in :class:`~chemvae.training.tuning.noised_codes.NoisedCodeSettings`.
    """

    rounds: int = 300
    points: int = 384
    draws: int = 4
    batch_size: int = 192
    learning_rate: float = 2e-4
    ema_decay: float = 0.99
    learned_share: float = 0.5
    realism: float = 0.4
    own_code: float = 0.0
    invalid: float = -0.8
    critic_points: int = 60_000
    critic_steps: int = 1_500
    critic_molecules: int = 60_000
    fingerprint_bits: int = 1024
    noised: float = 0.05
    noise_exponent: float = 1.0

    least: ClassVar[dict[str, float]] = {
        **TuningSettings.least, "rounds": 1, "points": 1, "draws": 2, "critic_points": 1, "critic_steps": 1,
        "critic_molecules": 1, "fingerprint_bits": 0, "noised": 0,
    }  # fmt: skip
    shares: ClassVar[tuple[str, ...]] = ("realism", "own_code", "learned_share")
    positive: ClassVar[tuple[str, ...]] = (*TuningSettings.positive, "noise_exponent")

    def complaints(self) -> list[str]:
        found = super().complaints()
        if not found and self.realism + self.own_code > 1:
            found.append(f"realism and own_code are shares of one reward, got {self.realism} + {self.own_code} > 1")
        return found


def tune_by_reinforce(
    model: MolVAE,
    train: SmilesDataset,
    settings: ReinforceSettings | None = None,
    report: Report | None = None,
    reconstruction_data: SmilesDataset | None = None,
    keeper: Keeper | None = None,
) -> list[dict[str, float]]:
    """Tune a model's decoder in place so that texts sampled at draws from its priors are molecules like the training set's.

    Parameters
    ----------
    model : MolVAE
        Trained. Its decoder changes, nothing else.
    train : SmilesDataset
        Training molecules: what is rewarded is likeness to them.
    settings : ReinforceSettings, optional
    report : callable, optional
        Told each row.
    reconstruction_data : SmilesDataset, optional
        Molecules whose reconstruction is trained beside it, by default ``train``.
    keeper : Keeper, optional
        Keeps what is reached, and may end the tuning early.

    Returns
    -------
    list of dict
        Per ten rounds: ``round``, ``valid`` (share of texts that were molecules), ``reward`` (mean), ``distinct`` (share of
        different ones among the molecules), ``told`` (mean :func:`told_share`; NaN where nothing asks for it), ``critic_loss``
        (nats; 0.69 where it cannot tell them apart), ``loss_others`` and ``loss_noised`` (nats per molecule; NaN where no text
        told anything), ``elapsed_s``.

    Raises
    ------
    NothingUsableError
        If the decoder writes no molecule from which a critic could learn.
    """
    settings = settings or ReinforceSettings()
    tuner = _Tuner(model, train, settings, reconstruction_data, keeper)
    try:
        while tuner.n_rounds < settings.rounds and not tuner.take_round(report):
            pass
    finally:
        tuner.close()
    return tuner.rows


def _mean(values: list[float]) -> float:
    """The mean of those that are not NaN; NaN if there is none."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def told_share(codes: Tensor, own: Tensor, points: Tensor) -> Tensor:
    """How much the codes of molecules tell of the points that they were written at, as a share of all there is to tell.

    Parameters
    ----------
    codes : Tensor [N, D]
        Of the molecules.
    own : Tensor [N]
        The number of the point that each was written at.
    points : Tensor [P, D]

    Returns
    -------
    Tensor [N]
        1 - log(rank) / log(P), the rank being the own point's among all by their distance from the code: 1 where it is the
        nearest, 0 where it is the farthest, and 1 / log(P) on the average where the code tells nothing.

    Examples
    --------
    >>> points = torch.tensor([[0.0], [1.0], [5.0]])
    >>> told_share(torch.tensor([[0.1], [0.1], [0.1]]), torch.tensor([0, 1, 2]), points).tolist()
    [1.0, 0.36907023191452026, 0.0]
    """
    distance = torch.cdist(codes, points)
    rank = 1 + (distance < distance.gather(1, own[:, None])).sum(dim=1)
    return 1 - rank.log() / math.log(max(2, len(points)))


def _readable(features: Tensor) -> tuple[Tensor, Tensor]:
    """Features [n, F] of those that have any, and which they are [N] bool.

    RDKit writes a canonical form now and then that it does not read; what has no features is judged as no molecule.
    """
    kept = features.isfinite().all(dim=1)
    return features[kept], kept


class _Tuner(DecoderTuner):
    """The state of :func:`tune_by_reinforce`."""

    settings: ReinforceSettings

    def __init__(
        self,
        model: MolVAE,
        train: SmilesDataset,
        settings: ReinforceSettings,
        reconstruction_data: SmilesDataset | None = None,
        keeper: Keeper | None = None,
    ):
        n_steps = settings.rounds * -(-settings.points * settings.draws // settings.batch_size)
        super().__init__(model, train, settings, n_steps, reconstruction_data, keeper)
        self.writing, self.n_rounds = torch.Generator().manual_seed(settings.seed + 1), 0
        self.untold: list[dict[str, float]] = []  # rounds since the last row
        self.judged: list[list[str]] = []  # molecules that the critic has learned from, round by round
        try:
            state = keeper.restore() if keeper else None
            self.critic = self._first_critic(is_new=state is None) if settings.realism else None
            if state is not None:
                self.load(state)
        except BaseException:
            self.close()
            raise

    def state(self) -> dict[str, Any]:
        own = {"n_rounds": self.n_rounds, "writing": self.writing.get_state(), "judged": self.judged}
        return {**super().state(), **own, "critic": {} if self.critic is None else self.critic.state()}

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.n_rounds, self.judged = state["n_rounds"], state["judged"]
        self.writing.set_state(state["writing"])
        if self.critic is not None:
            self.critic.load(state["critic"], [self._features(molecules) for molecules in self.judged])

    def _first_critic(self, *, is_new: bool = True) -> Critic:
        """A critic of the training molecules, and, if it is new, taught what the decoder writes."""
        s = self.settings
        some = self.train.shuffled(self.rng)[: s.critic_molecules]
        critic = Critic(_readable(self._features(self.train.smiles.take(some)))[0], s.seed)
        if not is_new:
            return critic
        z = self._points(s.critic_points, 999)
        written = [one for one in self._write(z)[1] if one]
        features = _readable(self._features(written))[0] if written else torch.empty(0)
        if not len(features):
            raise NothingUsableError(
                f"none of {s.critic_points} texts that the decoder wrote at draws from its priors is a molecule, so a critic"
                " has nothing to learn from; train the model longer, or tune it with realism=0 first"
            )
        with limited_threads(1):
            critic.begin(features, s.critic_steps)
        return critic

    def take_round(self, report: Report | None) -> bool:
        """Take a round, tell of the last ten where it is time to; whether the tuning is to end here."""
        self.untold.append(self.round(self.n_rounds))
        self.n_rounds += 1
        ends = self.kept()
        if ends or self.n_rounds % REPORT_EVERY == 0 or self.n_rounds == self.settings.rounds:
            means = {name: _mean([one[name] for one in self.untold]) for name in self.untold[0]}
            self.rows.append({"round": self.n_rounds, **means, "elapsed_s": self.elapsed_s})
            self.untold = []
            log.debug("reward tuning %s", self.rows[-1])
            if report is not None:
                report(self.rows[-1])
        return ends

    def round(self, number: int) -> dict[str, float]:
        """Write at new points, judge, and learn from what differs at the same point."""
        s = self.settings
        z = self._points(s.points, number).repeat_interleave(s.draws, dim=0)
        texts, molecules = self._write(z)
        rewards, told, critic_loss = self._judge(molecules, z)
        each = rewards.view(-1, s.draws)
        advantage = (each - (each.sum(dim=1, keepdim=True) - each) / (s.draws - 1)).flatten()
        readable = self.model.vocabulary.complaint  # a text that its own vocabulary would cut otherwise is no example
        telling = (advantage.abs() > SMALLEST_ADVANTAGE).tolist()
        usable = [i for i, text in enumerate(texts) if text and telling[i] and readable(text) is None]
        losses = self._learn(z[usable], [texts[i] for i in usable], advantage[usable]) if usable else []
        known = [one for one in molecules if one]
        return {
            "valid": len(known) / len(texts),
            "reward": float(rewards.mean()),
            "distinct": len(set(known)) / max(1, len(known)),
            "told": told,
            "critic_loss": critic_loss,
            **{f"loss_{name}": _mean([one[name] for one in losses]) for name in ("others", "noised")},
        }

    def _points(self, n: int, number: int) -> Tensor:
        s = self.settings
        return draw_points(self.model, n, self.noise, s.seed * 1_000 + number, s.learned_share)

    def _write(self, z: Tensor) -> tuple[list[str], list[str | None]]:
        """One text per point and its molecule, drawn from this tuning's own stream."""
        return write(self.model, z, self.writing)

    def _features(self, smiles: list[str]) -> Tensor:
        """What the critic sees of molecules, [N, D + bits + 6]: codes, and log(1 + count) of environments and ring sizes."""
        self.model.eval()
        codes = torch.from_numpy(self.model.encode(smiles, canonicalize=False))
        if not self.settings.fingerprint_bits:
            return codes
        molecules = [parse(one) for one in smiles]
        environments = folded_counts(molecules, n_bits=self.settings.fingerprint_bits)
        counts = np.concatenate([environments, ring_counts(molecules)], axis=1)
        return torch.cat([codes, torch.from_numpy(counts).log1p()], dim=1)

    def _judge(self, molecules: list[str | None], z: Tensor) -> tuple[Tensor, float, float]:
        """Rewards [N] of molecules written at z [N, D]; how much they tell of it; the loss of the critic, which then learns."""
        s = self.settings
        rewards = torch.full((len(molecules),), s.invalid)
        valid = [i for i, one in enumerate(molecules) if one]
        if not valid or not (s.realism or s.own_code):
            rewards[valid] = 1.0
            return rewards, math.nan, 0.0
        known = [one for one in molecules if one]
        features, kept = _readable(self._features(known))
        if not len(features):
            return rewards, math.nan, math.nan
        rows, critic_loss = torch.tensor(valid)[kept], 0.0
        told = told_share(features[:, : self.model.latent_dim], rows // s.draws, z[:: s.draws])
        rewards[rows] = 1 - s.realism - s.own_code + s.own_code * told
        if self.critic is not None:
            with limited_threads(1):
                rewards[rows] += s.realism * torch.sigmoid(self.critic(features))
                critic_loss = self.critic.learn(features)
            readable = [one for one, is_kept in zip(known, kept.tolist(), strict=True) if is_kept]
            self.judged = [*self.judged, readable][-KEPT_ROUNDS:]
        return rewards, float(told.mean()), critic_loss

    def _learn(self, z: Tensor, texts: list[str], advantage: Tensor) -> list[dict[str, float]]:
        """Steps over this round's texts in a random order, each beside training molecules, at their own codes and noised."""
        s = self.settings
        points, losses = SmilesDataset(texts, self.model.vocabulary), []
        parts = torch.from_numpy(self.rng.permutation(len(texts))).split(s.batch_size)
        if len(parts) > 1 and len(parts[-1]) < s.batch_size // 2:
            parts = parts[:-1]  # a few texts are all noise
        for index in parts:
            (others, own), (molecules, codes) = self.reconstruction(), self.training_molecules()
            noised = self.noised(codes[::MOLECULES_PER_NOISED], noise_exponent=s.noise_exponent)
            groups: dict[str, tuple[Batch, Tensor, float | Tensor]] = {
                "points": (points.batch(index.numpy()), z[index], s.share * advantage[index]),
                "others": (others, own, 1 - s.share),
                "noised": (molecules.part(0, MOLECULES_PER_NOISED), noised, s.noised),
            }
            losses.append(self.step(groups))
        return losses
