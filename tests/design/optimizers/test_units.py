"""A search is the same in any unit: what is multiplied by a number is sought in the same order."""

import numpy as np
import pytest
import torch

from chemvae.design import Goal, run_campaign
from chemvae.design.optimizers.factory import OPTIMIZERS
from chemvae.design.optimizers.gradient import unit_length
from chemvae.design.surrogates.latent_gp import spread_of
from tests.design.toys import Bowl, ToyModel


def asked(method, unit, **options):
    if method == "genetic":
        method = {"name": method, "generations": 1, "graphs": 0.4}  # breeding takes milliseconds a child
    result = run_campaign(
        ToyModel(), lambda smiles: unit * (Bowl()(smiles) - 7.0), budget=30, batch_size=6, method=method, **options
    )
    return result.history["smiles"].tolist()


@pytest.mark.parametrize("unit", [2.0**-50, 2.0**300], ids=str)
@pytest.mark.parametrize("method", OPTIMIZERS)
def test_a_search_is_the_same_in_any_unit(method, unit):
    assert asked(method, unit) == asked(method, 1.0)


@pytest.mark.parametrize(("method", "unit"), [("auto", 1e-15), ("gradient", 1e-15), ("bayesian", 1e15)])
def test_joules_are_as_good_as_electronvolts(method, unit):
    """Rounding differs between these units, and with it which of two equal molecules comes first: a search may part early."""
    shared = [len({*asked(method, unit, seed=seed)} & {*asked(method, 1.0, seed=seed)}) / 30 for seed in range(3)]
    assert np.mean(shared) >= 0.7


@pytest.mark.parametrize("unit", [2.0**-50])
@pytest.mark.parametrize("method", ["pareto", "bayesian"])
def test_so_is_one_for_several_goals_with_ranges_in_that_unit(method, unit):
    def run(unit):
        goals = [Goal("a", low=-200.0 * unit, high=0.0), Goal("b", "min", low=0.0, high=20.0 * unit)]
        bowl = Bowl()
        oracle = {"a": lambda smiles: unit * bowl(smiles), "b": lambda smiles: unit * len(smiles)}
        result = run_campaign(ToyModel(), oracle, budget=18, batch_size=6, method=method, goals=goals)
        return result.history["smiles"].tolist()

    assert run(unit) == run(1.0)


def test_a_direction_has_length_one_however_flat_the_slope():
    for size in (1e-37, 1e-20, 1.0, 1e30):
        torch.testing.assert_close(unit_length(torch.tensor([[3.0, -4.0]]) * size), torch.tensor([[0.6, -0.8]]))
    assert unit_length(torch.zeros(1, 3)).tolist() == [[0.0, 0.0, 0.0]]


def test_the_spread_of_predictions_is_relative():
    values = torch.tensor(np.random.default_rng(0).normal(size=(50, 1)))
    one = spread_of(values, values.mean(dim=0))
    for unit in (2.0**-200, 2.0**200):
        torch.testing.assert_close(spread_of(values * unit, values.mean(dim=0) * unit), one * unit, rtol=0, atol=0)
