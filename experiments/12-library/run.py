"""How fast is a library built and searched, how much memory does it take, and is what it finds what is there?

    CHEMVAE_DATA=FOLDER python experiments/12-library/run.py WORK

FOLDER holds moses_train.csv.gz and moses_test.csv.gz. WORK is a folder for the libraries (9 GB); what is there already is
taken as it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomllib
import torch

from chemvae import library
from chemvae.chem.molecules import canonicalize
from chemvae.library.manifest import Manifest, is_library, read_manifest
from chemvae.library.opening import read_shards
from chemvae.library.shard import OWN_COLUMNS, Molecules, write_shard
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
SHARD_ROWS = 131_072


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    work, data = Path(sys.argv[1]), Path(os.environ["CHEMVAE_DATA"])
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    elapsed, parts = {}, {"build": lambda: build(config, work, data)}
    parts |= {f"{size:.0e}": lambda size=size: searched(config, work, data, size) for size in config["sizes"]}
    metrics: dict[str, dict[str, Any]] = {}
    for name, part in parts.items():
        then = time.monotonic()
        found = part()
        elapsed[name] = round(time.monotonic() - then, 1)
        print(name, f"{elapsed[name]} s", *(f"{key}: {value}" for key, value in found.items()), sep="\n  ", flush=True)
        metrics |= {f"{name}: {key}": {"mean": value, "std": None, "n": 1} for key, value in found.items()}
    metrics |= on_paper({name: metric["mean"] for name, metric in metrics.items()}, config["sizes"])
    write_down(config, metrics, elapsed)


def build(config: dict[str, Any], work: Path, data: Path) -> dict[str, float]:
    """Build the library of real molecules with one process of one thread; how long it took is kept beside it."""
    kept = work / "build.json"
    if not kept.exists():
        table = pd.read_csv(data / config["data"], nrows=config["n_real"])
        before, then = time.process_time(), time.monotonic()
        made = library.build(table, work / "real", config["model"], work=library.Work(device="cpu"))
        found = {"seconds": time.monotonic() - then, "processor_s": time.process_time() - before, "n_molecules": made.n_rows}
        write_json(kept, found)
    found = json.loads(kept.read_text(encoding="utf-8"))
    info = library.info(work / "real")
    return {
        "n_molecules": found["n_molecules"],
        "molecules_per_s": found["n_molecules"] / found["seconds"],
        "molecules_per_processor_s": found["n_molecules"] / found["processor_s"],
        "bytes_per_molecule": info["bytes_per_molecule"],
    }


# libraries of a size ---------------------------------------------------------------------------------------------------------


def enlarged(config: dict[str, Any], work: Path, size: int) -> Path:
    """A library of so many rows: the real molecules again and again, each time with other noise on their codes."""
    path = work / f"{size}"
    if is_library(path) and read_manifest(path).n_rows == size:
        return path
    real = whole(work / "real")
    spread = config["jitter"] * real.points.std(axis=0)
    rng = np.random.default_rng([config["seed"], size])
    manifest = Manifest(read_manifest(work / "real").settings)
    while manifest.n_rows < size:
        rows = rng.integers(len(real), size=min(SHARD_ROWS, size - manifest.n_rows))
        shard = write_shard(path, f"{len(manifest.shards):06d}", manifest.n_rows, noised(real, rows, spread, rng))
        manifest = manifest.with_shard(shard, [])
        manifest.write(path)
    return path


def noised(real: Molecules, rows: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> Molecules:
    """Some of the molecules, with noise of a standard deviation [D] on their codes."""
    noise = rng.standard_normal((len(rows), len(spread)), dtype=np.float32) * spread.astype(np.float32)
    return Molecules(
        [real.smiles[i] for i in rows.tolist()], [None] * len(rows), real.points[rows] + noise, real.morgan[rows],
        real.pattern[rows], {name: values[rows] for name, values in real.properties.items()},
    )  # fmt: skip


def whole(path: Path) -> Molecules:
    """All that a small library holds."""
    parts = []
    for shard in read_shards(path, read_manifest(path)):
        with shard:
            table = shard.table.read().to_pandas()
            numbers = {name: table[name].to_numpy() for name in table.columns if name not in OWN_COLUMNS}
            arrays = (np.array(shard.array(name)) for name in ("points", "morgan", "pattern"))
            parts.append(Molecules(table["smiles"].tolist(), [None] * len(table), *arrays, numbers))
    return Molecules.joined(parts)


# searches --------------------------------------------------------------------------------------------------------------------


def searched(config: dict[str, Any], work: Path, data: Path, size: int) -> dict[str, float]:
    """Search a library in a program of its own, whose memory is its own."""
    path = enlarged(config, work, size)
    texts = pd.read_csv(data / config["queries"], nrows=config["n_queries"]).iloc[:, 0]
    asked = {"library": str(path), "near": [canonicalize(text) for text in texts], "config": config}
    done = subprocess.run(
        [sys.executable, str(HERE / "measure.py")], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def on_paper(found: dict[str, float], sizes: list[int]) -> dict[str, dict[str, Any]]:
    """How the processor's seconds grow from the second size to the third; each further molecule is taken to cost as much."""
    small, large = (f"{size:.0e}" for size in sizes[-2:])
    answer = {}
    for name in ("latent_processor_s", "fingerprint_processor_s", "combined_processor_s"):
        slope = np.log(found[f"{large}: {name}"] / found[f"{small}: {name}"]) / np.log(sizes[-1] / sizes[-2])
        answer[f"slope of {name}"] = float(slope)
        each = (found[f"{large}: {name}"] - found[f"{small}: {name}"]) / (sizes[-1] - sizes[-2])
        answer[f"on paper, 1e9: {name}"] = float(found[f"{large}: {name}"] + each * (1e9 - sizes[-1]))
    return {name: {"mean": value, "std": None, "n": 1} for name, value in answer.items()}


def write_down(config: dict[str, Any], metrics: dict[str, dict[str, Any]], elapsed: dict[str, float]) -> None:
    facts = environment()
    result = {
        "command": "python experiments/12-library/run.py WORK",
        "commit": facts["commit"],
        "seeds": [config["seed"]],
        "device": f"{facts['processor']}, {config['threads']} threads",
        "versions": facts["versions"],
        "elapsed_s": elapsed,
        "config": config,
        "metrics": metrics,
    }
    write_json(HERE / "result.json", result)


if __name__ == "__main__":
    main()
