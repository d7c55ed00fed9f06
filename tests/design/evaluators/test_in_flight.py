"""Which molecule is asked for is noted for the case that the oracle ends the program."""

from chemvae.design.evaluators.in_flight import InFlight
from chemvae.design.oracles import FunctionOracle


def test_an_answer_may_be_noted_before_anything_was_asked():
    noted = InFlight(FunctionOracle(len), None)
    noted.note("")
    noted.close()
    assert not noted.has_ended_us("CCO")


def test_a_molecule_that_was_asked_for_and_not_answered_is_on_record(tmp_path):
    record = tmp_path / "history.jsonl"
    first = InFlight(FunctionOracle(len), record)
    first.note("CCO")
    again = InFlight(FunctionOracle(len), record)
    again.note("CCO")
    assert InFlight(FunctionOracle(len), record).has_ended_us("CCO")
    first.close()
    again.close()
