"""Progress and the token that ends a task."""

import threading

import pytest

from chemvae.errors import CancelledError
from chemvae.progress import CancelToken, Progress


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
