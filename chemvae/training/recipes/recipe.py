"""Recipes: named stages with their settings, read from the package's own commented files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from chemvae.disk.toml import parse_toml
from chemvae.errors import SettingsError
from chemvae.registry import find

RECIPES = {
    "plain": "one training, as the preset and the settings say",
    "full": "that, and what makes molecules of the samples",
}
"""Name -> what it is, in a line. All but ``plain`` are files beside this one."""
OF_ANY_KIND = ("does", "share", "at_least")


@dataclass(frozen=True)
class StageSpec:
    """One stage of a recipe.

    Examples
    --------
    >>> [stage.name for stage in read_recipe("full")]
    ['learn', 'between', 'reward', 'fit']
    """

    name: str
    does: str
    """Its kind, a name in :data:`chemvae.training.recipes.stages.KINDS`."""
    share: float
    """Of the time that the recipe may take."""
    at_least: int
    """With how many training molecules it pays; with fewer it is left out."""
    settings: dict[str, Any]
    """Of its kind."""


def read_recipe(name: str, changes: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[StageSpec, ...]:
    """The stages of a recipe, with single settings changed.

    Parameters
    ----------
    name : str
        In RECIPES; ``plain`` has no stages.
    changes : mapping of stage to mapping, optional
        Settings by stage, in place of the file's.

    Raises
    ------
    UnknownNameError
        If there is no such recipe or stage, naming the nearest.
    SettingsError
        If a stage's settings are no table.

    Examples
    --------
    >>> read_recipe("full", {"reward": {"rounds": 5}})[2].settings["rounds"]
    5
    """
    name, _ = find(RECIPES, name, "recipe")
    if name == "plain":
        return ()
    content = parse_toml((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
    for stage, own in (changes or {}).items():
        stage, before = find(content, stage, "stage")
        if not isinstance(own, Mapping):
            raise SettingsError(f"settings of the stage '{stage}' must be a table, [stages.{stage}], got {own!r:.40}")
        content[stage] = {**before, **{key.replace("-", "_"): value for key, value in own.items()}}
    return tuple(_stage(stage, values) for stage, values in content.items())


def _stage(name: str, values: Mapping[str, Any]) -> StageSpec:
    settings = {key: value for key, value in values.items() if key not in OF_ANY_KIND}
    return StageSpec(name, values["does"], float(values.get("share", 0.0)), int(values.get("at_least", 0)), settings)


def seconds_of(stages: tuple[StageSpec, ...], number: int, seconds_left: float) -> float:
    """What one stage may take of the time that is left, by its share among the stages that are still to come; 0 is any time.

    Examples
    --------
    >>> stages = tuple(StageSpec(name, "fit", share, 0, {}) for name, share in (("a", 0.5), ("b", 0.3), ("c", 0.2)))
    >>> [round(seconds_of(stages, number, 100.0)) for number in range(3)]
    [50, 60, 100]
    """
    later = sum(stage.share for stage in stages[number:])
    return seconds_left * stages[number].share / later if later else 0.0


def with_seed(stages: tuple[StageSpec, ...], seed: int) -> tuple[StageSpec, ...]:
    """The stages with the recipe's seed, where a stage has none of its own."""
    return tuple(replace(stage, settings={"seed": seed, **stage.settings}) for stage in stages)
