"""A campaign: ask, decode, check, score, tell, until the budget is spent. Every optimizer has all of this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from chemvae.design.campaign.goal_matching import make_utility, plan_goals
from chemvae.design.campaign.loop import Campaign
from chemvae.design.campaign.progress import Progress
from chemvae.design.campaign.settings import canonical_starts, check_settings
from chemvae.design.evaluators.laboratory import LABORATORY, find_laboratory, name_laboratory
from chemvae.design.filters.base import Filter
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.goals import Goal
from chemvae.design.oracles import CombinedOracle, Oracle
from chemvae.design.results.result import Result
from chemvae.errors import SettingsError
from chemvae.models.vae import eval_mode
from chemvae.seeding import own_random_state

PATIENCE = 20


def run_campaign(
    model: Any,
    oracle: Any = None,
    budget: int = 100,
    seed: int = 0,
    method: Any = "auto",
    start: Sequence[str] | str | None = None,
    goals: Sequence[Goal | str] | Goal | str | None = None,
    constraints: Sequence[Filter | str] | Filter | str | None = None,
    batch_size: int | None = None,
    timeout_s: float | None = None,
    known: Sequence[str] | None = None,
    callback: Callable[[Progress], None] | None = None,
    history_path: str | Path | None = None,
    *,
    min_similarity: float | None = None,
    scaffold: str | None = None,
    forbid: Sequence[str] | str = (),
    alerts: bool | str | Sequence[str] = False,
    patience: int = PATIENCE,
    time_limit_s: float | None = None,
    results: Any = None,
) -> Result:
    """Search for molecules with a high score, with at most ``budget`` distinct molecules sent to the oracle.

    The model is only read, and the global random states are left as they were. The same seed gives the same history (on the
    same machine, with an oracle that gives the same answers). Ctrl-C ends the search and returns what there is.

    With the oracle ``"laboratory"`` scores come from people: the search ends with ``Result.batch``, the molecules to measure,
    and goes on when it is called again with the same arguments and ``results``.

    Parameters
    ----------
    model : MolVAE
    oracle : callable, Oracle, str, mapping or None
        Any ``str -> float``, an :class:`Oracle`, a name, ``"cmd:program"``, a mapping of names to these; None when the goals
        are properties that RDKit computes or the model predicts. See :func:`make_oracle`. ``"laboratory"`` for what people
        measure: see :func:`name_laboratory`.
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
        Called with :class:`Progress` after each round, and about once a second while an oracle works.
    history_path : path, optional
        Journal of all calls, as JSON lines. If it exists, the campaign repeats itself up to where the record ends without
        paying for any molecule again, and goes on from there.
    min_similarity, scaffold, forbid, alerts
        Further constraints, see :func:`gather_constraints`; ``min_similarity`` refers to ``start``.
    patience : int
        The search ends after this many rounds in a row without a new molecule, a round being ten points for each molecule of
        the batch (methods that decode fewer at a time have as many more rounds).
    time_limit_s : float, optional
        No round begins after this many seconds.
    results : path or DataFrame, optional
        What a laboratory has measured since; see :func:`read_measurements`. Molecules that nobody asked for are taken too, and
        do not count against the budget. Each is recorded in ``history_path`` before anything else is done.

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
    >>> wanted = {"oracle": "laboratory", "goals": "pIC50", "history_path": "pIC50.jsonl"}
    >>> run_campaign(model, **wanted).batch.to_csv("next.csv", index=False)  # doctest: +SKIP
    >>> result = run_campaign(model, **wanted, results="next.csv")  # doctest: +SKIP
    """
    check_settings(budget, seed, batch_size, patience, timeout_s, time_limit_s)
    starts = canonical_starts(start)
    planned, wanted = plan_goals(name_laboratory(oracle, goals), goals, model)
    if results is not None and find_laboratory(planned) is None:
        raise SettingsError(f"results are what a laboratory measured; say oracle='{LABORATORY}', or leave them out")
    filters = gather_constraints(
        constraints, start=starts, min_similarity=min_similarity, scaffold=scaffold, forbid=forbid, alerts=alerts
    )
    with time_limits(planned, timeout_s), eval_mode(model), own_random_state(seed, model):
        campaign = Campaign(
            model,
            planned,
            make_utility(wanted, model),
            filters,
            method=method,
            seed=seed,
            budget=budget,
            batch_size=batch_size or min(max(budget // 50, 5), 64),
            starts=starts,
            bound_to_start=min_similarity is not None,
            history_path=history_path,
            results=results,
            time_limit_s=time_limit_s,
            callback=callback,
        )
        with closing(campaign.evaluator):
            campaign.run(patience)
            return campaign.result(known, patience=patience, timeout_s=timeout_s, time_limit_s=time_limit_s)


@contextmanager
def time_limits(oracle: Oracle, timeout_s: float | None) -> Iterator[None]:
    """Set the time limit for this campaign, and end its workers after it."""
    parts = oracle.oracles if isinstance(oracle, CombinedOracle) else [oracle]
    before = [part.timeout_s for part in parts]
    try:
        for part in parts:
            part.timeout_s = timeout_s if timeout_s is not None else part.timeout_s
        yield
    finally:
        oracle.close()
        for part, value in zip(parts, before, strict=True):
            part.timeout_s = value
