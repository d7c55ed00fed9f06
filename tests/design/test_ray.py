"""Ray as the engine of an oracle: the same scores and the same failures as without it."""

import sys

import numpy as np
import pytest

from chemvae.design.oracles.base import Oracle
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.simple import FunctionOracle
from chemvae.errors import MissingExtraError
from tests.design.oracles.test_pools import MOLECULES, Length
from tests.design.toys import carbons


@pytest.fixture
def started():
    """Oracles made by a test, closed after it."""
    made: list[Oracle] = []
    yield lambda oracle: made.append(oracle) or oracle
    for oracle in made:
        oracle.close()


class TestRay:
    """With Ray installed: the same scores, the same failures."""

    @pytest.fixture(autouse=True)
    def ray(self):
        pytest.importorskip("ray", reason="ray comes with the extra 'ray'")

    def test_scores_and_reasons_are_those_of_one_process(self, started):
        def closure(smiles):
            return 1 / smiles.count("C")

        smiles = ["CCO", "N", "O", *MOLECULES]
        alone = FunctionOracle(closure).score(smiles)
        together = started(make_oracle(closure, engine="ray", jobs=2)).score(smiles)
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.values, other.values)
            assert one.reason == other.reason

    def test_a_hang_is_ended(self, started):
        def hangs_on_nitrogen(smiles):
            while "N" in smiles:
                pass
            return len(smiles)

        oracle = started(make_oracle(hangs_on_nitrogen, engine="ray", jobs=2, timeout_s=2.0))
        scores = oracle.score(["CCO", "CN", "CC"])
        assert [one.reason for one in scores] == ["", "timed out after 2 s", ""]

    def test_a_task_that_dies_costs_the_molecule_at_fault(self, started):
        oracle = started(make_oracle(Length(), engine="ray", jobs=2))
        oracle.chunk_size = 3
        scores = oracle.score(["C", "CP", "CC", "CCC"])
        assert [one.failed for one in scores] == [False, True, False, False]
        assert "it called os._exit(3)" in scores[1].reason


@pytest.mark.skipif("ray" in sys.modules, reason="Ray is there")
def test_without_ray_the_engine_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"chemvae\[ray\]"):
        make_oracle(carbons, engine="ray")(["CCO"])
