"""A critic that tells a decoder's molecules from a data set's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from chemvae.seeding import draw_seed, seeded

WIDTH = 512
DROPOUT = 0.4
BATCH_SIZE = 512
LEARNING_RATE = 3e-4
FIRST_LEARNING_RATE = 1.5e-3
STEPS_A_ROUND = 2
KEPT_ROUNDS = 20  # of the decoder's molecules: what it wrote longer ago is no longer what it writes
WEIGHT_DECAY = 0.02


class Critic:
    """The log ratio of two densities over molecules, a data set's to a decoder's, by logistic regression of a network.

    A network that tells draws of the two apart as well as can be says log p_data(x) - log p_written(x) (Goodfellow et al. 2014,
    proposition 1). It sees features of molecules, such as the posterior means of their canonical form: what a molecule is, and
    not how it was come by.

    Parameters
    ----------
    real : Tensor [N, F]
        Features of the data set's molecules.
    seed : int

    Examples
    --------
    >>> noise = torch.Generator().manual_seed(0)
    >>> critic = Critic(torch.randn(2000, 2, generator=noise) + 2)
    >>> critic.begin(torch.randn(2000, 2, generator=noise) - 2, n_steps=200)
    >>> ratio = critic(torch.tensor([[2.0, 2.0], [-2.0, -2.0]]))
    >>> bool(ratio[0] > 4), bool(ratio[1] < -4)
    (True, True)
    """

    def __init__(self, real: Tensor, seed: int = 0):
        self.real, self.noise = real, torch.Generator().manual_seed(seed)
        with seeded(seed):
            self.net = nn.Sequential(
                nn.Linear(real.shape[1], WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Dropout(DROPOUT),
                nn.Linear(WIDTH, 1),
            )  # fmt: skip
        self.optimizer = torch.optim.AdamW(self.net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.rounds: list[Tensor] = []

    @torch.no_grad()
    def __call__(self, features: Tensor) -> Tensor:
        """Log ratio [N] at features [N, F]: positive where the data set's are denser."""
        return self.net.eval()(features)[:, 0]

    def begin(self, written: Tensor, n_steps: int) -> None:
        """Learn from many molecules that the decoder wrote, features [N, F]."""
        schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, FIRST_LEARNING_RATE, n_steps)
        for _ in range(n_steps):
            self._step(written, BATCH_SIZE)
            schedule.step()
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE

    def learn(self, written: Tensor) -> float:
        """Learn from molecules that it wrote just now and in the last rounds; return the loss (nats) on the new ones before."""
        self.rounds = [*self.rounds, written][-KEPT_ROUNDS:]
        both = torch.cat([self(self.real[self._some(self.real, len(written))]), -self(written)])
        loss = float(nn.functional.softplus(-both).mean())
        recent = torch.cat(self.rounds)
        for _ in range(STEPS_A_ROUND):
            self._step(recent, len(written))
        return loss

    def state(self) -> dict[str, Any]:
        """What going on needs beside the features of the last rounds' molecules."""
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "noise": self.noise.get_state()}

    def load(self, state: dict[str, Any], rounds: list[Tensor]) -> None:
        """Go on from what :meth:`state` gave, and the features [N, F] of the molecules of each of the last rounds."""
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.noise.set_state(state["noise"])
        self.rounds = rounds

    def _some(self, features: Tensor, n: int) -> Tensor:
        return torch.randint(len(features), (n,), generator=self.noise)

    def _step(self, written: Tensor, n: int) -> None:
        with seeded(draw_seed(self.noise, 2**31)):  # dropout draws from torch's own stream
            net = self.net.train()
            sides = net(self.real[self._some(self.real, n)])[:, 0], net(written[self._some(written, n)])[:, 0]
            loss = (nn.functional.softplus(-sides[0]).mean() + nn.functional.softplus(sides[1]).mean()) / 2
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
