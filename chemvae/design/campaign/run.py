"""A campaign: ask, decode, check, score, tell, until the budget is spent. Every optimizer has all of this."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chemvae.design.campaign.closing import make_result
from chemvae.design.campaign.goal_matching import make_utility, plan_goals
from chemvae.design.campaign.isolation import model_at_rest, steady_threads
from chemvae.design.campaign.loop import Campaign
from chemvae.design.campaign.progress import Progress
from chemvae.design.campaign.spec import CampaignSpec, Controls, sort_options
from chemvae.design.campaign.task import Task, canonical_starts, lent, time_limits, warn_of_kind
from chemvae.design.evaluators.laboratory import name_laboratory, read_results
from chemvae.design.filters.base import Filter
from chemvae.design.goals import Goal
from chemvae.design.results.result import Result

if TYPE_CHECKING:
    from chemvae.models.vae import MolVAE


class _SpecSays:
    """In place of an argument that is not given: the spec's value holds, by default that of :class:`CampaignSpec`."""

    def __repr__(self) -> str:
        return "default"


DEFAULT: Any = _SpecSays()

__all__ = ["CampaignSpec", "Progress", "Result", "run_campaign"]


def run_campaign(
    model: MolVAE,
    oracle: Any = None,
    budget: int = DEFAULT,
    seed: int = DEFAULT,
    method: Any = DEFAULT,
    start: Sequence[str] | str | None = DEFAULT,
    goals: Sequence[Goal | str] | Goal | str | None = DEFAULT,
    constraints: Sequence[Filter | str] | Filter | str | None = DEFAULT,
    **options: Any,
) -> Result:
    """Search for molecules with a high score, with at most ``budget`` (100) distinct molecules sent to the oracle.

    The model is only read, and the global random states are left as they were. The same seed gives the same history (on the
    same machine, with an oracle that gives the same answers), also beside other searches in other threads; see
    :class:`Oracle` for those that draw random numbers. Ctrl-C ends the search and returns what there is.

    With the oracle ``"laboratory"`` scores come from people: the search ends with ``Result.batch``, the molecules to measure,
    and goes on when it is called again with the same arguments and ``results``.

    Parameters
    ----------
    model : MolVAE
    oracle : callable, Oracle, str, mapping or None
        Any ``str -> float``, an :class:`Oracle`, a name, ``"cmd:program"``, a mapping of names to these (:func:`make_oracle`);
        None when the goals are properties that RDKit computes or the model predicts; ``"laboratory"``: :func:`name_laboratory`.
    budget, seed, method, start, goals, constraints
        Fields of :class:`CampaignSpec`.
    **options
        Its other fields (``batch_size, diverse, patience, timeout_s, time_limit_s, known, history_path, min_similarity,
        scaffold, forbid, alerts, plausible, neutral, standardize``), those of :class:`Controls` (``callback, cancel,
        results``), or ``spec``, a :class:`CampaignSpec` whose fields hold where no argument says otherwise.

    Returns
    -------
    Result
        ``stopped`` says what ended it: "budget spent", "cancelled", "interrupted", or why there was nothing more to do.

    Raises
    ------
    SettingsError
        If settings contradict each other or there is no such option; all complaints at once where they can be known together.
    InvalidMoleculeError
        If no start molecule is one, or the only one given is none.

    Examples
    --------
    >>> run_campaign(model, lambda smiles: smiles.count("O"), budget=50).best["smiles"]  # doctest: +SKIP
    'OCC(O)C(O)C(O)C(O)CO'
    >>> wanted = {"oracle": "laboratory", "goals": "pIC50", "history_path": "pIC50.jsonl"}
    >>> run_campaign(model, **wanted).batch.to_csv("next.csv", index=False)  # doctest: +SKIP
    """
    named = {"budget": budget, "seed": seed, "method": method, "start": start, "goals": goals, "constraints": constraints}
    given = {name: value for name, value in named.items() if value is not DEFAULT}
    return search(model, oracle, *sort_options(options.pop("spec", None), {**given, **options}))


def search(model: MolVAE, oracle: Any, spec: CampaignSpec, controls: Controls) -> Result:
    """As :func:`run_campaign`, with all settings in a spec."""
    planned, wanted = plan_goals(name_laboratory(oracle, spec.goals), spec.goals, model)
    results = read_results(controls.results, planned, spec.history_path, spec.cleaning)  # refused before anything takes time
    controls = replace(controls, results=results)
    starts = canonical_starts(spec.start, spec.cleaning)
    warn_of_kind(model, starts)
    filters = spec.filters(starts)
    with ExitStack() as stack:
        for block in (time_limits(planned, spec.timeout_s), model_at_rest(model), steady_threads()):
            stack.enter_context(block)
        campaign = Campaign(model, Task(planned, make_utility(wanted, model), filters, starts), spec, controls)
        stack.enter_context(lent(planned, campaign.computed))
        stack.enter_context(closing(campaign.evaluator))
        campaign.run()
        return make_result(campaign)
