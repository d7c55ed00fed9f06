"""Progress and the token that ends a task."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from chemvae.errors import CancelledError
from chemvae.progress import ENDING_SIGNALS, CancelToken, Progress, TerminatedError, signals_raise


def test_the_share_of_nothing_is_everything_and_of_the_unknown_unknown():
    assert Progress("read", 0, 0).share == 1.0 and Progress("read", 5).share is None and Progress("read", 1, 4).share == 0.25


def test_a_token_passes_until_another_thread_cancels_it():
    token = CancelToken()
    token.check()
    thread = threading.Thread(target=token.cancel, args=("enough",))
    thread.start()
    thread.join()
    assert token.is_cancelled
    with pytest.raises(CancelledError, match="enough"):
        token.check()


def test_the_first_reason_stays():
    token = CancelToken()
    token.cancel("first")
    token.cancel("second")
    assert token.reason == "first"


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_what_a_cluster_or_a_closed_terminal_sends_ends_as_ctrl_c_does(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match=signal.Signals(number).name), signals_raise() as heard:
        signal.raise_signal(number)
    assert heard.number == number and heard.exit_code == 143 and signal.getsignal(number) is before


def test_a_second_one_does_not_disturb_the_saving():
    with signals_raise() as heard:
        try:
            signal.raise_signal(ENDING_SIGNALS[0])
        except TerminatedError:
            for number in ENDING_SIGNALS:
                signal.raise_signal(number)
    assert heard.number == ENDING_SIGNALS[0]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminals that hang up")
def test_what_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_raise():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_are_left_alone():
    found = []

    def task():
        with signals_raise() as heard:
            found.append(heard.exit_code)

    thread = threading.Thread(target=task)
    thread.start()
    thread.join()
    assert found == [130]


DYING = """
import os, signal, sys
from chemvae.progress import signals_raise
pid, terminal = os.forkpty()
if pid == 0:
    with signals_raise():
        try:
            print("ready", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            print("nobody sees this", flush=True)
            print("nor this", file=sys.stderr, flush=True)
            open(sys.argv[1], "w").write("saved")
    os._exit(0)
os.read(terminal, 5)
os.close(terminal)
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(not hasattr(os, "forkpty"), reason="no terminals")
def test_a_closed_terminal_costs_words_and_nothing_else(tmp_path):
    subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "a")], timeout=60, check=True)
    assert (tmp_path / "a").read_text() == "saved"
