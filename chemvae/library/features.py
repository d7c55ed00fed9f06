"""All that a library keeps of a molecule, computed for some at a time: here, in worker processes, or on a Ray cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chemvae.chem.descriptors import compute_columns
from chemvae.errors import LostWorkerError
from chemvae.library.shard import Molecules
from chemvae.parallel import WAITING_PER_WORKER, Answer, Workers

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

SHARE = 512  # molecules a worker takes at a time: one batch of the encoder
TRIES = 4  # of a share whose worker was lost
Found = tuple[np.ndarray, dict[str, np.ndarray]]
"""Points [n, D], and columns by name."""


@dataclass(frozen=True)
class Featurize:
    """What a worker does: n canonical SMILES -> their points, fingerprints and properties."""

    model: MolVAE
    computed: tuple[str, ...]
    """Properties in the table's spelling."""

    def __call__(self, smiles: list[str]) -> Found:
        columns = compute_columns((smiles, [*self.computed, "morgan", "pattern"]))
        return self.model.encode(smiles, canonicalize=False), columns


@dataclass(frozen=True)
class Piece:
    """Some rows of a source on their way into the library."""

    smiles: list[str]
    """Canonical, each once."""
    ids: list[str | None]
    given: dict[str, np.ndarray]
    """Properties that the source tells: name -> float64 [n]."""


class _Asked:
    """A piece, and what workers were asked for; molecules of like length are encoded together."""

    def __init__(self, piece: Piece, workers: Workers):
        self.piece, self._workers = piece, workers
        self.order = np.argsort([len(one) for one in piece.smiles], kind="stable")
        texts = [piece.smiles[i] for i in self.order.tolist()]
        shares = [texts[start : start + SHARE] for start in range(0, len(texts), SHARE)]
        self._asked: list[tuple[list[str], Answer]] = [(share, workers.submit([share])) for share in shares]

    def __len__(self) -> int:
        return len(self._asked)

    def result(self) -> Molecules:
        found = [self._wait(share, answer) for share, answer in self._asked]
        back = np.argsort(self.order)
        points = np.concatenate([one[0] for one in found])[back]
        columns = {name: np.concatenate([one[1][name] for one in found])[back] for name in found[0][1]}
        bits = {name: columns.pop(name) for name in ("morgan", "pattern")}
        return Molecules(self.piece.smiles, self.piece.ids, points, **bits, properties=columns | self.piece.given)

    def _wait(self, share: list[str], answer: Answer) -> Found:
        """The answer; a share whose worker was lost is handed out again, since computing it twice changes nothing."""
        for _ in range(TRIES - 1):
            try:
                return answer.result()[0]
            except LostWorkerError:
                answer = self._workers.submit([share])
        return answer.result()[0]


def stream_features(pieces: Iterable[Piece], workers: Workers) -> Iterator[Molecules | None]:
    """Yield what a library keeps of the molecules of each piece, in order; None for an empty one.

    Only as many pieces are in memory as keep the workers busy.
    """
    waiting: deque[_Asked | None] = deque()
    for piece in pieces:
        waiting.append(_Asked(piece, workers) if piece.smiles else None)
        while len(waiting) > 1 and sum(len(one or ()) for one in waiting) > WAITING_PER_WORKER * workers.jobs:
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _result(asked: _Asked | None) -> Molecules | None:
    return None if asked is None else asked.result()
