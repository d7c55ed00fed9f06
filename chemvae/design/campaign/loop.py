"""The rounds of a campaign: ask, decode, check, choose, score, tell, until something ends it; :mod:`campaign` is the door."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from chemvae.chem.molecules import invalid_reason
from chemvae.design.campaign.candidates import INVALID, NEW, REFUSED, Candidate, CandidateDecoder, ProposalLog
from chemvae.design.campaign.goal_matching import known_goals
from chemvae.design.campaign.progress import BestSoFar, Progress
from chemvae.design.campaign.settings import MANY_STARTS, describe_task
from chemvae.design.evaluators.base import Evaluator
from chemvae.design.evaluators.direct import OracleEvaluator
from chemvae.design.evaluators.history import Call, History
from chemvae.design.evaluators.laboratory import find_laboratory, open_laboratory
from chemvae.design.filters.base import Filter
from chemvae.design.filters.chain import FilterChain
from chemvae.design.goals import Utility
from chemvae.design.optimizers.factory import make_optimizer
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.oracles import Oracle
from chemvae.design.results.describe import N_DESCRIBED, describe_molecules
from chemvae.design.results.result import Result
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.errors import SettingsError
from chemvae.seeding import LARGEST_SHORT_SEED, draw_seed

logger = logging.getLogger(__name__)

FULL_POOL = 10  # points per molecule that a round of patience stands for
MOST_ANCHORS = 1000
UNWRITABLE = "the model's vocabulary cannot write it"
WAITING = "waiting for results"
TELL_EVERY_S = 1.0


class Campaign:
    """The state of one search; :func:`run_campaign` is the door to it."""

    def __init__(
        self,
        model: Any,
        oracle: Oracle,
        utility: Utility,
        filters: Sequence[Filter],
        *,
        method: Any,
        seed: int,
        budget: int,
        batch_size: int,
        starts: Sequence[str],
        bound_to_start: bool,
        history_path: str | Path | None,
        results: Any,
        time_limit_s: float | None,
        callback: Callable[[Progress], None] | None,
    ):
        self.best_so_far, self.callback, self._told_at = BestSoFar(budget, time_limit_s), callback, 0.0
        self.model, self.oracle, self.utility = model, oracle, utility
        self.budget, self.batch_size, self.starts = budget, batch_size, list(starts)
        self.generator = torch.Generator().manual_seed(seed)
        self.gate = FilterChain(filters, model)
        codes = LatentRegion(model).encode_exactly(self.starts[:MOST_ANCHORS])
        self.start_codes = codes[~codes.isnan().any(dim=1)]
        if bound_to_start and not len(self.start_codes):
            why = next(iter(filter(None, model.encode_reasons(self.starts))), "none was given")
            raise SettingsError(f"the start molecule cannot be encoded, so nothing similar can be sought: {why}")
        region = LatentRegion(model, self.start_codes if bound_to_start else None)
        predicted = PredictedUtility(model, utility, known_goals(oracle, utility))
        self.optimizer = make_optimizer(method, region, seed, predicted)
        self.settings = {
            "method": method if isinstance(method, (str, dict)) else type(self.optimizer).__name__,
            "seed": seed,
            "batch_size": batch_size,
            **describe_task(model, oracle, utility, filters, self.starts),
        }
        self.evaluator = self._open(history_path, results)
        self.history = self.evaluator.history
        self.decoder = CandidateDecoder(region, self.gate, self.evaluator.is_taken)
        self.log = ProposalLog()
        self.stopped, self.n_start, self.round = "budget spent", 0, 0

    def _open(self, path: str | Path | None, results: Any) -> Evaluator:
        """How scores are had: at once, or from a laboratory."""
        options = {"batch_size": self.batch_size, "budget": self.budget, "on_call": self._on_call}
        if find_laboratory(self.oracle) is None:
            return OracleEvaluator(self.oracle, History(path, self.settings), **options)
        encode = LatentRegion(self.model).encode
        return open_laboratory(
            path, self.settings, self.oracle, results, encode=lambda smiles: encode(smiles).numpy(), **options
        )

    # ------------------------------------------------------------------ the loop

    def run(self, patience: int) -> None:
        """Score the start molecules, then go round until something ends it."""
        idle = 0
        try:
            self._begin()
            while self.evaluator.n_paid < self.budget:
                if self.best_so_far.is_over:
                    self.stopped = f"time limit of {self.best_so_far.time_limit_s:g} s reached"
                    break
                room = self.evaluator.capacity(self.round + 1, self.evaluator.size(self.round + 1))
                if room is None:
                    self.stopped = WAITING
                    break
                idle = 0 if self.play_round(room) else idle + 1
                self._report()
                if idle >= patience * self._rounds_per_pool():
                    self.stopped = f"nothing new in {idle} rounds"
                    break
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        self.evaluator.finish()

    def _rounds_per_pool(self) -> int:
        """Rounds in which this optimizer decodes as many points as one that asks for a full pool does in one."""
        return max(1, FULL_POOL // self.optimizer.pool_factor)

    def play_round(self, room: int) -> int:
        """Ask, decode, choose, score and tell once; return the number of molecules scored or handed out."""
        self.round += 1
        z, found = self._gather(self.evaluator.size(self.round))
        new = [i for i, one in enumerate(found) if one.outcome == NEW]
        chosen = [new[i] for i in self.optimizer.select(z[new], [found[i].smiles for i in new], room)] if new and room else []
        n_before = len(self.history) + len(self.evaluator.open)
        surprises = self.evaluator.score(self.round, [(found[i].smiles, z[i].numpy()) for i in chosen[:room]])
        self._record(found)
        self._tell(z, found, surprises)
        self._warn_if_all_fail()
        return len(self.history) + len(self.evaluator.open) - n_before

    def _gather(self, size: int) -> tuple[Tensor, list[Candidate]]:
        """All points of a round about so many molecules [N, D], and what became of each, generation after generation."""
        seen: set[str] = set()
        points, found = [], []
        for _ in range(self.optimizer.generations(size)):
            z, candidates = self._generation(size * self.optimizer.pool_factor, seen)
            new = [i for i, one in enumerate(candidates) if one.outcome == NEW]
            self.optimizer.on_candidates(z[new], [candidates[i].smiles for i in new])
            points.append(z)
            found += candidates
        return torch.cat(points), found

    def _generation(self, n: int, seen: set[str]) -> tuple[Tensor, list[Candidate]]:
        """One answer of the optimizer: points, decoded, and molecules that it named, at their codes."""
        z = torch.as_tensor(self.optimizer.ask(n), dtype=torch.float32)
        found = self.decoder.decode(z, draw_seed(self.generator, LARGEST_SHORT_SEED), seen)
        named = self.decoder.consider(self.optimizer.propose_smiles(n), seen)
        if not named:
            return z, found
        codes = self.optimizer.region.encode([one.smiles for one in named])
        lost = codes.isnan().any(dim=1)
        named = [Candidate(one.smiles, REFUSED, UNWRITABLE) if gone else one for one, gone in zip(named, lost, strict=True)]
        return torch.cat([z, codes.nan_to_num(0.0)]), found + named

    def _begin(self) -> None:
        """Score the first start molecules that fulfil the constraints; the optimizer may choose among the others."""
        given = self.evaluator.begin()
        room = self.evaluator.capacity(0, max(MANY_STARTS, self.budget // 50))
        first = self._allowed_starts(room or 0)
        self.optimizer.warm_start(self.start_codes, self.starts[len(first) :])
        codes = self.optimizer.region.encode_exactly(first)
        surprises = self.evaluator.score(0, list(zip(first, codes.numpy(), strict=True)))
        self.n_start = len(first)
        rows = [i for i in range(len(first)) if not codes[i].isnan().any()]
        self._tell(codes[rows], [Candidate(first[i], NEW) for i in rows], [*given, *surprises])

    def _allowed_starts(self, n: int) -> list[str]:
        """The first n start molecules that no constraint turns away."""
        verdicts = self.gate.reasons(self.starts[: max(n, MANY_STARTS)])
        for text, verdict in zip(self.starts, verdicts, strict=False):
            if verdict:
                self.log.add(0, text, REFUSED, verdict)
        allowed = [text for text, verdict in zip(self.starts, verdicts, strict=False) if not verdict]
        return [text for text in allowed if not self.evaluator.is_taken(text)][:n]

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
            values = self._values(smiles)
            self.optimizer.on_scores(smiles, np.column_stack(self.utility.desirabilities(values)))
            utilities = np.asarray(self.utility(values), dtype=float)
            self.optimizer.tell(torch.cat(points), torch.from_numpy(utilities), smiles)

    def _values(self, smiles: Sequence[str]) -> np.ndarray:
        """Values of each scored molecule [N, P]; NaN for "" and for failures."""
        missing = (np.nan,) * len(self.utility.goals)
        values = [self.history.known[text].score.values if text else missing for text in smiles]
        return np.array(values, dtype=float).reshape(-1, len(missing))

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
        self._told_at = self.best_so_far.elapsed_s
        return self.best_so_far.snapshot(len(self.history), self.decoder.n_greedy_valid / max(self.decoder.n_points, 1))

    def _report(self) -> None:
        if self.callback is not None:
            self.callback(self.progress())

    def _on_call(self, call: Call) -> None:
        """Keep the standing up to date, and tell of it while a round takes long."""
        values = np.array([call.score.values], dtype=float)
        self.best_so_far.add(call.smiles, float(self.utility.score(values)[0]), float(self.utility(values)[0]))
        if self.best_so_far.elapsed_s - self._told_at >= TELL_EVERY_S:
            self._report()

    def result(self, known: Sequence[str] | None, **conditions: Any) -> Result:
        """Describe the best molecules and close the books; ``conditions`` are kept with the settings."""
        table = self._table()
        best = table.dropna(subset=["utility"]).sort_values("utility", ascending=False, kind="stable").head(N_DESCRIBED)
        names = [*self.utility.names, *(getattr(item, "name", "") for item in self.gate.filters)]
        described = describe_molecules(self.model, best["smiles"].tolist(), names, known=known, start=self.starts)
        described.insert(1, "score", best["score"].to_numpy())
        for name in (name for name in self.utility.columns if name in best and name not in described):
            described.insert(2, name, best[name].to_numpy())
        others = {"known": known, "start": self.starts, "scored": table["smiles"].tolist()}
        return Result(
            history=table,
            proposals=self.log.table,
            molecules=described,
            utility=self.utility,
            rejections=dict(self.gate.counts),
            counts={"points": self.decoder.n_points, "valid": self.decoder.n_greedy_valid, **self.log.counts},
            settings={**self.settings, "budget": self.budget, "n_start": self.n_start, **conditions},
            stopped=self.stopped,
            elapsed_s=self.best_so_far.elapsed_s,
            model=self.optimizer.region.model,
            batch=self.evaluator.batch_table(describe_molecules(self.model, list(self.evaluator.open), names, **others)),
            receipt=self.evaluator.receipt,
        )

    def _table(self) -> pd.DataFrame:
        """All calls; what a user has told of molecules that break a constraint stands there, and never counts as found."""
        table = self.history.table(self.utility)
        given = list(self.evaluator.unsolicited)
        broken = dict(zip(given, FilterChain(self.gate.filters, self.model).reasons(given), strict=True))
        for row in table.index[table["smiles"].map(broken).fillna("") != ""]:
            table.loc[row, ["reason", "utility"]] = f"told, and outside {broken[table.loc[row, 'smiles']]}", np.nan
        return table
