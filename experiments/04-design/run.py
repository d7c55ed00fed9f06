"""Run every campaign that config.toml asks for, and gather what they found in result.json and in the tables of README.md.

    CHEMVAE_DATA=FOLDER python experiments/04-design/run.py [--jobs N] [--budget N] [--rungs NAME ...] [--gather]

FOLDER holds zinc250k.csv.gz. A campaign whose file is there is not run again; one that was killed goes on from its record.
``--gather`` runs nothing. Each campaign computes on one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import page
import tasks
import tomllib

HERE = Path(__file__).parent
MARKS = (500, 1000, 2000, 5000)  # budgets that a longer campaign answers for as well


@dataclass(frozen=True)
class Campaign:
    """One search."""

    rung: str
    task: str
    budget: int
    seed: int
    library: str = "all"
    """What it starts from: random molecules of "all" of ZINC250k, or of the "lowest" decile of 5 QED - SAS there."""

    @property
    def name(self) -> str:
        task = self.task if self.library == "all" else f"{self.task}_from_{self.library}"
        return f"{self.rung}-{task}-{self.budget}-{self.seed}"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--jobs", type=int, default=1, help="campaigns at a time")
    asked.add_argument("--gather", action="store_true", help="run nothing, write result.json from what is there")
    asked.add_argument("--budget", type=int, help="only campaigns of this budget")
    asked.add_argument("--rungs", nargs="+", help="only these")
    options = asked.parse_args()
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    folder = Path(config["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [one for one in campaigns(config) if options.budget in (None, one.budget)]
    wanted = [one for one in wanted if options.rungs is None or one.rung in options.rungs]
    if not options.gather:
        run_all(config, [one for one in wanted if not (folder / f"{one.name}.json").exists()], options.jobs)
    write_result(config, folder)


def campaigns(config: dict[str, Any]) -> list[Campaign]:
    """All campaigns, one seed after the other, so that every rung has its first figure early."""
    found = [
        Campaign(rung, task, block["budget"], seed, block.get("library", "all"))
        for block in config["campaigns"]
        for seed in block["seeds"]
        for task in block["tasks"]
        for rung in block["rungs"]
    ]
    return list(dict.fromkeys(found))


def run_all(config: dict[str, Any], wanted: list[Campaign], jobs: int) -> None:
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(run_one, config, one) for one in wanted]):
            print(json.dumps({name: value for name, value in done.result().items() if name != "curve"}), flush=True)


def run_one(config: dict[str, Any], one: Campaign) -> dict[str, Any]:
    """One campaign from empty caches; its record and its figures stay in the experiment's folder."""
    import torch

    torch.set_num_threads(1)
    folder, started = Path(config["folder"]), time.monotonic()
    rung, library = config["rungs"][one.rung], some_of_zinc(config["start"], one.seed, one.library)
    search = compared if "baseline" in rung else designed
    scores, best, how = search(config, one, rung, library, folder)
    figures = {
        **asdict(one),
        "auc_top10": tasks.auc_top10(scores, one.budget),
        "auc_top10_at": {n: tasks.auc_top10(scores[:n], n) for n in MARKS if n < one.budget},
        "top10": float(np.sort(scores[np.isfinite(scores)])[-10:].mean()),
        "best": float(np.nanmax(scores)),
        "best_smiles": best,
        "calls": len(scores),
        **how,
        "elapsed_s": round(time.monotonic() - started, 1),
        "curve": [float(np.sort(scores[:n][np.isfinite(scores[:n])])[-10:].mean()) for n in range(100, len(scores) + 1, 100)],
    }
    (folder / f"{one.name}.json").write_text(json.dumps(figures), encoding="utf-8")
    return figures


def designed(config, one: Campaign, rung: dict, library: list[str], folder: Path) -> tuple[np.ndarray, str, dict]:
    """Scores in the order of calls, the best molecule, and how it went, of a search in latent space."""
    from chemvae import api
    from chemvae.design.results.report_data import stream_shares

    result = api.optimize(
        api.load(config["model"]),
        tasks.TASKS[one.task],
        one.budget,
        one.seed,
        method=rung["method"],
        start=library,
        history_path=folder / f"{one.name}.jsonl",
    )
    how = {"valid": result.counts["valid"] / max(1, result.counts["points"]), "stopped": result.stopped}
    how["streams"] = stream_shares(result.molecules)
    return result.history["score"].to_numpy(dtype=float), result.best["smiles"], how


def compared(config, one: Campaign, rung: dict, library: list[str], folder: Path) -> tuple[np.ndarray, str, dict]:
    """The same of a method that we compare with."""
    from baselines import BASELINES

    calls = BASELINES[rung["baseline"]](tasks.TASKS[one.task], library, one.budget, one.seed)
    return np.array([score for _, score in calls]), max(calls, key=lambda call: call[1])[0], {}


def some_of_zinc(n: int, seed: int, library: str = "all") -> list[str]:
    """n random molecules of ZINC250k, or of a part of it."""
    table = zinc()
    if library == "lowest":
        table = table[table["qed_minus_sas"] <= table["qed_minus_sas"].quantile(0.1)]
    return table["smiles"].iloc[np.random.default_rng(seed).permutation(len(table))[:n]].tolist()


def zinc():
    """ZINC250k with 5 QED - SAS."""
    import pandas as pd

    table = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / "zinc250k.csv.gz")
    return table.assign(smiles=table["smiles"].str.strip(), qed_minus_sas=5 * table["qed"] - table["SAS"])


def unfinished(folder: Path) -> dict[str, Any]:
    """The AUC of the first calls of campaigns that have not ended, as far as their records go."""
    metrics = {}
    for path in sorted(folder.glob("*.jsonl")):
        if path.with_suffix(".json").exists() or path.stem.count("-") != 3:  # ended, or no campaign's record
            continue
        rung, task, *rest = path.stem.split("-")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        scores = [math.nan if row["values"][0] is None else row["values"][0] for row in rows if "values" in row]
        for n in (mark for mark in MARKS if mark <= len(scores)):
            value = tasks.auc_top10(scores[:n], n)
            metrics[f"{task}/first {n} of {rest[0]}, seed {rest[1]}/{rung}/auc_top10"] = {"mean": value, "std": None, "n": 1}
    return metrics


def percentiles(groups: dict[str, list[dict]]) -> dict[str, Any]:
    """Of 5 QED - SAS: the share of ZINC250k below the best molecule and below the mean of the ten best."""
    found = {}
    for name, group in groups.items():
        if name.startswith("qed_minus_sas"):
            values = zinc()["qed_minus_sas"].to_numpy()
            for figure in ("best", "top10"):
                shares = [float((values < one[figure]).mean()) for one in group]
                found[f"{name}/{figure}_percentile"] = {"mean": 100 * statistics.fmean(shares), "std": None, "n": len(shares)}
    return found


def write_result(config: dict[str, Any], folder: Path) -> None:
    """result.json: for each rung, task and budget the mean over seeds, beside the published value where there is one."""
    from chemvae.runs import environment, write_json

    paths = sorted(folder.glob("*.json"))
    found = [json.loads(path.read_text()) for path in paths]
    groups: dict[str, list[dict]] = {}
    for one in found:
        where = "" if one.get("library", "all") == "all" else f" from {one['library']}"
        groups.setdefault(f"{one['task']}{where}/{one['budget']}/{one['rung']}", []).append(one)
    origin = environment()
    metrics = {}
    for name, group in sorted(groups.items()):
        for figure in ("auc_top10", "top10", "best", "elapsed_s"):
            metrics[f"{name}/{figure}"] = spread([one[figure] for one in group])
        for stream in sorted({stream for one in group for stream in one.get("streams", {})}):
            metrics[f"{name}/streams/{stream}"] = spread([one["streams"].get(stream, 0.0) for one in group if "streams" in one])
    metrics |= unfinished(folder) | percentiles(groups)
    result = {
        "command": "python experiments/04-design/run.py",
        "commit": origin["commit"],
        "seeds": sorted({one["seed"] for one in found}),
        "device": f"{origin['processor']}, one thread per campaign",
        "versions": origin["versions"],
        "elapsed_s": {"all campaigns": round(sum(one["elapsed_s"] for one in found), 1)},
        "config": config,
        "metrics": metrics,
        "curves": {path.stem: one["curve"] for path, one in zip(paths, found, strict=True)},
    }
    write_json(HERE / "result.json", result)
    page.main()


def spread(values: list[float]) -> dict[str, float | None]:
    """Mean, standard deviation and standard error of some seeds; no deviation and no error of one."""
    std = statistics.stdev(values) if len(values) > 1 else None
    error = None if std is None else std / math.sqrt(len(values))
    return {"mean": statistics.fmean(values), "std": std, "error": error, "n": len(values)}


if __name__ == "__main__":
    main()
