"""Time limits: what overruns is ended, with everything it started; what does not, is not touched."""

import os
import subprocess
import sys
import time

import pytest

from chemvae.errors import SettingsError
from chemvae.parallel.timed import RemoteError, TimedFunction, TimeLimitError, start_method
from tests.design.toys import carbons


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_closure_gives_its_value_and_the_worker_is_kept():
    factor = 3
    timed = TimedFunction(lambda x: (x * factor, os.getpid()), timeout_s=20)
    (first, pid), (second, again) = timed(1), timed(2)
    assert (first, second) == (3, 6) and pid == again != os.getpid()
    timed.close()
    assert not is_running(pid)


def test_a_hanging_closure_is_ended_and_the_next_call_works():
    def maybe_hang(x):
        while x == 0:
            pass
        return x

    timed = TimedFunction(maybe_hang, timeout_s=0.5)
    started = time.perf_counter()
    with pytest.raises(TimeLimitError, match="timed out after 0.5 s"):
        timed(0)
    assert time.perf_counter() - started < 5
    assert timed(7) == 7
    timed.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_what_the_function_started_is_ended_with_it(tmp_path):
    note = tmp_path / "pid"

    def starts_a_program(_):
        program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        note.write_text(str(program.pid))
        program.wait()

    timed = TimedFunction(starts_a_program, timeout_s=3.0)
    with pytest.raises(TimeLimitError):
        timed(0)
    pid = int(note.read_text())
    for _ in range(50):
        if not is_running(pid):
            break
        time.sleep(0.1)
    assert not is_running(pid)


def test_an_exception_arrives_as_its_text():
    def broken(_):
        raise KeyError("ring")

    timed = TimedFunction(broken, timeout_s=20)
    with pytest.raises(RemoteError, match="KeyError: 'ring'"):
        timed(0)
    timed.close()


def test_a_process_that_dies_says_so_and_is_replaced():
    timed = TimedFunction(lambda x: os._exit(7) if x else "alive", timeout_s=20)
    with pytest.raises(RemoteError, match="exit code 7"):
        timed(1)
    assert timed(0) == "alive"
    timed.close()


def test_a_limit_must_be_positive():
    with pytest.raises(SettingsError, match="timeout_s must be > 0, got 0"):
        TimedFunction(abs, 0)


def test_elsewhere_importable_functions_are_spawned(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])
    assert start_method(abs) == "spawn"
    with pytest.raises(SettingsError, match="Define it at the top of a module"):
        start_method(lambda x: x)


def test_a_spawned_worker_gives_the_same_answers(monkeypatch):
    monkeypatch.setattr("chemvae.parallel.timed.start_method", lambda function: "spawn")
    timed = TimedFunction(carbons, timeout_s=30)
    assert timed("CCO") == 2.0
    with pytest.raises(RemoteError, match="AttributeError"):
        timed("C1CC")
    timed.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_worker_does_not_outlive_a_killed_parent():
    script = (
        "import os, time\nfrom chemvae.parallel.timed import TimedFunction\n"
        "timed = TimedFunction(lambda x: os.getpid() if x else time.sleep(600), timeout_s=600)\n"
        "print(timed(1), flush=True)\ntimed(0)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(100):
        if not is_running(worker):
            break
        time.sleep(0.1)
    assert not is_running(worker)


def _product(_):
    import torch

    return float((torch.ones(600, 600) @ torch.ones(600, 600))[0, 0])


def test_a_worker_does_not_hang_in_torch_after_its_parent_has_used_it():
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        _product(0)
        timed = TimedFunction(_product, timeout_s=60)
        assert timed(0) == 600.0
        timed.close()
    finally:
        torch.set_num_threads(before)
