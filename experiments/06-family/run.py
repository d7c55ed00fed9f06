"""Which posterior, objective and prior makes the better space of molecules, at what rate, at what cost?

    CHEMVAE_DATA=FOLDER python experiments/06-family/run.py --round 1 --jobs 2      # hours; a stopped run goes on
    CHEMVAE_DATA=FOLDER python experiments/06-family/run.py --round 2 --jobs 2      # the best ones again, longer, two seeds
    python experiments/06-family/run.py --round 1 --size SMALL                      # minutes: whether every row runs
    python experiments/06-family/run.py --round 1 --only iaf --only char-rnn        # some rows
    python experiments/06-family/run.py --round 1 --gather                          # result.json from what is there

Rows stand in rows.toml, what they have in common in config.toml. Every run is one training by ``chemvae.train`` in a process
of its own, on one core, with its output in FOLDER/ROUND/RUN.log and its figures in RUN.json; what has figures is not run again.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pandas as pd
import tomllib

HERE = Path(__file__).parent
CHAR_RNN = "char-rnn"
PAIRS = [f"{prior}_{how}" for prior in ("normal", "learned", "trained") for how in ("greedy", "sampled")]
COLUMNS = (
    "reconstruction_greedy", "reconstruction_jt",
    *(f"{key}_{two}" for two in PAIRS for key in ("validity", "unique_10k", "fcd")),
    *(f"own_code_found_{two}" for two in PAIRS), "rate", "distortion", "kl", "elbo", "active_units", "mutual_information",
    "aggregated_posterior_gap", "log_px_is", "log_px_ais", "bdmc_gap", "amortization_gap", "mae_qed",
    *(f"similarity_at_{step}" for step in ("1sd", "3sd", "0.2", "0.3", "0.5", "1.0")), "neighbors_kept_10", "novelty",
    "nll", "validity", "unique_10k", "fcd", "seconds_per_epoch",
)  # fmt: skip
"""What the table holds, of what was measured; ``nll`` and the bare names are the char-RNN's."""


def main() -> None:
    asked = arguments()
    config, rows = settings(asked)
    if asked.one:
        return run(next(task for task in tasks(config, rows, asked.round) if task["id"] == asked.one), config)
    folder = Path(config["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    if not asked.gather:
        prepare(config, folder.parent / "molecules.parquet")
        chosen = [task for task in tasks(config, rows, asked.round) if not asked.only or task["row"] in asked.only]
        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(lambda task: in_a_process(task, folder), [one for one in chosen if not done(folder, one)]))
    result = HERE / "result.json" if asked.size is None else folder / "result.json"
    gather(config, rows, asked, result)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--round", choices=("1", "2"), default="1")
    parser.add_argument("--only", action="append", metavar="ROW", help="repeat for several")
    parser.add_argument("--size", choices=("SMALL",), help="a smoke test")
    parser.add_argument("--data", help="a file with smiles, qed and split, instead of the data set")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, a core each")
    parser.add_argument("--gather", action="store_true", help="train nothing")
    parser.add_argument("--one", metavar="RUN", help=argparse.SUPPRESS)  # what a process of its own is asked for
    return parser.parse_args()


def settings(asked: argparse.Namespace) -> tuple[dict, dict]:
    """config.toml for one round at one size, and rows.toml."""
    config, rows = (tomllib.loads((HERE / name).read_text(encoding="utf-8")) for name in ("config.toml", "rows.toml"))
    config = {**config, **config.pop("round")[asked.round], "data": asked.data or config["data"]}
    small = config.pop("size").get(asked.size, {})
    config["settings"] |= small.get("settings", {})
    more = small.get("likelihood", {}) if "likelihood" in config["evaluation"] else {}
    config["evaluation"] |= {**small.get("evaluation", {}), **more}
    config["char_rnn"] |= {name: small[name] for name in ("hidden_dim",) if name in small}
    config |= {name: small[name] for name in ("n_molecules", "n_labels", "epochs") if name in small}
    config["folder"] = str(Path(config["folder"]) / (asked.size or "full") / f"round-{asked.round}")
    return config, rows


def tasks(config: dict, rows: dict, number: str) -> list[dict]:
    """Every run of a round: an id, its row, its seed, and the settings it differs in; the char-RNN beside them."""
    found = []
    for row in rows["row"]:
        for value in row["values"]:
            name = f"{row['name']}-{value:g}"
            if number == "1" or name in (*rows["best"], "plain-0.03"):
                own = turned(row.get("settings", {}), row["knob"], value)
                found += [{"id": f"{name}-seed{seed}", "row": row["name"], "run": name, "knob": row["knob"], "value": value,
                           "seed": seed, "settings": own} for seed in config["seeds"]]  # fmt: skip
    beside = [{"id": f"{CHAR_RNN}-seed{seed}", "row": CHAR_RNN, "run": CHAR_RNN, "seed": seed} for seed in config["seeds"]]
    return found + beside


def turned(fixed: dict, knob: str, value: Any) -> dict:
    """Settings of a row with its knob at a value.

    >>> turned({"objective": {"name": "iwae"}}, "objective.n_draws", 8)
    {'objective': {'name': 'iwae', 'n_draws': 8}}
    """
    own = copy.deepcopy(fixed)
    *outer, last = knob.split(".")
    place = own
    for name in outer:
        place = place[name]
    place[last] = value
    return own


def prepare(config: dict, path: Path) -> None:
    """Write the molecules of every run: some of the train split, with labels on the first of them, and the other splits."""
    if path.exists():
        return
    from chemvae.data.prepare.preparation import load_table

    target = config["target"]
    table = load_table(config["data"], properties=[target])
    frame = pd.DataFrame({"smiles": table.smiles, target: table.labels[:, 0], "split": table.split})
    train = frame[frame["split"] == "train"].sample(config["n_molecules"], random_state=0)
    train.loc[np.arange(len(train)) >= config["n_labels"], target] = np.nan
    pd.concat([train, frame[frame["split"] != "train"]], ignore_index=True).to_parquet(path, index=False)


def done(folder: Path, task: dict) -> bool:
    return (folder / f"{task['id']}.json").exists()


def in_a_process(task: dict, folder: Path) -> None:
    """Run one task on one core; what it says goes into its log."""
    given = [word for word in sys.argv[1:] if word != "--gather"]
    command = [sys.executable, __file__, *given, "--one", task["id"]]
    with (folder / f"{task['id']}.log").open("a", encoding="utf-8") as log:
        code = subprocess.run(
            command, stdout=log, stderr=log, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
        ).returncode
    print(task["id"], "done" if done(folder, task) else f"ended with {code}, see its log", flush=True)


def run(task: dict, config: dict) -> None:
    """Train and measure one task, and write its figures; a sentence in their place if it was refused or did not learn."""
    import torch

    from chemvae.errors import ChemVAEError
    from chemvae.runs import environment, write_json

    torch.set_num_threads(1)
    started, folder = time.monotonic(), Path(config["folder"])
    try:
        figures = (beside if task["row"] == CHAR_RNN else member)(task, config, folder)
    except ChemVAEError as error:
        figures = {"error": str(error)}
    write_json(folder / f"{task['id']}.json", {
        **figures,
        "elapsed_s": round(time.monotonic() - started, 1),
        "processor": environment()["processor"],
    })  # fmt: skip


def member(task: dict, config: dict, folder: Path) -> dict:
    """A member of the family: trained, or gone on with, then measured."""
    from chemvae import api
    from chemvae.runs import RunFolder

    molecules, trained = str(folder.parent / "molecules.parquet"), RunFolder(folder / task["id"])
    if trained.has("trainer.pt"):
        model = api.train(None, out=trained.path, resume=True)
    else:
        own = {**config["settings"], "epochs": config["epochs"], **task["settings"]}
        model = api.train(molecules, [config["target"]], "cpu", trained.path, seed=task["seed"], overwrite=True, **own)
    rows = trained.read_metrics()
    figures = api.evaluate(model, molecules, task["seed"], **config["evaluation"])
    return {**figures, "seconds_per_epoch": float(rows["elapsed_s"].iloc[-1]) / len(rows)}


def beside(task: dict, config: dict, folder: Path) -> dict:
    """The char-RNN of experiment 3 on the same molecules: no latent space, so only its samples and its likelihood compare."""
    import torch

    from chemvae.data.prepare.preparation import load_table
    from chemvae.evaluation import metrics
    from chemvae.evaluation.frechet import fcd
    from chemvae.evaluation.roundtrip import Canonical
    from chemvae.evaluation.selection import select_molecules

    rnn, path, asked = char_rnn(), folder.parent / "molecules.parquet", config["evaluation"]
    own = rnn.Settings(**config["char_rnn"], epochs=config["epochs"], seed=task["seed"])
    if not (folder / task["id"] / "finished").exists():
        rnn.train(str(path), folder / task["id"], own)
        (folder / task["id"] / "finished").touch()
    history = json.loads((folder / task["id"] / "char_rnn.json").read_text(encoding="utf-8"))["history"]
    generator = torch.Generator().manual_seed(task["seed"])
    found = Canonical()(text or "" for text in rnn.load(folder / task["id"]).sample(asked["n_samples"], generator))
    table = load_table(str(path))
    smiles, split = np.array(table.smiles), np.asarray(table.split)
    held_out = select_molecules(smiles[split == asked["split"]].tolist(), None, asked["n_molecules"], Canonical())[0]["smiles"]
    valid = [text for text in found if text][: asked.get("n_fcd", 10_000)]
    return {
        "nll": history[-1]["valid_nll"],
        "validity": metrics.validity(found),
        "unique_10k": metrics.unique_at(found, 10_000),
        "fcd": fcd(valid, list(held_out)),
        "novelty": metrics.novelty(found, set(smiles[split == "train"].tolist())),
        "seconds_per_epoch": history[-1]["elapsed_s"] / len(history),
    }


def char_rnn() -> Any:
    """The char-RNN's module, which stands in the folder of experiment 3."""
    spec = importlib.util.spec_from_file_location("char_rnn", HERE.parent / "03-drug-model" / "char_rnn.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["char_rnn"] = module
    spec.loader.exec_module(module)
    return module


def gather(config: dict, rows: dict, asked: argparse.Namespace, path: Path) -> None:
    """Write result.json from every run that has figures: each figure as mean over seeds, with what a run refused."""
    from chemvae.runs import environment, write_json

    folder, runs = Path(config["folder"]), {}
    for task in tasks(config, rows, asked.round):
        if done(folder, task):
            figures = json.loads((folder / f"{task['id']}.json").read_text(encoding="utf-8"))
            runs.setdefault(task["run"], {"task": task, "found": []})["found"].append(figures)
    origin = environment()
    chosen = {name: {key: one["task"].get(key) for key in ("row", "knob", "value", "settings")} for name, one in runs.items()}
    of_runs = {name: summary(one["found"]) for name, one in runs.items()}
    first = next((figures for one in runs.values() for figures in one["found"] if "protocol" in figures), {})
    write_json(path, {
        "command": f"python experiments/06-family/run.py --round {asked.round}",
        "commit": origin["commit"],
        "seeds": config["seeds"],
        "device": f"{origin['processor']}, one thread a run",
        "versions": origin["versions"],
        "elapsed_s": {name: sum(one["elapsed_s"] for one in item["found"]) for name, item in runs.items()},
        "config": config,
        "runs": chosen,
        "refused": {name: one["found"][0]["error"] for name, one in runs.items() if "error" in one["found"][0]},
        "metrics": {f"{name}/{key}": value for name, found in of_runs.items() for key, value in found.items()},
        "protocol": first.get("protocol", {}),
    })  # fmt: skip
    print(f"{sum(len(one['found']) for one in runs.values())} runs in {path}")


def summary(found: list[dict]) -> dict[str, dict]:
    """Mean, standard deviation and number of each figure over seeds."""
    table = {}
    plain = ("validity", "unique_10k", "fcd") if "nll" not in found[0] else ()  # names of before, in a member's figures
    for key in (name for name in COLUMNS if name not in plain):
        values = [one[key] for one in found if isinstance(one.get(key), (int, float))]
        if values:
            table[key] = {"mean": mean(values), "std": stdev(values) if len(values) > 1 else None, "n": len(values)}
    return table


if __name__ == "__main__":
    main()
