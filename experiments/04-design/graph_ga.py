"""Graph GA: the genetic algorithm on graphs that latent design is compared with, at the settings published for PMO.

References
----------
Jensen, A graph-based genetic algorithm, 2019. https://doi.org/10.1039/C8SC05372C
Gao et al., Sample Efficiency Matters, 2022. https://arxiv.org/abs/2206.12411 (settings, budget, stopping)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chemvae.chem.ga.breeding import offspring
from chemvae.chem.molecules import canonicalize


@dataclass(frozen=True)
class Settings:
    """Of the algorithm."""

    population_size: int = 120
    """Molecules that may become parents."""
    offspring_size: int = 70
    """Pairs of parents per generation."""
    mutation_rate: float = 0.067
    """Share of the children that are mutated."""
    patience: int | None = None
    """Stop when the mean of the best 100 has risen by less than ``min_rise`` in so many generations in a row; None: never.
    Published: 5."""
    min_rise: float = 1e-3
    """Of the mean of the best 100, per generation."""
    max_idle: int = 200
    """Stop after so many generations in a row that brought no new molecule."""


class Ledger:
    """Scores each distinct molecule once, up to the budget, and keeps the order of calls."""

    def __init__(self, score: Callable[[str], float], budget: int):
        self.score, self.budget = score, budget
        self.scores: dict[str, float] = {}

    def pay_for(self, smiles: Sequence[str]) -> None:
        """Score canonical SMILES that are new, until the budget is spent."""
        for text in smiles:
            if text not in self.scores and not self.is_spent:
                self.scores[text] = float(self.score(text))

    @property
    def is_spent(self) -> bool:
        return len(self.scores) >= self.budget

    def best(self, n: int, among: Sequence[str] | None = None) -> list[str]:
        """The n best molecules that have a score, best first."""
        pool = [text for text in (self.scores if among is None else among) if math.isfinite(self.scores.get(text, math.nan))]
        return sorted(pool, key=self.scores.__getitem__, reverse=True)[:n]


def run(
    score: Callable[[str], float], population: Sequence[str], budget: int, seed: int, settings: Settings | None = None
) -> list[tuple[str, float]]:
    """Maximise a score.

    Parameters
    ----------
    score : callable
        Canonical SMILES -> float, more is better; NaN where there is none, which costs a call.
    population : sequence of SMILES
        Where the first population is drawn from.
    budget : int
        Distinct molecules that may be scored.
    seed : int
    settings : Settings, optional

    Returns
    -------
    list of (SMILES, score), at most ``budget`` long
        In the order of calls, canonical and distinct.
    """
    settings = settings or Settings()
    rng = np.random.default_rng(seed)
    ledger = Ledger(score, budget)
    drawn = rng.choice(len(population), size=min(settings.population_size, len(population)), replace=False)
    living = [text for text in (canonicalize(population[i]) for i in drawn) if text is not None]
    ledger.pay_for(living)
    stalled = idle = 0
    while living and not ledger.is_spent:
        n_before, mean_before = len(ledger.scores), mean_of_best(ledger)
        children = offspring(mating_pool(ledger, living, rng, settings), settings.offspring_size, rng, settings.mutation_rate)
        ledger.pay_for(children)
        living = ledger.best(settings.population_size, among=list(dict.fromkeys(living + children)))
        idle = idle + 1 if len(ledger.scores) == n_before else 0
        stalled = stalled + 1 if mean_of_best(ledger) - mean_before < settings.min_rise else 0
        if idle >= settings.max_idle or (settings.patience is not None and stalled >= settings.patience):
            break
    return list(ledger.scores.items())


def mating_pool(ledger: Ledger, living: Sequence[str], rng: np.random.Generator, settings: Settings) -> list[str]:
    """Parents drawn in proportion to their scores, counted from the worst of them where that one is below 0."""
    known = ledger.best(len(living), among=living)
    if not known:
        return list(living)
    scores = np.array([ledger.scores[text] for text in known])
    weights = scores - min(0.0, scores.min()) + 1e-10
    drawn = rng.choice(len(known), size=settings.population_size, p=weights / weights.sum())
    return [known[i] for i in drawn]


def mean_of_best(ledger: Ledger, n: int = 100) -> float:
    """Mean score of the n best molecules so far, 0 before there are n."""
    best = ledger.best(n)
    return math.fsum(ledger.scores[text] for text in best) / n if len(best) == n else 0.0
