"""The clocks and the parts of a run: what is counted, sorted and chosen."""

import ctypes
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from chemvae.bench import breakdown, peak
from chemvae.bench.breakdown import PARTS, Meter, TimedDataset, part_of, sort_events, step_breakdown, without_product
from chemvae.bench.contenders import Contender, rounds
from chemvae.bench.gate_step import Case, plain_step, without_kernels
from chemvae.bench.generation import Generator, end_to_end
from chemvae.bench.growth import synthetic
from chemvae.bench.peak import measure_peak, product_gflops
from chemvae.bench.settings import BenchSettings
from chemvae.bench.timing import Speed, busy_neighbours, cores, peak_memory_mib, repeat, spread
from chemvae.bench.training import molecules_seen, train_for, training_settings
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import SettingsError
from chemvae.models.gru.kernels import kernels
from chemvae.models.terms import Terms
from tests.conftest import make_model

CPU = torch.device("cpu")


# ---------------------------------------------------------------- clocks


def test_repeat_runs_once_at_least_and_warms_up():
    calls = []
    times = repeat(lambda: calls.append(time.sleep(0.01)), seconds=0.0)
    assert len(times) == 1 and times[0] >= 0.01 and len(calls) == 2
    assert len(repeat(lambda: time.sleep(0.01), seconds=0.05, warm_up=False)) >= 2


def test_spread_and_speed():
    assert spread([1.0, 2.0, 4.0]) == 1.5
    slow = Speed(molecules=10, tokens=1000, seconds=1.0)  # ten long ones
    fast = Speed(molecules=25, tokens=1000, seconds=1.0)  # twenty-five short ones
    assert slow.molecules_per_s(50.0) == fast.molecules_per_s(50.0) == 20.0


def test_peak_memory_is_what_the_system_says():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("no /proc here")
    kib = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert peak_memory_mib() == pytest.approx(kib / 1024, rel=0.05)


def test_busy_neighbours_leave():
    before = os.times().children_user
    with busy_neighbours(1):
        time.sleep(0.3)
    assert os.times().children_user > before  # it computed, and its end was waited for
    assert cores() >= 1


# ---------------------------------------------------------------- peak


def test_a_product_is_timed_and_counted(monkeypatch):
    monkeypatch.setattr(peak, "repeat", lambda work, seconds, device: [work() is None or 1.0, 0.5])
    assert product_gflops(10, 20, 30, torch.float32, CPU, 1.0)[1] == 2 * 10 * 20 * 30 / 0.5 / 1e9


def test_products_that_would_take_too_long_are_left_out(monkeypatch):
    asked = []

    def slow(rows, inner, columns, *_):
        asked.append(rows)
        return [1.0]  # GFLOP/s

    monkeypatch.setattr(peak, "product_gflops", slow)
    found = measure_peak(torch.bfloat16, CPU, (512, 4096), seconds=3.0)  # 4096: 137 s at that speed
    assert asked == [512, 512] and set(found) == {"512x512x1536", "512x512x512"}


# ---------------------------------------------------------------- settings


def test_settings_list_every_complaint():
    with pytest.raises(SettingsError) as caught:
        BenchSettings(threads=-1, seconds=0, batch_sizes=(), rounds=0)
    assert len(caught.value.complaints) == 4
    assert "threads must be >= 0, got -1" in caught.value.complaints


def test_quick_keeps_what_was_chosen():
    quick = BenchSettings(data="x.csv", model="m", threads=3, growth=True).quick()
    assert (quick.data, quick.model, quick.threads, quick.growth) == ("x.csv", "m", 3, True)
    assert quick.seconds < BenchSettings().seconds


# ---------------------------------------------------------------- contenders


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


# ---------------------------------------------------------------- our own training


def test_training_counts_the_molecules_it_saw(vocabulary, labelled):
    model = make_model(vocabulary)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    settings = training_settings("tiny", batch_size=8, seconds=0.2, threads=1, seed=0)
    speed, steps = train_for(model, labelled, labelled, settings, CPU)
    assert steps >= 1 and speed.molecules == len(molecules_seen(labelled, 8, 0, steps))
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())  # a copy was trained


def test_molecules_seen_over_several_passes(labelled):
    seen = molecules_seen(labelled, 8, seed=0, steps=7)  # 3 batches a pass: 20 + 20 + 8 or 4
    assert sorted(seen[:20]) == sorted(seen[20:40]) == list(range(20))
    assert len(molecules_seen(labelled, 8, seed=0, steps=0)) == 0


# ---------------------------------------------------------------- inside a step


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


# ---------------------------------------------------------------- one step of the GRU


def test_the_plain_step_is_the_layers_step():
    """The equation as written, the torch operations and the compiled kernels give the same last state."""
    case = Case(torch.float32)
    expected = case.plain(plain_step)()
    if kernels() is not None:
        torch.testing.assert_close(case.walk()(), expected, rtol=1e-4, atol=1e-5)
    with without_kernels():
        assert kernels() is None
        torch.testing.assert_close(case.walk()(), expected, rtol=1e-4, atol=1e-5)


def test_switching_kernels_off_leaves_the_environment(monkeypatch):
    monkeypatch.delenv("CHEMVAE_NO_COMPILER", raising=False)
    with without_kernels():
        assert os.environ["CHEMVAE_NO_COMPILER"] == "1"
    assert "CHEMVAE_NO_COMPILER" not in os.environ
    monkeypatch.setenv("CHEMVAE_NO_COMPILER", "yes")
    with without_kernels():
        pass
    assert os.environ["CHEMVAE_NO_COMPILER"] == "yes"
    kernels.cache_clear()


# ---------------------------------------------------------------- generation, growth


def test_end_to_end_share_is_ideal_over_taken(tiny_model, molecules):
    found = end_to_end(Generator(tiny_model, molecules, seconds=0.01), n=30, jobs=1)
    assert found["sample_end_to_end_share"] == pytest.approx(found["sample_end_to_end_ideal_s"] / found["sample_end_to_end_s"])
    parts = found["sample_decode_processor_s"] + found["sample_rdkit_processor_s"]
    assert found["sample_end_to_end_ideal_s"] == pytest.approx(parts)  # one core
    assert found["sample_end_to_end_molecules_per_s"] == pytest.approx(30 / found["sample_end_to_end_s"])


def test_an_unfitted_prior_is_the_normal_one(tiny_model, molecules):
    generator = Generator(tiny_model, molecules, seconds=0.01)
    assert generator.prior == "normal" and generator.draw().shape == (len(molecules), tiny_model.latent_dim)


def test_synthetic_molecules_differ_and_have_the_length():
    made = synthetic(50, n=20, seed=1)
    assert {len(one) for one in made} == {50} and len(set(made)) == 20 and made == synthetic(50, n=20, seed=1)
