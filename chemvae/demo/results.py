"""results.json: every figure of the demo's report, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chemvae.chem.properties import compute
from chemvae.demo.molecule import Study
from chemvae.demo.searches import Comparison, Improvement
from chemvae.design import summary
from chemvae.runs import environment

if TYPE_CHECKING:
    from chemvae.demo.findings import Findings


def collect(findings: Findings) -> dict[str, Any]:
    """Return the demo's figures as one dict of JSON types."""
    reference = findings.reference
    return {
        "seed": findings.seed,
        "seconds": findings.seconds | {"total": round(sum(findings.seconds.values()), 1)},
        "model": _model(findings),
        "data": findings.preparation,
        "evaluation": findings.evaluation.figures,
        "molecule": None if findings.study is None else _study(findings.study),
        "improvements": [_improvement(one, findings.sizes.start_budget) for one in findings.improvements],
        "searches": [_comparison(one, one.task.best_known(reference), findings.sizes.budget) for one in findings.comparisons],
        "beside": findings.reference_name,
        "map": findings.map.quality,
        "environment": environment(),
    }


def _model(findings: Findings) -> dict[str, Any]:
    """Which model, how it was trained if it was, and what its card says if it has one; the card's figures as written."""
    facts: dict[str, Any] = {"name": findings.name, "trained_here": findings.is_trained}
    if findings.is_trained:
        last = findings.learning.iloc[-1].to_dict() if len(findings.learning) else {}
        facts |= {"settings": dict(findings.sizes.training), "last_epoch": last}
    if findings.card is not None:
        figures = {name: value for name, (value, _) in findings.card.figures.items()}
        facts |= {"card": {"source": findings.card.source, "taken": findings.card.taken, "figures": figures}}
    return facts


def _study(study: Study) -> dict[str, Any]:
    """The molecule that was looked at."""
    return {
        "name": study.molecule.name,
        "smiles": study.molecule.smiles,
        "decoded": study.decoded,
        "came_back": study.came_back,
        "known": study.is_known,
        "distance": study.distance,
        "properties": study.properties.to_dict("records"),
        "n_near": study.n_near,
        "n_near_valid": study.n_near_valid,
        "near": study.near.to_dict("records"),
        "path": study.path.to_dict("records"),
    }


def _comparison(comparison: Comparison, known: float, budget: int) -> dict[str, Any]:
    """One task: what each search came to, and how far it is ahead of random sampling (negative: behind)."""
    methods = {}
    for method, result in comparison.results.items():
        fresh = comparison.best_new(method)
        methods[method] = summary(result) | {
            "mean_measure_top10": comparison.top(method),
            "ahead_of_random": comparison.lead(method),
            "best_new": None if fresh is None else {"smiles": fresh["smiles"], "score": float(fresh["score"])},
        }
    return {
        "task": comparison.task.key,
        "title": comparison.task.title,
        "measure": comparison.task.measure,
        "budget": budget,
        "best_known_measure": known,
        "methods": methods,
        "verdict": comparison.verdict(),
    }


def _improvement(improvement: Improvement, budget: int) -> dict[str, Any]:
    """One given molecule before and after."""
    after = {}
    for method in improvement.results:
        best = improvement.best(method)
        after[method] = None if best is None else describe(best)
    return {"start": improvement.start, "before": before(improvement), "budget": budget, "after": after}


def before(improvement: Improvement) -> dict[str, Any]:
    """Properties of the given molecule; the prediction, and whether it is new, where a search described it."""
    facts: dict[str, Any] = {name: compute(name, improvement.start) for name in ("qed", "SAS", "logP", "MW")}
    described = improvement.results["gradient"].molecules
    own = described[described["smiles"] == improvement.start]
    if len(own) and "qed_predicted" in own:
        facts |= {"qed_predicted": float(own["qed_predicted"].iloc[0])}
    if len(own) and "novel" in own:
        facts |= {"novel": bool(own["novel"].iloc[0])}
    return facts


def describe(row: Any) -> dict[str, Any]:
    """Computed beside predicted properties of a designed molecule, its similarity to the start, and whether it is new."""
    names = ("qed", "qed_predicted", "SAS", "logP", "MW", "similarity_to_start")
    found = {name: float(row[name]) for name in names if name in row}
    novel = None if "novel" not in row else bool(row["novel"])
    return {"smiles": str(row["smiles"]), **found, "novel": novel}
