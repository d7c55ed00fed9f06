"""What a search set out from, scored and described as what it found is, also where a constraint turns it away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from chemvae.design.campaign.loop import Campaign
from chemvae.design.campaign.task import FEW_STARTS
from chemvae.design.evaluators.censored import written_bounds
from chemvae.design.oracles import Score


def describe_leads(campaign: Campaign, describe: Callable[[Campaign, list[str]], pd.DataFrame]) -> pd.DataFrame:
    """The table :attr:`Outcome.leads` of a campaign that has ended, given how it describes molecules."""
    smiles = _choose(campaign)
    if not smiles:
        return pd.DataFrame()
    broken = campaign.gate.reasons(smiles)
    nothing, known = Score((np.nan,) * len(campaign.utility.goals), "not scored"), campaign.history.known
    scores = [known[text].score if text in known else nothing for text in smiles]
    values = np.array([score.values for score in scores], dtype=float).reshape(len(smiles), -1)
    table = describe(campaign, smiles).drop(columns=["nearest_start", "similarity_to_start"], errors="ignore")
    table.insert(1, "score", campaign.utility.score(values))
    ids = [campaign.evaluator.ids.get(text, "") for text in smiles]
    if any(ids):
        table.insert(1, "id", ids)
    table.insert(
        list(table).index("score") + 1, "reason", [turned or score.reason for turned, score in zip(broken, scores, strict=True)]
    )
    if any(known[text].bounds for text in smiles if text in known):
        names = campaign.utility.names
        table.insert(2, "bound", [written_bounds(known[text], names) if text in known else "" for text in smiles])
    for place, name in enumerate(campaign.utility.columns):
        if name not in table:
            table.insert(3, name, values[:, place])
    return table


def _choose(campaign: Campaign) -> list[str]:
    """The start molecules where they are few, else the best of them."""
    if len(campaign.starts) <= FEW_STARTS:
        return list(campaign.starts)
    known = [text for text in campaign.starts if text in campaign.history.known]
    utility = [campaign.utility(np.array([campaign.history.known[text].score.values], dtype=float))[0] for text in known]
    ranked = [(float(value), text) for value, text in zip(utility, known, strict=True) if np.isfinite(value)]
    return [max(ranked)[1]] if ranked else []
