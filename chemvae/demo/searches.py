"""What the demo searches for, by all methods with the same number of oracle calls, and how they compare."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.demo.molecule import Named
from chemvae.design import Goal, Result
from chemvae.design.results.summary import running_top
from chemvae.models.vae import MolVAE

log = logging.getLogger(__name__)

METHODS = {
    "random": "random sampling",
    "gradient": "gradient ascent",
    "bayesian": "Bayesian optimization",
    "auto": "the default search",
}
N_TOP = 10
MIN_SIMILARITY = 0.4
KEPT_SHARE = 0.85
"""Of the heavy atoms of a molecule that an analogue has at least: half of a drug has a higher QED, and is no improvement."""
SMALLEST_START = 250.0  # g/mol
IMPROVERS = ("random", "gradient")
PATIENCE = 5  # rounds without a new analogue


def five_qed_minus_sas(smiles: str) -> float:
    """Drug-likeness less the effort of synthesis, 5 QED - SAS: an oracle as a user would write one.

    Examples
    --------
    >>> round(five_qed_minus_sas("CC(=O)Nc1ccc(O)cc1"), 1)  # paracetamol
    1.6
    """
    return 5.0 * compute("qed", smiles) - compute("SAS", smiles)


@dataclass(frozen=True)
class Task:
    """One thing to search for.

    Attributes
    ----------
    key : short name, also in results.json.
    title, why : heading, and what this task shows.
    measure : what is shown of a molecule: the score, or the distance from a target.
    sign : +1 if a larger measure is better, -1 if a smaller one is; measure = sign * utility.
    options : keyword arguments of :func:`chemvae.optimize`.
    known : table with qed, SAS and logP -> measure of each molecule, to place the training set; NaN: it breaks a constraint.
    """

    key: str
    title: str
    why: str
    measure: str
    sign: int
    options: Mapping[str, Any]
    known: Callable[[pd.DataFrame], pd.Series]

    def best_known(self, table: pd.DataFrame) -> float:
        """Measure of the best of these molecules; NaN if none fulfils the constraints."""
        return float(self.sign * (self.sign * self.known(table)).max())


def _known_score(table: pd.DataFrame) -> pd.Series:
    return 5.0 * table["qed"] - table["SAS"]


def _known_distance(table: pd.DataFrame) -> pd.Series:
    return (table["logP"] - 5.0).abs().where((table["SAS"] < 3.0) & (table["qed"] > 0.6))


TASKS = (
    Task(
        "score",
        "Make 5 QED − SAS large",
        "The oracle is a Python function of our own. The searches see nothing but its answers: gradient ascent climbs a "
        "Gaussian process fitted to them.",
        "5 QED − SAS",
        +1,
        {"oracle": five_qed_minus_sas},
        _known_score,
    ),
    Task(
        "target",
        "Bring logP to 5, with SAS < 3 and QED > 0.6",
        "The model predicts logP, so gradient ascent can climb its predictor from the first call on; RDKit then computes "
        "the real value of every molecule.",
        "distance from logP 5",
        -1,
        {"goals": [Goal("logP", target=5.0)], "constraints": ["SAS < 3", "qed > 0.6"]},
        _known_distance,
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One task, searched by every method."""

    task: Task
    results: dict[str, Result]
    """Method -> what it found."""

    def measures(self, method: str) -> np.ndarray:
        """What each call came to [N], NaN where there was nothing to score."""
        return self.task.sign * self.results[method].history["utility"].to_numpy(dtype=float)

    def measure_of(self, score: float) -> float:
        """The measure of one molecule from its score: the score itself, or its distance from the target."""
        goals = self.task.options.get("goals")
        return float(score) if not goals else abs(float(score) - goals[0].target)

    def top(self, method: str) -> float:
        """Mean measure of the ten best (fewer if there are fewer); NaN if nothing was scored."""
        curve = self.curve(method, N_TOP)
        return float(curve[-1]) if len(curve) else float("nan")

    def curve(self, method: str, k: int) -> np.ndarray:
        """Mean measure of the k best so far after each call [N]."""
        return self.task.sign * running_top(self.task.sign * self.measures(method), k)

    def lead(self, method: str) -> float:
        """How far a method's ten best are ahead of random sampling's; negative where it lost, NaN if one found nothing."""
        return self.task.sign * (self.top(method) - self.top("random"))

    def best_new(self, method: str) -> pd.Series | None:
        """The best molecule that was not in the training set; None if there is none among the hundred best."""
        molecules = self.results[method].molecules
        fresh = molecules[molecules["novel"].astype(bool)] if "novel" in molecules else molecules
        return fresh.iloc[0] if len(fresh) else None

    def best_path(self, method: str) -> pd.DataFrame:
        """The calls at which the best molecule so far changed."""
        merit = pd.Series(self.task.sign * self.measures(method)).fillna(-np.inf)
        rises = merit > merit.cummax().shift(fill_value=-np.inf)
        return self.results[method].history[rises.to_numpy()]

    def verdict(self) -> list[str]:
        """Say plainly who was ahead, one sentence per method that is not random sampling."""
        return [self._sentence(method) for method in self.results if method != "random"]

    def _sentence(self, method: str) -> str:
        name, lead = METHODS[method].capitalize(), self.lead(method)
        ours, theirs = self.top(method), self.top("random")
        if not np.isfinite(ours):
            return f"{name} found nothing that could be scored."
        ten = f"{name}: its ten best have a mean {self.task.measure} of {ours:.3f}"
        if not np.isfinite(theirs):
            return f"{ten}; random sampling found nothing that could be scored."
        ending = f"ahead by {lead:.3f}" if lead > 0 else f"behind by {-lead:.3f}: it lost here" if lead < 0 else "level"
        return f"{ten}, those of random sampling {theirs:.3f}: {ending}."


def run_searches(model: MolVAE, budget: int, seed: int = 0, tasks: Sequence[Task] = TASKS) -> list[Comparison]:
    """Search for every task by every method, ``budget`` oracle calls each."""
    return [Comparison(task, {method: _search(model, task, method, budget, seed) for method in METHODS}) for task in tasks]


def _search(model: MolVAE, task: Task, method: str, budget: int, seed: int) -> Result:
    result = api.optimize(model, budget=budget, seed=seed, method=method, **task.options)
    best = "nothing found" if result.best is None else f"best {result.best['score']:.3f}"
    log.info("  %s, %s: %d calls, %s, %.0f s", task.title, METHODS[method], len(result.history), best, result.elapsed_s)
    return result


@dataclass(frozen=True)
class Improvement:
    """One given molecule, and what was made of it with the same number of calls by each method."""

    start: str
    """Canonical SMILES."""
    qed: float
    results: dict[str, Result] = field(repr=False)
    name: str = ""
    """What it is called, if it has a name."""

    def best(self, method: str) -> pd.Series | None:
        """The described molecule with the highest QED; None where nothing beats the start."""
        molecules = self.results[method].molecules
        better = molecules[(molecules["smiles"] != self.start) & (molecules["score"] > self.qed)]
        return better.iloc[0] if len(better) else None


def choose_starts(model: MolVAE, smiles: Sequence[str], qed: Sequence[float], n: int) -> list[str]:
    """The n molecules of lowest QED that come back unchanged from the latent space (fewer if fewer do).

    Small ones are passed over: a molecule under 250 g/mol has few analogues, and the search for them would take minutes.

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str
        Canonical, held out from training.
    qed : sequence of float
    n : int
    """
    if n < 1:
        return []
    order = np.argsort(np.asarray(qed, dtype=float), kind="stable")[: 25 * n]
    chosen = [smiles[i] for i in order if compute("MW", smiles[i]) >= SMALLEST_START]
    decoded = model.decode(model.encode(chosen))["smiles"] if chosen else []
    return [given for given, back in zip(chosen, decoded, strict=True) if canonicalize(back) == given][:n]


def improve(model: MolVAE, given: Sequence[Named], budget: int, seed: int = 0) -> list[Improvement]:
    """Raise the QED of given molecules without leaving their neighbourhood (ECFP4 Tanimoto >= 0.4) or losing their size."""
    return [_improve(model, one, budget, seed) for one in given]


def _improve(model: MolVAE, given: Named, budget: int, seed: int) -> Improvement:
    fewest = math.ceil(KEPT_SHARE * compute("heavy_atoms", given.smiles))
    options: dict[str, Any] = {"goals": "qed", "start": given.smiles, "min_similarity": MIN_SIMILARITY, "patience": PATIENCE}
    options["constraints"] = f"heavy_atoms>={fewest}"
    results = {method: api.optimize(model, budget=budget, seed=seed, method=method, **options) for method in IMPROVERS}
    found = Improvement(given.smiles, compute("qed", given.smiles), results, given.name)
    best = found.best("gradient")
    reached = "nothing better found" if best is None else f"{best['qed']:.3f}"
    log.info("  QED of %s: %.3f -> %s", given.name or given.smiles, found.qed, reached)
    return found
