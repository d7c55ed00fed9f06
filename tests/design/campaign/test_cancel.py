"""A search that is asked to end does so with what it has, and goes on from its record as if nothing had been."""

import threading

import numpy as np
import pytest

from chemvae.design import Oracle, run_campaign
from chemvae.progress import CancelToken
from tests.design.toys import Bowl, ToyModel, carbons

FAST = {"method": "random", "batch_size": 6}


@pytest.mark.parametrize("method", ["random", "auto"])
def test_it_ends_after_the_molecule_and_resumes_to_the_same_trace(tmp_path, method):
    whole = run_campaign(ToyModel(), Bowl(), budget=22, method=method, batch_size=6)
    token, bowl, record = CancelToken(), Bowl(), tmp_path / "history.jsonl"

    def cancels(smiles):
        if len(bowl.asked) == 12:
            token.cancel("enough")
        return bowl(smiles)

    part = run_campaign(ToyModel(), cancels, budget=22, method=method, batch_size=6, history_path=record, cancel=token)
    assert part.stopped == "cancelled" and part.interrupted and len(part.history) == len(bowl.asked) == 13
    assert len(record.read_text().splitlines()) == 1 + 13
    second = Bowl()

    def goes_on(smiles):
        return second(smiles)

    goes_on.__name__ = cancels.__name__
    rest = run_campaign(ToyModel(), goes_on, budget=22, method=method, batch_size=6, history_path=record)
    assert rest.history["smiles"].tolist() == whole.history["smiles"].tolist() and len(second.asked) == 22 - 13
    np.testing.assert_array_equal(np.stack(rest.history["z"]), np.stack(whole.history["z"]))


def test_what_is_paid_for_is_on_record_although_it_came_in_a_batch():
    token, evaluated = CancelToken(), []

    class Batch(Oracle):
        def evaluate(self, smiles):
            evaluated.extend(smiles)
            token.cancel()
            return np.array([carbons(text) for text in smiles])

    result = run_campaign(ToyModel(), Batch(), budget=20, cancel=token, **FAST)
    assert result.history["smiles"].tolist() == evaluated and len(evaluated) == 6 and result.stopped == "cancelled"


def test_a_token_that_is_used_up_pays_for_nothing():
    token, bowl = CancelToken(), Bowl()
    token.cancel()
    result = run_campaign(ToyModel(), bowl, budget=20, cancel=token, **FAST)
    assert result.stopped == "cancelled" and not bowl.asked and result.best is None and not len(result.molecules)


def test_another_thread_can_end_it():
    token, running = CancelToken(), threading.Event()

    def slow(smiles):
        running.set()
        token._event.wait(10.0)
        return carbons(smiles)

    found = []
    thread = threading.Thread(target=lambda: found.append(run_campaign(ToyModel(), slow, budget=50, cancel=token, **FAST)))
    thread.start()
    assert running.wait(30.0)
    token.cancel()
    thread.join(30.0)
    assert found[0].stopped == "cancelled" and len(found[0].history) == 1


def test_a_callback_may_end_it():
    token = CancelToken()
    result = run_campaign(ToyModel(), Bowl(), budget=50, cancel=token, callback=lambda now: token.cancel(), **FAST)
    assert result.stopped == "cancelled" and len(result.history) == 6
