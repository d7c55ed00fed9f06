"""Foreign code that ends the program ends its own call only, in its own thread only, and leaves the real thing in place."""

import os
import threading

import pytest

from chemvae.design.oracles.endings import ENDINGS, EndOfProgramError, survived

REAL = {name: getattr(os, name) for name in ENDINGS}


def test_ending_the_program_ends_the_call_and_says_how():
    for name, arguments, words in (("_exit", (3,), r"os\._exit\(3\)"), ("abort", (), r"os\.abort\(\)")):
        with pytest.raises(EndOfProgramError, match=words), survived():
            getattr(os, name)(*arguments)


def test_afterwards_everything_is_as_it_was_also_after_an_error_and_inside_another_block():
    with pytest.raises(ZeroDivisionError), survived():
        raise ZeroDivisionError
    with survived():
        with survived():
            pass
        with pytest.raises(EndOfProgramError):
            os._exit(1)  # the outer block still holds
    assert {name: getattr(os, name) for name in ENDINGS} == REAL


def test_it_is_no_error_that_a_catch_all_of_the_oracle_swallows():
    assert not issubclass(EndOfProgramError, Exception)


def test_two_threads_may_leave_in_any_order():
    inside, leave = threading.Event(), threading.Event()

    def other():
        with survived():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with survived():
        thread.start()
        assert inside.wait(10)
    assert os._exit is not REAL["_exit"]  # the other thread is still within
    leave.set()
    thread.join()
    assert {name: getattr(os, name) for name in ENDINGS} == REAL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_ends_as_it_always_does():
    with survived():
        child = os.fork()
        if child == 0:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
