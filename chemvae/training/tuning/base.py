"""What the ways of tuning a trained decoder share: it learns texts at latent points, beside the training molecules.

Encoder, posterior and predictor stay as they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn

from chemvae.chem.molecules import canonicalize
from chemvae.data.tokens.datasets import Batch, SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.decoding import finished
from chemvae.models.latent_space import draw_prior, find_prior
from chemvae.models.priors import Prior, noised_codes
from chemvae.models.vae import MolVAE
from chemvae.objectives import Loss
from chemvae.schedules import cosine_decay
from chemvae.training.data_parallel import DataParallel
from chemvae.training.ema import WeightAverage
from chemvae.training.optim import make_optimizer

Report = Callable[[dict[str, float]], None]
LAST_SHARE = 0.01  # of the learning rate, at the end
WARMUP_STEPS = 50


@dataclass(frozen=True)
class TuningSettings:
    """How hard a decoder is tuned at latent points.

    Attributes
    ----------
    batch_size : training molecules in a step, and as many points beside them.
    learning_rate : at its highest; rises over the first steps, then falls along half a cosine to the end.
    share : weight of the points in the loss, the rest being reconstruction.
    clip_norm, ema_decay, weight_decay : as in training.
    threads : CPU threads; 0 takes torch's choice.
    seed : of everything random.
    """

    batch_size: int = 64
    learning_rate: float = 3e-4
    share: float = 0.3
    clip_norm: float = 5.0
    ema_decay: float = 0.995
    weight_decay: float = 1e-4
    threads: int = 0
    seed: int = 0

    least: ClassVar[dict[str, float]] = {"batch_size": 1}
    """Settings that must be at least so large."""
    shares: ClassVar[tuple[str, ...]] = ()
    """Settings that must lie in [0, 1]."""
    positive: ClassVar[tuple[str, ...]] = ("learning_rate",)
    """Settings that must be above 0."""

    def complaints(self) -> list[str]:
        """Say what is wrong with these settings, all at once."""
        value = vars(self)
        found = [f"{name} must be >= {n}, got {value[name]}" for name, n in self.least.items() if value[name] < n]
        found += [f"{name} must lie in [0, 1], got {value[name]}" for name in self.shares if not 0 <= value[name] <= 1]
        if not 0 < self.share < 1:
            found.append(f"share must lie between 0 and 1, got {self.share}")
        return found + [f"{name} must be > 0, got {value[name]}" for name in self.positive if not value[name] > 0]

    def __post_init__(self) -> None:
        if found := self.complaints():
            raise SettingsError(found)


@dataclass
class PointBatch(Batch):
    """A batch of several groups, each of whose rows knows its latent point.

    ``z`` [B, D]; ``group`` [B], the number of the group; ``weight`` [B], of the row in the loss, such that the batch's mean of
    weight times cross-entropy is the sum over groups of their share times their mean.
    """

    z: Tensor = field(kw_only=True)
    group: Tensor = field(kw_only=True)
    weight: Tensor = field(kw_only=True)


def join(groups: Sequence[tuple[Batch, Tensor, float | Tensor]]) -> PointBatch:
    """Make one batch of groups: each a batch, its points z [B, D] and its share of the loss (a number, or one per row [B])."""
    batches, points, shares = zip(*groups, strict=True)
    total, width = sum(map(len, batches)), max(one.token_ids.shape[1] for one in batches)
    tokens = [nn.functional.pad(one.token_ids, (0, width - one.token_ids.shape[1])) for one in batches]
    lengths = torch.cat([one.lengths for one in batches])
    group = torch.cat([torch.full((len(one),), number) for number, one in enumerate(batches)])
    weight = torch.cat(
        [torch.as_tensor(share) * torch.full((len(one),), total / len(one)) for one, share in zip(batches, shares, strict=True)]
    )
    return PointBatch(torch.cat(tokens), lengths, torch.zeros(total, 0), z=torch.cat(points), group=group, weight=weight)


def draw_points(model: MolVAE, n: int, noise: torch.Generator, seed: int, learned_share: float = 0.5) -> Tensor:
    """Draw z [n, D] from the posterior family's own prior, and a share of them from the learned prior where one is fitted."""
    n_learned = int(n * learned_share) if model.latent_statistics.is_fitted else 0
    z = find_prior(model, "normal").sample(n - n_learned, noise).cpu()
    if not n_learned:
        return z
    return torch.cat([z, draw_prior(model, n_learned, "learned", seed).cpu()])


@torch.no_grad()
def write(model: MolVAE, z: Tensor, generator: torch.Generator) -> tuple[list[str], list[str | None]]:
    """One text per point z [N, D] at temperature 1, "" where it does not end, and its molecule in canonical form, or None.

    A canonical form that the model's own vocabulary would not read is no molecule here.
    """
    ids, _ = model.decode_ids(z.to(model.device), 1.0, generator)
    texts = [
        text if done else ""
        for text, done in zip(model.vocabulary.decode_rows(ids.numpy()), finished(ids).tolist(), strict=True)
    ]
    molecules = [canonicalize(text) if text else None for text in texts]
    return texts, [one if one and model.vocabulary.complaint(one) is None else None for one in molecules]


class Keeper(Protocol):
    """Keeps what a tuning has reached, and says when it is to end."""

    def restore(self) -> dict[str, Any] | None:
        """What was kept last; None at the beginning."""

    def offer(self, state: Callable[[], dict[str, Any]]) -> bool:
        """Keep ``state()`` if it is time to; whether the tuning is to end here."""

    def time_share(self, elapsed_s: float) -> float:
        """Of the time that the tuning may take, what is over; 0 where it may take any."""


class _Batches:
    """Batches of a data set without end, pass after pass; it knows where it stands."""

    def __init__(self, data: SmilesDataset, batch_size: int, seed: int, rng: np.random.Generator):
        self.data, self.batch_size, self.seed, self.rng = data, batch_size, seed, rng
        self.at(0, data.n_batches(batch_size))

    def at(self, epoch: int, number: int) -> None:
        """Go on with this batch of this pass."""
        self.epoch, self.number = epoch, number
        self._left = self.data.epoch(epoch, self.batch_size, self.seed, start=number)

    def __next__(self) -> Batch:
        if self.number >= self.data.n_batches(self.batch_size):
            self.at(int(self.rng.integers(2**31)), 0)
        self.number += 1
        return next(self._left)


class DecoderTuner:
    """A decoder under training at latent points: optimizer, average of the weights, threads, and the training molecules.

    Parameters
    ----------
    model : MolVAE
        Its decoder is unfrozen here and holds the averaged weights, frozen, after :meth:`close`.
    train : SmilesDataset
    settings : TuningSettings
    n_steps : int
        Over which the learning rate falls.
    reconstruction_data : SmilesDataset, optional
        Molecules at their own codes in each step, by default those of ``train``.
    keeper : Keeper, optional
        Where the time that the tuning may take is shorter than its steps need, the learning rate falls with the time.
    """

    def __init__(
        self,
        model: MolVAE,
        train: SmilesDataset,
        settings: TuningSettings,
        n_steps: int,
        reconstruction_data: SmilesDataset | None = None,
        keeper: Keeper | None = None,
    ):
        self.model, self.train, self.settings, self.n_steps, self.keeper = model, train, settings, n_steps, keeper
        self.started, self.n_done = time.monotonic(), 0
        self.rows: list[dict[str, float]] = []
        decoder = model.decoder.requires_grad_(True).train()
        self.optimizer = make_optimizer(decoder, settings.learning_rate, settings.weight_decay)
        self.average = WeightAverage(decoder, settings.ema_decay)
        self.rng = np.random.default_rng(settings.seed)
        self.noise = torch.Generator().manual_seed(settings.seed)
        self.parallel = DataParallel(decoder, settings.threads or torch.get_num_threads(), settings.seed)
        others = [] if reconstruction_data is None else [reconstruction_data]
        self._streams = [_Batches(one, settings.batch_size, settings.seed, self.rng) for one in (train, *others)]

    def close(self) -> None:
        """End the threads; the model is left with the averaged weights."""
        self.parallel.close()
        self.average.copy_to_model()
        self.model.eval().requires_grad_(False)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return round(time.monotonic() - self.started, 1)

    def training_molecules(self) -> tuple[Batch, Tensor]:
        """Return the next batch of training molecules and draws z [B, D] from their posteriors."""
        return self._drawn(next(self._streams[0]))

    def reconstruction(self) -> tuple[Batch, Tensor]:
        """Return the next batch of molecules whose reconstruction is trained, and draws z [B, D] from their posteriors."""
        return self._drawn(next(self._streams[-1]))

    @torch.no_grad()
    def _drawn(self, batch: Batch) -> tuple[Batch, Tensor]:
        return batch, self.model.posterior_of(batch).draw(1, self.noise)[0][0]

    def state(self) -> dict[str, Any]:
        """All that going on needs: tensors, numbers and text."""
        return {
            "decoder": self.model.decoder.state_dict(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "rng": json.dumps(self.rng.bit_generator.state),
            "noise": self.noise.get_state(),
            "batches": [[one.epoch, one.number] for one in self._streams],
            "n_done": self.n_done,
            "elapsed_s": self.elapsed_s,
            "rows": self.rows,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        self.model.decoder.load_state_dict(state["decoder"])
        self.average.load(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.noise.set_state(state["noise"])
        for stream, place in zip(self._streams, state["batches"], strict=True):
            stream.at(*place)
        self.n_done, self.rows = state["n_done"], state["rows"]
        self.started = time.monotonic() - state["elapsed_s"]

    def kept(self) -> bool:
        """Let the keeper keep what is reached; whether the tuning is to end here."""
        return self.keeper is not None and self.keeper.offer(self.state)

    @property
    def place(self) -> float:
        """Steps that are done, or as many as the time that is over stands for, where that runs out first."""
        by_time = 0.0 if self.keeper is None else self.keeper.time_share(time.monotonic() - self.started)
        return min(self.n_steps, max(self.n_done, by_time * self.n_steps))

    def noised(self, z: Tensor, learned_share: float = 0.5, noise_exponent: float = 1.0) -> Tensor:
        """Codes z [B, D] at random levels of noise, all towards one of the priors; the learned one with this chance."""
        learned = self.model.latent_statistics.is_fitted and self.rng.random() < learned_share
        prior = cast(Prior, find_prior(self.model, "learned" if learned else "normal"))
        return noised_codes(z, prior, self.noise, noise_exponent)

    def step(self, groups: dict[str, tuple[Batch, Tensor, float | Tensor]]) -> dict[str, float]:
        """Take one step of AdamW on groups that :func:`join` understands; return each group's mean cross-entropy (nats)."""
        s, batch = self.settings, join(list(groups.values()))
        for group in self.optimizer.param_groups:
            warmup = min(WARMUP_STEPS, self.n_steps // 10)
            group["lr"] = s.learning_rate * cosine_decay(self.place, self.n_steps, warmup, LAST_SHARE)

        def loss_of(part: PointBatch, noise: torch.Generator) -> Loss:
            losses = -self.model.log_px_z(part.z, part, noise)
            own = {
                name: (losses.detach() * (part.group == number)).mean() * (len(batch) / len(groups[name][0]))
                for number, name in enumerate(groups)
            }
            return Loss((losses * part.weight).mean(), own)

        loss = self.parallel.backward(batch, loss_of, self.n_done)
        self.n_done += 1
        self.parallel.update(self.optimizer, s.clip_norm, self.average, self.n_done)
        return {name: float(loss.parts[name]) for name in groups}
