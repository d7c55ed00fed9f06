"""What the demo searches for, by three methods with the same number of oracle calls, and how they compare."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from chemvae import api
from chemvae.chem.molecules import canonicalize
from chemvae.chem.properties import compute
from chemvae.design import Goal, Result
from chemvae.models.vae import MolVAE

log = logging.getLogger(__name__)

METHODS = {"random": "random sampling", "gradient": "gradient ascent", "bayesian": "Bayesian optimization"}
N_BATCH = 20
N_TOP = 10
MIN_SIMILARITY = 0.4
NOT_RANDOM = tuple(name for name in METHODS if name != "random")


def five_qed_minus_sas(smiles: str) -> float:
    """Drug-likeness less the effort of synthesis, 5 QED - SAS: an oracle as a user would write one.

    Examples
    --------
    >>> round(five_qed_minus_sas("CC(=O)Nc1ccc(O)cc1"), 2)  # paracetamol
    1.56
    """
    return 5.0 * compute("qed", smiles) - compute("SAS", smiles)


@dataclass(frozen=True)
class Task:
    """One thing to search for.

    Attributes
    ----------
    key : short name, also in results.json.
    title, why : heading, and what this task shows.
    unit : what the merit of a molecule is called.
    options : keyword arguments of :func:`chemvae.optimize`.
    known : properties of a molecule (a row of the prepared table) -> merit, to place the training set; NaN where a constraint
        is broken.
    """

    key: str
    title: str
    why: str
    unit: str
    options: Mapping[str, Any]
    known: Any


def _known_score(table: pd.DataFrame) -> pd.Series:
    return 5.0 * table["qed"] - table["SAS"]


def _known_closeness(table: pd.DataFrame) -> pd.Series:
    return (-(table["logP"] - 5.0).abs()).where((table["SAS"] < 3.0) & (table["qed"] > 0.6))


TASKS = (
    Task(
        "score",
        "Make 5 QED − SAS large",
        "The oracle is a Python function of our own. The searches see nothing but its answers: gradient ascent climbs a "
        "Gaussian process fitted to them.",
        "5 QED − SAS",
        {"oracle": five_qed_minus_sas},
        _known_score,
    ),
    Task(
        "target",
        "Bring logP to 5, with SAS < 3 and QED > 0.6",
        "The model predicts logP, so gradient ascent can climb its predictor from the first call on; RDKit then computes "
        "the real value of every molecule. Only one training molecule in a hundred has a logP above 4.8.",
        "minus the distance from logP 5",
        {"goals": [Goal("logP", target=5.0)], "constraints": ["SAS < 3", "qed > 0.6"]},
        _known_closeness,
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One task, searched by every method."""

    task: Task
    results: dict[str, Result]
    """Method -> what it found."""

    def merits(self, method: str) -> np.ndarray:
        """Utility of each call [N], NaN where there was none."""
        return self.results[method].history["utility"].to_numpy(dtype=float)

    def top(self, method: str) -> float:
        """Mean utility of the ten best (fewer if there are fewer); NaN if nothing was scored."""
        found = np.sort(self.merits(method)[np.isfinite(self.merits(method))])[::-1][:N_TOP]
        return float(found.mean()) if len(found) else float("nan")

    def lead(self, method: str) -> float:
        """How far a method's ten best are ahead of random sampling's; negative where it lost."""
        return self.top(method) - self.top("random")

    def best_new(self, method: str) -> pd.Series | None:
        """The best molecule that was not in the training set; None if there is none among the hundred best."""
        molecules = self.results[method].molecules
        fresh = molecules[molecules["novel"].astype(bool)] if "novel" in molecules else molecules
        return fresh.iloc[0] if len(fresh) else None

    def best_path(self, method: str) -> pd.DataFrame:
        """The calls at which the best molecule so far changed."""
        merit = pd.Series(self.merits(method)).fillna(-np.inf)
        rises = merit > merit.cummax().shift(fill_value=-np.inf)
        return self.results[method].history[rises.to_numpy()]

    def verdict(self) -> list[str]:
        """Say plainly who was ahead, one sentence per method that is not random sampling."""
        return [self._sentence(method) for method in NOT_RANDOM if method in self.results]

    def _sentence(self, method: str) -> str:
        name, lead = METHODS[method].capitalize(), self.lead(method)
        ours, theirs = self.top(method), self.top("random")
        if not np.isfinite(ours):
            return f"{name} found nothing that could be scored."
        if not np.isfinite(theirs):
            return f"{name} reached {ours:.3f} with its ten best; random sampling found nothing that could be scored."
        word = "ahead of" if lead > 0 else "behind" if lead < 0 else "level with"
        by = f" by {abs(lead):.3f}: it lost here" if lead < 0 else f" by {lead:.3f}" if lead > 0 else ""
        return f"{name}: ten best at {ours:.3f} on average, {word} random sampling ({theirs:.3f}){by}."


def run_searches(model: MolVAE, budget: int, seed: int = 0, tasks: Sequence[Task] = TASKS) -> list[Comparison]:
    """Search for every task by every method, ``budget`` oracle calls each."""
    return [Comparison(task, {method: _search(model, task, method, budget, seed) for method in METHODS}) for task in tasks]


def _search(model: MolVAE, task: Task, method: str, budget: int, seed: int) -> Result:
    result = api.optimize(model, budget=budget, seed=seed, method=method, batch_size=N_BATCH, **task.options)
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

    def best(self, method: str) -> pd.Series | None:
        """The described molecule with the highest QED; None where nothing beats the start."""
        molecules = self.results[method].molecules
        better = molecules[(molecules["smiles"] != self.start) & (molecules["score"] > self.qed)]
        return better.iloc[0] if len(better) else None


def choose_starts(model: MolVAE, smiles: Sequence[str], qed: Sequence[float], n: int) -> list[str]:
    """The n molecules of lowest QED that come back unchanged from the latent space (fewer if fewer do).

    Parameters
    ----------
    model : MolVAE
    smiles : sequence of str
        Canonical, held out from training.
    qed : sequence of float
    n : int
    """
    order = np.argsort(np.asarray(qed, dtype=float), kind="stable")[: 25 * n]
    chosen = [smiles[i] for i in order]
    decoded = model.decode(model.encode(chosen))["smiles"] if chosen else []
    return [given for given, back in zip(chosen, decoded, strict=True) if canonicalize(back) == given][:n]


def improve(model: MolVAE, starts: Sequence[str], budget: int, seed: int = 0) -> list[Improvement]:
    """Raise the QED of given molecules without leaving their neighbourhood (ECFP4 Tanimoto >= 0.4)."""
    found = []
    for start in starts:
        options = {"goals": "qed", "start": start, "min_similarity": MIN_SIMILARITY, "batch_size": N_BATCH // 2}
        results = {m: api.optimize(model, budget=budget, seed=seed, method=m, **options) for m in ("random", "gradient")}
        found.append(Improvement(start, compute("qed", start), results))
    return found
