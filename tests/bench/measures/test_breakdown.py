"""The parts of a step: what is counted and sorted."""

import ctypes
import time
from types import SimpleNamespace

import pytest
import torch

from chemvae.bench.measures import breakdown
from chemvae.bench.measures.breakdown import PARTS, Meter, TimedDataset, part_of, sort_events, step_breakdown, without_product
from chemvae.bench.timing import Speed
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.models.gru.kernels import kernels
from chemvae.models.terms import Terms
from tests.conftest import make_model


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("aten::addmm", "products"),
        ("aten::bmm", "products"),
        ("aten::_log_softmax_backward_data", "loss"),
        ("autograd::engine::evaluate_function: NllLossBackward0", "loss"),
        ("aten::_fused_adamw_", "optimizer"),
        ("aten::_foreach_lerp_", "optimizer"),
        ("forward_bf16", "gates"),
        ("aten::sigmoid", "gates"),
        ("aten::copy_", None),
    ],
)
def test_operations_belong_to_parts(name, part):
    assert part_of(name) == part


def event(name, microseconds, around=None):
    return SimpleNamespace(name=name, self_cpu_time_total=microseconds, cpu_parent=around)


def test_an_unnamed_operation_belongs_to_what_is_around_it():
    optimizer = event("Optimizer.step#AdamW.step", 10)
    backward = event("_RecurrenceBackward", 7)
    events = [optimizer, event("aten::copy_", 5, optimizer), backward, event("aten::mm", 100, backward), event("aten::add", 3)]
    parts, operations = sort_events(events)
    assert {part: round(1e6 * spent) for part, spent in parts.items()} == {"optimizer": 15, "products": 100}
    assert sum(operations.values()) == pytest.approx(125e-6)


def test_a_meter_counts_the_outermost_call_once():
    meter = Meter()
    inner = meter.timed("inner", lambda: time.sleep(0.02))
    meter.timed("outer", inner)()
    assert set(meter.seconds) == {"outer"} and meter.seconds["outer"] >= 0.02


def test_kernels_are_given_back_as_they_were():
    if kernels() is None:
        pytest.skip("no C compiler: the fused kernels are absent")
    before = dict(vars(kernels()))
    with Meter().kernels():
        assert any(vars(kernels())[name] is not value for name, value in before.items())
    assert vars(kernels()) == before


def test_walks_without_products_are_handed_a_function_that_does_nothing():
    if not hasattr(ctypes.CDLL(None), "abs"):
        pytest.skip("no C library under that name")
    handed = without_product(lambda *arguments: arguments)(1, 2, 30, 40)
    assert handed[:2] == (1, 2) and handed[2] == handed[3]
    assert ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(handed[2])(-5) == 5  # any C function that touches no memory will do


def test_the_gates_of_a_walk_are_told_from_its_products(vocabulary, labelled, monkeypatch):
    """A stand-in for kernels, model and clock: a walk takes 1 ms per token, and 2 ms more where it multiplies."""
    clock_s = [0.0]

    def walk(product, release):
        clock_s[0] += 20 * (0.003 if (product, release) == (1, 2) else 0.001)

    class Walking(torch.nn.Module):
        def forward(self, batch, n_draws, generator):
            library.run_forward_f32(1, 2)
            one = torch.ones(1, 1, requires_grad=True)
            return Terms(one, one, one, one, one, one, one)

    def train_for(model, train, valid, settings, device):
        for _ in range(5):
            library.run_forward_f32(1, 2)
        return Speed(molecules=5, tokens=100, seconds=0.4), 5

    walk.argtypes = []
    library = SimpleNamespace(run_forward_f32=walk)
    monkeypatch.setattr(breakdown, "time", SimpleNamespace(perf_counter=lambda: clock_s[0]))
    monkeypatch.setattr(breakdown, "kernels", lambda: library)
    monkeypatch.setattr(breakdown, "train_for", train_for)
    ones = SmilesDataset(["C" * 20] * 5, vocabulary)
    found = step_breakdown(Walking(), ones, ones, "tiny", 1, 1.0, seed=0)
    assert [found[f"step_{part}_ms"] for part in PARTS] == pytest.approx([40.0, 20.0, 0.0, 0.0, 0.0, 20.0])
    assert found["step_total_ms"] == pytest.approx(80.0)


def test_a_timed_data_set_is_the_same_data_set(labelled):
    meter = Meter()
    timed = TimedDataset(labelled, meter)
    for ours, theirs in zip(labelled.epoch(0, 6, 1), timed.epoch(0, 6, 1), strict=True):
        assert torch.equal(ours.token_ids, theirs.token_ids) and torch.equal(ours.lengths, theirs.lengths)
    assert meter.seconds["batching"] > 0


def test_the_parts_of_a_step_add_up(vocabulary, labelled):
    found = step_breakdown(make_model(vocabulary), labelled, labelled, "tiny", 10, 0.05, seed=0)
    assert sum(found[f"step_{part}_ms"] for part in PARTS) == pytest.approx(found["step_total_ms"])
    assert sum(found[f"step_{part}_share"] for part in PARTS) == pytest.approx(1.0)
    assert min(found[f"step_{part}_ms"] for part in ("products", "loss", "optimizer", "batching")) > 0
