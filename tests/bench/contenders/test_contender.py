"""Contenders: the size that suits them, and rounds in turn."""

from chemvae.bench.contenders.contender import Contender, rounds


def test_a_contender_stands_at_its_best_size_and_threads():
    table = {(1, 1): 10, (1, 4): 5, (8, 1): 20, (8, 4): 50}  # threads pay at the large batch only
    contender = Contender("x", lambda size, threads, seconds, seed: table[size, threads], 1, 4)
    best, rates = contender.at_its_best((1, 8), 1.0, 0)
    assert (best.batch_size, best.threads) == (8, 4) and rates == {1: 10, 8: 20}


def test_one_thread_is_enough_where_it_is_faster():
    contender = Contender("x", lambda size, threads, seconds, seed: size / threads, 1, 2)
    assert contender.at_its_best((1, 8), 1.0, 0)[0] == Contender("x", contender.measure, 8, 1)


def test_rounds_take_turns():
    turns = []

    def measure(name):
        return lambda size, threads, seconds, seed: turns.append((name, seed)) or float(seed)

    found = rounds([Contender(name, measure(name), 1, 1) for name in "ab"], 2, 1.0, seed=5)
    assert turns == [("a", 5), ("b", 5), ("a", 6), ("b", 6)]
    assert found == {"a": [5.0, 6.0], "b": [5.0, 6.0]}
