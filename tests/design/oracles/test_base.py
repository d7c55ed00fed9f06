"""Oracles: the contract for each kind, and what failures look like."""

import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from chemvae.chem.properties import compute
from chemvae.design import ORACLES
from chemvae.design.oracles import CombinedOracle, FunctionOracle, Oracle, PredictorOracle, PropertyOracle, make_oracle
from chemvae.design.oracles.desirability import Desirability
from chemvae.design.oracles.learned import LearnedOracle
from chemvae.design.oracles.programs.command_csv import CsvCommandOracle
from chemvae.design.oracles.programs.command_json import CommandOracle
from chemvae.errors import SettingsError, UnknownNameError
from tests.contracts.oracle_contract import OracleContract
from tests.design.toys import ToyModel

LENGTHS = "import sys, json\nfor l in sys.stdin: print(json.dumps({'score': len(json.loads(l)['smiles'])}), flush=True)"


CSV_LENGTHS = "import sys\nprint('smiles,score')\nfor s in sys.stdin.read().split()[1:]: print(f'{s},{len(s)}')"


class Length(Oracle):
    def evaluate(self, smiles):
        return np.array([float(len(text)) for text in smiles])


class SelfPredictor:
    """A model that predicts the number of letters."""

    property_names = ["letters"]

    def predict(self, smiles):
        import pandas as pd

        return pd.DataFrame({"letters": [float(len(text)) for text in smiles], "letters_std": 0.0})


class TestSubclass(OracleContract):
    def make_oracle(self):
        return Length()


class TestFunction(OracleContract):
    def make_oracle(self):
        return FunctionOracle(len)


class TestFunctionWithTimeLimit(OracleContract):
    def make_oracle(self):
        return FunctionOracle(lambda smiles: len(smiles) / 2, timeout_s=30.0)


class TestProperty(OracleContract):
    def make_oracle(self):
        return PropertyOracle("logP", "SAS")


class TestPredictor(OracleContract):
    def make_oracle(self):
        return PredictorOracle(SelfPredictor(), "letters")


class TestPredictorBound(OracleContract):
    def make_oracle(self):
        return PredictorOracle(SelfPredictor(), "letters", kappa=1.0)


class TestLearned(OracleContract):
    def make_oracle(self):
        class Fitted:
            smiles = ["CCO"]

            def predict(self, smiles):
                import pandas as pd

                return pd.DataFrame({"mean": [float(len(text)) for text in smiles], "std": 0.5})

        return LearnedOracle(Fitted(), "letters", kappa=1.0)


class TestMolecule(OracleContract):
    def make_oracle(self):
        return make_oracle("similarity:CCO")


class TestFunctionInWorkers(OracleContract):
    def make_oracle(self):
        return make_oracle(lambda smiles: len(smiles) / 2, jobs=2)

    def watched(self):
        oracle, seen = self.make_oracle(), []
        inner = oracle._score_new
        oracle._score_new = lambda smiles: (seen.extend(smiles), inner(smiles))[1]
        return oracle, seen


class TestWithMemory(OracleContract):
    def make_oracle(self):
        return FunctionOracle(len).use_cache(Path(tempfile.mkdtemp()) / "scores.parquet")


class TestDesirability(OracleContract):
    def make_oracle(self):
        return Desirability({"logP": "gaussian(2, 1)", "similarity:CCO": "clip(0.8)"})


class TestCombined(OracleContract):
    def make_oracle(self):
        return CombinedOracle([FunctionOracle(len), PropertyOracle("qed")])


class TestCommand(OracleContract):
    def make_oracle(self):
        return CommandOracle([sys.executable, "-c", LENGTHS])


class TestCsvCommand(OracleContract):
    def make_oracle(self):
        return CsvCommandOracle([sys.executable, "-c", CSV_LENGTHS])


def test_every_kind_is_tested():
    tested = {type(case().make_oracle()) for case in OracleContract.__subclasses__()}
    assert set(ORACLES.values()) <= tested


def test_values_are_those_of_rdkit():
    oracle = PropertyOracle("QED")
    assert oracle.names == ("qed",)
    assert oracle(["CC(=O)Oc1ccccc1C(=O)O"])[0] == compute("qed", "CC(=O)Oc1ccccc1C(=O)O")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "TypeError: the function returned None, which is not a number"),
        ("9.5", "TypeError: the function returned '9.5', which is not a number"),
        (math.nan, "score is nan"),
        (math.inf, "score is inf"),
        ([1.0, 2.0], "TypeError"),
    ],
)
def test_what_is_no_number_is_a_failure_and_never_zero(value, reason):
    (score,) = FunctionOracle(lambda _: value).score("CCO")
    assert math.isnan(score.values[0]) and score.reason.startswith(reason)


def test_numbers_of_other_libraries_are_numbers():
    for value in (3, np.float32(3.0), torch.tensor(3.0), True + 2, np.array([3.0])[0]):
        assert FunctionOracle(lambda _, value=value: value)(["CCO"])[0] == 3.0


def test_only_the_molecule_at_fault_loses_its_score():
    class Fragile(Oracle):
        def evaluate(self, smiles):
            if any("N" in text for text in smiles):
                raise ValueError("no nitrogen please")
            return np.array([float(len(text)) for text in smiles])

    scores = Fragile().score(["CCO", "CCN", "CC"])
    assert [score.values[0] for score in scores][::2] == [3.0, 2.0]
    assert scores[1].failed and scores[1].reason == "ValueError: no nitrogen please"


def test_too_few_values_are_failures_not_shifted_scores():
    class Forgetful(Oracle):
        def evaluate(self, smiles):
            return np.ones(max(len(smiles) - 1, 0))

    scores = Forgetful().score(["CCO", "CC"])
    assert all(score.failed for score in scores) and "0 values for 1 molecules" in scores[0].reason


def test_a_hang_costs_one_molecule_its_score():
    def hangs_on_nitrogen(smiles):
        while "N" in smiles:
            time.sleep(0.01)
        return len(smiles)

    oracle = FunctionOracle(hangs_on_nitrogen, timeout_s=0.7)
    scores = oracle.score(["CCO", "CCN", "CC"])
    oracle.close()
    assert [score.reason for score in scores] == ["", "timed out after 0.7 s", ""]
    assert scores[0].values == (3.0,) and scores[2].values == (2.0,) and 0.6 < scores[1].seconds < 5


def test_a_failure_is_remembered_too():
    asked = []

    def broken(smiles):
        asked.append(smiles)
        raise RuntimeError("down")

    oracle = FunctionOracle(broken)
    oracle(["CCO"])
    oracle(["OCC"])
    assert asked == ["CCO"] and oracle.n_calls == 1


def test_combined_keeps_each_column_and_joins_reasons():
    oracle = CombinedOracle([FunctionOracle(lambda s: 1 / 0, "broken"), FunctionOracle(len, "length")])
    (score,) = oracle.score("CCO")
    assert math.isnan(score.values[0]) and score.values[1] == 3.0 and score.failed
    assert score.reason == "ZeroDivisionError: division by zero"


def test_a_predictor_is_asked_for_what_it_knows():
    assert PredictorOracle(ToyModel(), "Carbons").names == ("carbons",)
    with pytest.raises(UnknownNameError, match="carbons"):
        PredictorOracle(ToyModel(), "gap")


class TestMakeOracle:
    def test_names_are_computed_before_they_are_predicted(self):
        assert isinstance(make_oracle("logp", ToyModel()), PropertyOracle)
        assert isinstance(make_oracle("carbons", ToyModel()), PredictorOracle)

    def test_a_mapping_names_its_parts(self):
        oracle = make_oracle({"size": len, "drug": "qed"})
        assert oracle.names == ("size", "drug")
        assert oracle(["CCO"])[0, 1] == compute("qed", "CCO")

    def test_a_function_by_its_path(self):
        assert make_oracle("tests.design.toys:carbons")(["CCO"])[0] == 2.0

    def test_a_command(self):
        assert make_oracle("cmd:cat -u").command == ["cat", "-u"]

    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            ("tests.design.toys:nothing", "cannot be imported"),
            ("no.such.module:f", "cannot be imported"),
            ("tests.design.toys:SIDE", "is a int, not a function"),
            (3.5, "got float"),
            ("cmd:no-such-program-anywhere", "was not found"),
        ],
    )
    def test_mistakes_are_named(self, spec, words):
        with pytest.raises(SettingsError, match=words):
            make_oracle(spec)

    def test_an_unknown_name_lists_the_choices(self):
        with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
            make_oracle("logPP", ToyModel())
