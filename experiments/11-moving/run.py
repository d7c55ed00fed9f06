"""What comes of moving in latent space: along a property, by analogy, around a molecule, between two, and into gaps.

    CHEMVAE_DATA=FOLDER python experiments/11-moving/run.py [PART ...]

Parts are the sections of config.toml; those that are not named keep their figures in result.json. FOLDER holds
zinc250k.csv.gz and, for 'own', the two files of chembl.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import tomllib
import torch

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.data.catalog.locate import locate
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
PARTS = ("edit", "own", "analogy", "near", "interpolate", "complete")


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    model = api.load(config["model"], "cpu")
    table = pd.read_csv(locate(config["data"]).paths[0])
    for name in sys.argv[1:] or PARTS:
        then = time.monotonic()
        asked = {**config[name], "seed": config["seed"], "split": config["split"]}
        found = load(HERE / f"{name}.py").measure(model, table, asked)
        for metrics in [found] if isinstance(found, dict) else found:
            elapsed_s = round(time.monotonic() - then, 1)
            print(name, f"{elapsed_s} s", *(f"{key}: {one['mean']}" for key, one in metrics.items()), sep="\n  ", flush=True)
            write_down(config, name, {f"{name}: {key}": value for key, value in metrics.items()}, elapsed_s)


def load(path: Path) -> ModuleType:
    """A part of this experiment."""
    spec = importlib.util.spec_from_file_location(f"moving_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def molecules_of(table: pd.DataFrame, split: str, n: int, seed: int) -> list[str]:
    """Some molecules of a split, canonical, drawn with a seed."""
    rows = np.flatnonzero((table["split"] == split).to_numpy())
    chosen = np.random.default_rng(seed).permutation(rows)[:n]
    found = [canonicalize(text) for text in table["smiles"].iloc[chosen]]
    return [one for one in found if one is not None]


def write_down(config: dict, part: str, metrics: dict[str, dict], elapsed_s: float) -> None:
    """Put a part's figures into result.json; those of other parts stay if they were made with the same settings."""
    path = HERE / "result.json"
    former = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"config": {}, "metrics": {}, "elapsed_s": {}}
    kept = [
        name for name in PARTS
        if name != part and name in former["elapsed_s"] and former["config"].get(name) == config.get(name)
    ]  # fmt: skip
    by_part = {name: {key: value for key, value in former["metrics"].items() if key.startswith(f"{name}: ")} for name in kept}
    elapsed = {name: former["elapsed_s"][name] for name in kept} | {part: elapsed_s}
    by_part[part] = metrics
    done = [name for name in PARTS if name in by_part]
    flat = {key: value for name in done for key, value in by_part[name].items()}
    write_json(path, describe(config, flat, {name: elapsed[name] for name in done}))
    load(HERE / "page.py").main()


def describe(config: dict, metrics: dict[str, dict], elapsed: dict[str, float]) -> dict:
    """Everything result.json says: where the figures come from, and the figures."""
    origin = environment()
    return {
        "command": "python experiments/11-moving/run.py",
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": f"{origin['processor']}, 1 thread",
        "versions": origin["versions"],
        "elapsed_s": elapsed,
        "config": config,
        "metrics": metrics,
    }


if __name__ == "__main__":
    main()
