"""Goals: signs, desirabilities, bounds, and which value belongs to which goal."""

import numpy as np
import pytest
import torch

from chemvae.design.campaign.goal_matching import make_utility, plan_goals
from chemvae.design.goals import Goal, Utility
from chemvae.design.oracles import PredictorOracle, PropertyOracle
from chemvae.errors import SettingsError, UnknownNameError
from tests.design.toys import ToyModel

VALUES = np.array([[0.2, 2.0], [0.9, 5.0], [np.nan, 1.0]])


def test_one_goal_is_the_value_its_negative_or_the_distance():
    column = VALUES[:, :1]
    for goal, expected in [(Goal("a"), [0.2, 0.9]), (Goal("a", "min"), [-0.2, -0.9]), (Goal("a", target=0.5), [-0.3, -0.4])]:
        values = make_utility([goal])(column)
        np.testing.assert_allclose(values[:2], expected)
        assert np.isnan(values[2])


def test_one_goal_is_reported_in_its_own_unit():
    np.testing.assert_array_equal(make_utility([Goal("a", "min")]).score(VALUES[:, :1])[:2], [0.2, 0.9])


def test_several_goals_are_the_weighted_mean_of_desirabilities():
    utility = Utility([Goal("a", weight=2.0), Goal("b", "min")], [(0.0, 1.0), (1.0, 6.0)])
    by_hand = [(2 * 0.2 + 0.8) / 3, (2 * 0.9 + 0.2) / 3]
    np.testing.assert_allclose(utility(VALUES)[:2], by_hand)
    assert np.isnan(utility(VALUES)[2])


def test_desirabilities_stay_in_0_to_1_and_a_target_peaks_there():
    utility = Utility([Goal("a", target=2.0), Goal("b")], [(0.0, 4.0), (0.0, 1.0)])
    a = np.linspace(-9, 9, 181)
    values = utility(np.column_stack([a, np.full_like(a, 50.0)]))
    assert a[values.argmax()] == pytest.approx(2.0) and values.max() == pytest.approx(1.0)
    assert values.min() == pytest.approx(0.5)


def test_weights_count_only_in_proportion():
    ranges = [(0.0, 1.0), (1.0, 6.0)]
    small = Utility([Goal("a", weight=0.2), Goal("b", weight=0.6)], ranges)
    large = Utility([Goal("a", weight=1.0), Goal("b", weight=3.0)], ranges)
    np.testing.assert_allclose(small(VALUES), large(VALUES))


def test_numpy_and_torch_agree():
    utility = Utility([Goal("a"), Goal("b", target=3.0)], [(0.0, 1.0), (1.0, 6.0)])
    np.testing.assert_allclose(utility(VALUES), utility(torch.from_numpy(VALUES)).numpy())


@pytest.mark.parametrize("goal", [Goal("a"), Goal("a", "min"), Goal("a", target=0.4)])
def test_the_lower_bound_is_below_the_mean_whatever_the_direction(goal):
    utility = Utility([goal, Goal("b", "min")], [(0.0, 1.0), (1.0, 6.0)])
    mean = torch.tensor([[0.3, 2.0]], dtype=torch.float64)
    std = torch.tensor([[0.1, 0.5]], dtype=torch.float64)
    by_hand = utility(mean) - 2.0 * (0.5 * 0.1 + 0.5 * 0.5 / 5.0)
    torch.testing.assert_close(utility.pessimistic(mean, std, 2.0), by_hand)


def test_the_bound_keeps_a_slope_where_the_desirability_is_flat():
    utility = Utility([Goal("a"), Goal("b")], [(0.0, 1.0), (0.0, 1.0)])
    mean = torch.tensor([[3.0, -2.0]], requires_grad=True)
    utility.pessimistic(mean, torch.zeros(1, 2), 1.0).sum().backward()
    assert (mean.grad == 0.5).all()


def test_merits_are_to_be_maximised():
    utility = Utility([Goal("a", "min"), Goal("b", target=3.0)], [(0.0, 1.0), (0.0, 1.0)])
    np.testing.assert_allclose(utility.merits(VALUES)[:2], [[-0.2, -1.0], [-0.9, -2.0]])


def test_all_complaints_come_at_once():
    with pytest.raises(SettingsError) as caught:
        Goal("qed", direction="up", weight=-1.0)
    assert len(caught.value.complaints) == 2


def test_words_for_directions():
    assert Goal("a", "minimize").direction == "min" and Goal("a", "maximise").direction == "max"


class TestPlan:
    def test_without_goals_everything_is_maximised(self):
        oracle, goals = plan_goals({"size": len, "drug": "qed"}, None)
        assert [(goal.name, goal.direction) for goal in goals] == [("size", "max"), ("drug", "max")]

    def test_without_an_oracle_properties_are_computed_or_else_predicted(self):
        oracle, goals = plan_goals(None, [Goal("QED"), Goal("carbons", "min")], ToyModel())
        assert [type(part) for part in oracle.oracles] == [PropertyOracle, PredictorOracle]
        assert [goal.name for goal in goals] == list(oracle.names) == ["qed", "carbons"]

    def test_a_single_goal_names_the_value_of_a_function(self):
        oracle, goals = plan_goals(len, Goal("affinity", "min"))
        assert goals[0].name == "affinity" and oracle(["CCO"])[0] == 3.0

    def test_values_and_goals_are_matched_by_name_not_by_order(self):
        oracle, goals = plan_goals({"b": len, "a": lambda s: -1.0}, [Goal("a", "min"), Goal("b")])
        assert oracle.names == ("b", "a") and [goal.direction for goal in goals] == ["max", "min"]

    def test_a_value_without_a_goal_is_a_mistake(self):
        with pytest.raises(SettingsError, match="no goal says what for"):
            plan_goals(len, [Goal("qed"), Goal("SAS", "min")])

    def test_nothing_to_do_is_a_mistake(self):
        with pytest.raises(SettingsError, match="nothing to optimise"):
            plan_goals(None, None)

    def test_an_unknown_goal_lists_the_choices(self):
        with pytest.raises(UnknownNameError, match="carbons"):
            plan_goals(None, [Goal("gap")], ToyModel())

    def test_two_goals_of_one_name_are_a_mistake(self):
        with pytest.raises(SettingsError, match="same name"):
            plan_goals({"a": len, "b": len}, [Goal("a"), Goal("b"), Goal("a", "min")])


class TestRanges:
    def test_known_properties_bring_theirs_and_own_ones_win(self):
        utility = make_utility([Goal("qed"), Goal("SAS", "min", low=2.0)])
        assert utility.ranges == [(0.0, 1.0), (2.0, 6.0)]

    def test_predicted_ones_are_measured_over_the_prior(self):
        ((low, high), _) = make_utility([Goal("carbons"), Goal("qed")], ToyModel()).ranges
        assert low < 14.0 < high and high - low == pytest.approx(6 * 2 * 2**0.5, rel=0.15)  # std of a sum of two cells

    def test_unknown_ones_must_be_given(self):
        with pytest.raises(SettingsError, match="low=..., high="):
            make_utility([Goal("affinity"), Goal("qed")])
