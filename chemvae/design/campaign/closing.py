"""What a campaign has come to: all calls as a table, the best molecules described, the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from chemvae.chem.identity import identify
from chemvae.chem.properties import PROPERTIES
from chemvae.design.campaign.leads import describe_leads
from chemvae.design.campaign.loop import Campaign
from chemvae.design.campaign.next_batch import explain_batch
from chemvae.design.campaign.task import leaves
from chemvae.design.filters.chain import FilterChain
from chemvae.design.oracles import UncertainOracle
from chemvae.design.results import learned
from chemvae.design.results.describe import N_DESCRIBED, describe_molecules
from chemvae.design.results.result import Result

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

MOST_PREDICTED = 5_000  # calls whose predictions the table of all calls tells; more cost a minute


def make_result(campaign: Campaign) -> Result:
    """Describe the best molecules and close the books."""
    table = _table(campaign)
    best = _best(campaign, table)
    judged = learned.judge(predictors(campaign), campaign.utility, best)
    learned.warn(judged)
    points = {"points": campaign.decoder.n_points, "valid": campaign.decoder.n_greedy_valid}
    open_now = describe(campaign, list(campaign.evaluator.open), scored=table["smiles"].tolist())
    open_now = explain_batch(campaign, table, open_now)
    return Result(
        history=table,
        proposals=campaign.log.table,
        molecules=best,
        learned=judged,
        utility=campaign.utility,
        rejections=dict(campaign.gate.counts),
        counts={**points, **campaign.log.counts},
        settings=_settings(campaign),
        stopped=campaign.stopped,
        elapsed_s=campaign.best_so_far.elapsed_s,
        model=campaign.optimizer.region.model,
        is_retrained=campaign.optimizer.region.model is not campaign.model,
        batch=campaign.evaluator.batch_table(open_now),
        receipt=campaign.evaluator.receipt,
        leads=_with_intervals(campaign, describe_leads(campaign, describe)),
        predictors=predictors(campaign),
        n_told=len(campaign.evaluator.unsolicited),
    )


def _settings(campaign: Campaign) -> dict[str, object]:
    """All that is needed to run it again."""
    spec = campaign.spec
    limits = {"patience": spec.patience, "timeout_s": spec.timeout_s, "time_limit_s": spec.time_limit_s}
    return {**campaign.settings, "budget": spec.budget, "n_start": campaign.n_start, **limits}


def predictors(campaign: Campaign) -> list[UncertainOracle]:
    """The oracles that predict."""
    return [one for one in leaves(campaign.task.oracle) if isinstance(one, UncertainOracle)]


def describe(campaign: Campaign, smiles: list[str], **others: Sequence[str]) -> pd.DataFrame:
    """Molecules beside the known ones, the start molecules and others; what is computed already is only looked up."""
    names = [*campaign.utility.names, *(getattr(item, "name", "") for item in campaign.gate.filters)]
    labelled = learned.known_molecules(predictors(campaign))
    known = {"known": campaign.spec.known, "labelled": labelled} if campaign.spec.known else {"known": labelled}
    others = {**known, "start": campaign.starts, **others}
    return describe_molecules(campaign.model, smiles, names, computed=campaign.computed, **others)


def _best(campaign: Campaign, table: pd.DataFrame) -> pd.DataFrame:
    """The best of all calls, described, with the score and what the goals' values are."""
    best = table.dropna(subset=["utility"]).sort_values("utility", ascending=False, kind="stable").head(N_DESCRIBED)
    described = describe(campaign, best["smiles"].tolist())
    described.insert(1, "score", best["score"].to_numpy())
    for name in ("stream", "parent"):
        described[name] = best[name].to_numpy()
    for name in (name for name in campaign.utility.columns if name in best and name not in described):
        described.insert(2, name, best[name].to_numpy())
    ids = [campaign.evaluator.ids.get(text, "") for text in described["smiles"]]
    if any(ids):
        described.insert(1, "id", ids)
    if campaign.optimizer.region.model is not campaign.model:
        described["lives_in"] = _homes(campaign, described["smiles"].tolist())
    if "bound" in best:
        described.insert(2, "bound", best["bound"].to_numpy())
    return _with_intervals(campaign, described)


def _with_intervals(campaign: Campaign, described: pd.DataFrame) -> pd.DataFrame:
    """Molecules with what each predictor says of them, where there are any: a goal that is predicted is told as predicted.

    What counted of it, such as the end of its interval that the goal likes less, stands beside it as ``P_scored``.
    """
    if not len(described):
        return described
    smiles, known = described["smiles"].tolist(), campaign.history.known
    told = described.join(learned.intervals(predictors(campaign), smiles))
    for place, (column, name) in enumerate(zip(campaign.utility.columns, campaign.utility.names, strict=True)):
        if len(campaign.utility.goals) == 1 or f"{name}_learned" not in told:
            continue
        counted = [known[text].score.values[place] if text in known else np.nan for text in smiles]
        if column not in PROPERTIES:  # what RDKit computes keeps its name, and the prediction stands beside it
            told[column] = told[f"{name}_learned"]
        told.insert(list(told).index(column) + 1, f"{column}_scored", counted)
    return told


def _homes(campaign: Campaign, smiles: list[str]) -> list[str]:
    """Through which model each molecule comes back from its code: the given one, the retrained one, both or neither."""
    given, retrained = (_come_back(model, smiles) for model in (campaign.model, campaign.optimizer.region.model))
    words = {(True, True): "both", (True, False): "given", (False, True): "retrained", (False, False): "neither"}
    return [words[pair] for pair in zip(given, retrained, strict=True)]


def _come_back(model: MolVAE, smiles: list[str]) -> list[bool]:
    """Whether each molecule is what its code decodes to."""
    codes = torch.from_numpy(np.asarray(model.encode(smiles), dtype=np.float32)).reshape(len(smiles), -1)
    written = (~codes.isnan().any(dim=1)).tolist()
    decoded = model.decode(codes.nan_to_num(0.0))["smiles"].map(identify).tolist() if smiles else []
    return [fine and one == text for fine, one, text in zip(written, decoded, smiles, strict=True)]


def _table(campaign: Campaign) -> pd.DataFrame:
    """All calls; leads and what a user has told of molecules that break a constraint stand there, and never count as found."""
    table = campaign.history.table(campaign.utility)
    given = list(campaign.evaluator.unsolicited)
    reasons = FilterChain(campaign.gate.filters, campaign.model, campaign.computed).reasons(given)
    said = {text: f"told, and outside {why}" for text, why in zip(given, reasons, strict=True) if why}
    said |= {text: f"a lead, outside {why}" for text, why in campaign.turned_away.items()}
    for row in table.index[table["smiles"].isin(list(said))]:
        words = [said[table.loc[row, "smiles"]], table.loc[row, "reason"] if np.isnan(table.loc[row, "score"]) else ""]
        table.loc[row, ["reason", "utility"]] = "; ".join(filter(None, words)), np.nan
    return _with_predictions(campaign, table)


def _with_predictions(campaign: Campaign, table: pd.DataFrame) -> pd.DataFrame:
    """Calls with the prediction (``P_learned``) of each goal of several that has one, beside what counted of it (``P``)."""
    scored = table.index[table["utility"].notna()]
    if len(campaign.utility.goals) == 1 or not predictors(campaign) or not 0 < len(scored) <= MOST_PREDICTED:
        return table
    texts = table.loc[scored, "smiles"].tolist()
    means: dict[str, np.ndarray] = {}
    for one in predictors(campaign):
        means |= dict(zip(one.names, one.estimate(texts)[0].T, strict=True))
    pairs = zip(campaign.utility.columns, campaign.utility.names, strict=True)
    told = {f"{column}_learned": means[name] for column, name in pairs if name in means}
    return table.join(pd.DataFrame(told, index=scored))
