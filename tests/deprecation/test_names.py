"""Names that have changed work under the old name too, with a warning that says which to use."""

import numpy as np
import pytest

from chemvae import design
from chemvae.deprecation.names import Renamed, adopt_renamed, renamed_names
from chemvae.design import FunctionOracle, Goal, Oracle, ParetoGA, RandomSearch, run_campaign
from chemvae.design.goals import Utility
from tests.design.toys import Bowl, ToyModel, carbons


class Base:
    old = Renamed("new")

    def new(self):
        return ["base"]

    def __init_subclass__(cls):
        adopt_renamed(cls, Base)


def test_an_old_method_warns_where_it_is_used():
    with pytest.warns(DeprecationWarning, match=r"Base\.old is called Base\.new now") as said:
        assert Base().old() == ["base"] and said[0].filename == __file__


def test_a_subclass_may_have_the_old_name_and_ask_its_base_by_it():
    class Middle(Base):
        def new(self):
            return ["middle", *super().new()]

    with pytest.warns(DeprecationWarning, match=r"User\.old is called User\.new now") as said:

        class User(Middle):
            def old(self):
                return ["user", *super().old()]

    assert said[0].filename == __file__
    with pytest.warns(DeprecationWarning):
        assert User().new() == User().old() == ["user", "middle", "base"]


def test_a_subclass_with_the_new_name_is_left_alone(recwarn):
    class User(Base):
        def new(self):
            return ["user"]

    assert not recwarn and User().new() == ["user"]
    with pytest.warns(DeprecationWarning):
        assert User().old() == ["user"]


def test_a_module_knows_its_old_names_and_no_others():
    for old, new in (("Restriction", design.Filter), ("Auto", design.LatentGA), ("Front", design.ParetoGA)):
        with pytest.warns(DeprecationWarning, match=f"design.{old} is called"):
            assert getattr(design, old) is new
    with pytest.raises(AttributeError, match="module 'here' has no attribute 'nothing'"):
        renamed_names("here", {})("nothing")


def test_hooks_of_a_user_s_optimizer():
    called = []
    with pytest.warns(DeprecationWarning, match="Mine.note is called Mine.on_scores"):

        class Mine(RandomSearch):
            def note(self, smiles, desirabilities):
                called.append("note")
                super().note(smiles, desirabilities)

            def review(self, z, smiles):
                called.append("review")

            def suggest(self, n):
                called.append("suggest")
                return []

            def begin(self, starts, library=()):
                called.append("begin")
                super().begin(starts, library)

    with pytest.warns(DeprecationWarning):
        result = run_campaign(ToyModel(), Bowl(), budget=12, method=Mine, batch_size=6)
    assert set(called) == {"note", "review", "suggest", "begin"} and called[0] == "begin"
    plain = run_campaign(ToyModel(), Bowl(), budget=12, method=RandomSearch, batch_size=6)
    assert result.history["smiles"].tolist() == plain.history["smiles"].tolist()


def test_a_hook_asked_of_super_is_the_nearest_one(monkeypatch):
    seen = []
    monkeypatch.setattr(ParetoGA, "on_scores", lambda self, smiles, desirabilities: seen.append(smiles))
    with pytest.warns(DeprecationWarning):

        class Mine(ParetoGA):
            def note(self, smiles, desirabilities):
                super().note(smiles, desirabilities)

    with pytest.warns(DeprecationWarning):
        Mine.on_scores(Mine.__new__(Mine), ["C"], np.ones((1, 1)))
    assert seen == [["C"]]


def test_methods_of_an_oracle(tmp_path):
    oracle = FunctionOracle(carbons)
    with pytest.warns(DeprecationWarning, match="Oracle.follow is called Oracle.iter_scores"):
        assert [score.values for score in oracle.follow(["CC", "C"])] == [(2.0,), (1.0,)]
    with pytest.warns(DeprecationWarning, match="use_cache"):
        assert oracle.keep(tmp_path / "scores.parquet") is oracle
    with pytest.warns(DeprecationWarning, match="renamed"):
        assert oracle.under("size").names == ("size",)
    with pytest.warns(DeprecationWarning, match="worker_copy"):
        assert oracle.alone(3.0).timeout_s == 3.0


def test_an_attribute_of_one_s_own_is_not_taken_for_a_method(recwarn):
    class Mine(Oracle):
        keep = 0.5

        def evaluate(self, smiles):
            return np.full(len(smiles), self.keep)

    assert not recwarn and Mine()(["C"]).tolist() == [0.5] and Mine().use_cache is not None


def test_the_goals_of_a_result_and_their_utility():
    result = run_campaign(ToyModel(), carbons, budget=6, method="random")
    with pytest.warns(DeprecationWarning, match="Result.objective is called Result.utility"):
        assert result.objective is result.utility
    utility = Utility([Goal("SAS", "min")], [(1.0, 6.0)])
    with pytest.warns(DeprecationWarning, match="Utility.utility"):
        assert utility.utility(np.array([[2.5]])).tolist() == [-2.5]
