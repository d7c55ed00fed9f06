"""What does Ray cost? The same molecules, built by one process here and by one worker of a Ray cluster, in turns.

    CHEMVAE_DATA=FOLDER python experiments/12-library/cluster.py

Needs the extra ``ray``. Two workers on two cores are told too; the program that hands out the work is a third.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import tomllib
import torch

from chemvae import api, library
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
WAYS = {
    "one process": library.Work(1, device="cpu"),
    "one Ray worker": library.Work(1, "ray", "cpu"),
    "two Ray workers": library.Work(2, "ray", "cpu"),
}


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    model = api.load(config["model"], "cpu")
    config["cluster"] = sizes = tomllib.loads((HERE / "cluster.toml").read_text(encoding="utf-8"))
    table = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / config["data"], nrows=sizes["n_molecules"])
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    then = time.monotonic()
    for work in WAYS.values():  # the cluster starts, workers import what they need
        rate(table.head(sizes["n_warm"]), model, work)
    for _ in range(sizes["rounds"]):
        for name, work in WAYS.items():
            rates[name].append(rate(table, model, work))
            print(name, f"{rates[name][-1]:.1f} molecules/s", flush=True)
    write_down(config, rates, time.monotonic() - then)


def rate(table: pd.DataFrame, model: Any, work: library.Work) -> float:
    """Molecules a second."""
    with tempfile.TemporaryDirectory() as folder:
        then = time.monotonic()
        library.build(table, Path(folder) / "lib", model, work=work)
        return len(table) / (time.monotonic() - then)


def write_down(config: dict[str, Any], rates: dict[str, list[float]], elapsed_s: float) -> None:
    figures = {f"{name}: molecules_per_s": values for name, values in rates.items()}
    alone = rates["one process"]
    for name in list(rates)[1:]:
        figures[f"{name}: share of one process"] = [one / other for one, other in zip(rates[name], alone, strict=True)]
    facts = environment()
    result = {
        "command": "python experiments/12-library/cluster.py",
        "commit": facts["commit"],
        "seeds": [config["seed"]],
        "device": f"{facts['processor']}, 2 cores, {os.getloadavg()[0]:.0f} programs wanted them",
        "versions": facts["versions"],
        "elapsed_s": {"cluster": round(elapsed_s, 1)},
        "config": config["cluster"],
        "metrics": {
            name: {"mean": statistics.fmean(values), "std": statistics.stdev(values), "n": len(values)}
            for name, values in figures.items()
        },
    }
    write_json(HERE / "cluster.json", result)


if __name__ == "__main__":
    main()
