"""The rounds of a campaign: ask, decode, check, choose, score, tell, until something ends it; :mod:`campaign` is the door."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from chemvae.chem.molecules import invalid_reason
from chemvae.chem.property_table import PropertyTable
from chemvae.design.campaign.candidates import INVALID, NEW, REFUSED, Candidate, CandidateDecoder, ProposalLog
from chemvae.design.campaign.first_look import FirstLook
from chemvae.design.campaign.goal_matching import known_goals
from chemvae.design.campaign.isolation import SeededStreams
from chemvae.design.campaign.progress import BestSoFar, Progress
from chemvae.design.campaign.spec import CampaignSpec, Controls
from chemvae.design.campaign.task import FEW_STARTS, MANY_STARTS, Task
from chemvae.design.evaluators.base import Evaluator, Plan
from chemvae.design.evaluators.censored import as_counted
from chemvae.design.evaluators.direct import OracleEvaluator
from chemvae.design.evaluators.history import Call, History
from chemvae.design.evaluators.laboratory import find_laboratory, open_laboratory
from chemvae.design.filters.chain import FilterChain
from chemvae.design.optimizers.factory import make_optimizer
from chemvae.design.optimizers.latent_region import LatentRegion
from chemvae.design.optimizers.plate import count_ranked, pick_apart
from chemvae.design.origin import Chosen, Origin
from chemvae.design.surrogates.predicted import PredictedUtility
from chemvae.errors import CancelledError, SettingsError
from chemvae.models.gru.kernels import kernels_in_use
from chemvae.seeding import LARGEST_SHORT_SEED, draw_seed

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE

logger = logging.getLogger(__name__)

FULL_POOL = 10  # points per molecule that a round of patience stands for
MOST_ANCHORS = 1000
UNWRITABLE = "the model's vocabulary cannot write it"
WAITING = "waiting for results"
CANCELLED = "cancelled"
START = Origin("start")
TELL_EVERY_S = 1.0


class Campaign:
    """The state of one search; :func:`run_campaign` is the door to it.

    Parameters
    ----------
    model : MolVAE
    task : Task
    spec : CampaignSpec
    controls : Controls
    """

    def __init__(self, model: MolVAE, task: Task, spec: CampaignSpec, controls: Controls):
        self.model, self.task, self.spec, self.controls = model, task, spec, controls
        self.utility, self.starts = task.utility, list(task.starts)
        self.best_so_far, self._told_at = BestSoFar(spec.budget, spec.time_limit_s), 0.0
        self.generator = torch.Generator().manual_seed(spec.seed)
        self.computed, self.first_look = PropertyTable(), FirstLook(task.oracle)
        self.gate = FilterChain(task.filters, model, self.computed)
        region = self._region()
        predicted = PredictedUtility(model, self.utility, known_goals(task.oracle, self.utility))
        self.optimizer = make_optimizer(spec.method, region, spec.seed, predicted)
        self.settings = {
            "method": spec.method if isinstance(spec.method, (str, dict)) else type(self.optimizer).__name__,
            "seed": spec.seed,
            "batch_size": spec.molecules_per_round,
            **({} if spec.diverse is None else {"diverse": spec.diverse}),
            **task.describe(model),
            "kernels": kernels_in_use(),
        }
        self.evaluator = self._open()
        self.history = self.evaluator.history
        self.decoder = CandidateDecoder(region, self.gate, self.evaluator.is_taken, self._cleaning())
        self.log = ProposalLog()
        self.stopped, self.n_start, self.round = "budget spent", 0, 0
        self.turned_away: dict[str, str] = {}  # lead that is scored -> the constraint it breaks

    def _region(self) -> LatentRegion:
        """Where to search: around the start molecules that can be encoded, if the search is bound to them."""
        codes = LatentRegion(self.model).encode_exactly(self.starts[:MOST_ANCHORS])
        written = ~codes.isnan().any(dim=1)
        self.start_codes = codes[written]
        self.start_smiles = [text for text, fine in zip(self.starts, written.tolist(), strict=False) if fine]
        is_bound = self.spec.min_similarity is not None
        if is_bound and not len(self.start_codes):
            why = next(iter(filter(None, self.model.encode_reasons(self.starts))), "none was given")
            raise SettingsError(f"the start molecule cannot be encoded, so nothing similar can be sought: {why}")
        return LatentRegion(self.model, self.start_codes, self.start_smiles) if is_bound else LatentRegion(self.model)

    def _cleaning(self) -> str:
        """What is done to decoded molecules: what was asked for, and for a laboratory, which buys them, what is usual too."""
        is_bought = find_laboratory(self.task.oracle) is not None
        return "neutral" if self.spec.neutral else self.spec.standardize if is_bought else "none"

    def _open(self) -> Evaluator:
        """How scores are had: at once, or from a laboratory. What a record holds of properties is known from the beginning."""
        path, oracle = self.spec.history_path, self.task.oracle
        streams = SeededStreams(self.spec.seed, self.model.latent_statistics.mean.device)
        plan = Plan(self.spec.molecules_per_round, self.spec.budget, self._on_call, streams.iterate, self.controls.cancel)
        if find_laboratory(oracle) is not None:
            encode = LatentRegion(self.model).encode
            return open_laboratory(
                path,
                self.settings,
                oracle,
                self.controls.results,
                encode=lambda smiles: encode(smiles).numpy(),
                plan=plan,
                latent_dim=self.model.latent_dim,
                standardize=self.spec.cleaning,
            )
        history = History(path, self.settings, self.model.latent_dim)
        for call in history.recorded.values():
            self._note_properties(call)
        return OracleEvaluator(oracle, history, plan)

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Score the start molecules, then go round until something ends it."""
        try:
            self._go_round()
        except KeyboardInterrupt:
            self.stopped = "interrupted"
        except CancelledError:
            self.stopped = CANCELLED
        self.evaluator.finish()

    def _go_round(self) -> None:
        idle = 0
        self._begin()
        while self.evaluator.n_paid < self.spec.budget:
            self.controls.cancel.check()
            if self.best_so_far.is_over:
                self.stopped = f"time limit of {self.best_so_far.time_limit_s:g} s reached"
                return
            room = self.evaluator.capacity(self.round + 1, self.evaluator.size(self.round + 1))
            if room is None:
                self.stopped = WAITING
                return
            idle = 0 if self.play_round(room) else idle + 1
            self._report()
            if idle >= self.spec.patience * self._rounds_per_pool():
                self.stopped = f"nothing new in {idle} rounds"
                return

    def _rounds_per_pool(self) -> int:
        """Rounds in which this optimizer decodes as many points as one that asks for a full pool does in one."""
        return max(1, FULL_POOL // self.optimizer.pool_factor)

    def play_round(self, room: int) -> int:
        """Ask, decode, choose, score and tell once; return the number of molecules scored or handed out."""
        self.round += 1
        z, found, origins = self._gather(self.evaluator.size(self.round))
        new = [i for i, one in enumerate(found) if one.outcome == NEW]
        chosen = [new[i] for i in self._select(z[new], [found[i].smiles for i in new], room)] if new and room else []
        n_before = len(self.history) + len(self.evaluator.open)
        surprises = self.evaluator.score(self.round, [Chosen(found[i].smiles, z[i].numpy(), origins[i]) for i in chosen[:room]])
        self._record(found)
        self._tell(z, found, surprises)
        self.first_look.on_round(self.history.calls)
        return len(self.history) + len(self.evaluator.open) - n_before

    def _select(self, z: Tensor, smiles: Sequence[str], n: int) -> list[int]:
        """The optimizer's choice of n of the molecules that passed; for a plate, the best of it of which no two are alike."""
        if self.spec.diverse is None:
            return self.optimizer.select(z, smiles, n)
        ranked = self.optimizer.select(z, smiles, count_ranked(len(smiles), n))
        return [ranked[i] for i in pick_apart([smiles[i] for i in ranked], n)]

    def _gather(self, size: int) -> tuple[Tensor, list[Candidate], list[Origin]]:
        """All points of a round about so many molecules [N, D], what became of each and whence, by generations."""
        seen: set[str] = set()
        points, found, origins = [], [], []
        self.optimizer.descent = {}
        for _ in range(self.optimizer.generations(size)):
            z, candidates = self._generation(size * self.optimizer.pool_factor, seen)
            whence = self.optimizer.origins(self._n_asked, len(candidates) - self._n_asked)
            new = [i for i, one in enumerate(candidates) if one.outcome == NEW]
            self.optimizer.descent |= {candidates[i].smiles: whence[i] for i in new}
            self.optimizer.on_candidates(z[new], [candidates[i].smiles for i in new])
            points.append(z)
            found += candidates
            origins += whence
        return torch.cat(points), found, origins

    def _generation(self, n: int, seen: set[str]) -> tuple[Tensor, list[Candidate]]:
        """One answer of the optimizer: points, decoded, and molecules that it named, at their codes."""
        z = torch.as_tensor(self.optimizer.ask(n), dtype=torch.float32)
        self._n_asked, seed = len(z), draw_seed(self.generator, LARGEST_SHORT_SEED)
        found = self.decoder.decode(z, seed, seen) if len(z) else []
        named = self.decoder.consider(self.optimizer.propose_smiles(n), seen)
        if not named:
            return z, found
        codes, named = self._coded(named)
        return torch.cat([z, codes]), found + named

    def _coded(self, named: list[Candidate]) -> tuple[Tensor, list[Candidate]]:
        """Codes [N, D] of named molecules; without one a molecule is refused, unless the optimizer searches without codes."""
        if not self.optimizer.uses_latents:
            return torch.full((len(named), self.model.latent_dim), torch.nan), named
        codes = self.optimizer.region.encode([one.smiles for one in named])
        lost = codes.isnan().any(dim=1)
        named = [Candidate(one.smiles, REFUSED, UNWRITABLE) if gone else one for one, gone in zip(named, lost, strict=True)]
        return codes.nan_to_num(0.0), named

    def _begin(self) -> None:
        """Score the first start molecules that fulfil the constraints; the optimizer may choose among the others."""
        given = self.evaluator.begin()
        room = self.evaluator.capacity(0, max(MANY_STARTS, self.spec.budget // 50))
        refused, first = self._sorted_starts(room or 0)
        self.optimizer.start_smiles = self.start_smiles
        self.optimizer.warm_start(self.start_codes, self.starts[len(first) :])
        scored = [*refused, *first]
        codes = self.optimizer.region.encode_exactly(scored)
        surprises = self.evaluator.score(0, [Chosen(text, z, START) for text, z in zip(scored, codes.numpy(), strict=True)])
        self.n_start = len(scored)
        rows = [i for i in range(len(refused), len(scored)) if not codes[i].isnan().any()]
        self._tell(codes[rows], [Candidate(scored[i], NEW) for i in rows], [*given, *surprises])

    def _sorted_starts(self, n: int) -> tuple[list[str], list[str]]:
        """At most n start molecules: leads that a constraint turns away, to compare with, and the first of the others."""
        untold = [text for text in self.starts if not self.evaluator.is_taken(text)][: max(n, MANY_STARTS)]
        verdicts = dict(zip(untold, self.gate.reasons(untold), strict=True))
        broken = {text: verdict for text, verdict in verdicts.items() if verdict}
        for text, verdict in broken.items():
            self.log.add(0, text, REFUSED, verdict)
            logger.warning("The start molecule %s does not count, since it breaks a constraint: %s", text, verdict)
        if self.evaluator.scores_leads and len(self.starts) <= FEW_STARTS:
            self.turned_away = broken
        refused = list(self.turned_away)[:n]
        return refused, [text for text in untold if text not in broken][: n - len(refused)]

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
        """Values of each scored molecule [N, P] as they count; NaN for "" and for failures."""
        calls = [self.history.known.get(text) for text in smiles]
        return as_counted(calls, self.history.calls, self.utility.goals)

    # ------------------------------------------------------------------ books

    def _record(self, found: Sequence[Candidate]) -> None:
        for one in found:
            self.log.counts[one.outcome] += 1
            if one.outcome in (INVALID, REFUSED):
                reason = one.reason or invalid_reason(one.smiles) or "the decoder did not finish it"
                self.log.add(self.round, one.smiles, one.outcome, reason)

    def progress(self) -> Progress:
        """Say where the search stands."""
        self._told_at = self.best_so_far.elapsed_s
        return self.best_so_far.snapshot(len(self.history), self.decoder.n_greedy_valid / max(self.decoder.n_points, 1))

    def _report(self) -> None:
        if self.controls.callback is not None:
            self.controls.callback(self.progress())

    def _note_properties(self, call: Call) -> None:
        """Keep what the oracle has computed of properties, also where that failed."""
        for place, name in self.task.property_columns():
            self.computed.add(name, call.smiles, call.score.values[place])

    def _on_call(self, call: Call) -> None:
        """Keep the standing up to date, and tell of it while a round takes long."""
        self._note_properties(call)
        self.first_look.on_call(self.evaluator.history.calls)
        score, utility = float(self.utility.score(np.array([call.score.values], dtype=float))[0]), np.nan
        if call.smiles not in self.turned_away:
            utility = float(self.utility(self._values([call.smiles]))[0])
        self.best_so_far.add(call.smiles, score, utility)
        if self.best_so_far.elapsed_s - self._told_at >= TELL_EVERY_S:
            self._report()
