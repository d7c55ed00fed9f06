"""Check the tasks and the Graph GA against their published figures before anything is compared with them.

    CHEMVAE_DATA=FOLDER python experiments/04-design/calibrate.py [--gather]

FOLDER holds zinc250k.csv.gz. Random molecules of ZINC250k, and our Graph GA started from them, are scored under the protocol of
PMO: 10,000 distinct molecules, area under the mean of the best ten. The Graph GA runs twice: with the published stopping rule,
which is what the published figure belongs to, and without, which is the baseline. A run whose file is there is not run again;
after a change to the tasks or the algorithm, delete the folder. ``--gather`` runs nothing and writes calibration.json.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import graph_ga
import numpy as np
from tasks import TASKS, auc_top10

from chemvae.chem.molecules import canonicalize
from chemvae.data.catalog.locate import load_dataset
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
SOURCE = "wenhao-gao/mol_opt, figures of pmo-benchmark/pmo-benchmark.github.io"
STOPPING = graph_ga.Settings(patience=5)
CONFIG = {
    "data": "zinc250k",
    "budget": 10_000,
    "seeds": [0, 1, 2, 3, 4],
    "tasks": ["celecoxib_rediscovery", "median1", "amlodipine_mpo", "osimertinib_mpo", "mestranol_similarity"],
    "folder": "runs/design/calibration",
    "largest_distance": 0.03,
    "graph_ga": asdict(STOPPING),
}
PUBLISHED = {
    "amlodipine_mpo": {"random": 0.535, "graph GA": 0.661},
    "celecoxib_rediscovery": {"random": 0.351, "graph GA": 0.630},
    "median1": {"random": 0.205, "graph GA": 0.294},
    "mestranol_similarity": {"random": 0.409, "graph GA": 0.579},
    "osimertinib_mpo": {"random": 0.764, "graph GA": 0.831},
}


def screen(score, library: Sequence[str], budget: int, seed: int) -> list[tuple[str, float]]:
    """Score random molecules until the budget of distinct ones is spent."""
    ledger = graph_ga.Ledger(score, budget)
    for row in np.random.default_rng(seed).permutation(len(library)):
        if ledger.is_spent:
            break
        ledger.pay_for([text for text in [canonicalize(library[row])] if text is not None])
    return list(ledger.scores.items())


METHODS = {
    "random": screen,
    "graph GA": partial(graph_ga.run, settings=STOPPING),
    "graph GA, not stopped": graph_ga.run,
}


def main() -> None:
    folder = Path(CONFIG["folder"])
    if "--gather" not in sys.argv:
        library = load_dataset(CONFIG["data"])["smiles"].tolist()
        for seed in CONFIG["seeds"]:
            for name in CONFIG["tasks"]:
                for method in METHODS:
                    measure(method, name, seed, library, folder)
    write_json(HERE / "calibration.json", describe(folder))


def measure(method: str, name: str, seed: int, library: Sequence[str], folder: Path) -> None:
    """Run once and leave a file."""
    path = file_of(folder, method, name, seed)
    if path.exists():
        return
    started = time.perf_counter()
    history = METHODS[method](TASKS[name], library, CONFIG["budget"], seed)
    scores = [score for _, score in history]
    best, top = max(history, key=lambda row: row[1])
    row = {
        "auc_top10": auc_top10(scores, CONFIG["budget"]),
        "best": top,
        "best_smiles": best,
        "calls": len(scores),
        "elapsed_s": time.perf_counter() - started,
    }
    print(f"{method}, {name}, seed {seed}: {row['auc_top10']:.3f}, {len(scores)} calls, {row['elapsed_s']:.0f} s", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, row)


def file_of(folder: Path, method: str, name: str, seed: int) -> Path:
    return folder / f"{method.replace(', ', '-').replace(' ', '-')}-{name}-{seed}.json"


def describe(folder: Path) -> dict[str, Any]:
    """Everything calibration.json says: where the figures come from, the figures, the published ones and the distances."""
    found = {(method, name): gathered(folder, method, name) for name in CONFIG["tasks"] for method in METHODS}
    metrics = {f"{name}: {method}": figure(rows, PUBLISHED[name].get(method)) for (method, name), rows in found.items() if rows}
    origin = environment()
    return {
        "command": "python experiments/04-design/calibrate.py",
        "commit": origin["commit"],
        "seeds": CONFIG["seeds"],
        "device": f"{origin['processor']}, 1 thread",
        "versions": origin["versions"],
        "elapsed_s": {method: elapsed(found, method) for method in METHODS},
        "config": CONFIG,
        "published": SOURCE,
        "metrics": metrics,
    }


def gathered(folder: Path, method: str, name: str) -> list[dict[str, Any]]:
    paths = [file_of(folder, method, name, seed) for seed in CONFIG["seeds"]]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]


def figure(rows: Sequence[dict[str, Any]], published: float | None) -> dict[str, Any]:
    """Mean and standard deviation over the seeds, beside the published mean where there is one."""
    values = [row["auc_top10"] for row in rows]
    mean, std = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
    out = {"mean": mean, "std": std, "n": len(values), "values": values, "calls": [row["calls"] for row in rows]}
    if published is not None:
        distance = mean - published
        out |= {"published": published, "distance": distance, "within": abs(distance) <= CONFIG["largest_distance"]}
    return out


def elapsed(found: dict[tuple[str, str], list[dict[str, Any]]], method: str) -> float:
    """Seconds of all runs of a method."""
    return sum(row["elapsed_s"] for (one, _), rows in found.items() if one == method for row in rows)


if __name__ == "__main__":
    main()
