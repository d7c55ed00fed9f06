"""Order, laziness, one thread per worker, and clear ends."""

import os
import subprocess
import sys
import time
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from chemvae.errors import ChemVAEError, SettingsError
from chemvae.parallel import Workers, count_jobs, map_ordered, stream_ordered


def test_values_come_in_order_and_workers_run_one_thread():
    out = map_ordered(os.getenv, ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "CHEMVAE_NO_SUCH_NAME"] * 5, jobs=2, chunk=2)
    assert out == ["1", "1", None] * 5


def test_processes_give_what_one_process_gives():
    items = list(range(-50, 50))
    assert map_ordered(abs, items, jobs=2, chunk=7) == map_ordered(abs, items) == [abs(i) for i in items]


def test_endless_input_is_taken_piece_by_piece():
    assert list(islice(stream_ordered(abs, count(-3), jobs=2, chunk=2), 5)) == [3, 2, 1, 0, 1]


def test_nothing_in_nothing_out():
    assert map_ordered(abs, [], jobs=2) == []


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(ValueError, match="invalid literal"):
        map_ordered(int, ["1", "x"], jobs=2, chunk=1)


def test_a_function_that_cannot_be_sent_is_refused_with_a_remedy():
    with pytest.raises(SettingsError, match="top of a module"):
        map_ordered(lambda item: item, [1], jobs=2)
    assert map_ordered(lambda item: item, [1], jobs=1) == [1]


def test_a_dying_worker_is_one_sentence():
    with pytest.raises(ChemVAEError, match="worker process died"):
        map_ordered(os._exit, [1], jobs=2)


def test_jobs_are_counted():
    assert count_jobs(3) == 3 and count_jobs(0) >= 1
    with pytest.raises(SettingsError, match="chunk"):
        map_ordered(abs, [1], chunk=0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_blocks_are_answered_whenever_they_are_asked_for(jobs):
    with Workers(int, jobs, light=True) as workers:
        workers.start()
        answers = [workers.submit([str(i), "7"]) for i in range(5)]
        assert answers[4].result() == [4, 7] and answers[0].result() == [0, 7] and answers[4].done()
        with pytest.raises(ValueError, match="invalid literal"):
            workers.submit(["x"]).result()
        assert workers.submit([]).result() == []


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness here")
def test_yielding_workers_leave_the_cores_to_others():
    with Workers(os.nice, 2, light=True, yielding=True) as workers:
        assert workers.submit([0]).result() == [min(19, os.nice(0) + 10)]


def test_a_worker_of_someone_else_s_pool_works_alone(monkeypatch):
    monkeypatch.setattr("chemvae.parallel.pool.multiprocessing.current_process", lambda: SimpleNamespace(daemon=True))
    assert map_ordered(_own_process, [0, 0], jobs=2) == [os.getpid()] * 2


def _own_process(_: int) -> int:
    return os.getpid()


UNGUARDED = """
from chemvae.parallel import Workers
print("once")
with Workers(str.upper, 2, light=True) as workers:
    print(workers.submit(["a"]).result())
"""


@pytest.mark.parametrize("from_file", [True, False])
def test_light_workers_do_not_run_the_main_program_again(from_file, tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED)
    command = [sys.executable, tmp_path / "script.py"] if from_file else [sys.executable, "-"]
    out = subprocess.run(command, input=UNGUARDED, capture_output=True, text=True)
    assert out.stdout.split("\n")[:2] == ["once", "['A']"] and out.stdout.count("once") == 1, out.stderr


SCRIPT = """
import os, time
from chemvae.parallel import stream_ordered

def work(item):
    time.sleep(60 if item else 0)
    return os.getpid()

if __name__ == "__main__":
    stream = stream_ordered(work, range(4), jobs=2, chunk=1)
    print(next(stream), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_workers_leave_when_the_parent_is_killed(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    with subprocess.Popen([sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 15
    while _is_running(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _is_running(worker)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
