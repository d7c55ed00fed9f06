"""How the molecules of a round get their scores: at once from an oracle, or some day from a laboratory."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from chemvae.design.evaluators.history import Call, Chosen, History
from chemvae.design.oracles import Score
from chemvae.progress import CancelToken

if TYPE_CHECKING:
    import pandas as pd

    from chemvae.design.evaluators.receipt import Receipt

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How a campaign wants its molecules scored."""

    batch_size: int
    """Molecules a round is about, or that are to be open."""
    budget: int
    """Calls allowed."""
    on_call: Callable[[Call], None]
    """Told of each call, old or new."""
    seeded: Callable[[Iterable[Score]], Iterator[Score]] = iter
    """Passes scores on as they are, each made while the global random streams are the campaign's own."""
    cancel: CancelToken = field(default_factory=CancelToken)
    """Looked at between two molecules."""


class Evaluator(ABC):
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
    unsolicited : sequence of str
        Scored molecules that nobody asked for.
    ids : mapping
        Canonical SMILES -> the id that people know a molecule by.
    receipt : Receipt or None
        What became of the results that were handed in.
    scores_leads : bool
        Whether a lead that a constraint turns away is scored to compare with, as a call like any other; not where asking takes
        a person.
    """

    history: History
    open: Mapping[str, np.ndarray]
    batch_size: int
    budget: int
    unsolicited: Sequence[str] = ()
    ids: Mapping[str, str] = MappingProxyType({})
    receipt: Receipt | None = None
    scores_leads: bool = False

    @property
    def n_paid(self) -> int:
        """Calls that count against the budget."""
        return len(self.history) - len(self.unsolicited)

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
    def capacity(self, round_: int, size: int) -> int | None:
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

    def batch_table(self, described: pd.DataFrame) -> pd.DataFrame:
        """The open molecules, as described, in the form in which they are handed out; nothing stays open by default."""
        return described
