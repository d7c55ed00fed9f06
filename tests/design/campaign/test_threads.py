"""Searches in several threads of one process: the answers are those each gives alone, and the process stays as it was."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from chemvae.design import Goal, run_campaign
from chemvae.design.campaign.isolation import SeededStreams, model_at_rest, steady_threads
from tests.design.toys import CELLS, ToyModel

GOALS = [Goal("logP"), Goal("MW", "min")]


def valley(smiles):
    i, j = CELLS[smiles]
    return -float((i - 9) ** 2 + (j - 4) ** 2)


def search(model, method, seed):
    oracle, goals = (None, GOALS) if method == "pareto" else (valley, None)
    return run_campaign(model, oracle, goals=goals, budget=24, seed=seed, method=method, batch_size=6).history


@pytest.mark.parametrize("method", ["auto", "bayesian", "gradient", "random", "pareto"])
def test_two_searches_at_once_give_what_each_gives_alone(method):
    seeds, model = (0, 1), ToyModel()
    alone = [search(model, method, seed) for seed in seeds]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda seed: search(model, method, seed), seeds))
    for one, other in zip(alone, together, strict=True):
        assert one["smiles"].tolist() == other["smiles"].tolist()
        np.testing.assert_array_equal(one["score"], other["score"])
        np.testing.assert_array_equal(np.stack(one["z"]), np.stack(other["z"]))


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def seed_all(seed):
    random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)


def test_the_streams_are_those_of_the_seed_and_go_on_where_they_were():
    seed_all(7)
    expected = [draws() for _ in range(3)]
    seed_all(1)
    outside = [draws() for _ in range(3)]
    seed_all(1)
    found, seen = [], []
    for one in SeededStreams(7).iterate(draws() for _ in range(3)):
        found.append(one)
        seen.append(draws())
    assert found == expected and seen == outside


def test_a_search_within_an_oracle_s_search_leaves_the_outer_streams_alone():
    outer, inner = SeededStreams(7), SeededStreams(8)
    seed_all(7)
    expected = [draws(), draws()]
    with outer.installed():
        first = draws()
        with inner.installed():
            draws()
        assert [first, draws()] == expected


def test_the_last_of_two_threads_puts_the_program_s_streams_back():
    seed_all(5)
    expected = draws()
    seed_all(5)
    entered, left = threading.Event(), threading.Event()

    def first():
        with SeededStreams(1).installed():
            entered.set()
            left.wait(10.0)
            draws()

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10.0)
    with SeededStreams(2).installed():
        draws()
        left.set()
        thread.join(10.0)
    assert draws() == expected


def test_a_model_goes_back_to_training_when_the_last_search_is_over():
    model = ToyModel().train()
    first, second = model_at_rest(model), model_at_rest(model)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not model.training
    second.__exit__(None, None, None)
    assert model.training


def test_the_number_of_torch_threads_is_put_back_by_the_last_search():
    before = torch.get_num_threads()
    with steady_threads():
        torch.set_num_threads(1)
        with steady_threads():
            assert torch.get_num_threads() == before
            torch.set_num_threads(1)
        torch.set_num_threads(1)
    assert torch.get_num_threads() == before
