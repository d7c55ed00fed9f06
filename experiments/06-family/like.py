"""More like these five: how many of a scaffold family's other members 100 samples bring back, and what they cost in nats.

    CHEMVAE_DATA=FOLDER python experiments/06-family/like.py [MODEL]

Families are Murcko scaffolds with ten held-out molecules or more (valid split). Five are given, the others asked for. Beside
``chemvae sample --like`` (points between the five codes) stand decodes of the mean of the five codes, and of prior draws. Nats:
-log p(x | the five), p(x|z) averaged over 100 points, which overstates it; for the mean, -log p(x|z) there.
"""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import mean

import numpy as np

HERE = Path(__file__).parent
N_FAMILIES, SMALLEST, N_GIVEN, MOST_ASKED, N_SAMPLES, SEED = 50, 10, 5, 20, 100, 0


def main(name: str = "drug") -> None:
    import torch

    import chemvae
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    model, started, rows = chemvae.load(name, device="cpu"), time.monotonic(), []
    for number, members in enumerate(families()):
        rows.append(measured(model, members[:N_GIVEN], members[N_GIVEN : N_GIVEN + MOST_ASKED], SEED + number))
        print(number, rows[-1], flush=True)
    origin = environment()
    write_json(HERE / "like.json", {
        "command": "python experiments/06-family/like.py", "model": Path(name).name,
        "commit": origin["commit"], "device": f"{origin['processor']}, one thread", "versions": origin["versions"],
        "seeds": [SEED], "n_families": len(rows), "given": N_GIVEN, "samples": N_SAMPLES,
        "elapsed_s": round(time.monotonic() - started, 1),
        "metrics": {key: mean(row[key] for row in rows) for key in rows[0]},
    })  # fmt: skip


def families() -> list[list[str]]:
    """Held-out molecules by scaffold, in random order: 50 of the families that are large enough."""
    from chemvae.chem.fingerprints import scaffold
    from chemvae.data.prepare.preparation import load_table

    table, rng = load_table("zinc250k", properties=[]), np.random.default_rng(SEED)
    found = defaultdict(list)
    for smiles, split in zip(table.smiles, table.split, strict=True):
        if split == "valid":
            found[scaffold(smiles)].append(smiles)
    large = sorted(key for key, members in found.items() if key and len(members) >= SMALLEST)
    chosen = [large[i] for i in rng.permutation(len(large))[:N_FAMILIES]]
    return [[found[key][i] for i in rng.permutation(len(found[key]))] for key in chosen]


def measured(model, given: list[str], asked: list[str], seed: int) -> dict[str, float]:
    """Figures of one family, by where z is drawn from."""
    from chemvae.sampling import draw_latents
    from chemvae.sampling.likeness import codes_of, draw_like

    codes = codes_of(model, given).astype(np.float64)
    centre = np.repeat(codes.mean(axis=0, keepdims=True), N_SAMPLES, axis=0)
    drawn = {
        "like": draw_like(model, given, N_SAMPLES, seed).cpu().numpy(),
        "mean": centre.astype(np.float32),
        "prior": draw_latents(model, N_SAMPLES, seed=seed).cpu().numpy(),
    }
    found = {
        f"{key}_{name}": value for key, z in drawn.items() for name, value in counted(model, z, given, asked, seed).items()
    }
    log_p = np.stack([likelihoods(model, np.repeat(one[None], len(asked), axis=0), asked) for one in drawn["like"]])
    found["like_nats"] = float(-(np.logaddexp.reduce(log_p, axis=0) - math.log(len(log_p))).mean())
    return {**found, "mean_nats": float(-likelihoods(model, drawn["mean"][: len(asked)], asked).mean())}


def likelihoods(model, z: np.ndarray, smiles: list[str]) -> np.ndarray:
    """log p(x|z) [B], nats."""
    return model.log_likelihood(z, smiles).numpy()


def counted(model, z: np.ndarray, given: list[str], asked: list[str], seed: int) -> dict[str, float]:
    """Of the decodes of z at temperature 1: valid, distinct, of the scaffold, and the asked ones among them."""
    from chemvae.chem.fingerprints import scaffold
    from chemvae.chem.molecules import canonicalize

    table = model.decode(z, temperature=1.0, seed=seed)
    valid = [canonicalize(text) for text, ok in zip(table["smiles"], table["valid"], strict=True) if ok]
    wanted = scaffold(given[0])
    return {
        "valid": len(valid) / len(z),
        "distinct": len(set(valid)) / max(1, len(valid)),
        "of_scaffold": sum(scaffold(one) == wanted for one in valid) / max(1, len(valid)),
        "recovered": len(set(valid) & set(asked)) / len(asked),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
