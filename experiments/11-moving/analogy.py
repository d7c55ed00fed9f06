"""A is to B as C is to ?: one group of a ring swapped for another, where the answer is known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rdkit import Chem
from rdkit.Chem import AllChem

sys.path.insert(0, str(Path(__file__).parent))

from edit import decode  # noqa: E402
from figures import figure, similarities  # noqa: E402
from run import molecules_of  # noqa: E402

from chemvae.chem.molecules import canonicalize, parse  # noqa: E402
from chemvae.models.vae import MolVAE  # noqa: E402
from chemvae.moving.analogies import carried_step  # noqa: E402
from chemvae.sampling.pipeline import open_readers  # noqa: E402

SWAPS = {
    "F to Cl": "[c:1]F>>[c:1]Cl",
    "Cl to F": "[c:1]Cl>>[c:1]F",
    "F to CH3": "[c:1]F>>[c:1]C",
    "Cl to CH3": "[c:1]Cl>>[c:1]C",
    "CH3 to Cl": "[c:1][CH3]>>[c:1]Cl",
    "CH3 to CF3": "[c:1][CH3]>>[c:1]C(F)(F)F",
    "OCH3 to OH": "[c:1]O[CH3]>>[c:1]O",
    "CN to CF3": "[c:1]C#N>>[c:1]C(F)(F)F",
}


def measure(model: MolVAE, table: pd.DataFrame, asked: dict) -> dict[str, dict]:
    """Swap in one molecule as it was swapped in another, or on average in several others."""
    pool = molecules_of(table, asked["split"], asked["pool"], asked["seed"])
    swapped = {name: pairs_of(model, pool, swap) for name, swap in SWAPS.items()}
    rng = np.random.default_rng(asked["seed"])
    per_swap = asked["n_analogies"] // len(SWAPS)
    found: dict[str, list] = {"c": [], "d": [], "one pair": [], "mean of pairs": []}
    for pairs in swapped.values():
        take_apart(model, pairs, rng, per_swap, asked["n_pairs"], found)
    figures = {"n": figure([len(found["c"])])}
    with open_readers(len(found["c"]), 1) as readers:
        for way in ("one pair", "mean of pairs"):
            decoded = decode(model, torch.cat(found[way]), readers)
            figures |= {f"{way}, {key}": value for key, value in judge(decoded, found["c"], found["d"]).items()}
    figures["similarity of C to D"] = figure(similarities(found["c"], found["d"]))
    return figures


def pairs_of(model: MolVAE, pool: list[str], swap: str) -> list[tuple[str, str]]:
    """Molecules with the group just once, and what the swap makes of them; both can be written."""
    reaction = AllChem.ReactionFromSmarts(swap)
    found = []
    for smiles in pool:
        made = {canonicalize(Chem.MolToSmiles(one[0])) for one in reaction.RunReactants((parse(smiles),))}
        if len(made) == 1 and (other := made.pop()) is not None and model.vocabulary.complaint(other) is None:
            found.append((smiles, other))
    return found


def take_apart(
    model: MolVAE, pairs: list[tuple[str, str]], rng: np.random.Generator, n: int, n_pairs: int, found: dict[str, list]
) -> None:
    """Points where the answers should lie: the step of another pair, and the mean step of several, carried to C."""
    if len(pairs) <= n_pairs:
        return
    before, after = (torch.from_numpy(model.encode([pair[i] for pair in pairs], canonicalize=False)) for i in (0, 1))
    space = model.latent_space
    for c in rng.permutation(len(pairs))[:n]:
        others = rng.choice(np.delete(np.arange(len(pairs)), c), n_pairs, replace=False)
        here = before[[c]]
        steps = torch.cat([carried_step(space, before[[i]], after[[i]], here) for i in others])
        found["one pair"].append(space.move(here, steps[:1]))
        found["mean of pairs"].append(space.move(here, steps.mean(dim=0, keepdim=True)))
        found["c"].append(pairs[c][0])
        found["d"].append(pairs[c][1])


def judge(decoded: list[str | None], given: list[str], wanted: list[str]) -> dict[str, dict]:
    """Whether the answer came, and how near it is."""
    return {
        "D itself": figure([one == other for one, other in zip(decoded, wanted, strict=True)]),
        "C unchanged": figure([one == other for one, other in zip(decoded, given, strict=True)]),
        "valid": figure([one is not None for one in decoded]),
        "similarity to D": figure(similarities(decoded, wanted)),
        "similarity to C": figure(similarities(decoded, given)),
    }
