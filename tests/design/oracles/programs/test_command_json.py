"""The external program: answers find their molecule, failures keep to theirs."""

import sys
import time

import numpy as np
import pytest

from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.errors import SettingsError

MOLECULES = ["CCO", "CCN", "CC", "CCCC"]


def program(body: str, **settings) -> CommandOracle:
    """An oracle that runs ``body`` for each line, with ``m`` the molecule and ``out`` to answer."""
    head = "import sys, json, time, os\ndef out(**a): print(json.dumps(a), flush=True)\n"
    text = head + "for line in sys.stdin:\n    m = json.loads(line)\n    s = m['smiles']\n" + body
    return CommandOracle([sys.executable, "-c", text], **settings)


def test_one_start_serves_a_whole_batch(tmp_path):
    starts = tmp_path / "starts"
    head = f"open({str(starts)!r}, 'a').write('x')\n"
    text = head + "import sys, json\nfor l in sys.stdin: print(json.dumps({'score': 1}))"
    CommandOracle([sys.executable, "-c", text])(MOLECULES)
    assert starts.read_text() == "x"


def test_answers_in_any_order_find_their_molecule():
    text = (
        "import sys, json\nrows = [json.loads(l) for l in sys.stdin]\n"
        "for m in reversed(rows): print(json.dumps({'id': m['id'], 'score': len(m['smiles'])}))"
    )
    np.testing.assert_array_equal(CommandOracle([sys.executable, "-c", text])(MOLECULES), [3, 3, 2, 4])


def test_an_error_is_the_reason_of_its_molecule():
    scores = program("    out(error='no pose') if 'N' in s else out(score=len(s))\n").score(MOLECULES)
    assert [score.reason for score in scores] == ["", "no pose", "", ""]
    assert [score.values[0] for score in scores if not score.failed] == [3.0, 2.0, 4.0]


@pytest.mark.parametrize("answer", ["None", "float('nan')", "'high'", "True"])
def test_what_is_no_number_is_a_failure(answer):
    (score,) = program(f"    out(score={answer})\n").score("CCO")
    assert score.failed and score.reason == "the program gave no number for score"


def test_a_crash_costs_one_molecule_and_the_rest_is_scored():
    scores = program("    if 'N' in s: sys.exit('licence expired')\n    out(score=len(s))\n").score(MOLECULES)
    assert [score.failed for score in scores] == [False, True, False, False]
    assert scores[1].reason == "the program ended without an answer (exit code 1): licence expired"
    assert [score.values[0] for score in scores if not score.failed] == [3.0, 2.0, 4.0]


def test_a_hang_costs_one_molecule_and_ends():
    started = time.perf_counter()
    oracle = program("    time.sleep(600 if 'N' in s else 0)\n    out(score=len(s))\n", timeout_s=2.0)
    scores = oracle.score(MOLECULES)
    assert [score.reason for score in scores] == ["", "timed out after 2 s", "", ""]
    assert time.perf_counter() - started < 30


def test_chatter_is_no_answer_and_does_not_stop_the_clock():
    scores = program("    print('working'); print('[1]'); out(score=len(s))\n").score(MOLECULES)
    assert [score.values[0] for score in scores] == [3.0, 3.0, 2.0, 4.0]
    noisy = program("    while True:\n        print('still working', flush=True); time.sleep(0.05)\n", timeout_s=1.0)
    assert noisy.score("CCO")[0].reason == "timed out after 1 s"


def test_several_values_by_name():
    oracle = program("    out(gap=1.5, t1=len(s))\n", names=("gap", "t1"))
    np.testing.assert_array_equal(oracle(["CCO", "CC"]), [[1.5, 3.0], [1.5, 2.0]])


def test_scores_arrive_one_by_one():
    oracle = program("    out(score=len(s))\n    time.sleep(3 if len(s) == 4 else 0)\n")
    stream = oracle.stream(["CCO", "CCCC"])
    started = time.perf_counter()
    assert next(stream)[0] == "CCO" and oracle.n_calls == 1
    stream.close()
    assert time.perf_counter() - started < 30


def test_nothing_is_read_through_a_shell(tmp_path):
    mark = tmp_path / "mark"
    oracle = CommandOracle([sys.executable, "-c", "import sys; sys.stdin.read()", f"; touch {mark}"])
    assert oracle.score("CCO")[0].failed and not mark.exists()


def test_a_missing_program_is_named():
    with pytest.raises(SettingsError, match="'no-such-dock' was not found"):
        CommandOracle(["no-such-dock"])
    with pytest.raises(SettingsError, match="was not found"):
        CommandOracle([])


def test_what_the_program_reads_is_json_with_these_keys():
    assert program("    out(score=float(sorted(m) == ['id', 'smiles']))\n")(["CCO"])[0] == 1.0


def test_ids_may_come_back_as_texts():
    text = (
        "import sys, json\nrows = [json.loads(l) for l in sys.stdin]\n"
        "for m in reversed(rows): print(json.dumps({'id': str(m['id']), 'score': len(m['smiles'])}))"
    )
    np.testing.assert_array_equal(CommandOracle([sys.executable, "-c", text])(MOLECULES), [3, 3, 2, 4])


def test_an_id_that_nobody_asked_about_is_named():
    oracle = program("    out(id='mol-' + str(m['id']), score=1.0)")
    assert [score.reason for score in oracle.score(["CC"])] == [
        "the program ended without an answer (exit code 0): it answered for the id 'mol-0', which it was not asked about"
    ]


def test_a_number_too_large_for_a_float_is_a_failure():
    assert np.isnan(program("    print('{\"id\": 0, \"score\": 1' + '0' * 400 + '}', flush=True)")(["CC"])).all()
