"""The default optimizer: many ways to propose around diverse good molecules, and one surrogate to choose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.ga.breeding import Child, breed
from chemvae.design.optimizers.acquisition import MIN_POINTS, TanimotoAcquisition
from chemvae.design.optimizers.base import Round
from chemvae.design.optimizers.gradient import climb, most_promising, stop_inside
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.points import Points, crossed
from chemvae.design.optimizers.retraining import Retrainer
from chemvae.design.optimizers.surrogate_based import Bound, SurrogateBased, TrustRegionSize
from chemvae.design.origin import Origin
from chemvae.design.surrogates.predicted import PredictedUtility

STREAMS = {"local": 0.6, "crossover": 0.2, "explore": 0.2}
"""Share of the proposals by each way of making them."""
CLIMBING = {**STREAMS, "local": 0.4, "gradient": 0.2}
"""The same where the predictor knows the goals, so that gradients point somewhere before there are many scores."""
RANK_OFFSET = 1e-2  # of the molecules scored: weight of a parent is 1 / (offset * N + rank) (Tripp et al. 2020)
MAX_PARENTS = 256
FRESH_PARENTS = 128  # of the molecules of this round that the surrogate likes best
N_STEPS = 25
LIBRARY_DRAWS = 200  # molecules of the start library looked at in a round
MUTATED = 0.5  # of the children a hybrid breeds
KAPPAS = (1.0, 4.0)
POINTS_A_ROUND, FEWEST_GENERATIONS, MOST_GENERATIONS = 1600, 4, 8


class LatentGA(SurrogateBased):
    """Evolution in latent space against a Gaussian process on structures.

    Each round proposes points in several generations: sparse moves around good molecules, picked by rank; crosses of two good
    molecules, by spherical interpolation or coordinate by coordinate; short ascents of a process on the codes; and samples of
    the prior. What decodes to new molecules that pass all checks is judged by a Gaussian process with a Tanimoto kernel, and
    the best of it, which nobody has paid for yet, joins the parents of the next generation. At the end of the round the
    process chooses a batch by upper confidence bound, apart from one in ten taken at random. Where the model's predictor knows
    the goals, its utility is the processes' mean.

    Parameters
    ----------
    region, seed, predicted
        As for :class:`Optimizer`.
    streams : mapping, optional
        Shares of ``local``, ``crossover``, ``gradient`` and ``explore``.
    structures : bool
        Choose by structure; else by the process on latent codes, with Thompson sampling.
    generations : int or None
        Per round; None takes as many as it needs to look at 1,600 points, four at least and eight at most, and one as long as
        there is nothing to judge them by.
    retrain : bool
        Retrain the decoder on what did well, on a copy of the model, every so many scores (:class:`Retrainer`). Within 10,000
        calls it has brought no more than the errors, takes a fifth of the time, and what it finds may not come back through
        the model that was given.
    retrain_every : int
        New scores between two retrainings.
    kappas : (float, float)
        Standard deviations added to the mean when choosing: drawn anew in each round between these, evenly in their logarithm.
    graphs : float
        Molecules bred from the parents' graphs, for each point asked for. A search with them is a hybrid, no latent search.
    niches : bool
        Let families of like molecules share the places among the parents.
    library_draws : int
        Molecules of the start library that are judged in each round.

    References
    ----------
    Rank weights and retraining: Tripp, Daxberger & Hernandez-Lobato, 2020. https://arxiv.org/abs/2006.09191
    Evolving candidates against a Tanimoto process: Tripp & Hernandez-Lobato, Genetic algorithms are strong baselines for
    molecule generation, 2023. https://arxiv.org/abs/2310.09267
    """

    pool_factor = 10

    def __init__(
        self,
        region: LatentRegion,
        seed: int = 0,
        predicted: PredictedUtility | None = None,
        streams: Mapping[str, float] | None = None,
        structures: bool = True,
        generations: int | None = None,
        retrain: bool = False,
        retrain_every: int = 200,
        kappas: tuple[float, float] = KAPPAS,
        graphs: float = 0.0,
        niches: bool = True,
        library_draws: int = LIBRARY_DRAWS,
    ):
        super().__init__(region, seed, predicted)
        self.width = TrustRegionSize()
        usual = CLIMBING if self.knows_goals else STREAMS
        self.streams = dict(usual if streams is None else streams)
        self._generations = generations
        self.acquisition: TanimotoAcquisition | None = TanimotoAcquisition(predicted) if structures else None
        can = retrain and Retrainer.can_retrain(region.model)
        self.retrainer = Retrainer(region, self.generator, retrain_every) if can else None
        self.graphs, self._rng = graphs, np.random.default_rng(seed)
        self.library_draws = library_draws
        self.niches = niches
        self._parentage: tuple[Tensor, Tensor] | None = None
        self._pool = Pool(region.latent_dim)
        self.kappas = tuple(kappas)
        self._kappa = self.kappas[1]

    def generations(self, n: int) -> int:
        """More of them where a round pays for few molecules: then each has to be chosen well.

        One while too little is scored for a judgement: what nobody judges has no better children, and the first molecules come
        sooner.
        """
        if self._generations is not None:
            return self._generations
        if len(self.archive) < MIN_POINTS:
            return 1
        wanted = math.ceil(POINTS_A_ROUND / (self.pool_factor * max(n, 1)))
        return min(max(wanted, FEWEST_GENERATIONS), MOST_GENERATIONS)

    def ask(self, n: int) -> Tensor:
        """Propose n points [n, D] by all streams."""
        return self._asked_for(self._proposed(n) if len(self.archive) else self._first(n))

    def _proposed(self, n: int) -> Points:
        total = sum(self.streams.values())
        counts = {name: round(share / total * n) for name, share in self.streams.items()}
        counts["local"] = n - sum(count for name, count in counts.items() if name != "local")
        first, second = (self._parents(counts.get("crossover", 0)) for _ in range(2))
        return Points.together(
            [
                self._local(counts["local"]),
                crossed(self.region.mix(first.z, second.z, self.generator), first, second),
                self._climbed(counts.get("gradient", 0)),
                self.region.explored(counts.get("explore", 0), self.generator),
            ]
        )

    def propose_smiles(self, n: int) -> list[str]:
        """Some molecules of the start library, once a round; for a hybrid, children of the parents in each generation."""
        bred = self._bred(round(self.graphs * n)) if self.graphs else []
        from_library = [] if not self.library or len(self._pool) else self._from_library()
        self.named_origins = [Origin("library")] * len(from_library) + [self._origin_of(child) for child in bred]
        return from_library + [child.smiles for child in bred]

    def _from_library(self) -> list[str]:
        chosen = torch.randperm(len(self.library), generator=self.generator)[: self.library_draws]
        return [self.library[i] for i in chosen.tolist()]

    def _bred(self, n: int) -> list[Child]:
        """Cross and mutate good molecules and what the surrogate likes best in this round (Jensen 2019)."""
        rows = self._drawn_rows(n) if len(self.archive) else torch.empty(0, dtype=torch.long)
        parents = [self.archive.smiles[i] for i in rows.tolist() if self.archive.smiles[i]]
        parents += self._pool.draw_smiles(n, self.generator)
        return breed(parents, n, self._rng, MUTATED) if len(parents) > 1 else []

    def _origin_of(self, child: Child) -> Origin:
        """Where a child comes from: of parents that nobody has paid for, from theirs."""
        ancestors = [self._as_parent(text) for text in child.parents]
        return Origin.joined("graph mutation" if child.is_mutated else "graph crossover", ancestors)

    def _as_parent(self, smiles: str) -> Origin:
        """What the children of a molecule have for parents: itself where it was scored or is of the library, else its own."""
        known = self.descent.get(smiles)
        return Origin("start", (smiles,)) if known is None or known.stream == "library" else known

    def on_candidates(self, z: Tensor, smiles: Sequence[str]) -> None:
        """Let what the surrogate likes best be parents in the round's next generation."""
        if len(z) and self.acquisition is not None and self.acquisition.refresh(self.archive):
            points = Points(z, [self._as_parent(text) for text in smiles])
            self._pool.add(points, smiles, self.acquisition.score(smiles, self._codes(z, smiles), self._kappa))

    def select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """Choose n molecules by confidence bound, each pick lowering the doubt about its likes, and a few at random."""
        if self.acquisition is None or len(z) <= n or not self.acquisition.refresh(self.archive):
            return super().select(z, smiles, n)
        at_random = int((torch.rand(n, generator=self.generator) < self.random_share).sum())
        best = self.acquisition.select_batch(smiles, self._codes(z, smiles), n - at_random, self._kappa)
        rest = [i for i in torch.randperm(len(z), generator=self.generator).tolist() if i not in set(best)]
        return best + rest[:at_random]

    def _codes(self, z: Tensor, smiles: Sequence[str]) -> Tensor | None:
        """Codes [N, D] of molecules, where the acquisition needs them: encoding takes a sixth of a round."""
        needed = self.acquisition is not None and self.acquisition.needs_codes
        return self.archive.code(z, smiles) if needed else None

    def learn(self, last: Round) -> None:
        """Adapt how far local moves go; retrain when enough is new."""
        self.width.adapt(last.improved, last.n_new, last.n_failed / max(last.n_points, 1))
        self._pool, self._parentage = Pool(self.region.latent_dim), None
        low, high = self.kappas
        self._kappa = float(low * (high / low) ** torch.rand(1, generator=self.generator))
        if self.retrainer is not None:
            self.retrainer.step(self.archive)

    def _first(self, n: int) -> Points:
        """Before any score: around the starts, and anywhere; with a predictor, climbing from the most promising points."""
        explored = self.region.explored(n if not len(self.starts) else n // 2, self.generator)
        if self.knows_goals:
            half = len(explored.z) // 2
            promising = most_promising(self.region, self._sure_bound(1.0), half, self.generator)
            explored = Points.together([explored.take(range(half, len(explored.z))), self._climb_from(promising)])
        if not len(self.starts):
            return explored
        return Points.together([self._around(self.start_points(n - len(explored.z))), explored])

    def _local(self, n: int) -> Points:
        return self._around(self._parents(n))

    def _around(self, parents: Points) -> Points:
        """Move around each parent."""
        widths = self._widths(len(parents.z))
        return parents.moved(self.region.perturb(parents.z, widths, self.generator), "neighbour")

    def _widths(self, n: int) -> Tensor:
        """The adapted width, halved to doubled: [n]."""
        return self.width.value * 2.0 ** (2.0 * torch.rand(n, generator=self.generator) - 1.0)

    def _parents(self, n: int) -> Points:
        """Draw n good molecules by rank, half of them from this round's pool where there is one."""
        scored = self._scored_parents(n)
        if not len(self._pool) or not n:
            return scored
        fresh = self._pool.draw(n, self.generator)
        is_fresh = torch.rand(n, 1, generator=self.generator) < 0.5
        return Points.together([scored, fresh]).take(torch.arange(n) + n * is_fresh[:, 0])

    def _scored_parents(self, n: int) -> Points:
        """Each as its code or as the point it was decoded from."""
        rows = self._drawn_rows(n)
        as_code = torch.rand(n, 1, generator=self.generator) < 0.5
        parents = self.archive.points(rows)
        return Points(torch.where(as_code, parents.z, self.archive.z[rows]), parents.origins)

    def _drawn_rows(self, n: int) -> Tensor:
        """Rows [n] of the archive, the better ones more often."""
        order, weights = self._ranked()
        return order[torch.multinomial(weights, n, replacement=True, generator=self.generator)] if n else order[:0]

    def _ranked(self) -> tuple[Tensor, Tensor]:
        """The best molecules and their weights as parents, less where better ones are like them, so that families share."""
        if self._parentage is None:
            order = self._best_rows(MAX_PARENTS)
            weights = 1.0 / (RANK_OFFSET * len(self.archive) + torch.arange(1, len(order) + 1))
            if self.acquisition is not None and self.niches:
                weights = weights / (1 + self.acquisition.count_similar([self.archive.smiles[i] for i in order.tolist()]))
            self._parentage = order, weights
        return self._parentage

    def _best_rows(self, k: int) -> Tensor:
        """Return the archive's k best rows, best first."""
        return self.archive.top(k)

    def _climbed(self, n: int) -> Points:
        """Ascend from good molecules, or move around them where nothing says which way is up."""
        parents = self._parents(n)
        return self._around(parents) if not n or self.bound(0.0) is None else self._climb_from(parents)

    def _sure_bound(self, kappa: float) -> Bound:
        """The bound where there is one: with goals that the predictor knows, or enough scores."""
        bound = self.bound(kappa)
        assert bound is not None, "whoever climbs has asked whether there is a way up"
        return bound

    def _climb_from(self, origins: Points) -> Points:
        if not len(origins.z):
            return origins
        kappa = float(2.0 * torch.rand(1, generator=self.generator) - 1.0)  # now careful, now curious
        path = climb(origins.z, self._sure_bound(kappa), self.region, N_STEPS, rate=0.03)
        return origins.moved(stop_inside(path, self.region, self.generator), "gradient")


class Pool:
    """The molecules of one round that the surrogate likes best, with their points [M, D], in falling order of their value."""

    def __init__(self, latent_dim: int):
        self.points, self.value = Points(torch.empty(0, latent_dim), []), torch.empty(0, dtype=torch.float64)
        self.smiles: list[str] = []

    def __len__(self) -> int:
        return len(self.smiles)

    def add(self, points: Points, smiles: Sequence[str], value: Tensor) -> None:
        """Take N points, as parents, the molecules they were decoded to, and their values [N]."""
        value, texts = torch.cat([self.value, value]), [*self.smiles, *smiles]
        order = value.argsort(descending=True, stable=True)[:FRESH_PARENTS]
        self.points, self.value = Points.together([self.points, points]).take(order), value[order]
        self.smiles = [texts[i] for i in order.tolist()]

    def draw(self, n: int, generator: torch.Generator) -> Points:
        """n points, the better ones more often."""
        return self.points.take(self._rows(n, generator))

    def draw_smiles(self, n: int, generator: torch.Generator) -> list[str]:
        """n molecules, the better ones more often; none from an empty pool."""
        return [self.smiles[i] for i in self._rows(n, generator).tolist()] if len(self) else []

    def _rows(self, n: int, generator: torch.Generator) -> Tensor:
        weights = 1.0 / torch.arange(10, len(self) + 10)
        return torch.multinomial(weights, n, replacement=True, generator=generator)
