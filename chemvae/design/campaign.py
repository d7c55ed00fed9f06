"""A campaign: ask, decode, check, score, tell, until the budget is spent. Every optimizer has all of this."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import invalid_reason
from chemvae.design.candidates import INVALID, NEW, REFUSED, Candidate, Decoder, ProposalLog
from chemvae.design.conditions import (
    canonical_starts,
    check_settings,
    fingerprint,
    own_random_state,
    quiet_model,
    text_hash,
    time_limits,
)
from chemvae.design.constraints import Gatekeeper, Restriction, gather_constraints
from chemvae.design.goals import Goal, Objective, make_objective, plan_goals
from chemvae.design.history import Call, History
from chemvae.design.optimizer import Optimizer
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle
from chemvae.design.region import LatentRegion, draw_seed
from chemvae.design.result import N_DESCRIBED, Result, describe_molecules, running_top
from chemvae.design.surrogate import PredictedUtility
from chemvae.errors import SettingsError
from chemvae.registry import build

logger = logging.getLogger(__name__)

PATIENCE = 20
FULL_POOL = 10  # points per molecule that a round of patience stands for
MANY_STARTS = 20
MOST_ANCHORS = 1000
UNWRITABLE = "the model's vocabulary cannot write it"


@dataclass(frozen=True)
class Progress:
    """What a callback is told after each round."""

    calls: int
    """Distinct molecules scored so far."""
    budget: int
    """Calls allowed."""
    best: float
    """Score of the best molecule; NaN while there is none."""
    best_smiles: str
    """Its canonical SMILES."""
    mean_top10: float
    """Mean utility of the ten best; NaN while there is none."""
    valid: float
    """Share of the decoded points that were valid at the first attempt."""
    elapsed_s: float
    """Since the campaign began."""
    remaining_s: float
    """Estimate from the mean time per call; NaN at first."""


def run_campaign(
    model: Any,
    oracle: Any = None,
    budget: int = 100,
    seed: int = 0,
    method: Any = "auto",
    start: Sequence[str] | str | None = None,
    goals: Sequence[Goal | str] | Goal | str | None = None,
    constraints: Sequence[Restriction | str] | Restriction | str | None = None,
    batch_size: int | None = None,
    timeout_s: float | None = None,
    known: Sequence[str] | None = None,
    callback: Callable[[Progress], None] | None = None,
    history_path: str | Path | None = None,
    *,
    min_similarity: float | None = None,
    scaffold: str | None = None,
    forbid: Sequence[str] | str = (),
    alerts: bool = False,
    patience: int = PATIENCE,
    time_limit_s: float | None = None,
) -> Result:
    """Search for molecules with a high score, with at most ``budget`` distinct molecules sent to the oracle.

    The model is only read, and the global random states are left as they were. The same seed gives the same history (on the
    same machine, with an oracle that gives the same answers). Ctrl-C ends the search and returns what there is.

    Parameters
    ----------
    model : MolVAE
    oracle : callable, Oracle, str, mapping or None
        Any ``str -> float``, an :class:`Oracle`, a name, ``"cmd:program"``, a mapping of names to these; None when the goals
        are properties that RDKit computes or the model predicts. See :func:`make_oracle`.
    budget : int
        Distinct molecules to score, >= 1; failures and scored start molecules count.
    seed : int
    method : str, dict, Optimizer class or instance
        Name in ``OPTIMIZERS``, or a dict with ``name`` and settings.
    start : SMILES or sequence of SMILES, optional
        Molecules to start from. They are scored first (at most 20, or a fiftieth of the budget where that is more); the others
        are a library that the optimizer may choose from.
    goals : Goals or property names, optional
        By default what the oracle gives is maximised. See :func:`plan_goals`.
    constraints : Constraint, text such as ``"SAS<3"``, or several
        Hold for every molecule that is scored.
    batch_size : int, optional
        Molecules per round; by default a fiftieth of the budget within 5..64.
    timeout_s : float, optional
        Seconds a molecule may take; an overrun is a failed call. The oracle then runs in a worker process.
    known : sequence of SMILES, optional
        To report the nearest known molecule of each design.
    callback : callable, optional
        Called with :class:`Progress` after each round.
    history_path : path, optional
        Record of all calls, as JSON lines. If it exists, the campaign repeats itself up to where the record ends without
        paying for any molecule again, and goes on from there.
    min_similarity, scaffold, forbid, alerts
        Further constraints, see :func:`gather_constraints`; ``min_similarity`` refers to ``start``.
    patience : int
        The search ends after this many rounds in a row without a new molecule, a round being ten points for each molecule of
        the batch (methods that decode fewer at a time have as many more rounds).
    time_limit_s : float, optional
        No round begins after this many seconds.

    Returns
    -------
    Result

    Raises
    ------
    SettingsError
        If settings contradict each other; all complaints at once where they can be known together.
    InvalidMoleculeError
        If no start molecule is one, or the only one given is none.

    Examples
    --------
    >>> run_campaign(model, lambda smiles: smiles.count("O"), budget=50).best["smiles"]  # doctest: +SKIP
    'OCC(O)C(O)C(O)C(O)CO'
    """
    check_settings(budget, batch_size, patience, timeout_s, time_limit_s)
    starts = canonical_starts(start)
    planned, wanted = plan_goals(oracle, goals, model)
    restrictions = gather_constraints(
        constraints, start=starts, min_similarity=min_similarity, scaffold=scaffold, forbid=forbid, alerts=alerts
    )
    with time_limits(planned, timeout_s), quiet_model(model), own_random_state(seed, model):
        campaign = Campaign(
            model,
            planned,
            make_objective(wanted, model),
            restrictions,
            method=method,
            seed=seed,
            budget=budget,
            batch_size=batch_size or min(max(budget // 50, 5), 64),
            starts=starts,
            bound_to_start=min_similarity is not None,
            history_path=history_path,
        )
        campaign.run(patience, time_limit_s, callback)
        return campaign.result(known)


class Campaign:
    """The state of one search; :func:`run_campaign` is the door to it."""

    def __init__(
        self,
        model: Any,
        oracle: Oracle,
        objective: Objective,
        restrictions: Sequence[Restriction],
        *,
        method: Any,
        seed: int,
        budget: int,
        batch_size: int,
        starts: Sequence[str],
        bound_to_start: bool,
        history_path: str | Path | None,
    ):
        self.started = time.perf_counter()
        self.model, self.oracle, self.objective = model, oracle, objective
        self.budget, self.batch_size, self.starts = budget, batch_size, list(starts)
        self.generator = torch.Generator().manual_seed(seed)
        self.gate = Gatekeeper(restrictions, model)
        codes = LatentRegion(model).encode(self.starts[:MOST_ANCHORS])
        self.start_codes = codes[~codes.isnan().any(dim=1)]
        if bound_to_start and not len(self.start_codes):
            why = next(iter(filter(None, model.encode_reasons(self.starts))), "none was given")
            raise SettingsError(f"the start molecule cannot be encoded, so nothing similar can be sought: {why}")
        region = LatentRegion(model, self.start_codes if bound_to_start else None)
        predicted = PredictedUtility(model, objective, _known_goals(oracle, objective))
        self.optimizer = _make_optimizer(method, region, seed, predicted)
        self.settings = self._describe(method, seed, restrictions)
        self.history = History(history_path, self.settings)
        for text, call in self.history.recorded.items():
            oracle.remember(text, call.score)
        self.decoder = Decoder(region, self.gate, lambda text: text in self.history.known)
        self.log = ProposalLog()
        self.stopped, self.n_start, self.round = "budget spent", 0, 0

    # ------------------------------------------------------------------ the loop

    def run(self, patience: int, time_limit_s: float | None, callback: Callable[[Progress], None] | None) -> None:
        """Score the start molecules, then go round until something ends it."""
        idle = 0
        try:
            self._begin()
            while len(self.history) < self.budget:
                if time_limit_s is not None and time.perf_counter() - self.started > time_limit_s:
                    self.stopped = f"time limit of {time_limit_s:g} s reached"
                    break
                idle = 0 if self.play_round() else idle + 1
                if callback is not None:
                    callback(self.progress())
                if idle >= patience * self._rounds_per_pool():
                    self.stopped = f"nothing new in {idle} rounds"
                    break
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        self.history.absorb()

    def _rounds_per_pool(self) -> int:
        """Rounds in which this optimizer decodes as many points as one that asks for a full pool does in one."""
        return max(1, FULL_POOL // self.optimizer.pool_factor)

    def play_round(self) -> int:
        """Ask, decode, choose, score and tell once; return the number of molecules scored."""
        self.round += 1
        z, found = self._gather()
        new = [i for i, one in enumerate(found) if one.outcome == NEW]
        room = min(self.batch_size, self.budget - len(self.history))
        chosen = [new[i] for i in self.optimizer.select(z[new], [found[i].smiles for i in new], room)] if new else []
        n_before = len(self.history)
        surprises = self._pay([(found[i].smiles, z[i].numpy()) for i in chosen[:room]])
        self._record(found)
        self._tell(z, found, surprises)
        self._warn_if_all_fail()
        return len(self.history) - n_before

    def _gather(self) -> tuple[Tensor, list[Candidate]]:
        """All points of a round [N, D] and what became of each, generation after generation."""
        taken: set[str] = set()
        points, found = [], []
        for _ in range(self.optimizer.n_generations):
            z, candidates = self._generation(self.batch_size * self.optimizer.pool_factor, taken)
            new = [i for i, one in enumerate(candidates) if one.outcome == NEW]
            self.optimizer.review(z[new], [candidates[i].smiles for i in new])
            points.append(z)
            found += candidates
        return torch.cat(points), found

    def _generation(self, n: int, taken: set[str]) -> tuple[Tensor, list[Candidate]]:
        """One answer of the optimizer: points, decoded, and molecules that it named, at their codes."""
        z = torch.as_tensor(self.optimizer.ask(n), dtype=torch.float32)
        found = self.decoder.decode(z, draw_seed(self.generator), taken)
        named = self.decoder.consider(self.optimizer.suggest(n), taken)
        if not named:
            return z, found
        codes = self.optimizer.region.encode([one.smiles for one in named])
        lost = codes.isnan().any(dim=1)
        named = [Candidate(one.smiles, REFUSED, UNWRITABLE) if gone else one for one, gone in zip(named, lost, strict=True)]
        return torch.cat([z, codes.nan_to_num(0.0)]), found + named

    def _begin(self) -> None:
        """Score the first start molecules that fulfil the constraints; the optimizer may choose among the others."""
        n_first = min(max(20, self.budget // 50), self.budget)
        first, self.n_start = self._allowed_starts(n_first), 0
        self.optimizer.begin(self.start_codes, self.starts[len(first) :])
        if not first:
            return
        codes = self.optimizer.region.encode(first)
        surprises = self._pay(list(zip(first, codes.numpy(), strict=True)))
        self.n_start = len(first)
        rows = [i for i in range(len(first)) if not codes[i].isnan().any()]
        if rows:
            self._tell(codes[rows], [Candidate(first[i], NEW) for i in rows], surprises)

    def _allowed_starts(self, n: int) -> list[str]:
        """The first n start molecules that no constraint turns away."""
        verdicts = self.gate.verdicts(self.starts[: max(n, MANY_STARTS)])
        for text, verdict in zip(self.starts, verdicts, strict=False):
            if verdict:
                self.log.add(0, text, REFUSED, verdict)
        return [text for text, verdict in zip(self.starts, verdicts, strict=False) if not verdict][:n]

    def _pay(self, molecules: list[tuple[str, np.ndarray]]) -> list[Call]:
        """Score molecules in order, each recorded at once. Returns calls of the record that were not asked for now.

        While the record lasts, it holds the very molecules asked for. If it does not (another version, another machine), all
        that is left of it is taken over first, since it was paid for.
        """
        replayed = {text for text, _ in molecules if self.history.replay(text) is not None}
        rest = [(text, z) for text, z in molecules if text not in replayed]
        surprises: list[Call] = []
        if rest and self.history.recorded:
            logger.warning(
                "The record departs from this campaign after call %d; its other calls are taken over.", len(self.history)
            )
            surprises = self.history.absorb()
        rest = rest[: max(self.budget - len(self.history), 0)]
        stream = self.oracle.stream([text for text, _ in rest])
        for text, z in rest:
            score = self.oracle.recall(text)
            if score is None:
                _, score = next(stream)
            self.history.append(Call(text, score, z))
        return surprises

    def _tell(self, z: Tensor, found: Sequence[Candidate], surprises: Sequence[Call] = ()) -> None:
        """Tell the optimizer what became of each point; molecules that passed but were not chosen are left out."""
        told = [i for i, one in enumerate(found) if one.outcome in (INVALID, REFUSED) or one.smiles in self.history.known]
        smiles = ["" if found[i].outcome in (INVALID, REFUSED) else found[i].smiles for i in told]
        points = [z[told]] if told else []
        for call in surprises:
            if np.isfinite(call.z).all():
                points.append(torch.from_numpy(call.z)[None])
                smiles.append(call.smiles)
        if smiles:
            self.optimizer.tell(torch.cat(points), torch.from_numpy(self._utilities(smiles)), smiles)

    def _utilities(self, smiles: Sequence[str]) -> np.ndarray:
        """Utility of each scored molecule [N]; NaN for "" and for failures."""
        missing = (np.nan,) * len(self.objective.goals)
        values = [self.history.known[text].score.values if text else missing for text in smiles]
        return np.asarray(self.objective.utility(np.array(values, dtype=float).reshape(-1, len(missing))), dtype=float)

    # ------------------------------------------------------------------ books

    def _record(self, found: Sequence[Candidate]) -> None:
        for one in found:
            self.log.counts[one.outcome] += 1
            if one.outcome in (INVALID, REFUSED):
                reason = one.reason or invalid_reason(one.smiles) or "the decoder did not finish it"
                self.log.add(self.round, one.smiles, one.outcome, reason)

    def _warn_if_all_fail(self) -> None:
        calls = self.history.calls
        if self.round == 1 and calls and all(call.score.failed for call in calls):
            logger.warning("Every one of the first %d molecules failed: %s", len(calls), calls[0].score.reason)

    def progress(self) -> Progress:
        """Say where the search stands."""
        elapsed_s, calls = time.perf_counter() - self.started, len(self.history)
        table = self.history.table(self.objective)
        best = table["utility"].idxmax() if table["utility"].notna().any() else None
        top = running_top(table["utility"].dropna().nlargest(10), 10)
        return Progress(
            calls=calls,
            budget=self.budget,
            best=float("nan") if best is None else float(table["score"][best]),
            best_smiles="" if best is None else table["smiles"][best],
            mean_top10=float(top[-1]) if len(top) else float("nan"),
            valid=self.decoder.n_greedy_valid / max(self.decoder.n_points, 1),
            elapsed_s=elapsed_s,
            remaining_s=elapsed_s / calls * (self.budget - calls) if calls else float("nan"),
        )

    def result(self, known: Sequence[str] | None) -> Result:
        """Describe the best molecules and close the books."""
        table = self.history.table(self.objective)
        best = table.dropna(subset=["utility"]).sort_values("utility", ascending=False, kind="stable").head(N_DESCRIBED)
        names = [*self.objective.names, *(getattr(item, "name", "") for item in self.gate.restrictions)]
        described = describe_molecules(self.model, best["smiles"].tolist(), names, known, self.starts)
        described.insert(1, "score", best["score"].to_numpy())
        return Result(
            history=table,
            proposals=self.log.table,
            molecules=described,
            objective=self.objective,
            rejections=dict(self.gate.counts),
            counts={"points": self.decoder.n_points, "valid": self.decoder.n_greedy_valid, **self.log.counts},
            settings={**self.settings, "budget": self.budget, "n_start": self.n_start},
            stopped=self.stopped,
            elapsed_s=time.perf_counter() - self.started,
            model=self.optimizer.region.model,
        )

    def _describe(self, method: Any, seed: int, restrictions: Sequence[Restriction]) -> dict[str, Any]:
        """What must be the same for a record to be gone on with."""
        return {
            "method": method if isinstance(method, (str, dict)) else type(self.optimizer).__name__,
            "seed": seed,
            "batch_size": self.batch_size,
            "oracle": self.oracle.describe(),
            "goals": [asdict(goal) for goal in self.objective.goals],
            "constraints": [item.label for item in restrictions],
            "start": self.starts if len(self.starts) <= MANY_STARTS else text_hash("\n".join(self.starts)),
            "model": fingerprint(self.model),
        }


def _known_goals(oracle: Oracle, objective: Objective) -> tuple[str, ...]:
    """Goals that mean the property of that name: all but those a plain function stands behind without saying so."""
    parts = oracle.oracles if isinstance(oracle, CombinedOracle) else [oracle]
    names = [name for part in parts for name in part.names]
    return tuple(goal for goal, name in zip(objective.names, names, strict=True) if goal != FunctionOracle.names[0])


def _make_optimizer(method: Any, region: LatentRegion, seed: int, predicted: PredictedUtility) -> Optimizer:
    from chemvae.design import OPTIMIZERS  # the table stands above this module, and imports it

    if isinstance(method, type):
        return method(region, seed=seed, predicted=predicted)
    return build(OPTIMIZERS, method, "method", region=region, seed=seed, predicted=predicted)
