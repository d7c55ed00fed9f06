"""What is expected of the molecules that a laboratory is to measure next, and why each is among them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from chemvae.design.campaign.loop import Campaign
from chemvae.design.evaluators.censored import as_counted
from chemvae.design.evaluators.laboratory import find_laboratory
from chemvae.design.results.why import DIVERSE, EXPLOIT, EXPLORE, N_TOP, START
from chemvae.design.surrogates.structure_gp import StructureGP
from chemvae.design.surrogates.tanimoto_gp import MIN_ROWS
from chemvae.qsar.model import HALF_WIDTH


def explain_batch(campaign: Campaign, history: pd.DataFrame, described: pd.DataFrame) -> pd.DataFrame:
    """Put behind the SMILES of open molecules what is expected of them and why they were chosen, by all that is known now.

    Parameters
    ----------
    campaign : Campaign
    history : DataFrame
        All calls.
    described : DataFrame
        The open molecules.

    Returns
    -------
    DataFrame
        With ``P_expected``, ``P_low``, ``P_high`` (the ends of the 90 % interval of a measurement) for each value that is
        measured, once there are eight of it, and ``why``: see :data:`chemvae.design.results.why.REASONS`.
    """
    if not len(described):
        return described
    smiles = described["smiles"].tolist()
    columns = _expected(campaign, smiles)
    columns["why"] = _reasons(campaign, history, smiles)
    table = described.copy()
    for place, (name, cells) in enumerate(columns.items(), start=1):
        if name not in table:
            table.insert(place, name, cells)
    return table


def _expected(campaign: Campaign, smiles: list[str]) -> dict[str, np.ndarray | list[str]]:
    """Mean and interval of each measured value that enough is known of."""
    calls, names = campaign.history.calls, campaign.utility.names
    values = as_counted(calls, calls, campaign.utility.goals)
    found: dict[str, np.ndarray | list[str]] = {}
    laboratory = find_laboratory(campaign.task.oracle)
    for name in laboratory.names if laboratory else ():
        if name in names and (told := _predict([call.smiles for call in calls], values[:, names.index(name)], smiles)):
            mean, std = told
            ends = mean - HALF_WIDTH * std, mean + HALF_WIDTH * std
            found |= dict(zip((f"{name}_expected", f"{name}_low", f"{name}_high"), (mean, *ends), strict=True))
    return found


def _predict(known: list[str], values: np.ndarray, smiles: list[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and standard deviation, that of measuring included, by molecules of finite value; None of too few."""
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) < MIN_ROWS:
        return None
    process = StructureGP().fit([known[i] for i in rows], values[rows].tolist())
    mean, std = process.predict(smiles)
    noise = process.noise_ratio * process.scale**2
    return mean.numpy(), np.sqrt(std.numpy() ** 2 + noise)


def _reasons(campaign: Campaign, history: pd.DataFrame, smiles: list[str]) -> list[str]:
    """Why each is among the open ones, in a word."""
    utility = history["utility"].to_numpy(dtype=float)
    seen = np.sort(utility[np.isfinite(utility)])[::-1]
    told = _predict(history["smiles"].tolist(), utility, smiles)
    if told is None:
        reasons = [EXPLORE] * len(smiles)
    else:
        mean, std = told
        top = seen[min(N_TOP, len(seen)) - 1]
        upper = mean + HALF_WIDTH * std
        reasons = np.select([mean >= top, upper >= seen[0]], [EXPLOIT, EXPLORE], DIVERSE).tolist()
    starts = set(campaign.starts)
    return [START if one in starts else why for one, why in zip(smiles, reasons, strict=True)]
