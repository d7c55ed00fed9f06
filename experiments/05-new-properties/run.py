"""Learn measured properties from few labels, and measure errors and intervals on scaffolds that were left out.

    CHEMVAE_DATA=FOLDER python experiments/05-new-properties/run.py [MODEL]

FOLDER holds esol.csv.gz, freesolv.csv.gz and lipophilicity.csv.gz. The same for a table of your own: ``chemvae predict DATA
--fit TABLE -p COLUMN``.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tomllib
import torch
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold
from sklearn.ensemble import HistGradientBoostingRegressor

from chemvae import api
from chemvae.data.prepare.tables import load_table
from chemvae.qsar.features import Features, Scaling
from chemvae.qsar.model import COVERAGE, PropertyModel
from chemvae.runs import environment, write_json

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True)
class Measured:
    """A set: N distinct molecules."""

    features: Features
    labels: np.ndarray
    scaffolds: np.ndarray
    """Murcko, stereo left out."""

    @classmethod
    def read(cls, model, name: str, column: str) -> Measured:
        table = load_table(name, properties=[column])
        known = pd.Series(table.labels[:, 0], index=table.smiles).groupby(level=0, sort=False).mean()
        smiles = known.index.tolist()
        scaffolds = np.array([MurckoScaffold.MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(one)) for one in smiles])
        return cls(Features.of(model, smiles), known.to_numpy(), scaffolds)


def main() -> None:
    config = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
    started = time.monotonic()
    torch.set_num_threads(1)
    model = api.load(sys.argv[1] if len(sys.argv) > 1 else config["model"], "cpu")
    metrics, elapsed = {}, {}
    for name, column in config["sets"].items():
        data, then = Measured.read(model, name, column), time.monotonic()
        found = {**by_inputs(data, config, model), **in_folds(data, config, model)}
        metrics |= {f"{name}: {key}": value for key, value in found.items()}
        elapsed[name] = round(time.monotonic() - then, 1)
        print(name, f"{elapsed[name]} s", *(f"{key}: {value['mean']:.3f}" for key, value in found.items()), sep="\n  ")
    write_json(HERE / "result.json", describe(config, metrics, elapsed, time.monotonic() - started))
    page = (HERE / "README.md").read_text(encoding="utf-8")
    (HERE / "README.md").write_text(fill_table(page, metrics, config), encoding="utf-8")


def fill_table(page: str, metrics: dict, config: dict) -> str:
    """Put the figures into the page, between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    keys = [key.split(": ", 1)[1] for key in metrics if key.startswith(f"{next(iter(config['sets']))}: ")]
    rows = [f"| figure | {' | '.join(config['sets'])} |", "|---" * (1 + len(config["sets"])) + "|"]
    for key in keys:
        cells = [metrics[f"{name}: {key}"] for name in config["sets"]]
        rows.append(f"| {key} | {' | '.join(map(cell, cells))} |")
    return f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{after}"


def cell(value: dict) -> str:
    if isinstance(value["mean"], int):
        return str(value["mean"])
    return f"{value['mean']:.3f}" + ("" if value["std"] is None else f" ({value['std']:.3f})")


def by_inputs(data: Measured, config: dict, model) -> dict:
    """RMSE of each choice of inputs: on the molecules for fitting with scaffolds left out, and on MoleculeNet's test part."""
    fitting, test = moleculenet_split(data.scaffolds, config["test_share"])
    found = {}
    for words, parts in config["inputs"].items():
        fitted = fit(data, fitting, model, parts, config["seed"])
        found[f"RMSE left out, {words}"] = figure(fitted.left_out_rmse)
        predicted = fitted.predict_features(data.features.part(torch.from_numpy(test)))
        found[f"RMSE test, {words}"] = figure(rmse(predicted["mean"], data.labels[test]))
    found["coverage90 test"] = figure(coverage(predicted, data.labels[test]))
    return {"n fitting": figure(len(fitting)), "n test": figure(len(test)), **found}


def in_folds(data: Measured, config: dict, model) -> dict:
    """RMSE and coverage of the whole model when folds of scaffolds are left out, and of boosted trees on z and descriptors."""
    fold = scaffold_folds(data.scaffolds, config["folds"], config["seed"])
    ours, covers, trees = [], [], []
    for number in range(config["folds"]):
        fitting, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        fitted = fit(data, fitting, model, list(config["inputs"].values())[-1], config["seed"])
        predicted = fitted.predict_features(data.features.part(torch.from_numpy(test)))
        ours.append(rmse(predicted["mean"], data.labels[test]))
        covers.append(coverage(predicted, data.labels[test]))
        trees.append(rmse(boosted_trees(data, fitting, test, config["seed"]), data.labels[test]))
    shares = np.bincount(fold) / len(fold)
    return {
        "RMSE folds": spread(ours),
        "RMSE folds, boosted trees": spread(trees),
        "coverage90 folds": {**spread(covers), "mean": float(shares @ covers)},  # of all molecules
    }


def fit(data: Measured, rows: np.ndarray, model, parts: list[str], seed: int) -> PropertyModel:
    chosen = data.features.part(torch.from_numpy(rows))
    return PropertyModel(model, parts).fit_features(chosen, data.labels[rows], data.scaffolds[rows].tolist(), seed)


def boosted_trees(data: Measured, fitting: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    scaled = Scaling.fit(data.features.part(torch.from_numpy(fitting)))(data.features)
    inputs = torch.cat([scaled.z, scaled.descriptors], dim=1).numpy()
    trees = HistGradientBoostingRegressor(max_iter=200, learning_rate=0.08, max_leaf_nodes=15, random_state=seed)
    return trees.fit(inputs[fitting], data.labels[fitting]).predict(inputs[test])


def moleculenet_split(scaffolds: np.ndarray, test_share: float) -> tuple[np.ndarray, np.ndarray]:
    """Scaffolds from the most to the least frequent; the last tenth of the molecules is the test part.

    As MoleculeNet does it: a group that no longer fits into a part goes to the next one.
    """
    groups = pd.Series(range(len(scaffolds))).groupby(scaffolds).agg(list)
    ordered = sorted(groups, key=lambda rows: (len(rows), -rows[0]), reverse=True)
    fitting, test, limit = [], [], (1 - test_share) * len(scaffolds)
    for rows in ordered:
        (fitting if len(fitting) + len(rows) <= limit else test).extend(rows)
    return np.sort(fitting), np.sort(test)


def scaffold_folds(scaffolds: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Number the fold [N] of each molecule: whole scaffolds, the largest first, each to the smallest fold."""
    names, sizes = np.unique(scaffolds, return_counts=True)
    order = np.lexsort((np.random.default_rng(seed).random(len(names)), -sizes))
    filled, fold = np.zeros(n), {}
    for i in order:
        fold[names[i]] = int(np.argmin(filled))
        filled[fold[names[i]]] += sizes[i]
    return np.array([fold[one] for one in scaffolds])


def rmse(predicted, labels: np.ndarray) -> float:
    return float(np.sqrt(np.mean((np.asarray(predicted) - labels) ** 2)))


def coverage(predicted: pd.DataFrame, labels: np.ndarray) -> float:
    return float(((labels >= predicted["low"]) & (labels <= predicted["high"])).mean())


def figure(value: float | int) -> dict:
    return {"mean": value, "std": None, "n": 1}


def spread(values: list[float]) -> dict:
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "n": len(values)}


def describe(config: dict, metrics: dict, elapsed: dict, total_s: float) -> dict:
    """Everything result.json says: where the figures come from, and the figures."""
    origin = environment()
    return {
        "command": "python experiments/05-new-properties/run.py",
        "commit": origin["commit"],
        "seeds": [config["seed"]],
        "device": f"{origin['processor']}, 1 thread",
        "versions": origin["versions"],
        "elapsed_s": {"reading": round(total_s - sum(elapsed.values()), 1), **elapsed},
        "config": {**config, "coverage": COVERAGE, "model": sys.argv[1] if len(sys.argv) > 1 else config["model"]},
        "metrics": metrics,
    }


if __name__ == "__main__":
    main()
