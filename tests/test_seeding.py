"""Seeds and streams: whatever happens inside a block, the streams outside go on as if it had not been there."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from chemvae.errors import SettingsError
from chemvae.seeding import LARGEST_SHORT_SEED, as_seed, draw_seed, forked_rng, seeded, seeded_everywhere


def generator(seed):
    return torch.Generator().manual_seed(seed)


def states():
    """All global streams, as something that can be compared."""
    kind, words, *rest = np.random.get_state()
    return random.getstate(), (kind, words.tolist(), *rest), torch.get_rng_state().tolist()


def draw_everywhere():
    return random.random(), float(np.random.random()), float(torch.rand(()))


BLOCKS = {
    "forked_rng": lambda: forked_rng(generator(3)),
    "seeded": lambda: seeded(3),
    "seeded_everywhere": lambda: seeded_everywhere(3),
}
of_torch = pytest.mark.parametrize("name", ["forked_rng", "seeded"])
of_all = pytest.mark.parametrize("name", list(BLOCKS))


@of_all
def test_streams_outside_go_on_as_if_nothing_had_been_drawn(name):
    before = states()
    with BLOCKS[name]():
        torch.rand(5)
        if name == "seeded_everywhere":
            draw_everywhere()
    assert states() == before


@of_all
def test_they_do_after_an_exception_too(name):
    before = states()
    with pytest.raises(ZeroDivisionError), BLOCKS[name]():
        torch.rand(5)
        raise ZeroDivisionError
    assert states() == before
    with ThreadPoolExecutor(1) as pool:  # and the next thread is let in
        assert pool.submit(lambda: slowly(0)).result(timeout=10).shape == (6,)


@of_all
def test_the_same_seed_draws_the_same_and_that_of_a_generator(name):
    drawn = []
    for _ in range(2):
        with BLOCKS[name]():
            drawn.append(torch.randn(700))
    assert torch.equal(*drawn) and torch.equal(drawn[0], torch.randn(700, generator=generator(3)))


@of_all
def test_two_blocks_within_each_other(name):
    with BLOCKS[name]():
        alone = torch.rand(4)
    with BLOCKS[name]():
        first = torch.rand(2)
        with seeded(8):
            inner = torch.rand(3)
        both = torch.cat([first, torch.rand(2)])
    assert torch.equal(both, alone) and torch.equal(inner, torch.rand(3, generator=generator(8)))


def test_everywhere_is_python_and_numpy_too_for_any_seed():
    drawn = []
    for block in (seeded_everywhere(2**40), seeded_everywhere(2**40), seeded_everywhere(1)):
        with block:
            drawn.append(draw_everywhere())
    assert drawn[0] == drawn[1] and all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))


def test_the_generator_moves_on_with_what_the_block_drew():
    moved, twin = generator(3), generator(3)
    with forked_rng(moved):
        drawn = torch.rand(5)
    assert torch.equal(drawn, torch.rand(5, generator=twin))
    assert torch.equal(torch.rand(5, generator=moved), torch.rand(5, generator=twin))


def test_without_a_generator_the_block_draws_from_the_global_stream():
    with seeded(4):
        with forked_rng(None):
            drawn = torch.rand(3)
        after = torch.rand(3)
    assert torch.equal(torch.cat([drawn, after]), torch.rand(6, generator=generator(4)))


def slowly(seed):
    """Two draws with a pause between them, in which other threads have every chance to draw too."""
    with seeded(seed):
        first = torch.rand(3)
        time.sleep(0.01)
        return torch.cat([first, torch.rand(3)])


def test_a_thread_draws_its_own_numbers_whatever_others_draw_meanwhile():
    alone = [slowly(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(slowly, range(8)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


@of_torch
def test_one_thread_at_a_time_is_inside(name):
    inside, entered = threading.Event(), []

    def other():
        inside.wait(10)
        with seeded(0):
            entered.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    with BLOCKS[name]():
        inside.set()
        thread.join(0.05)
        entered.append("first")
    thread.join(10)
    assert entered == ["first", "other"]


def test_seeds_are_drawn_below_their_bound_and_move_the_generator():
    source = generator(0)
    short = [draw_seed(source, LARGEST_SHORT_SEED) for _ in range(200)]
    assert len(set(short)) == 200 and 0 <= min(short) and 2**30 < max(short) < 2**31
    assert draw_seed(generator(1)) == draw_seed(generator(1)) != draw_seed(generator(2))
    assert max(draw_seed(source) for _ in range(50)) > 2**60
    with seeded(1):
        assert draw_seed() == draw_seed(generator(1))


@pytest.mark.parametrize("seed", [2**64, -(10**30)])
def test_a_seed_that_no_generator_takes_is_refused(seed):
    with pytest.raises(SettingsError, match="seed must lie between"):
        as_seed(seed)
