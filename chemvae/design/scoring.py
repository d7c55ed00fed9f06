"""How the molecules of a round get their scores: at once from an oracle, or (:mod:`chemvae.design.laboratory`) some day."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chemvae.design.history import Call, History
from chemvae.design.oracles import Oracle

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.design.book import Receipt

logger = logging.getLogger(__name__)

Chosen = tuple[str, np.ndarray]  # canonical SMILES, and the point [D] it was decoded from


class Scoring(ABC):
    """Sends chosen molecules to be scored, and keeps the books of what came back.

    Attributes
    ----------
    history : History
        What is scored.
    open : dict
        Canonical SMILES of what was handed out and has no score yet -> its point [D].
    batch_size : int
        Molecules a round is about.
    budget : int
        Calls allowed.
    given : sequence of str
        Scored molecules that nobody asked for.
    receipt : Receipt or None
        What became of the results that were handed in.
    """

    history: History
    open: Mapping[str, np.ndarray]
    batch_size: int
    budget: int
    given: Sequence[str] = ()
    receipt: Receipt | None = None

    @property
    def n_paid(self) -> int:
        """Calls that count against the budget."""
        return len(self.history) - len(self.given)

    def is_taken(self, smiles: str) -> bool:
        """Whether a molecule has been sent to be scored, so that it is not proposed again."""
        return smiles in self.history.known or smiles in self.open

    @abstractmethod
    def begin(self) -> list[Call]:
        """Take what is known before anything is asked."""

    def size(self, round_: int) -> int:
        """Molecules a round is about."""
        return self.batch_size

    @abstractmethod
    def room(self, round_: int, size: int) -> int | None:
        """Molecules a round may choose, at most ``size``; None where there is nothing to do but wait."""

    @abstractmethod
    def score(self, round_: int, molecules: Sequence[Chosen]) -> list[Call]:
        """Send the molecules of a round, and return calls that came in and are not about these molecules."""

    @abstractmethod
    def finish(self) -> None:
        """Take over what is left of a record."""

    def close(self) -> None:
        """Let others work with the record."""
        self.history.close()

    def sheet(self, described: pd.DataFrame) -> pd.DataFrame:
        """The open molecules, as described, in the form in which they are handed out; nothing stays open by default."""
        return described


class DirectScoring(Scoring):
    """Scores come from an oracle while the campaign runs; each is on record before the next is asked for.

    While a record lasts, it holds the very molecules asked for. If it does not (another version, another machine), all that is
    left of it is taken over first, since it was paid for.

    Parameters
    ----------
    oracle : Oracle
    history : History
    batch_size, budget : int
    on_call : callable
        Told of each call, old or new.
    """

    def __init__(self, oracle: Oracle, history: History, batch_size: int, budget: int, on_call: Callable[[Call], None]):
        self.oracle, self.history, self.on_call = oracle, history, on_call
        self.batch_size, self.budget = batch_size, budget
        self.open = {}
        for text, call in history.recorded.items():
            oracle.remember(text, call.score)

    def begin(self) -> list[Call]:
        """Nothing is known without asking."""
        return []

    def room(self, round_: int, size: int) -> int | None:
        """As many as the budget allows."""
        return min(size, self.budget - len(self.history))

    def score(self, round_: int, molecules: Sequence[Chosen]) -> list[Call]:
        """Score in order. Returns calls of a record that departs from this campaign."""
        rest = [(text, z) for text, z in molecules if not self._replayed(text)]
        surprises: list[Call] = []
        if rest and self.history.recorded:
            logger.warning(
                "The record departs from this campaign after call %d; its other calls are taken over.", len(self.history)
            )
            surprises = self._absorb()
        rest = rest[: max(self.budget - len(self.history), 0)]
        for (text, z), score in zip(rest, self.oracle.follow([text for text, _ in rest]), strict=True):
            call = Call(text, score, z)
            self.history.append(call)
            self.on_call(call)
        return surprises

    def finish(self) -> None:
        """Take over what is left of the record."""
        self._absorb()

    def _replayed(self, smiles: str) -> bool:
        call = self.history.replay(smiles)
        if call is not None:
            self.on_call(call)
        return call is not None

    def _absorb(self) -> list[Call]:
        calls = self.history.absorb()
        for call in calls:
            self.on_call(call)
        return calls
