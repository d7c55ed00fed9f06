"""Recipes are read from their files; single settings change by name, and what is no setting is refused."""

import pytest

from chemvae.errors import SettingsError, UnknownNameError
from chemvae.training.recipes.recipe import RECIPES, StageSpec, read_recipe, seconds_of, with_seed


@pytest.mark.parametrize("name", RECIPES)
def test_shares_of_a_recipe_are_the_whole_time_at_most(name):
    stages = read_recipe(name)
    assert sum(stage.share for stage in stages) <= 1.0 + 1e-9 and all(stage.share >= 0 for stage in stages)
    assert len({stage.name for stage in stages}) == len(stages)


def test_the_plain_recipe_has_no_stages():
    assert read_recipe("plain") == ()


def test_a_change_reaches_its_stage_alone_with_dashes_too():
    before, after = read_recipe("full"), read_recipe("full", {"reward": {"critic-steps": 2, "rounds": 1}})
    assert [one for one in after if one.name != "reward"] == [one for one in before if one.name != "reward"]
    changed = next(one for one in after if one.name == "reward").settings
    assert (changed["critic_steps"], changed["rounds"]) == (2, 1)


def test_unknown_names_and_settings_that_are_no_table_are_refused():
    with pytest.raises(UnknownNameError):
        read_recipe("ful-l-x")
    with pytest.raises(UnknownNameError):
        read_recipe("full", {"rewards-of-it": {}})
    with pytest.raises(SettingsError, match=r"must be a table, \[stages.reward\], got 5"):
        read_recipe("full", {"reward": 5})


def test_time_is_shared_out_among_the_stages_still_to_come_and_nothing_is_left_over():
    stages, left = read_recipe("full"), 1_000.0
    for number, stage in enumerate(stages):
        seconds = seconds_of(stages, number, left)
        later = sum(one.share for one in stages[number:])
        assert seconds == pytest.approx(left * stage.share / later if later else 0.0)
        left -= seconds
    assert left == pytest.approx(0.0, abs=1e-6)


def test_a_seed_reaches_the_stages_that_have_none():
    stages = (StageSpec("a", "fit", 1.0, 0, {}), StageSpec("b", "fit", 1.0, 0, {"seed": 3}))
    assert [one.settings["seed"] for one in with_seed(stages, 8)] == [8, 3]
