"""Workers that share molecules: the same scores as without them, in order; who hangs or dies takes nobody along."""

import math
import os
import pickle
import sys
import time

import numpy as np
import pytest

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.combined import CombinedOracle
from chemvae.design.oracles.desirability import Desirability
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.pools import split
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.design.oracles.simple import FunctionOracle, PropertyOracle
from chemvae.errors import SettingsError, UnknownNameError
from chemvae.parallel.timed import TimedFunction
from tests.design.toys import carbons
from tests.parallel.test_timed import is_running

MOLECULES = ["C" * n for n in range(1, 13)]


class Length(Oracle):
    """A batch oracle that is at its wits' end with nitrogen, and takes its process along with phosphorus."""

    def evaluate(self, smiles):
        if any("P" in text for text in smiles):
            os._exit(3)
        if any("N" in text for text in smiles):
            raise ValueError("no nitrogen please")
        return np.array([float(len(text)) for text in smiles])


def spread_out(oracle: Oracle, jobs: int = 3) -> Oracle:
    oracle.jobs = jobs
    return oracle


@pytest.fixture
def started(request):
    """Oracles made by a test, closed after it."""
    made: list[Oracle] = []
    yield lambda oracle: made.append(oracle) or oracle
    for oracle in made:
        oracle.close()


class TestScores:
    def test_are_those_of_one_process_in_order(self, started):
        smiles = ["CCO", "CCN", "C1CC", *MOLECULES, "OCC"]
        for make in (Length, lambda: FunctionOracle(carbons), lambda: PropertyOracle("logP", "SAS")):
            alone, together = make().score(smiles), started(spread_out(make())).score(smiles)
            for one, other in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one.values, other.values)
                assert one.reason == other.reason

    def test_of_slow_molecules_do_not_change_places_with_those_of_quick_ones(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: time.sleep(0.3 if s == "C" else 0.0) or len(s))))
        assert [text for text, _ in oracle.stream(MOLECULES)] == MOLECULES
        np.testing.assert_array_equal(oracle(MOLECULES), range(1, 13))

    def test_several_are_computed_at_the_same_time(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: [time.time(), time.sleep(0.25)][0]), jobs=6))
        oracle(["O"])  # workers are up
        assert np.diff(np.sort(oracle(MOLECULES))).min() < 0.25  # one began while another was at work

    def test_each_molecule_is_asked_about_once_by_whoever_is_free(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: time.sleep(0.05) or float(os.getpid()))))
        pids = set(oracle(MOLECULES))
        assert len(pids) == 3 and float(os.getpid()) not in pids
        assert oracle.n_calls == 12 and set(oracle(MOLECULES)) == pids


class TestWhoFails:
    def test_a_hang_is_ended_and_the_others_go_on(self, started):
        def hangs_on_nitrogen(smiles):
            while "N" in smiles:
                pass
            return len(smiles)

        oracle = started(spread_out(FunctionOracle(hangs_on_nitrogen, timeout_s=1.0)))
        begun = time.perf_counter()
        scores = oracle.score(["N", *MOLECULES, "NN", "CN"])
        assert time.perf_counter() - begun < 20
        assert [one.reason for one in scores] == ["timed out after 1 s", *[""] * 12, *["timed out after 1 s"] * 2]
        assert [one.values[0] for one in scores[1:13]] == list(range(1, 13))

    def test_a_worker_that_dies_costs_the_molecule_at_fault_and_no_other(self, started):
        oracle = started(spread_out(Length()))
        oracle.chunk_size = 4
        scores = oracle.score([*MOLECULES[:2], "CP", *MOLECULES[2:]])
        assert [one.failed for one in scores] == [False, False, True, *[False] * 10]
        assert scores[2].reason == "the worker process died (exit code 3)"
        assert [one.values[0] for one in scores if not one.failed] == list(range(1, 13))

    def test_several_names_fail_together(self, started):
        oracle = started(spread_out(CombinedOracle([FunctionOracle(lambda s: os._exit(1), "a"), FunctionOracle(len, "b")])))
        oracle.oracles[0].jobs = 2
        (score,) = oracle.score("CCO")
        assert math.isnan(score.values[0]) and score.values[1] == 3.0 and "died" in score.reason


class TestWhatIsLeft:
    def test_an_abandoned_batch_leaves_no_answers_behind(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: time.sleep(0.3 * (len(s) > 1)) or len(s)), jobs=2))
        stream = oracle.stream(MOLECULES)
        assert next(stream)[0] == "C"
        stream.close()
        np.testing.assert_array_equal(oracle(MOLECULES[::-1]), range(12, 0, -1))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_closing_ends_the_workers_and_a_later_call_starts_others(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: time.sleep(0.05) or float(os.getpid()))))
        pids = {int(pid) for pid in oracle(MOLECULES)}
        oracle.close()
        assert not any(is_running(pid) for pid in pids)
        assert int(oracle(["CCCCO"])[0]) not in pids

    def test_other_settings_make_other_workers(self, started):
        oracle = started(spread_out(FunctionOracle(lambda s: time.sleep(0.6) or 1.0)))
        oracle(["C"])
        oracle.timeout_s = 0.2
        assert oracle.score("CC")[0].reason == "timed out after 0.2 s"


class TestElsewhere:
    """Where processes are spawned, as on Windows and macOS."""

    @pytest.fixture(autouse=True)
    def spawning(self, monkeypatch):
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: ["spawn"])

    def test_what_can_be_imported_is_spread_all_the_same(self, started):
        oracle = started(spread_out(FunctionOracle(carbons), jobs=2))
        assert oracle(["CCO", "CC"]).tolist() == [2.0, 2.0]

    def test_a_closure_is_refused_in_one_sentence(self):
        factor = 2
        with pytest.raises(SettingsError, match="'function' cannot be spread over 2 processes .* or use jobs=1"):
            spread_out(FunctionOracle(lambda s: factor * len(s)), jobs=2)(["CCO"])
        with pytest.raises(SettingsError, match="time limit"):
            FunctionOracle(lambda s: factor * len(s), timeout_s=1.0)(["CCO"])


class TestPrograms:
    def program(self, body: str) -> CommandOracle:
        head = "import sys, json, time, os\nfor line in sys.stdin:\n    s = json.loads(line)['smiles']\n"
        return CommandOracle([sys.executable, "-c", head + body])

    def test_run_side_by_side(self, started):
        oracle = started(spread_out(self.program("    print(json.dumps({'score': os.getpid()}), flush=True)\n")))
        assert len(set(oracle(MOLECULES))) == 3

    def test_a_hang_costs_one_molecule(self, started):
        body = "    time.sleep(600 if 'N' in s else 0)\n    print(json.dumps({'score': len(s)}), flush=True)\n"
        oracle = started(spread_out(self.program(body)))
        oracle.timeout_s = 8.0  # far above what an answer takes, however busy the machine is
        scores = oracle.score([*MOLECULES[:5], "CN", *MOLECULES[5:]])
        assert [one.reason for one in scores] == [*[""] * 5, "timed out after 8 s", *[""] * 7]
        assert [one.values[0] for one in scores if not one.failed] == list(range(1, 13))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_an_abandoned_batch_ends_its_programs(self, started):
        body = "    print(json.dumps({'score': os.getpid()}), flush=True)\n    time.sleep(600 if len(s) > 2 else 0)\n"
        oracle = started(spread_out(self.program(body), jobs=2))
        oracle.chunk_size = 6
        stream = oracle.stream(MOLECULES)
        pids = [int(next(stream)[1].values[0]) for _ in range(2)]
        assert pids[0] == pids[1] and is_running(pids[0])
        begun = time.perf_counter()
        stream.close()
        assert not is_running(pids[0]) and time.perf_counter() - begun < 20


class TestSettings:
    def test_make_oracle_sets_them_on_the_parts(self, started):
        oracle = make_oracle({"size": carbons, "rings": "rings"}, jobs=2, timeout_s=30.0)
        assert [(part.jobs, part.timeout_s) for part in oracle.oracles] == [(2, 30.0)] * 2
        assert started(oracle)(["CCO", "CC"]).tolist() == [[2.0, 0.0], [2.0, 0.0]]

    def test_ray_means_all_of_it_unless_told(self):
        assert (make_oracle("qed", engine="ray").jobs, make_oracle("qed", engine="ray", jobs=4).jobs) == (0, 4)

    def test_an_unknown_engine_names_the_choices(self):
        with pytest.raises(UnknownNameError, match="Did you mean 'local'"):
            make_oracle("qed", engine="lokal")
        oracle = FunctionOracle(carbons)
        oracle.jobs, oracle.engine = 2, "lokal"
        with pytest.raises(UnknownNameError, match="Did you mean 'local'"):
            oracle(["CCO"])

    def test_a_desirability_lends_its_settings_for_a_while(self, started):
        def slow(smiles):
            time.sleep(600 if "N" in smiles else 0)
            return 1.0

        oracle = started(Desirability({"rings": "clip(1)", "tests.design.toys:carbons": "clip(4)"}))
        oracle.oracles.append(FunctionOracle(slow))
        oracle.keys.append("slow"), oracle.curves.append(oracle.curves[0]), oracle.weights.append(1.0)
        oracle.timeout_s = 1.0
        scores = oracle.score(["CCO", "CCN"])
        assert [one.reason for one in scores] == ["", "slow: timed out after 1 s"]
        assert [part.timeout_s for part in oracle.oracles] == [None] * 3

    def test_a_batch_that_is_one_computation_is_not_spread(self):
        from tests.design.oracles.test_base import SelfPredictor

        oracle = make_oracle("letters", SelfPredictor(), jobs=4)
        oracle(["CCO", "CC"])
        assert "_pool" not in vars(oracle)


def test_chunks_hold_everything_once_in_order():
    for n in (0, 1, 5, 12):
        for size in (1, 4, 12, 50):
            chunks = split(MOLECULES[:n], size)
            assert sum(chunks, []) == MOLECULES[:n] and all(0 < len(chunk) <= size for chunk in chunks)


def test_a_copy_for_a_worker_takes_no_memory_and_no_workers_along(started, tmp_path):
    oracle = started(spread_out(FunctionOracle(carbons)).use_cache(tmp_path / "m.parquet"))
    oracle(["CCO"])
    again = pickle.loads(pickle.dumps(oracle.worker_copy()))
    assert again.n_calls == 0 and again.recall("CCO") is None and (again.jobs, again.timeout_s) == (1, None)
    assert oracle.jobs == 3 and oracle.recall("CCO") is not None


def test_workers_are_the_kind_that_can_be_stopped(started):
    oracle = started(spread_out(FunctionOracle(carbons)))
    oracle(["CCO"])
    assert all(isinstance(worker, TimedFunction) for worker in oracle._workers().workers)
