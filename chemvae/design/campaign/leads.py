"""What a search set out from, scored and described as what it found is, also where a constraint turns it away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from chemvae.design.oracles import Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chemvae.design.evaluators.base import Evaluator
    from chemvae.design.evaluators.history import History
    from chemvae.design.filters.chain import FilterChain
    from chemvae.design.goals import Utility

FEW = 3
"""Start molecules that are leads; of more than so many, a library, the best one that was scored is."""
STOPPED_BY_HAND = ("interrupted", "cancelled")


class EndedCampaign(Protocol):
    """What is asked of a campaign that has ended (:class:`~chemvae.design.campaign.loop.Campaign`)."""

    starts: list[str]
    utility: Utility
    history: History
    evaluator: Evaluator
    gate: FilterChain
    stopped: str

    def _described(self, smiles: list[str]) -> pd.DataFrame: ...


def describe_leads(campaign: EndedCampaign) -> pd.DataFrame:
    """The table :attr:`Outcome.leads` of a campaign that has ended.

    Parameters
    ----------
    campaign : Campaign
    """
    smiles = _choose(campaign)
    if not smiles:
        return pd.DataFrame()
    broken = campaign.gate.reasons(smiles)
    scores = _scores(campaign, smiles, [text for text, why in zip(smiles, broken, strict=True) if why])
    values = np.array([score.values for score in scores], dtype=float).reshape(len(smiles), -1)
    table = campaign._described(smiles).drop(columns=["nearest_start", "similarity_to_start"], errors="ignore")
    table.insert(1, "score", campaign.utility.score(values))
    table.insert(2, "reason", [turned or score.reason for turned, score in zip(broken, scores, strict=True)])
    for place, name in enumerate(campaign.utility.columns):
        if name not in table:
            table.insert(3, name, values[:, place])
    return table


def _choose(campaign: EndedCampaign) -> list[str]:
    """The start molecules where they are few, else the best of them."""
    if len(campaign.starts) <= FEW:
        return list(campaign.starts)
    known = [text for text in campaign.starts if text in campaign.history.known]
    utility = [campaign.utility(np.array([campaign.history.known[text].score.values], dtype=float))[0] for text in known]
    ranked = [(float(value), text) for value, text in zip(utility, known, strict=True) if np.isfinite(value)]
    return [max(ranked)[1]] if ranked else []


def _scores(campaign: EndedCampaign, smiles: Sequence[str], turned_away: Sequence[str]) -> list[Score]:
    """From the record; of those that a constraint kept out of it asked for, unless a person stopped the search or measures."""
    known = {text: campaign.history.known[text].score for text in smiles if text in campaign.history.known}
    missing = [text for text in turned_away if text not in known]
    asked = [] if campaign.stopped in STOPPED_BY_HAND else campaign.evaluator.judge(missing)
    known |= dict(zip(missing, asked, strict=False))
    nothing = Score((np.nan,) * len(campaign.utility.goals), "not scored")
    return [known.get(text, nothing) for text in smiles]
