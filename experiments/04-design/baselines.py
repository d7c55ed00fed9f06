"""What latent design is compared with at few calls: the library itself, a graph GA, and a Gaussian process above a graph GA.

All score each distinct molecule once, and start from the same molecules as latent design does.

References
----------
Tripp, Simm & Hernandez-Lobato, A fresh look at de novo molecular design benchmarks, 2021. https://openreview.net/forum?id=gS3XMun4cl_
(GP BO: a graph GA maximises the acquisition function of a Tanimoto process; here with the process of the design engine)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import graph_ga
import numpy as np
import torch

from chemvae.chem.ga.breeding import offspring
from chemvae.chem.molecules import canonicalize
from chemvae.design.surrogates.tanimoto_gp import TanimotoGP

FIRST_SHARE, FEWEST_FIRST = 0.02, 20  # of the budget, scored before there is a process
BATCH = 20
GENERATIONS, CHILDREN, LIVING, MUTATED = 8, 100, 200, 0.1
FROM_LIBRARY = 100  # molecules of the library among the parents of each inner search
KAPPAS = (1.0, 4.0)  # of the confidence bound, drawn anew for every batch, as the design engine does

Score = Callable[[str], float]


def screening(score: Score, library: Sequence[str], budget: int, seed: int) -> list[tuple[str, float]]:
    """Score molecules of the library in a random order: its best within the budget."""
    ledger = graph_ga.Ledger(score, budget)
    ledger.pay_for(drawn(library, budget, np.random.default_rng(seed)))
    return list(ledger.scores.items())


def tanimoto_ga(score: Score, library: Sequence[str], budget: int, seed: int) -> list[tuple[str, float]]:
    """Let a graph GA maximise the confidence bound of a Tanimoto process; score the best of what it bred, batch by batch."""
    rng, ledger = np.random.default_rng(seed), graph_ga.Ledger(score, budget)
    ledger.pay_for(drawn(library, max(FEWEST_FIRST, round(FIRST_SHARE * budget)), rng))
    while not ledger.is_spent:
        known = {text: value for text, value in ledger.scores.items() if np.isfinite(value)}
        process = TanimotoGP().fit(list(known), torch.tensor(list(known.values())))
        kappa = float(KAPPAS[0] * (KAPPAS[1] / KAPPAS[0]) ** rng.random())
        bred = [text for text in evolved(process, kappa, ledger, library, rng) if text not in ledger.scores]
        if not bred:
            break
        ledger.pay_for([bred[i] for i in process.select_batch(bred, BATCH, kappa)])
    return list(ledger.scores.items())


def evolved(process: TanimotoGP, kappa: float, ledger: graph_ga.Ledger, library: Sequence[str], rng) -> list[str]:
    """The last generation of a graph GA on the confidence bound, best first."""
    living = list(dict.fromkeys(ledger.best(LIVING) + drawn(library, FROM_LIBRARY, rng)))
    for _ in range(GENERATIONS):
        bound = process.bound(living, kappa).numpy()
        weights = 1.0 / np.arange(10, len(living) + 10)  # by rank
        ranked = [living[i] for i in np.argsort(-bound, kind="stable")]
        parents = [ranked[i] for i in rng.choice(len(ranked), size=LIVING, p=weights / weights.sum())]
        living = list(dict.fromkeys(ranked[:LIVING] + offspring(parents, CHILDREN, rng, MUTATED)))
    bound = process.bound(living, kappa).numpy()
    return [living[i] for i in np.argsort(-bound, kind="stable")]


def drawn(library: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    """n random molecules of the library, canonical."""
    some = (canonicalize(library[i]) for i in rng.permutation(len(library))[:n])
    return [text for text in some if text is not None]


BASELINES = {"screening": screening, "graph GA": graph_ga.run, "Tanimoto process, graph GA": tanimoto_ga}
