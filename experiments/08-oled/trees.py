"""Boosted trees on folded Morgan counts and descriptors, the line that every other model of emitters has to beat.

    CHEMVAE_DATA=FOLDER python experiments/08-oled/trees.py [FIGURE ...]

Whole Bemis-Murcko scaffolds are held out (or molecules, or the published test part, as the config says). Figures named on the
command line are taken again, the others stay as they are in trees.json.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from results import CONFIG, HERE, figure, spread, write_result
from sklearn.ensemble import HistGradientBoostingRegressor

from chemvae.chem.fingerprints import folded_counts, scaffold
from chemvae.chem.properties import compute_rows
from chemvae.data.catalog.cards.joined import joined_name
from chemvae.data.catalog.joining import clean_set
from chemvae.data.catalog.locate import DATASETS, load_dataset
from chemvae.models.structure.heads import DESCRIPTORS

OF_SOLVENT = ("logP", "MW", "TPSA", "HBD", "HBA", "aromatic_rings", "molar_refractivity")
LEAST_ROWS = 3  # in which a column must differ from zero


@dataclass(frozen=True)
class Labelled:
    """N rows with a label."""

    inputs: np.ndarray
    """[N, F] float32."""
    labels: np.ndarray
    """[N] in the unit of the set."""
    molecules: np.ndarray
    """[N] canonical SMILES."""
    published: np.ndarray
    """[N] bool: in the published test part, where the set has one."""


def main(figures: Sequence[str] = ()) -> None:
    wanted = figures or [target["figure"] for target in CONFIG["target"]]
    before = json.loads((HERE / "trees.json").read_text()) if (HERE / "trees.json").is_file() else {}
    metrics, elapsed = before.get("metrics", {}), before.get("elapsed_s", {})
    frames: dict[str, pd.DataFrame] = {}
    for target in (target for target in CONFIG["target"] if target["figure"] in wanted):
        started = time.monotonic()
        data = labelled(frames, target["data"], target["column"])
        metrics |= measured(data, target)
        elapsed[target["figure"]] = round(time.monotonic() - started, 1)
        print(
            *(f"{name}: {value['mean']:.4g}" for name, value in metrics.items() if name.startswith(target["figure"])), sep=" | "
        )
        part = {**CONFIG["trees"], "folds": CONFIG["folds"], "targets": CONFIG["target"]}
        write_result("trees", part, metrics, elapsed)


def labelled(frames: dict[str, pd.DataFrame], name: str, column: str) -> Labelled:
    """The cleaned rows of a set that have a label."""
    if name not in frames:
        raw = load_dataset(name)
        frames[name] = clean_set(raw, DATASETS[name]).assign(published=False)
        if "split" in raw:
            test = clean_set(raw[raw["split"] == "test"], DATASETS[name])["smiles"]
            frames[name]["published"] = frames[name]["smiles"].isin(test)
    frame = frames[name]
    labels = frame[joined_name(name, column)].to_numpy(float)
    known = np.isfinite(labels)
    frame, labels = frame[known], labels[known]
    return Labelled(describe(frame), labels, frame["smiles"].to_numpy(object), frame["published"].to_numpy(bool))


def describe(frame: pd.DataFrame) -> np.ndarray:
    """Counts, descriptors, and descriptors of the solvent where there is one: [N, F]; columns that are almost empty go."""
    distinct, place = np.unique(frame["smiles"].to_numpy(str), return_inverse=True)
    own = [folded_counts(distinct.tolist(), n_bits=CONFIG["trees"]["fingerprint_bits"])]
    own.append(np.array(compute_rows(distinct.tolist(), DESCRIPTORS)))
    inputs = np.hstack(own).astype(np.float32)[place]
    inputs = inputs[:, (inputs != 0).sum(axis=0) >= LEAST_ROWS]
    solvents, which = np.unique(frame["solvent"].to_numpy(str), return_inverse=True)
    if len(solvents) == 1:
        return inputs
    return np.hstack([inputs, np.array(compute_rows(solvents.tolist(), OF_SOLVENT), dtype=np.float32)[which]])


def measured(data: Labelled, target: dict) -> dict:
    """Mean absolute error of trees and of the mean label, over the folds."""
    errors, of_mean = [], []
    for test in held_out(data, target):
        settings = {name: value for name, value in CONFIG["trees"].items() if name != "fingerprint_bits"}
        trees = HistGradientBoostingRegressor(loss="absolute_error", random_state=CONFIG["seed"], **settings)
        predicted = trees.fit(data.inputs[~test], data.labels[~test]).predict(data.inputs[test])
        errors.append(float(np.abs(predicted - data.labels[test]).mean()))
        of_mean.append(float(np.abs(data.labels[~test].mean() - data.labels[test]).mean()))
    together = spread if len(errors) > 1 else lambda values: figure(values[0])
    return {
        f"{target['figure']} MAE": together(errors),
        f"{target['figure']} MAE of the mean": together(of_mean),
        f"{target['figure']} rows": figure(len(data.labels)),
    }


def held_out(data: Labelled, target: dict) -> list[np.ndarray]:
    """Which rows are for testing, bool [N] for each fold that is run."""
    if target["by"] == "column":
        return [data.published]
    distinct, place = np.unique(data.molecules.astype(str), return_inverse=True)
    groups = [scaffold(one) or "" for one in distinct] if target["by"] == "scaffold" else distinct
    names, group = np.unique(np.array(groups, dtype=str), return_inverse=True)
    fold = np.random.default_rng(CONFIG["seed"]).permutation(len(names)) % CONFIG["folds"]
    return [fold[group[place]] == number for number in range(target.get("runs", CONFIG["folds"]))]


if __name__ == "__main__":
    main(sys.argv[1:])
