"""A campaign in a process of its own, killed with SIGKILL: nothing is lost, nothing is paid twice, and the end is the same."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from chemvae.design import run_campaign
from tests.design.toys import ToyModel, carbons

BUDGET, BATCH = 32, 8


@pytest.fixture
def program(tmp_path):
    """A search that writes down what it pays for; ``die_writing=N`` kills it in the middle of the Nth line of the journal."""
    path = tmp_path / "search.py"
    path.write_text(
        textwrap.dedent(f"""
        import json, os, signal, sys, time
        from chemvae.design import run_campaign
        from chemvae.design.evaluators import journal
        from tests.design.toys import ToyModel, carbons

        die_writing, lines = int(sys.argv[1]), [0]

        def write(self, row, whole=journal.Journal.write):
            lines[0] += 1
            if lines[0] == die_writing:
                with self.path.open("a") as file:
                    file.write(json.dumps(row)[:40])
                os.kill(os.getpid(), signal.SIGKILL)
            whole(self, row)

        def slow(smiles):
            time.sleep(0.04)
            with open({str(tmp_path / "paid")!r}, "a") as file:
                file.write(smiles + "\\n")
            return carbons(smiles)

        journal.Journal.write = write
        result = run_campaign(ToyModel(), slow, budget={BUDGET}, method="random", batch_size={BATCH},
                              history_path={str(tmp_path / "history.jsonl")!r})
        result.history.to_json({str(tmp_path / "end.json")!r}, orient="split", double_precision=15)
        """)
    )

    def start(die_writing=0):
        return subprocess.Popen([sys.executable, str(path), str(die_writing)], env={**os.environ, "PYTHONPATH": os.getcwd()})

    return start


def paid(folder):
    path = folder / "paid"
    return path.read_text().split() if path.exists() else []


def recorded(folder):
    """Molecules on record, and how many lines are torn."""
    lines = (folder / "history.jsonl").read_bytes().split(b"\n")
    whole = [json.loads(line) for line in lines[1:-1]]  # raises if any but the last is torn
    return [row["smiles"] for row in whole], int(lines[-1] != b"")


def kill(process, when):
    """Wait until ``when()``, then kill."""
    while not when():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_killed_twice_at_some_moment_and_in_the_middle_of_a_line(program, tmp_path):
    kill(program(), lambda: len(paid(tmp_path)) >= 9)
    known, n_torn = recorded(tmp_path)
    assert n_torn <= 1 and paid(tmp_path)[: len(known)] == known and len(paid(tmp_path)) - len(known) <= 1
    assert program(die_writing=7).wait() == -signal.SIGKILL
    later, n_torn = recorded(tmp_path)
    assert n_torn == 1 and later[: len(known)] == known and len(later) == len(known) + 6
    before = len(paid(tmp_path))
    assert program().wait() == 0
    calls, end = paid(tmp_path), json.loads((tmp_path / "end.json").read_text())
    assert not set(later) & set(calls[before:])
    assert len(set(calls)) == BUDGET and len(calls) - BUDGET <= 2  # only what was under way at a kill
    table = dict(zip(end["columns"], zip(*end["data"], strict=True), strict=True))
    whole = run_campaign(ToyModel(), carbons, budget=BUDGET, method="random", batch_size=BATCH).history
    for name in ("call", "smiles", "score", "reason", "utility"):
        assert list(table[name]) == whole[name].tolist(), name
    np.testing.assert_array_equal(np.array(table["z"], dtype=np.float32), np.stack(whole["z"]))
