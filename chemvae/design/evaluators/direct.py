"""Scores that an oracle gives while the campaign waits."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chemvae.design.evaluators.base import Evaluator, Plan
from chemvae.design.evaluators.history import Call, Chosen, History
from chemvae.design.evaluators.in_flight import ENDED, InFlight
from chemvae.design.oracles import Oracle

logger = logging.getLogger(__name__)


class OracleEvaluator(Evaluator):
    """Scores come from an oracle while the campaign runs; each is on record before the next is asked for.

    While a record lasts, it holds the very molecules asked for. If it does not (another version, another machine), all that is
    left of it is taken over first, since it was paid for.

    Parameters
    ----------
    oracle : Oracle
    history : History
    plan : Plan
    """

    scores_leads = True

    def __init__(self, oracle: Oracle, history: History, plan: Plan):
        self.oracle, self.history, self.plan = oracle, history, plan
        self.batch_size, self.budget = plan.batch_size, plan.budget
        self.open = {}
        self.in_flight = InFlight(oracle, None if history.record is None else history.record.path)
        for text, call in history.recorded.items():
            oracle.remember(text, call.score)

    def begin(self) -> list[Call]:
        """Nothing is known without asking."""
        return []

    def capacity(self, round_: int, size: int) -> int | None:
        """As many as the budget allows."""
        return min(size, self.budget - len(self.history))

    def score(self, round_: int, molecules: Sequence[Chosen]) -> list[Call]:
        """Score in order. Returns calls of a record that departs from this campaign.

        Raises
        ------
        CancelledError
            Between two molecules, when no score is left that is paid for and not on record.
        """
        rest = [one for one in molecules if not self._replayed(one)]
        surprises: list[Call] = []
        if rest and self.history.recorded:
            logger.warning(
                "The record departs from this campaign after call %d; its other calls are taken over.", len(self.history)
            )
            surprises = self._absorb()
        rest = rest[: max(self.budget - len(self.history), 0)]
        if rest:
            self.plan.cancel.check()
        for text in (one.smiles for one in rest if self.in_flight.has_ended_us(one.smiles)):
            self.oracle.remember(text, self.oracle.failure(ENDED))
        scores = self.plan.seeded(self.oracle.iter_scores([one.smiles for one in rest]))
        for one in rest:
            self.in_flight.note(one.smiles)
            call = Call(one.smiles, next(scores), one.z, origin=one.origin)
            self.history.append(call)
            self.in_flight.note("")
            self.plan.on_call(call)
            if not self.oracle.n_ready:
                self.plan.cancel.check()
        return surprises

    def close(self) -> None:
        """Let others work with the record."""
        self.in_flight.close()
        super().close()

    def finish(self) -> None:
        """Take over what is left of the record."""
        self._absorb()

    def _replayed(self, one: Chosen) -> bool:
        call = self.history.replay(one.smiles, one.origin)
        if call is not None:
            self.plan.on_call(call)
        return call is not None

    def _absorb(self) -> list[Call]:
        calls = self.history.absorb()
        for call in calls:
            self.plan.on_call(call)
        return calls
