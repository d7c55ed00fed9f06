"""What each tuning of the decoder brought and cost, and what a molecule costs it at codes with less of themselves left.

    python experiments/03-drug-model/steps.py [STEP ...]    # after run.py, which made the steps; writes steps.json

The steps named, or all of those below (figures of steps not named stay in steps.json), on the valid split: the figures of the
table at a smaller size, and the mean cross-entropy of molecules at codes moved towards the learned prior (a = 1 its own code, 0
a draw that knows nothing of the molecule).
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import tomllib
import torch

from chemvae import api
from chemvae.data.prepare.preparation import load_table
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
RESULT = HERE / "steps.json"
STEPS = (
    "final-ends", "rewarded", "noised", "rewarded-2", "rewarded-3", "halfway", "rewarded-4", "past", "noised-wide",
    "rewarded-wide", "rewarded-wide-2", "rewarded-wide-3",
)  # fmt: skip
SPLIT = "valid"
LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8)
KEPT = (
    "reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_learned_prior", "unique_10k", "novelty",
    "fcd",
)  # fmt: skip
N_MOLECULES, N_SAMPLES, N_NOISED = 2000, 10_000, 1500


def main(*names: str) -> None:
    config, started = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")), time.monotonic()
    names = names or STEPS
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        found = list(pool.map(measured, names, [config] * len(names)))
    origin = environment()
    known = json.loads(RESULT.read_text(encoding="utf-8"))["steps"] if RESULT.exists() else {}
    elapsed_s = round(time.monotonic() - started, 1)
    said = {"commit": origin["commit"], "elapsed_s": elapsed_s}
    write_json(
        RESULT,
        {
            "command": " ".join(["python experiments/03-drug-model/steps.py", *(names if names != STEPS else ())]),
            **said,
            "seeds": [config["seed"]],
            "device": origin["processor"],
            "versions": origin["versions"],
            "n_molecules": N_MOLECULES,
            "n_samples": N_SAMPLES,
            "n_noised": N_NOISED,
            "steps": {**known, **{name: {**figures, **said} for name, figures in zip(names, found, strict=True)}},
        },
    )


def measured(name: str, config: dict) -> dict:
    """The figures of one step."""
    torch.set_num_threads(1)
    folder = Path(config["folder"])
    model, data = api.load(folder / name), str(folder / "data")
    found = api.evaluate_in_full(model, data, config["seed"], split=SPLIT, n_molecules=N_MOLECULES, n_samples=N_SAMPLES).figures
    table = load_table(data)
    smiles, parts = np.array(table.smiles), np.asarray(table.split)
    nats = {part: noised_nats(model, smiles[parts == part], config["seed"]) for part in ("train", SPLIT)}
    return {**{key: found[key] for key in KEPT}, "cross_entropy_at": {"a": list(LEVELS), **nats}}


def noised_nats(model, smiles: np.ndarray, seed: int) -> list[float]:
    """Mean cross-entropy (nats) of molecules at each of LEVELS."""
    some = smiles[np.random.default_rng(seed).permutation(len(smiles))[:N_NOISED]].tolist()
    prior, noise, z = model.priors["learned"], torch.Generator().manual_seed(seed), torch.from_numpy(model.encode(some))
    points = [
        prior.diffuse(z, torch.full((len(z), 1), level), noise) if level else prior.sample(len(z), noise) for level in LEVELS
    ]
    return [-float(np.mean(np.asarray(model.log_likelihood(point, some)))) for point in points]


if __name__ == "__main__":
    main(*sys.argv[1:])
