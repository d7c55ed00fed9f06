"""What each tuning of the decoder brought and cost, and what a molecule costs it at codes with less of themselves left.

    python experiments/03-drug-model/steps.py     # after run.py, which made the steps; writes steps.json

The steps named below, on config.toml's split: the figures of the table at a smaller size, and the mean cross-entropy of
molecules at codes moved towards the learned prior (a = 1 its own code, 0 a draw that knows nothing of the molecule).
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import tomllib
import torch

from chemvae import api
from chemvae.data.preparation import load_table
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
STEPS = ("final-ends", "rewarded", "noised", "rewarded-2", "rewarded-3", "halfway", "rewarded-4")
LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8)
KEPT = (
    "reconstruction_greedy", "reconstruction_jt", "validity_prior_greedy", "validity_learned_prior", "unique_10k", "novelty",
    "fcd",
)  # fmt: skip
N_MOLECULES, N_SAMPLES, N_NOISED = 2000, 10_000, 1500


def main() -> None:
    config, started = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8")), time.monotonic()
    with ProcessPoolExecutor(4, get_context("spawn")) as pool:
        found = list(pool.map(measured, STEPS, [config] * len(STEPS)))
    origin = environment()
    write_json(
        HERE / "steps.json",
        {
            "command": "python experiments/03-drug-model/steps.py",
            "commit": origin["commit"],
            "seeds": [config["seed"]],
            "device": origin["processor"],
            "versions": origin["versions"],
            "elapsed_s": round(time.monotonic() - started, 1),
            "n_molecules": N_MOLECULES,
            "n_samples": N_SAMPLES,
            "n_noised": N_NOISED,
            "steps": dict(zip(STEPS, found, strict=True)),
        },
    )


def measured(name: str, config: dict) -> dict:
    """The figures of one step."""
    torch.set_num_threads(1)
    folder = Path(config["folder"])
    model, data, split = api.load(folder / name), str(folder / "data"), config["evaluation"]["split"]
    found = api.evaluate_in_full(model, data, config["seed"], split=split, n_molecules=N_MOLECULES, n_samples=N_SAMPLES).figures
    table = load_table(data)
    smiles, parts = np.array(table.smiles), np.asarray(table.split)
    nats = {part: noised_nats(model, smiles[parts == part], config["seed"]) for part in ("train", split)}
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
    main()
