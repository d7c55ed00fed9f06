"""Order, laziness, one thread per worker, and clear ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from chemvae.errors import ChemVAEError, SettingsError, UnknownNameError
from chemvae.parallel import Workers, count_jobs, map_ordered, stream_ordered
from chemvae.parallel.pool import count_workers


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


class Picky(Exception):
    """Wants two things and keeps one text of them, as most of the package's own errors do."""

    def __init__(self, what, why):
        self.what = what
        super().__init__(f"{what} {why}")


def test_errors_keep_their_type_and_facts_even_where_pickle_cannot_make_them_again():
    def fail(item):
        raise Picky(item, "is wrong") if item else UnknownNameError("colour", "gren", ["green"], "green")

    with pytest.raises(Picky, match="^7 is wrong$") as found:
        map_ordered(fail, [7], jobs=2)
    assert found.value.what == 7
    with pytest.raises(UnknownNameError, match="Did you mean 'green'") as found:
        map_ordered(fail, [0], jobs=2)
    assert found.value.choices == ["green"]


def test_an_error_that_cannot_travel_arrives_as_its_text():
    def fail(item):
        error = RuntimeError("no way")
        error.lock = threading.Lock()
        raise error

    with pytest.raises(ChemVAEError, match="^RuntimeError: no way$"):
        map_ordered(fail, [1], jobs=2)


def test_lambdas_and_closures_are_sent_as_they_are():
    factor = 3
    assert map_ordered(lambda item: factor * item, [1, 2, 3], jobs=2, chunk=1) == [3, 6, 9]


def test_a_function_that_cannot_be_sent_is_refused_with_a_remedy_before_the_first_value():
    lock = threading.Lock()
    for call in (stream_ordered, map_ordered):
        with pytest.raises(SettingsError, match="lock.*use jobs=1"):
            call(lambda item: lock, [1], jobs=2)
    with pytest.raises(SettingsError, match="lock.*use jobs=1"):
        Workers(lambda item: lock, jobs=2)
    assert map_ordered(lambda item: lock, [1], jobs=1) == [lock]


def test_what_a_function_keeps_it_finds_again_at_the_next_block():
    def remember(item, seen=[]):  # noqa: B006
        seen.append(item)
        return len(seen), os.getpid()

    counts = map_ordered(remember, range(20), jobs=2, chunk=1)
    assert sum(max(n for n, pid in counts if pid == one) for one in {pid for _, pid in counts}) == 20


def test_any_thread_may_start_workers():
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(map_ordered, abs, [-1, 2], 2).result() == [1, 2]


def test_a_dying_worker_is_one_sentence():
    with pytest.raises(ChemVAEError, match="worker process died"):
        map_ordered(os._exit, [1], jobs=2)


class Unreadable:
    """Can be sent, and not be read."""

    def __reduce__(self):
        return int, ("x",)


def test_a_value_that_cannot_be_read_says_so():
    with pytest.raises(ChemVAEError, match="could not be read: ValueError: invalid literal"):
        map_ordered(lambda item: Unreadable(), [1], jobs=2)


def test_jobs_are_counted():
    assert count_jobs(3) == 3 and count_jobs(0) >= 1
    with pytest.raises(SettingsError, match="chunk"):
        map_ordered(abs, [1], chunk=0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_blocks_are_answered_whenever_they_are_asked_for(jobs):
    with Workers(int, jobs) as workers:
        workers.start()
        answers = [workers.submit([str(i), "7"]) for i in range(5)]
        assert answers[4].result() == [4, 7] and answers[0].result() == [0, 7] and answers[4].done()
        with pytest.raises(ValueError, match="invalid literal"):
            workers.submit(["x"]).result()
        assert workers.submit([]).result() == []


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness here")
def test_yielding_workers_leave_the_cores_to_others():
    with Workers(os.nice, 2, yielding=True) as workers:
        assert workers.submit([0]).result() == [min(19, os.nice(0) + 10)]


def test_a_worker_of_someone_else_s_pool_works_alone(monkeypatch):
    monkeypatch.setattr("chemvae.parallel.pool.multiprocessing.current_process", lambda: SimpleNamespace(daemon=True))
    assert map_ordered(_own_process, [0, 0], jobs=2) == [os.getpid()] * 2


def _own_process(_: int) -> int:
    return os.getpid()


UNGUARDED = """
from chemvae.parallel import map_ordered
print("once")

class Odd(Exception):
    pass

def shout(text):
    if not text:
        raise Odd
    return text.upper()

print(map_ordered(shout, ["a"], jobs=2))
try:
    map_ordered(shout, [""], jobs=2)
except Odd:
    print("Odd")
"""


@pytest.mark.parametrize("way", ["file", "standard input", "argument"])
def test_functions_of_the_main_program_work_without_running_it_again_or_leaving_a_word_behind(way, tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED)
    arguments = {"file": [tmp_path / "script.py"], "standard input": ["-"], "argument": ["-c", UNGUARDED]}[way]
    out = subprocess.run([sys.executable, *arguments], input=UNGUARDED, capture_output=True, text=True)
    assert (out.stdout.split("\n"), out.stderr) == (["once", "['A']", "Odd", ""], "")


ABANDONED = """
import time
from chemvae.parallel import Workers, stream_ordered

def work(item):
    return time.sleep(600) if item else item

stream = stream_ordered(work, range(20), jobs=2, chunk=1)
print(next(stream))
stream.close()
with Workers(work, 2) as workers:
    for answer in [workers.submit([1]) for _ in range(20)]:
        answer.cancel()
"""


def test_work_that_nobody_waits_for_is_ended_at_once_and_silently():
    out = subprocess.run([sys.executable, "-c", ABANDONED], capture_output=True, text=True, timeout=120)
    assert (out.stdout, out.stderr, out.returncode) == ("0\n", "", 0)


BESIDE_JOBLIB = """
import numpy, sys
from {first} import {name}
from chemvae.parallel import map_ordered

def ours(_):
    return sorted({{"loky", "joblib", "numpy"}} & set(sys.modules))

def theirs(x, i):
    return float(x[i])

for _ in range(2):
    assert map_ordered(ours, [0], jobs=2) == [["loky"]]
    from joblib import Parallel, delayed
    x = numpy.arange(1_000_000.0)  # so large that joblib keeps it in a file for its processes
    assert Parallel(n_jobs=2)(delayed(theirs)(x, i) for i in range(3)) == [0.0, 1.0, 2.0]
"""


@pytest.mark.parametrize("first, name", [("joblib", "Parallel"), ("chemvae.parallel", "Workers")])
def test_neither_this_pool_nor_joblib_s_takes_the_other_s_processes(first, name):
    pytest.importorskip("joblib")
    program = BESIDE_JOBLIB.format(first=first, name=name)
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (out.stderr, out.returncode) == ("", 0)


INTERRUPTED = """
import sys, time
from chemvae.parallel import Workers
with Workers(abs, 2) as workers:
    workers.start()
    if sys.argv[1] == "up":
        for _ in range(8):
            workers.submit([1]).result()
    try:
        print(flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print(workers.submit([-3]).result())
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
@pytest.mark.parametrize("when", ["starting", "up"])
def test_ctrl_c_is_for_the_parent_whether_workers_are_up_or_starting(when):
    command = [sys.executable, "-c", INTERRUPTED, when]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as parent:
        parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.communicate(timeout=60) == ("[3]\n", "")


SCRIPT = """
import os, time
from chemvae.parallel import stream_ordered

def work(item):
    time.sleep(60 if item else 0)
    return os.getpid()

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


def test_no_more_processes_than_a_machine_can_use(caplog):
    cores = count_jobs(0)
    assert count_workers(3) == 3 and count_workers(10**6) == max(16, 4 * cores)
    assert "1000000 processes were asked for" in caplog.text
