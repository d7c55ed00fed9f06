"""Random blocks driven by a generator of their own."""

import time
from concurrent.futures import ThreadPoolExecutor

import torch

from chemvae.seeding import forked_rng


def slowly(seed):
    """Two draws with a pause between them, in which other threads have every chance to draw too."""
    with forked_rng(torch.Generator().manual_seed(seed)):
        first = torch.rand(3)
        time.sleep(0.01)
        return torch.cat([first, torch.rand(3)])


def test_a_thread_draws_its_own_numbers_whatever_others_draw_meanwhile():
    alone = [slowly(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(slowly, range(8)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_the_numbers_are_those_of_the_generator_which_moves_on_and_the_global_stream_does_not():
    generator, twin, before = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3), torch.get_rng_state()
    with forked_rng(generator):
        drawn = torch.rand(5)
    assert torch.equal(drawn, torch.rand(5, generator=twin))
    assert torch.equal(torch.rand(5, generator=generator), torch.rand(5, generator=twin))
    assert torch.equal(torch.get_rng_state(), before)
