"""Train the cpu preset on ZINC250k, or go on where it stopped, and measure it on the test split.

    CHEMVAE_DATA=FOLDER python experiments/01-zinc250k/run.py

FOLDER holds zinc250k.csv.gz. The same by hand: ``chemvae train zinc250k -p logP -p qed -p SAS --preset cpu --epochs 16
--set threads=1 -o runs/zinc250k`` and ``chemvae evaluate zinc250k --split test -m runs/zinc250k --json evaluation.json``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import tomllib

from chemvae import api
from chemvae.evaluation.protocols import Evaluation
from chemvae.evaluation.report import write_report
from chemvae.runs import RunFolder, environment, write_json

HERE = Path(__file__).parent


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    run = RunFolder(config["run"])
    if "--evaluate-only" in sys.argv:
        model = api.load(run.path)
    elif run.has("trainer.pt"):
        model = api.train(None, out=run.path, resume=True)
    else:
        model = api.train(
            config["data"], config["targets"], config["preset"], run.path, seed=config["seed"], **config["settings"]
        )
    started = time.monotonic()
    evaluation = api.evaluate_in_full(model, config["data"], config["seed"], **config["evaluation"])
    write_report(evaluation, run.path, name=run.path.name, history=run.read_metrics())
    write_json(HERE / "result.json", describe(config, run, evaluation, time.monotonic() - started))


def describe(config: dict, run: RunFolder, evaluation: Evaluation, evaluated_s: float) -> dict:
    """Everything result.json says: where the figures come from, and the figures."""
    rows = run.read_metrics()
    figures = dict(evaluation.figures)
    protocol = figures.pop("protocol")
    origin = environment()
    return {
        "command": "python experiments/01-zinc250k/run.py",
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": f"{origin['processor']}, {config['settings']['threads']} thread",
        "versions": origin["versions"],
        "elapsed_s": {"training": float(rows["elapsed_s"].iloc[-1]), "evaluation": round(evaluated_s, 1)},
        "config": config,
        "metrics": {name: {"mean": value, "std": None, "n": 1} for name, value in figures.items() if name != "seed"},
        "protocol": protocol,
        "failures": evaluation.failures["kind"].value_counts().to_dict(),
        "validity_against_radius": evaluation.radius.to_dict(orient="list"),
        "validity_against_norm": evaluation.norm.to_dict(orient="list"),
        "learning_curve": rows.to_dict(orient="list"),
    }


if __name__ == "__main__":
    main()
