"""Would another program search faster, and what does an index bring? FPSim2 beside our count of common bits, usearch's graph
beside the look at every code.

    python experiments/12-library/alternatives.py WORK   # the folder of run.py, which made the libraries

Needs FPSim2 (0.7.4 was used) and the extra ``library``. Each question is asked of both in one program, in turns, with one
thread.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import tomllib
import torch

from chemvae import api, library
from chemvae.chem.molecules import canonicalize
from chemvae.library import Query
from chemvae.library.graph.reading import GRAPH
from chemvae.library.manifest import read_manifest
from chemvae.library.opening import read_shards
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
ROUNDS = 3
SIZES = (1_000_000,)  # of the libraries that get an index


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    work = Path(sys.argv[1])
    torch.set_num_threads(1)
    table = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / config["queries"], nrows=config["n_queries"])
    near = [text for text in map(canonicalize, table.iloc[:, 0]) if text]
    then = time.monotonic()
    figures = by_fingerprint(work / "real", near, config["n_hits"])
    for size in SIZES:
        figures |= {f"{size:.0e}: {name}": value for name, value in by_index(work / f"{size}", near, config).items()}
    for name, values in figures.items():
        print(name, values, flush=True)
    write_down(config, figures, time.monotonic() - then)


def by_fingerprint(path: Path, near: list[str], n: int) -> dict[str, list[float]]:
    """Seconds of the n most similar molecules of a library by FPSim2 and by ours; both must have the same similarities."""
    from FPSim2 import FPSim2Engine
    from FPSim2.io import create_db_file

    smiles = [text for shard in read_shards(path, read_manifest(path)) for text in texts(shard)]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "molecules.h5")
        molecules = [[text, row] for row, text in enumerate(smiles)]
        create_db_file(molecules, file, mol_format="smiles", fp_type="Morgan", fp_params={"radius": 2, "fpSize": 2048})
        engine = FPSim2Engine(file)
        theirs = {one: lambda one=one: [float(score) for _, score in engine.top_k(one, n, 0.0, n_workers=1)] for one in near}
        ours = {
            one: lambda one=one: library.search(path, Query(one, n, "fingerprint"), jobs=1).table["similarity"].tolist()
            for one in near
        }
        found: dict[str, list[float]] = {"FPSim2, most similar of 60,000, s": [], "ours, most similar of 60,000, s": []}
        worst = 0.0
        for _ in range(ROUNDS):
            for one in near:
                seconds, scores = timed(theirs[one])
                found["FPSim2, most similar of 60,000, s"].append(seconds)
                seconds, similarities = timed(ours[one])
                found["ours, most similar of 60,000, s"].append(seconds)
                worst = max(worst, *(abs(a - b) for a, b in zip(scores, similarities, strict=True)))
    return {**found, "largest difference of similarities": [worst]}


def texts(shard: Any) -> list[str]:
    with shard:
        return shard.table.read(columns=["smiles"])["smiles"].to_pylist()


def by_index(path: Path, near: list[str], config: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds of the nearest by an index and by a look at every code, the index's own seconds, its bytes and its recall."""
    points = api.load(config["model"], "cpu").encode(near, canonicalize=False)
    before = time.process_time()
    facts = library.index(path, jobs=1)
    found: dict[str, list[float]] = {"index made in, processor s": [time.process_time() - before]}
    first = Query(points[0], config["n_hits"], approximate=True)
    found["first by the index, which opens it, s"] = [timed(lambda: library.search(path, first, jobs=1))[0]]
    found |= {"by the index, s": [], "by a look at every code, s": []}
    for _ in range(ROUNDS):
        for point in points:
            for name, approximate in (("by the index, s", True), ("by a look at every code, s", False)):
                query = Query(point, config["n_hits"], approximate=approximate)
                found[name].append(timed(lambda query=query: library.search(path, query, jobs=1))[0])
    size = (path / GRAPH).stat().st_size / facts.n_rows
    return {**found, "recall": [facts.recall], "bytes per molecule": [size]}


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    then = time.perf_counter()
    answer = call()
    return time.perf_counter() - then, answer


def write_down(config: dict[str, Any], figures: dict[str, list[float]], elapsed_s: float) -> None:
    facts = environment()
    metrics = {
        name: {"mean": statistics.fmean(values), "std": statistics.stdev(values) if len(values) > 1 else None, "n": len(values)}
        for name, values in figures.items()
    }
    write_json(HERE / "alternatives.json", {
        "command": "python experiments/12-library/alternatives.py WORK", "commit": facts["commit"], "seeds": [config["seed"]],
        "device": f"{facts['processor']}, one thread, {os.getloadavg()[0]:.0f} programs wanted the cores",
        "versions": facts["versions"], "elapsed_s": {"alternatives": round(elapsed_s, 1)}, "config": config, "metrics": metrics,
    })  # fmt: skip


if __name__ == "__main__":
    main()
