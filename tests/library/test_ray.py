"""A library is built and searched on a Ray cluster of two workers, one of which dies in the middle."""

import os
import signal
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from chemvae import library
from chemvae.library.features import Featurize
from chemvae.library.searching import SearchTask
from tests.library.conftest import SMILES
from tests.library.test_building import table_of

ray = pytest.importorskip("ray", reason="ray comes with the extra 'ray'")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Two workers on this machine."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def die_once(mark: Path) -> None:
    """End this process as nothing can be caught that ends it, if it is the first to come here."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class DyingFeaturize(Featurize):
    """Computes what is asked, once it has died with a share on its hands."""

    mark: Path = Path("dead")

    def __call__(self, smiles):
        if SMILES[150] in smiles:
            die_once(self.mark)
        return super().__call__(smiles)


@dataclass(frozen=True)
class DyingTask(SearchTask):
    """Searches, once it has died with a shard open."""

    mark: Path = Path("dead")

    def search(self, facts, first_row, best):
        if facts.name == "000002":
            die_once(self.mark)
        super().search(facts, first_row, best)


def test_a_worker_that_is_killed_costs_no_molecule_and_doubles_none(tmp_path, lib_model, lib, monkeypatch):
    mark = tmp_path / "dead"
    monkeypatch.setattr("chemvae.library.building.Featurize", partial(DyingFeaturize, mark=mark))
    library.build(SMILES, tmp_path / "lib", lib_model, ["qed"], work=library.Work(2, "ray", shard_rows=64))
    assert mark.exists()
    pd.testing.assert_frame_equal(table_of(tmp_path / "lib"), table_of(lib))
    assert library.verify(tmp_path / "lib") == []


def test_a_search_whose_worker_is_killed_finds_what_one_in_threads_does(tmp_path, lib_model, lib, monkeypatch):
    mark = tmp_path / "dead"
    query = library.Query("CCCc1ccccc1", 60, where="logP<3", without="N")
    expected = library.search(lib, query, lib_model).table
    monkeypatch.setattr("chemvae.library.searching.SearchTask", partial(DyingTask, mark=mark))
    found = library.search(lib, query, lib_model, jobs=2, engine="ray").table
    assert mark.exists()
    pd.testing.assert_frame_equal(found, expected)
