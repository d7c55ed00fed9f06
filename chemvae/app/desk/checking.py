"""Look at what a job is asked for before it is queued: no molecules, names that mean nothing, what may not be run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chemvae.app.desk.oracles import FITTED, safe_oracle
from chemvae.app.uploads import find_upload
from chemvae.app.work.searching import asked_of
from chemvae.chem.molecules import canonicalize, invalid_reason
from chemvae.design.campaign.goal_matching import plan_goals
from chemvae.design.campaign.spec import CampaignSpec
from chemvae.design.evaluators.laboratory import LABORATORY, name_laboratory
from chemvae.design.filters.parsing import gather_constraints
from chemvae.design.goals import Goal
from chemvae.design.optimizers.factory import OPTIMIZERS
from chemvae.design.search_settings import SearchSettings
from chemvae.errors import InvalidMoleculeError, SettingsError
from chemvae.models.vae import MolVAE
from chemvae.moving.editing import part_to_keep
from chemvae.registry import find
from chemvae.sampling.property_values import resolve

SHOWN = 28
_NUMBER = re.compile(r"(?<![\w.])\d+\.?\d*(?:[eE][-+]?\d+)?")


def check_job(model: MolVAE, kind: str, settings: dict[str, Any], project: Path) -> dict[str, Any]:
    """Settings with canonical molecules and names as they are spelled, and a title for the list of jobs.

    Raises
    ------
    InvalidMoleculeError, UnknownNameError, UnknownTokenError, SettingsError
    """
    found = dict(settings)
    for name in ("smiles", "to"):
        if name in found:
            found[name] = readable(model, found[name])
    if kind == "edit":
        found["along"] = resolve(model, found["along"])
        part_to_keep(found.get("keep"), found["smiles"])
    if kind in ("optimize", "campaign"):
        _check_search(model, kind, found, project)
    return {"settings": found, "title": title_of(kind, found, project)}


def readable(model: MolVAE, text: str) -> str:
    """A molecule's canonical SMILES.

    Raises
    ------
    InvalidMoleculeError, UnknownTokenError
        If it is none, or the model cannot read it.
    """
    smiles = canonicalize(text)
    if smiles is None:
        raise InvalidMoleculeError(text[:80], invalid_reason(text) or "RDKit cannot read it")
    model.vocabulary.encode(smiles)
    return smiles


def _check_search(model: MolVAE, kind: str, found: dict[str, Any], project: Path) -> None:
    """Everything that can be known to be wrong before a search begins."""
    found["method"] = find(OPTIMIZERS, found["method"], "method")[0]
    found["start"] = [readable(model, one) for one in found["start"]]
    if kind == "campaign":
        found["oracle"] = ":".join([LABORATORY, *([",".join(found["measured"])] if found["measured"] else [])])
    elif found.get("oracle"):
        found["oracle"] = safe_oracle(found["oracle"], project)
    for goal in found["goals"]:
        goal["name"] = safe_oracle(goal["name"], project)
    if not found["goals"] and not found.get("oracle"):
        raise SettingsError("say what is sought: a goal, or an oracle")
    words = SearchSettings(**{**asked_of(found), "oracle": found.get("oracle")})
    goals = words.goals() or None
    arguments = words.arguments()
    names = CampaignSpec.__dataclass_fields__
    spec = CampaignSpec(**{name: value for name, value in arguments.items() if name in names and value is not None})
    spec.filters(found["start"])
    if not (found.get("oracle") or "").startswith(FITTED):
        plan_goals(name_laboratory(found.get("oracle"), goals), goals, model)
    elif goals is not None and len(goals) > 1:
        _check_beside_fit(model, goals, found["oracle"].rpartition("#")[2])


def _check_beside_fit(model: MolVAE, goals: Sequence[Goal], column: str) -> None:
    """Goals beside one that is learned from an upload: it is fitted when the search begins, so its name is looked at alone."""
    own = [goal for goal in goals if goal.name.lower() == column.lower()]
    others = [goal for goal in goals if goal not in own]
    if len(own) != 1:
        raise SettingsError(
            f"the oracle gives '{column}', and {'no goal says what for' if not own else 'two goals have its name'}; "
            f"name it once among the goals, or leave the others out"
        )
    plan_goals(None, others, model)


def title_of(kind: str, settings: dict[str, Any], project: Path) -> str:
    """What a job is called in the list; an upload by the name of its file."""
    shown = _short(settings.get("smiles", ""))
    if kind == "neighbors":
        return f"Neighbours of {shown}"
    if kind == "interpolate":
        return f"From {shown} to {_short(settings['to'])}"
    if kind == "edit":
        return f"{shown} with {'more' if settings['direction'] == 'max' else 'less'} {settings['along']}"
    if kind in ("optimize", "campaign"):
        return _title_of_search(settings, project)
    verb = {"fit": "Learn", "train": "Train on", "place": "Place", "library": "Library of"}[kind]
    return f"{verb} {settings.get('column') or ', '.join(settings.get('columns', ())) or 'an upload'}"


def _title_of_search(settings: dict[str, Any], project: Path) -> str:
    oracle = str(settings.get("oracle") or "")
    learned = {column: oracle} if (column := oracle.rpartition("#")[2]) and oracle.startswith(FITTED) else {}
    named = [one | {"name": learned.get(one["name"], one["name"])} for one in settings["goals"]]
    goals = [_say_goal(one, project) for one in named] or [_say_oracle(oracle, project)]
    bounds = [
        _NUMBER.sub(lambda one: f"{float(one[0]):.4g}", constraint.label)
        for constraint in gather_constraints(settings["constraints"])
    ]
    begun = f" from {_short(settings['start'][0])}" if settings["start"] else ""
    return f"Optimize {', '.join([*goals, *bounds])}{begun}"


def _say_goal(goal: dict[str, Any], project: Path) -> str:
    name = _say_oracle(goal["name"], project)
    if goal["target"] is not None:
        return f"{name} = {goal['target']:.4g}"
    return f"{name} {'↑' if goal['direction'] == 'max' else '↓'}"


def _say_oracle(text: str, project: Path) -> str:
    """An oracle in a title: of an upload its column and the name of the file that was given, never where it lies."""
    path, mark, column = text.removeprefix(FITTED).rpartition("#")
    if not (text.startswith(FITTED) and mark):
        return text[:40]
    return f"{column} ({find_upload(project, Path(path).parent.name).facts['name']})"


def _short(smiles: str) -> str:
    return smiles if len(smiles) <= SHOWN else smiles[: SHOWN - 1] + "…"
