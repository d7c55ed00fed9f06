"""Lent memory comes back by itself, and never while somebody still looks at it."""

import threading

import torch

from chemvae.models.gru.workspace import SMALLEST, Workspace, size_class

SHAPE = (SMALLEST // 4,)


def test_memory_comes_back_only_when_the_last_view_is_gone():
    workspace = Workspace()
    whole = workspace.empty(SHAPE, torch.float32)
    part = whole[10:20].fill_(3.0)
    del whole
    assert workspace.idle_bytes == 0
    other = workspace.empty(SHAPE, torch.float32).fill_(7.0)
    assert part.tolist() == [3.0] * 10
    del part, other
    assert workspace.idle_bytes == 2 * size_class(SMALLEST)


def test_tensors_are_aligned_and_of_every_type():
    workspace = Workspace()
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        x = workspace.empty((3, SMALLEST), dtype)
        assert x.shape == (3, SMALLEST) and x.dtype == dtype and x.data_ptr() % 64 == 0 and x.is_contiguous()


def test_small_tensors_are_left_to_torch():
    workspace = Workspace()
    del_me = workspace.empty((4,), torch.float32)
    del del_me
    assert workspace.idle_bytes == 0


def test_no_more_is_kept_than_allowed():
    workspace, one = Workspace(most_idle=0), size_class(SMALLEST)
    several = [workspace.empty(SHAPE, torch.float32) for _ in range(4)]
    del several
    assert workspace.idle_bytes == 4 * one  # what was in use at once will be asked for again
    several = [workspace.empty((n,), torch.uint8) for n in (16 * one, 2 * one)]
    del several
    assert workspace.idle_bytes <= 18 * one


def test_threads_never_share_a_block():
    workspace, wrong = Workspace(), []

    def work(number):
        for _ in range(200):
            x = workspace.empty(SHAPE, torch.float32).fill_(number)
            if not bool((x == number).all()):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_graph_kept_for_a_second_backward_keeps_its_memory():
    from chemvae.models.gru.layer import GRU

    layer = GRU(8, 0, 256)
    embedding = torch.randn(5, 8)
    tokens = torch.randint(0, 5, (40, 32))
    _, last = layer(layer.steps(embedding, tokens), torch.float32)
    once = torch.autograd.grad(last.square().sum(), layer.weight_hh_l0, retain_graph=True)[0]
    layer(layer.steps(embedding, tokens), torch.float32)  # would overwrite memory that came back too early
    again = torch.autograd.grad(last.square().sum(), layer.weight_hh_l0)[0]
    assert torch.equal(once, again)
