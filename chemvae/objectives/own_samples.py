"""Teach the decoder, while the model trains, to write molecules wherever one may look, not only where training molecules lie.

Training molecules fill a thin part of latent space: their codes carry 100 nats where 25 would tell them apart, so almost every
draw from N(0, I), and many a step away from a molecule, lies between them, where no example ever says what to write. Here the
decoder makes its own examples. At many points it writes one text greedily, and where RDKit cannot read that, several more at a
low temperature; the readable one that is most probable per token becomes the target at that point, beside the ordinary
objective. Nothing is masked or repaired when the decoder is used.

The rule "train on your own successes" is that of expert iteration (Anthony et al. 2017, https://arxiv.org/abs/1705.08439). A
target is taken as it was written: its canonical form would teach the decoder another order of atoms than the one it has begun.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import is_molecule
from chemvae.data.tokens.datasets import Batch, SmilesDataset, TokenArray
from chemvae.data.tokens.vocabulary import PAD
from chemvae.models.decoding import finished
from chemvae.models.latent_space import find_prior
from chemvae.models.priors import quick_prior
from chemvae.models.vae import MolVAE, eval_mode
from chemvae.objectives.base import Loss, Objective, ObjectiveContext, ObjectiveWrapper
from chemvae.parallel import Workers

log = logging.getLogger(__name__)

N_POINTS = 24_000
"""Points written at in a refresh, unless fewer are needed before the next one."""
REFRESH_STEPS = 200
DRAWS = 4
TEMPERATURE = 0.7
EASY_SHARE = 0.33  # of the points whose greedy text is a molecule already: they keep the decoder where it is
POINTS_PER_MOLECULE = 1 / 3
WIDTHS = (0.1, 1.0)  # of steps away from a molecule, in standard deviations of the codes
RDKIT_BLOCK = 512


class OwnSamples(ObjectiveWrapper):
    """An objective, and beside it the cross-entropy of the decoder's own molecules at points drawn from latent space.

    total = objective + weight * mean over points of -log p(text | point)

    A third of the points are draws from N(0, I), a third from a learned prior fitted to the codes as they are, a sixth are
    steps away from the codes of training molecules, a sixth lies between two of them. There is one point for every three
    molecules of a batch.

    Parameters
    ----------
    objective : Objective
    train : SmilesDataset
        Training molecules.
    weight : float
        Of the points' mean cross-entropy.
    n_points : int
        Points written at in a refresh.
    jobs : int
        Worker processes for RDKit.
    seed : int

    Attributes
    ----------
    facts : dict
        Of the last refresh: ``valid`` share of greedy texts that are molecules, ``valid_normal`` and ``valid_learned`` the same
        at draws from N(0, I) and from the learned prior, ``kept`` targets.
    """

    refresh_steps = REFRESH_STEPS
    prefix = ""
    """Of what it keeps in a checkpoint."""

    def __init__(
        self, objective: Objective, train: SmilesDataset, weight: float, n_points: int = N_POINTS, jobs: int = 1, seed: int = 0
    ):
        super().__init__(objective)
        self.train, self.weight, self.n_points, self.seed = train, weight, n_points, seed
        self.facts: dict[str, float] = {}
        self._z = torch.empty(0, 0)
        self._tokens = TokenArray.from_smiles([], train.vocabulary)
        self._jobs = jobs
        self._workers: Workers | None = None

    @classmethod
    def from_settings(cls, context: ObjectiveContext, **settings: Any) -> OwnSamples:
        s = context.settings
        n_points = round(2 * cls.refresh_steps * s.batch_size * POINTS_PER_MOLECULE)  # about half become targets
        return cls(train=context.train, n_points=n_points, jobs=context.jobs, seed=s.seed, **settings)

    def __call__(self, model: MolVAE, batch: Batch, step: int, phase: str, generator: torch.Generator | None = None) -> Loss:
        loss = self.objective(model, batch, step, phase, generator)
        n = self.n_beside(batch)
        if not n:
            return loss
        z, points = self.draw(n, model.device, generator)
        cross_entropy = -model.log_px_z(z, points, generator).mean()
        parts = {**loss.parts, "points": cross_entropy.detach()}
        return Loss(loss.total + self.weight * cross_entropy, parts)

    def n_beside(self, batch: Batch) -> int:
        """How many points go with a batch."""
        return min(len(self._z), max(1, round(len(batch) * POINTS_PER_MOLECULE)))

    def draw(self, n: int, device: torch.device, generator: torch.Generator | None) -> tuple[Tensor, Batch]:
        """n neighbours in order of length, so that hardly any padding is computed."""
        source = generator.device if generator is not None else "cpu"
        start = int(torch.randint(len(self._z) - n + 1, (1,), generator=generator, device=source))
        ids, lengths = self._tokens.rows(np.arange(start, start + n))
        return self._z[start : start + n].to(device), Batch(ids, lengths, torch.zeros(n, 0)).to(device)

    # ---------------------------------------------------------------- writing the targets

    @torch.no_grad()
    def refresh(self, model: MolVAE, step: int) -> None:
        """Write new targets with the model as it is."""
        with eval_mode(model):
            rng = np.random.default_rng((self.seed, step))
            points = self.points(model, rng)
            z = torch.cat(list(points.values()))
            texts, valid = self.write(model, z, 0.0, int(rng.integers(2**31)))
            easy = np.flatnonzero(valid[:, 0] & (rng.random(len(z)) < EASY_SHARE))
            hard = np.flatnonzero(~valid[:, 0])
            more, readable = self.write(model, z[hard], TEMPERATURE, int(rng.integers(2**31)), DRAWS)
            found = {int(i): [texts[i][0]] for i in easy}
            found |= {int(i): [t for t, ok in zip(more[k], readable[k], strict=True) if ok] for k, i in enumerate(hard)}
            self.keep(model, z, found)
            self.facts = {"valid": valid.mean(), "kept": float(len(self._z))}
            ends = np.cumsum([len(part) for part in points.values()])
            for name, part in zip(points, np.split(valid, ends[:-1]), strict=True):
                self.facts[f"valid_{name}"] = part.mean()
            log.info("points at step %d: %s", step, self.facts)

    def points(self, model: MolVAE, rng: np.random.Generator) -> dict[str, Tensor]:
        """Where to write [n, D], by kind: n_points in all."""
        n_learned, n_step = self.n_points // 3, self.n_points // 6
        n_between = n_step
        n_normal = self.n_points - n_learned - n_step - n_between
        draw = torch.Generator().manual_seed(int(rng.integers(2**31)))
        chosen = rng.integers(len(self.train), size=n_step + 2 * n_between)
        codes = model.posterior(self.train.smiles.take(chosen), canonicalize=False).draw(1, draw)[0][0]
        learned = quick_prior(model.settings.fitted_prior, model.posterior_family).fit(codes.numpy(), int(rng.integers(2**31)))
        low, high = WIDTHS
        width = torch.from_numpy(rng.uniform(low, high, (n_step, 1)).astype(np.float32))
        start, first, second = codes.split([n_step, n_between, n_between])
        return {
            "normal": find_prior(model, "normal").sample(n_normal, draw).cpu(),
            "learned": learned.sample(n_learned, draw),
            "step": model.latent_space.perturb(start, width * codes.std(dim=0), draw),
            "between": model.latent_space.project(_between(first, second, rng)),
        }

    def write(self, model: MolVAE, z: Tensor, temperature: float, seed: int, draws: int = 1) -> tuple[list, np.ndarray]:
        """Texts [N][draws] of each point, the most probable per token first, and which are molecules [N, draws]."""
        if not len(z):
            return [], np.zeros((0, draws), dtype=bool)
        repeated = z.repeat_interleave(draws, dim=0).to(model.device)
        ids, log_prob = model.decode_ids(repeated, temperature, torch.Generator(model.device).manual_seed(seed))
        per_token = log_prob / (ids != PAD).sum(dim=1).clamp(min=1)  # the sum would favour short texts
        order = per_token.view(-1, draws).argsort(dim=1, descending=True)
        rows = (order + draws * torch.arange(len(z))[:, None]).flatten()
        done = finished(ids)[rows].tolist()
        texts = [text if ok else "" for text, ok in zip(model.vocabulary.decode_rows(ids[rows].numpy()), done, strict=True)]
        valid = np.array(self._check(texts), dtype=bool).reshape(-1, draws)
        return [texts[i : i + draws] for i in range(0, len(texts), draws)], valid

    def _check(self, texts: list[str]) -> list[bool]:
        if self._workers is None:
            self._workers = Workers(is_molecule, self._jobs)
        answers = [self._workers.submit(texts[i : i + RDKIT_BLOCK]) for i in range(0, len(texts), RDKIT_BLOCK)]
        return [one for answer in answers for one in answer.result()]

    def keep(self, model: MolVAE, z: Tensor, found: dict[int, list[str]]) -> None:
        """Take each point's best text that no point before it took (else a few short ones spread), sorted by length."""
        readable = model.vocabulary.complaint  # a text that its own vocabulary would cut otherwise is no example
        taken: set[str] = set()
        rows, targets = [], []
        for row, texts in found.items():
            target = next((text for text in texts if text not in taken and readable(text) is None), None)
            if target is not None:
                taken.add(target)
                rows.append(row)
                targets.append(target)
        tokens = TokenArray.from_smiles(targets, model.vocabulary)
        order = np.argsort(tokens.lengths, kind="stable")
        self._z = z[np.array(rows, dtype=int)[order]]
        self._tokens = TokenArray.from_smiles([targets[i] for i in order], model.vocabulary)

    def close(self) -> None:
        """End the worker processes."""
        super().close()
        if self._workers is not None:
            self._workers.__exit__()
            self._workers = None

    # ---------------------------------------------------------------- going on after an interruption

    def state(self) -> dict[str, Tensor]:
        """Return the points and their targets as they are now."""
        ids, lengths = self._tokens.rows(np.arange(len(self._tokens)))
        own = {"z": self._z, "ids": ids.to(torch.uint8), "lengths": lengths}
        return {**self.objective.state(), **{self.prefix + name: value for name, value in own.items()}}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take what :meth:`state` returned."""
        self.objective.load(state)
        texts = self.train.vocabulary.decode_rows(state[self.prefix + "ids"].numpy())
        self._z, self._tokens = state[self.prefix + "z"], TokenArray.from_smiles(texts, self.train.vocabulary)


def _between(a: Tensor, b: Tensor, rng: np.random.Generator) -> Tensor:
    """Points on the way from a to b [N, D], as far from the centre as the way is from molecule to molecule."""
    share = torch.from_numpy(rng.random((len(a), 1)).astype(np.float32))
    line = (1 - share) * a + share * b
    length = (1 - share) * a.norm(dim=1, keepdim=True) + share * b.norm(dim=1, keepdim=True)
    return line * (length / line.norm(dim=1, keepdim=True).clamp(min=1e-6))
