"""Calculated once, under a limit, and kept: what a program that is killed has paid for is there when it comes again."""

import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from chemvae.chem.descriptors import compute_many
from chemvae.chem.properties import PROPERTIES, Property, compute_table, missing_reason
from chemvae.chem.quantum import calculation
from chemvae.chem.quantum.calculation import QuantumProperty, calculate, recall, results_folder
from chemvae.chem.quantum.methods import METHODS, Method, Quantity
from chemvae.chem.quantum.structure import CalculationError, Structure
from chemvae.design import PropertyOracle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only: the worker is forked and knows the test's method")


@pytest.fixture
def calls(tmp_path):
    """A file that notes each calculation, in whatever process it happens."""
    return tmp_path / "calls"


@pytest.fixture
def toy(tmp_path, monkeypatch, calls):
    """A method that counts atoms, fails for nitrogen, hangs for oxygen, and dies of sulfur."""
    monkeypatch.setenv("CHEMVAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(calculation, "_KNOWN", {})
    monkeypatch.setattr(calculation, "_WORKERS", {})

    def count(structure):
        with calls.open("a") as file:
            file.write(f"{structure.smiles}\n")
        if 7 in structure.numbers:
            raise CalculationError("nitrogen is not counted")
        if 8 in structure.numbers:
            time.sleep(60.0)
        if 16 in structure.numbers:
            import os

            os._exit(9)
        return {"atoms": float(len(structure.numbers))}

    method = Method(
        "toy", "a test", count, (Quantity("atoms", "1", 0.0, 9.0),), "numpy", "numpy", "none",
        seconds=1.0, timeout_s=1.0, most_heavy_atoms=5,
    )  # fmt: skip
    monkeypatch.setitem(METHODS, "toy", method)
    function = QuantumProperty("toy", "atoms")
    row = Property(
        "toy_atoms", "1", 0.0, 9.0, "a test", function, known=function.known, seconds=1.0, needs_conformer=True,
        require=method.require,
    )  # fmt: skip
    monkeypatch.setitem(PROPERTIES, "toy_atoms", row)
    return method


def structure(smiles, *numbers):
    return Structure(smiles, np.array(numbers), np.zeros((len(numbers), 3)), 0)


def forget(monkeypatch):
    """What another process would know: nothing but what is on disk."""
    monkeypatch.setattr(calculation, "_KNOWN", {})


def test_a_value_is_calculated_once_and_read_by_the_next_process(toy, calls, monkeypatch):
    assert recall(toy, "C") is None
    assert calculate(toy, structure("C", 6, 1, 1, 1, 1)).value("atoms") == 5.0
    forget(monkeypatch)
    assert calculate(toy, structure("C", 6, 1, 1, 1, 1)).value("atoms") == 5.0
    assert calls.read_text() == "C\n"


def test_a_failure_is_kept_with_its_reason(toy, calls, monkeypatch):
    for _ in range(2):
        with pytest.raises(CalculationError, match="^nitrogen is not counted$"):
            calculate(toy, structure("N#N", 7, 7)).value("atoms")
        forget(monkeypatch)
    assert calls.read_text() == "N#N\n"


def test_a_time_out_is_asked_again_only_with_more_time(toy, calls, monkeypatch):
    slow = structure("O", 8, 1, 1)
    assert calculate(toy, slow).reason == "timed out after 1 s"
    forget(monkeypatch)
    assert recall(toy, "O").reason == "timed out after 1 s"
    object.__setattr__(toy, "timeout_s", 1.5)
    assert recall(toy, "O") is None
    assert calculate(toy, structure("C", 6, 1, 1, 1, 1)).value("atoms") == 5.0, "after it the next worker works"


def test_a_worker_that_died_is_a_reason_but_nothing_to_keep(toy, monkeypatch):
    assert "the worker process died" in calculate(toy, structure("S", 16, 1, 1)).reason
    forget(monkeypatch)
    assert recall(toy, "S") is None


def test_private_molecules_are_not_written(toy, monkeypatch):
    monkeypatch.setenv("CHEMVAE_PRIVATE", "1")
    calculate(toy, structure("C", 6, 1, 1, 1, 1))
    assert recall(toy, "C").values == {"atoms": 5.0} and not results_folder(toy).exists()


def test_values_of_another_version_are_others(toy, monkeypatch):
    before = results_folder(toy)
    monkeypatch.setattr("chemvae.chem.quantum.methods.version", lambda package: "0.0")
    assert results_folder(toy) != before


def test_tables_and_oracles_ask_once_and_tell_the_reason(toy, calls):
    table = compute_table(["C", "CC", "N", "?"], ["toy_atoms", "rings"])
    np.testing.assert_array_equal(table["toy_atoms"], [5.0, 8.0, np.nan, np.nan])
    assert missing_reason("toy_atoms", "N") == "nitrogen is not counted"
    oracle = PropertyOracle("toy_atoms")
    assert [(score.values[0], score.reason) for score in oracle.score(["CC", "N"])][0] == (8.0, "")
    assert oracle.score(["N"])[0].reason == "nitrogen is not counted"
    assert compute_many(["CC"], ["toy_atoms"]).properties["toy_atoms"].tolist() == [8.0]
    assert calls.read_text().split() == ["C", "CC", "N"]


def test_an_oracle_with_a_time_limit_of_its_own_calculates_where_it_is(toy):
    oracle = PropertyOracle("toy_atoms")
    oracle.timeout_s = 20.0
    assert [(score.values[0], score.reason) for score in oracle.score(["CC"])] == [(8.0, "")]
    assert "nitrogen is not counted" in oracle.score(["N"])[0].reason
    oracle.close()


KILLED = textwrap.dedent("""
    import os, sys, time
    import numpy as np
    from chemvae.chem.quantum.calculation import calculate
    from chemvae.chem.quantum.methods import METHODS, Method, Quantity
    from chemvae.chem.quantum.structure import Structure

    def count(structure):
        if structure.smiles == "last":
            print("begun", flush=True)
            time.sleep(60.0)
        return {"atoms": float(len(structure.numbers))}

    METHODS["toy"] = method = Method("toy", "a test", count, (Quantity("atoms", "1", 0.0, 9.0),), "numpy", "numpy", "none",
        seconds=1.0, timeout_s=60.0, most_heavy_atoms=5)
    for name in ("first", "second", "last"):
        calculate(method, Structure(name, np.array([1, 1]), np.zeros((2, 3)), 0))
""")


def test_a_program_that_is_killed_has_lost_one_molecule(toy, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "begun\n"
        program.kill()
    assert [recall(toy, name) and recall(toy, name).values["atoms"] for name in ("first", "second", "last")] == [2.0, 2.0, None]


def test_a_calculation_runs_on_one_thread(toy, monkeypatch):
    """Beside others on the same cores, each library of numbers would start one thread per core."""

    def threads(_):
        import os

        from threadpoolctl import threadpool_info

        return {"atoms": float(max([pool["num_threads"] for pool in threadpool_info()] + [int(os.environ["OMP_NUM_THREADS"])]))}

    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    object.__setattr__(toy, "function", threads)
    assert calculate(toy, structure("C", 6, 1, 1, 1, 1)).value("atoms") == 1.0
