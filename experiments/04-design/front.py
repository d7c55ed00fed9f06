"""Two goals at once: how much of a front each way to search fills with 500 calls.

    CHEMVAE_DATA=FOLDER python experiments/04-design/front.py [--jobs N]

FOLDER holds zinc250k.csv.gz. Each search starts from the same 5,000 random molecules as those of run.py. The figure is the
volume that the scored molecules dominate, of desirabilities between 0 and 1, above 0. A campaign whose file is there is not run
again. Writes ``front.json`` and ``front.png``.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import run
import torch

HERE = Path(__file__).parent
FOLDER = Path("runs/design-front")
CELECOXIB = "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"
PAIRS = {
    "camphor and menthol": ["similarity:CC1(C)C2CCC1(C)C(=O)C2", "similarity:CC(C)C1CCC(C)CC1O"],
    "celecoxib and qed": [f"similarity:{CELECOXIB}", "qed"],
}
METHODS, BUDGET, SEEDS = ("pareto", "auto", "random"), 500, (0, 1, 2)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--jobs", type=int, default=1)
    jobs = asked.parse_args().jobs
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = list(itertools.product(PAIRS, METHODS, SEEDS))
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        found = list(pool.map(campaign, *zip(*wanted, strict=True)))
    write_result(found)
    draw(found)


def campaign(pair: str, method: str, seed: int) -> dict:
    """One search, or what it found before."""
    path = FOLDER / f"{pair.replace(' ', '_')}-{method}-{seed}.json"
    if not path.exists():
        path.write_text(json.dumps(search(pair, method, seed, path.with_suffix(".jsonl"))), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))


def search(pair: str, method: str, seed: int, record: Path) -> dict:
    from chemvae import api
    from chemvae.design import Goal, make_oracle
    from chemvae.design.surrogates.hypervolume import volume

    torch.set_num_threads(1)
    model, started = api.load("drug"), time.monotonic()
    oracle = make_oracle({f"goal {i}": make_oracle(name, model) for i, name in enumerate(PAIRS[pair])})
    names = list(oracle.names)
    goals = [Goal(name, low=0.0, high=1.0) for name in names]
    library = run.some_of_zinc(5000, seed)
    result = api.optimize(model, oracle, BUDGET, seed, method=method, start=library, goals=goals, history_path=record)
    values = torch.from_numpy(result.history[names].dropna().to_numpy(dtype=float))
    front = result.pareto[names].to_numpy(dtype=float)
    return {
        "pair": pair,
        "method": method,
        "seed": seed,
        "calls": len(result.history),
        "volume": volume(values, torch.zeros(2, dtype=torch.float64)),
        "front": front[np.argsort(front[:, 0])].tolist(),
        "elapsed_s": round(time.monotonic() - started, 1),
    }


def write_result(found: list[dict]) -> None:
    from chemvae.runs import environment, write_json

    origin = environment()
    metrics = {}
    for pair, method in itertools.product(PAIRS, METHODS):
        volumes = [one["volume"] for one in found if (one["pair"], one["method"]) == (pair, method)]
        metrics[f"{pair}/{method}/volume"] = {
            "mean": statistics.fmean(volumes), "std": statistics.stdev(volumes), "n": len(volumes)
        }  # fmt: skip
    result = {
        "command": "python experiments/04-design/front.py",
        "commit": origin["commit"],
        "seeds": list(SEEDS),
        "device": f"{origin['processor']}, one thread a campaign",
        "versions": origin["versions"],
        "config": {"pairs": PAIRS, "methods": METHODS, "budget": BUDGET},
        "metrics": metrics,
        "campaigns": found,
    }
    write_json(HERE / "front.json", result)


def draw(found: list[dict]) -> None:
    """front.png: the fronts of every seed, a panel for each pair of goals."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(PAIRS), figsize=(9, 4), layout="constrained")
    for axes, pair in zip(panels, PAIRS, strict=True):
        for one in (one for one in found if one["pair"] == pair):
            colour = f"C{METHODS.index(one['method'])}"
            label = one["method"] if one["seed"] == SEEDS[0] else None
            axes.plot(*zip(*one["front"], strict=True), "o-", ms=3, lw=0.8, color=colour, label=label)
        first, second = pair.split(" and ")
        axes.set(xlabel=first if first == "qed" else f"similarity to {first}")
        axes.set(ylabel=second if second == "qed" else f"similarity to {second}")
    panels[0].legend(frameon=False)
    figure.savefig(HERE / "front.png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
