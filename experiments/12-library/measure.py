"""Search one library, alone in this program: JSON of what to ask on stdin, figures on stdout. Called by run.py."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from chemvae import api
from chemvae.library import Query, search
from chemvae.library.manifest import read_manifest
from chemvae.library.opening import read_shards

MIB = 1024**2


def main() -> None:
    asked = json.load(sys.stdin)
    config, path = asked["config"], Path(asked["library"])
    points = api.load(config["model"], "cpu").encode(asked["near"], canonicalize=False)
    run = lambda query: search(path, query, jobs=config["threads"]).table  # noqa: E731
    conditions = {"where": config["conditions"]["where"], "without": config["conditions"]["without"]}
    found: dict[str, Any] = {"n_molecules": read_manifest(path).n_rows, "load_average": os.getloadavg()[0]}
    found["resident_before_mib"] = psutil.Process().memory_info().rss / MIB
    forget(path)
    found["latent_cold_s"] = timed([lambda: run(Query(points[0], config["n_hits"]))], 1)[0][0]
    ways = {
        "latent": [lambda point=point: run(Query(point, config["n_hits"])) for point in points],
        "combined": [lambda point=point: run(Query(point, config["n_hits"], **conditions)) for point in points],
    }
    for name, calls in ways.items():
        found |= summary(name, timed(calls, config["repeats"]))
    found["latent_peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ways = {
        "fingerprint": [lambda one=one: run(Query(one, config["n_hits"], space="fingerprint")) for one in asked["near"]],
        "substructure": [lambda: run(Query(n=config["n_hits"], having=config["conditions"]["having"]))],
        "property": [lambda: run(Query(n=config["n_hits"], where=conditions["where"]))],
    }
    for name, calls in ways.items():
        found |= summary(name, timed(calls, config["repeats"]))
    found["all_peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found |= compared(path, points[: config["n_recall"]], config, run, conditions)
    print(json.dumps(found))


def forget(path: Path) -> None:
    """Let the system drop the library's files from its cache, as after a start."""
    for file in path.glob("*/*"):
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def timed(calls: list[Callable[[], Any]], repeats: int) -> tuple[list[float], list[float]]:
    """Seconds of each call, each time: by the clock, and of the processor, all threads together."""
    found = []
    for _ in range(repeats):
        for call in calls:
            then, before = time.perf_counter(), time.process_time()
            call()
            found.append((time.perf_counter() - then, time.process_time() - before))
    clock, processor = zip(*found, strict=True)
    return list(clock), list(processor)


def summary(name: str, seconds: tuple[list[float], list[float]]) -> dict[str, float]:
    clock, processor = seconds
    return {
        f"{name}_s": statistics.median(clock), f"{name}_least_s": min(clock), f"{name}_most_s": max(clock),
        f"{name}_processor_s": statistics.median(processor),
    }  # fmt: skip


def compared(
    path: Path, points: np.ndarray, config: dict[str, Any], run: Callable[[Query], pd.DataFrame], conditions: dict[str, str]
) -> dict[str, float]:
    """Recall against a look at every float code, in float64."""
    truths, filtered = by_hand(path, points, config["n_hits"])
    found = [run(Query(point, config["n_hits"])) for point in points]
    shares = [len(set(hits["row"]) & set(rows)) / len(rows) for hits, (rows, _) in zip(found, truths, strict=True)]
    worst = max(float(np.abs(hits["distance"] - values).max()) for hits, (_, values) in zip(found, truths, strict=True))
    return {"recall": float(np.mean(shares)), "largest_difference_of_distances": worst, "brute_force_s": filtered}


def by_hand(path: Path, points: np.ndarray, n: int) -> tuple[list[tuple[np.ndarray, np.ndarray]], float]:
    """The n nearest rows and their distances for each point [D], and the seconds that one took."""
    best = [(np.empty(0, np.int64), np.empty(0)) for _ in points]
    then = time.perf_counter()
    for shard in read_shards(path, read_manifest(path)):
        codes = shard.array("points").astype(np.float64)
        for i, point in enumerate(points.astype(np.float64)):
            values = np.concatenate([best[i][1], np.linalg.norm(codes - point, axis=1)])
            rows = np.concatenate([best[i][0], shard.first_row + np.arange(len(shard))])
            order = np.lexsort((rows, values))[:n]
            best[i] = rows[order], values[order]
    return best, (time.perf_counter() - then) / len(points)


if __name__ == "__main__":
    main()
