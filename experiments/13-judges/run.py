"""Are designs made of ring systems and bonds that anybody has made? And what does each judge cost?

    CHEMVAE_DATA=FOLDER python experiments/13-judges/run.py [PART ...]

Parts are the goals of config.toml, "prior", "data" and "times"; with parts named, the others' figures stay as result.json has
them. FOLDER holds the data sets. A judge that is not installed has no time.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomllib
import torch

import chemvae
from chemvae import api
from chemvae.chem.molecules import parse
from chemvae.chem.plausibility.known import strangeness
from chemvae.chem.properties import PROPERTIES, compute
from chemvae.design import make_oracle, run_campaign
from chemvae.errors import ChemVAEError
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
WAYS = {"without": None, "with": "chembl"}
TIMED_PROPERTIES = ("SAS", "alert_hits", "unknown_rings", "known_scaffold", "purchasable")
TIMED_ORACLES = ("admet:hERG", "molscore:Albuterol_similarity")


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    for part in sys.argv[1:] or [*config["goals"], "prior", "data", "times"]:
        then = time.monotonic()
        found = PARTS.get(part, search)(config, part)
        elapsed_s = round(time.monotonic() - then, 1)
        print(part, f"{elapsed_s} s", *(f"{key}: {value:.4g}" for key, value in found.items()), sep="\n  ", flush=True)
        write_down(config, part, found, elapsed_s)


def search(config: dict, name: str) -> dict[str, float]:
    """One goal, without and with the filter."""
    model = api.load(config["model"], "cpu")
    found: dict[str, float] = {}
    for way, table in WAYS.items():
        result = run_campaign(model, config["goals"][name], budget=config["budget"], seed=config["seed"], plausible=table)
        best = result.molecules.head(config["top"])
        found |= {f"{key}, {way}": value for key, value in shares(best["smiles"].tolist()).items()}
        found |= {f"best, {way}": float(best["score"].max()), f"mean of ten, {way}": float(best["score"].head(10).mean())}
        found[f"seconds, {way}"] = result.elapsed_s
    return found


def shares(smiles: Sequence[str]) -> dict[str, float]:
    """Share of molecules with known ring systems only, and with known bonds as well."""
    judged = [strangeness(text) for text in smiles]
    rings, all_known = (float(np.mean(one)) for one in ([not j.rings for j in judged], [not j for j in judged]))
    return {"rings known": rings, "rings and bonds known": all_known}


def prior(config: dict, name: str) -> dict[str, float]:
    """Samples of the model."""
    drawn = chemvae.sample(api.load(config["model"], "cpu"), config["n_prior"], seed=config["seed"])
    return shares(drawn["smiles"][drawn["valid"]].tolist())


def data(config: dict, name: str) -> dict[str, float]:
    """Molecules of data sets."""
    found: dict[str, float] = {}
    for source in config["data"]:
        table = pd.read_csv(data_folder() / f"{source}.csv.gz", usecols=["smiles"])
        smiles = table["smiles"].sample(3 * config["n_data"], random_state=config["seed"]).tolist()
        smiles = [text for text in smiles if parse(text) is not None]
        found |= {f"{source}, {key}": value for key, value in shares(smiles[: config["n_data"]]).items()}
    return found


def data_folder() -> Path:
    """Where the data sets lie."""
    return Path(os.environ["CHEMVAE_DATA"])


def times(config: dict, name: str) -> dict[str, float]:
    """Processor time of a molecule in milliseconds; wall time for those that work in another process."""
    smiles = pd.read_csv(data_folder() / "zinc250k.csv.gz", usecols=["smiles"], nrows=config["n_timed"])["smiles"].tolist()
    found = {
        f"{judge}, ms": timed(lambda one=judge: [compute(one, text) for text in smiles], len(smiles))
        for judge in TIMED_PROPERTIES
        if judge in PROPERTIES
    }
    found |= {f"{judge}, ms": timed(lambda one=judge: make_oracle(one)(smiles), len(smiles)) for judge in TIMED_ORACLES}
    return {key: value for key, value in found.items() if value is not None}


def timed(judge: Callable[[], Any], n: int) -> float | None:
    """Milliseconds for each of n molecules; None where it is not installed."""
    then = time.process_time()
    try:
        judge()
    except ChemVAEError:
        return None
    return 1000.0 * (time.process_time() - then) / n


PARTS: dict[str, Callable[[dict, str], dict[str, float]]] = {"prior": prior, "data": data, "times": times}


def write_down(config: dict, part: str, found: dict[str, float], elapsed_s: float) -> None:
    """Put the figures of a part into result.json and the page."""
    path = HERE / "result.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"config": None}
    kept = before if before["config"] == config else {"metrics": {}, "elapsed_s": {}}
    metrics = {key: value for key, value in kept["metrics"].items() if not key.startswith(f"{part}: ")}
    metrics |= {f"{part}: {key}": {"mean": value, "std": None, "n": 1} for key, value in found.items()}
    write_json(path, describe(config, metrics, kept["elapsed_s"] | {part: elapsed_s}))
    page = (HERE / "README.md").read_text(encoding="utf-8")
    (HERE / "README.md").write_text(fill_table(page, metrics, list(config["goals"])), encoding="utf-8")


def fill_table(page: str, metrics: dict, goals: list[str]) -> str:
    """Put the figures of the goals into the page, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    done = [goal for goal in goals if f"{goal}: rings known, with" in metrics]
    keys = [key.split(": ", 1)[1] for key in metrics if done and key.startswith(f"{done[0]}: ")]
    rows = [f"| figure | {' | '.join(done)} |", "|---" * (1 + len(done)) + "|"]
    rows += [f"| {key} | {' | '.join(format(metrics[f'{goal}: {key}']['mean'], '.3g') for goal in done)} |" for key in keys]
    others = {key: fact["mean"] for key, fact in metrics.items() if key.split(": ")[0] not in goals}
    rows = [*rows, ""] if done else []
    rows += ["| figure | value |", "|---|---|", *(f"| {key} | {value:.3g} |" for key, value in others.items())]
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{rest.partition(END)[2]}"


def describe(config: dict, metrics: dict, elapsed: dict) -> dict:
    """Everything result.json says: where the figures come from, and the figures."""
    origin = environment()
    return {
        "command": "python experiments/13-judges/run.py",
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
