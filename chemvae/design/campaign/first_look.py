"""A look at the first scores of a search: an oracle that does not work should be noticed before it is paid for long."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chemvae.design.campaign.task import leaves
from chemvae.design.evaluators.history import Call
from chemvae.design.oracles import CombinedOracle, Oracle

logger = logging.getLogger(__name__)

ENOUGH, FEWEST = 5, 3


class FirstLook:
    """Warns once if the first molecules all failed, or all got the same number from somebody else's code.

    Parameters
    ----------
    oracle : Oracle
    """

    def __init__(self, oracle: Oracle):
        self.oracle, self._is_done = oracle, False

    def on_call(self, calls: Sequence[Call]) -> None:
        """Look as soon as there are five values."""
        if not self._is_done and sum(not call.score.failed for call in calls) >= ENOUGH:
            self._look(calls)

    def on_round(self, calls: Sequence[Call]) -> None:
        """Look at what the first batch has come to, if it is smaller."""
        if not self._is_done and calls:
            self._look(calls)

    def _look(self, calls: Sequence[Call]) -> None:
        self._is_done = True
        values = [call.score.values for call in calls if not call.score.failed]
        if not values:
            logger.warning("Every one of the first %d molecules failed: %s", len(calls), calls[0].score.reason)
        elif len(values) >= FEWEST:
            place = 0
            for part in self.oracle.oracles if isinstance(self.oracle, CombinedOracle) else [self.oracle]:
                _compare(part, [row[place : place + len(part.names)] for row in values])
                place += len(part.names)


def _compare(oracle: Oracle, values: Sequence[tuple[float, ...]]) -> None:
    """Say that an oracle's values [N, P] do not differ."""
    foreign = [leaf for leaf in leaves(oracle) if leaf.is_foreign]
    if not foreign or len(set(values)) > 1:
        return
    said = next((leaf.complaint for leaf in foreign if leaf.complaint), "")
    logger.warning(
        "Each of the first %d molecules got %s from the oracle '%s'%s. If that stands for a failure, let it answer NaN instead "
        "(null in JSON, an empty cell in CSV): a number is believed, and the search learns from it.",
        len(values),
        ", ".join(f"{value:g}" for value in values[0]),
        oracle.describe(),
        f", which also said: {said}" if said else "",
    )
