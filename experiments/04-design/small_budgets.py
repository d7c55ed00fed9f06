"""The first 200 calls of a search: eight goals, every method, the mean of the ten best after 20, 50, 100 and 200 calls.

    CHEMVAE_DATA=FOLDER python experiments/04-design/small_budgets.py [--seeds 0 1] [--methods auto] [--goals qed] [--gather]

One campaign of 200 calls answers for the smaller budgets, since up to 250 calls a batch has five molecules whatever the budget.
No search is given a library; ``near_lead`` starts from its lead. A campaign that is done is not run again, and one that was
stopped goes on from its record in ``runs/small-budgets``. ``--label`` keeps the campaigns of a changed engine apart. Each
campaign computes on one thread.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import tasks
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors

HERE = Path(__file__).parent
FOLDER = Path("runs/small-budgets")
MODEL, MARKS = "drug", (20, 50, 100, 200)
METHODS = ("auto", "gradient", "bayesian", "random")
TUNED_ON = ("qed_minus_sas", "celecoxib")
"""The only goals that were looked at while the engine was changed for small budgets."""
LEAD = "O=C(Nc1ccc(F)cc1)C1CCN(C(=O)c2ccccc2Cl)CC1"
RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
TABLE_ROWS = 800


@tasks.task
def ranolazine_mpo(mol: Chem.Mol) -> float:
    """Like ranolazine by pairs of atoms, more lipophilic and more polar (TPSA in A^2), with one fluorine."""
    fluorines = sum(atom.GetSymbol() == "F" for atom in mol.GetAtoms())
    return tasks.geometric_mean(
        tasks.clip(tasks.similarity(mol, RANOLAZINE, "AP"), 0.7),
        tasks.above(Crippen.MolLogP(mol), 7.0, 1.0),
        tasks.above(rdMolDescriptors.CalcTPSA(mol), 95.0, 20.0),
        tasks.bell(fluorines, 1.0, 1.0),
    )


def some_of(name: str) -> Path:
    """800 rows of a table of measured values, those of the lowest sha1: a fit to them takes seconds."""
    import pandas as pd

    path = FOLDER / f"{name}-{TABLE_ROWS}.csv"
    if not path.exists():
        table = pd.read_csv(Path(os.environ["CHEMVAE_DATA"]) / f"{name}.csv.gz")
        order = table["smiles"].map(lambda text: hashlib.sha1(text.encode()).hexdigest()).sort_values()
        FOLDER.mkdir(parents=True, exist_ok=True)
        table.loc[order.index[:TABLE_ROWS]].to_csv(path, index=False)
    return path


def asked(goal: str) -> dict[str, Any]:
    """The arguments of a search for a goal."""
    from chemvae import Goal

    if goal == "qed":
        return {"goals": "qed"}
    if goal == "logp_target":
        return {"goals": Goal("logP", target=4.5), "constraints": ["qed>0.7", "SAS<2.5", "TPSA>60"]}
    if goal == "near_lead":
        return {"goals": "qed", "start": [LEAD], "min_similarity": 0.4}
    if goal == "solubility":
        return {"oracle": f"fit:{some_of('esol')}#log10_solubility_mol_per_L", "constraints": ["MW>300"]}
    if goal == "table":
        return {"oracle": f"fit:{some_of('lipophilicity')}#logD_pH7_4", "constraints": ["qed>0.6"]}
    return {"oracle": FUNCTIONS[goal]}


FUNCTIONS = {
    "qed_minus_sas": tasks.TASKS["qed_minus_sas"],
    "celecoxib": tasks.TASKS["celecoxib_rediscovery"],
    "mpo": ranolazine_mpo,
}
GOALS = {
    "qed": "QED",
    "qed_minus_sas": "5 QED - SAS, as a function the engine knows nothing of",
    "logp_target": "logP 4.5, QED > .7, SAS < 2.5, TPSA > 60",
    "celecoxib": "similarity to celecoxib (ECFP4 counts)",
    "mpo": "ranolazine_mpo of PMO",
    "solubility": "log solubility learned from 800 rows of ESOL, MW > 300",
    "table": "logD learned from 800 measured rows of ChEMBL, QED > .6 (no table of pIC50 is at hand)",
    "near_lead": "QED at a similarity >= .4 to a lead",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--goals", nargs="+", default=list(GOALS), choices=list(GOALS))
    parser.add_argument("--budget", type=int, default=MARKS[-1], help="calls; a shorter campaign is gone on with")
    parser.add_argument("--label", default="", help="of the campaigns of a changed engine")
    parser.add_argument("--setting", type=json.loads, default={}, help="settings of the method, as JSON")
    parser.add_argument("--gather", action="store_true", help="run nothing, write small_budgets.json from what is there")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if options.gather:
        gather(options.seeds)
        return
    for seed in options.seeds:
        for goal in options.goals:
            for method in options.methods:
                run_one(Campaign(goal, method, seed, options.label), options.budget, options.setting)


@dataclass(frozen=True)
class Campaign:
    """One search."""

    goal: str
    method: str
    seed: int
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.method}{self.label}-{self.goal}-{self.seed}"


def run_one(one: Campaign, budget: int, setting: dict[str, Any]) -> None:
    """One campaign; its record and its figures stay in the folder."""
    import torch

    from chemvae import api

    path = FOLDER / f"{one.name}.json"
    if path.exists() and json.loads(path.read_text(encoding="utf-8"))["budget"] >= budget:
        return
    torch.set_num_threads(1)
    started = time.process_time()
    how = {"name": one.method, **setting} if setting else one.method
    result = api.optimize(
        api.load(MODEL), budget=budget, seed=one.seed, method=how, history_path=FOLDER / f"{one.name}.jsonl", **asked(one.goal)
    )
    utility = result.history["utility"].to_numpy(dtype=float)
    figures = {
        "goal": one.goal, "method": one.method + one.label, "seed": one.seed, "budget": budget, "calls": len(utility),
        "stopped": result.stopped, "top10": {mark: mean_of_ten(utility[:mark]) for mark in MARKS if mark <= budget},
        "best_smiles": None if result.best is None else result.best["smiles"],
        "processor_s": round(time.process_time() - started, 1),
    }  # fmt: skip
    path.write_text(json.dumps(figures), encoding="utf-8")
    print(json.dumps(figures), flush=True)


def mean_of_ten(utility: np.ndarray) -> float | None:
    """Mean of the ten best (of all where there are fewer); None where there is none."""
    found = np.sort(utility[np.isfinite(utility)])[-10:]
    return float(found.mean()) if len(found) else None


def gather(seeds: Sequence[int]) -> None:
    """small_budgets.json and small_budgets.md from the campaigns there are."""
    from chemvae.runs import environment, write_json

    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*-*-*.json"))]
    found = [one for one in found if one["seed"] in seeds and one["method"] in METHODS and one["goal"] in GOALS]
    origin = environment()
    result = {
        "command": "python experiments/04-design/small_budgets.py",
        "commit": origin["commit"],
        "seeds": sorted({one["seed"] for one in found}),
        "device": f"{origin['processor']}, one thread per campaign",
        "versions": origin["versions"],
        "model": MODEL,
        "tuned_on": TUNED_ON,
        "goals": GOALS,
        "campaigns": found,
        "comparison": compare(found),
    }
    write_json(HERE / "small_budgets.json", result)
    (HERE / "small_budgets.md").write_text(page(result), encoding="utf-8")


def compare(found: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Goal/calls -> each method's mean over seeds, and the default less the best of the others with its paired error."""
    answers: dict[str, dict[str, Any]] = {}
    for goal in GOALS:
        for mark in MARKS:
            values = {
                method: {
                    one["seed"]: one["top10"].get(str(mark)) for one in found if (one["goal"], one["method"]) == (goal, method)
                }
                for method in METHODS
            }
            answers[f"{goal}/{mark}"] = paired(values)
    return answers


def paired(values: dict[str, dict[int, float]]) -> dict[str, Any]:
    """Means over the seeds that all have, the best of the others, and how far the default is ahead of it, seed by seed."""
    run = {method: {seed: value for seed, value in one.items() if value is not None} for method, one in values.items()}
    run = {method: one for method, one in run.items() if one}
    seeds = sorted(set.intersection(*(set(one) for one in run.values()))) if run else []
    means = {method: statistics.fmean(one[seed] for seed in seeds) for method, one in run.items()} if seeds else {}
    others = [method for method in means if method != "auto"]
    if "auto" not in means or not others:
        return {"means": means, "n": len(seeds)}
    rival = max(others, key=means.__getitem__)
    ahead = [run["auto"][seed] - run[rival][seed] for seed in seeds]
    error = statistics.stdev(ahead) / math.sqrt(len(ahead)) if len(ahead) > 1 else None
    return {"means": means, "n": len(seeds), "rival": rival, "ahead": statistics.fmean(ahead), "paired_error": error}


def page(result: dict[str, Any]) -> str:
    """A table for each number of calls."""
    tuned = " and ".join(f"`{goal}`" for goal in result["tuned_on"])
    goals = "\n".join(f"- `{goal}`: {words}" for goal, words in result["goals"].items())
    parts = [
        "# The first 200 calls\n\nWritten by `small_budgets.py` from [small_budgets.json](small_budgets.json): the mean of the "
        f"ten best utilities, over seeds {', '.join(map(str, result['seeds']))}; the default less the best of the others, "
        f"paired by seed, ± its standard error. Settings were tuned on {tuned} alone. `pareto` has no column: with one goal it "
        f"is the default search, call for call.\n\n{goals}"
    ]
    for mark in MARKS:
        rows = [f"| {' | '.join(row(goal, result['comparison'][f'{goal}/{mark}']))} |" for goal in GOALS]
        head = f"| goal | {' | '.join(METHODS)} | the default is ahead of the best other by | seeds |"
        parts.append("\n".join([f"## {mark} calls\n", head, "|---" * (len(METHODS) + 3) + "|", *rows]))
    return "\n\n".join(parts) + "\n"


def row(goal: str, one: dict[str, Any]) -> list[str]:
    """One goal's line."""
    means = [f"{one['means'][method]:.3f}" if method in one["means"] else "" for method in METHODS]
    if "ahead" not in one:
        return [goal, *means, "", str(one["n"])]
    error = "" if one["paired_error"] is None else f" ± {one['paired_error']:.3f}"
    return [goal, *means, f"{one['ahead']:+.3f}{error} ({one['rival']})", str(one["n"])]


if __name__ == "__main__":
    main()
