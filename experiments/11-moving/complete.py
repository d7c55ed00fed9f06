"""Symbols of held-out molecules blanked and filled in again, from the prior and from the molecule's own code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))

from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.chem.molecules import parse  # noqa: E402
from chemvae.data.tokens.vocabulary import split_smiles  # noqa: E402
from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.moving.completion import CompletionSettings, complete_all  # noqa: E402
from chemvae.moving.gaps import Pattern, parse_pattern  # noqa: E402


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> Iterator[dict[str, dict]]:
    """Blank symbols anywhere or in a row, and look at the most probable filling; figures so far, blanks by blanks."""
    smiles = molecules_of(table, asked["split"], asked["n_molecules"], asked["seed"])
    rng = np.random.default_rng(asked["seed"])
    settings = CompletionSettings(beam=asked["beam"], n_draws=asked["n_draws"], rounds=asked["rounds"], seed=asked["seed"])
    found: dict[str, dict] = {}
    for n, how in asked["blanks"]:
        patterns = [blanked(one, n, model, rng, in_a_row=how == "in a row") for one in smiles]
        best, in_list = fill(model, patterns, smiles, settings, asked["batch"])
        found |= {f"{n} {how}, {key}": one for key, one in judge(best, in_list, smiles).items()}
        yield found


def blanked(smiles: str, n: int, model: MolVAE, rng: np.random.Generator, *, in_a_row: bool = False) -> Pattern:
    """A molecule's SMILES with n symbols left out: anywhere, or next to each other."""
    tokens = split_smiles(smiles, model.vocabulary.mode)
    first = int(rng.integers(len(tokens) - n + 1))
    places = range(first, first + n) if in_a_row else rng.choice(len(tokens), n, replace=False)
    for i in places:
        tokens[i] = "_{1}"
    return parse_pattern("".join(tokens), model.vocabulary)


def fill(
    model: MolVAE, patterns: list[Pattern], smiles: list[str], settings: CompletionSettings, batch: int
) -> tuple[list[str], list[bool]]:
    """The most probable filling of each pattern ("" for none), and whether the molecule is among all that were found."""
    best, in_list = [], []
    for start in range(0, len(patterns), batch):
        tables = complete_all(model, patterns[start : start + batch], settings)
        for table, own in zip(tables, smiles[start : start + batch], strict=True):
            best.append(table["smiles"].iloc[0] if len(table) else "")
            in_list.append(own in table["smiles"].tolist())
    return best, in_list


def judge(best: list[str], in_list: list[bool], smiles: list[str]) -> dict[str, dict]:
    """Shares of all molecules."""
    return {
        "exact": figure([one == own for one, own in zip(best, smiles, strict=True)]),
        "exact among those found": figure(in_list),
        "valid": figure([parse(one) is not None for one in best]),
        "similarity": figure(similarities(best, smiles)),
    }
