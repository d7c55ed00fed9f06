"""The average of the weights, against the sum it stands for."""

import pytest
import torch
from torch import nn

from chemvae.training.ema import WeightAverage


def filled(layer, value):
    with torch.no_grad():
        for p in layer.parameters():
            p.fill_(value)


def test_the_average_is_the_weighted_sum_of_all_weights():
    layer = nn.Linear(2, 3).double()
    filled(layer, 1.0)
    average, expected = WeightAverage(layer, decay=0.9), 1.0
    for step, value in enumerate([2.0, -1.0, 5.0, 0.5] * 30):
        filled(layer, value)
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    for weight in average.weights.values():
        torch.testing.assert_close(weight, torch.full_like(weight, expected))


def test_the_decay_grows_to_its_limit():
    average = WeightAverage(nn.Linear(1, 1), decay=0.99)
    decays = [average.decay_at(step) for step in range(0, 2000, 10)]
    assert decays == sorted(decays) and decays[0] == 0.1 and decays[-1] == 0.99


def test_weights_are_lent_for_a_block_and_given_back_even_after_an_error():
    layer = nn.Linear(2, 2)
    filled(layer, 1.0)
    average = WeightAverage(layer, decay=0.5)
    filled(layer, 3.0)
    with average.applied():
        assert (layer.weight == 1.0).all()
    with pytest.raises(ZeroDivisionError), average.applied():
        raise ZeroDivisionError
    assert (layer.weight == 3.0).all() and (average.weights["weight"] == 1.0).all()


def test_what_is_not_trained_is_not_averaged():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
    assert set(WeightAverage(model, 0.5).weights) == {"0.weight", "0.bias"}


def test_loaded_weights_are_a_copy():
    layer = nn.Linear(1, 1)
    average, other = WeightAverage(layer, 0.5), WeightAverage(layer, 0.5)
    filled(layer, 7.0)
    other.update(10_000)
    average.load(other.weights)
    assert torch.equal(average.weights["weight"], other.weights["weight"])
    other.update(10_000)
    assert not torch.equal(average.weights["weight"], other.weights["weight"])
    average.copy_to_model()
    assert torch.equal(layer.weight, average.weights["weight"])
