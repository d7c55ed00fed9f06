"""Oracles that predict: mean and bounds are those of the model behind them."""

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.properties import compute
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.learned import LearnedOracle
from chemvae.design.oracles.simple import PredictorOracle
from chemvae.errors import InputError, NothingUsableError, RunFolderError, SettingsError, UnknownNameError
from chemvae.models.storage import find_run, load_model
from tests.design.toys import CELLS, ToyModel

PROBE = ["CC(=O)Oc1ccccc1C(=O)O", "CCO", "Oc1ccccc1"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Chains with their number of oxygens and carbons as a made-up property."""
    path = tmp_path_factory.mktemp("fit") / "table.csv"
    smiles = list(CELLS)[:60]
    pd.DataFrame({"smiles": smiles, "size": [compute("MW", one) for one in smiles], "empty": np.nan}).to_csv(path, index=False)
    return path


class TestPredicted:
    def test_a_bound_is_the_mean_less_standard_deviations(self):
        model = ToyModel()
        mean, low, high = (make_oracle(f"predicted:carbons{end}", model) for end in ("", ",kappa=2", ",kappa=-1"))
        molecules = list(CELLS)[:4]
        std = model.predict(molecules)["carbons_std"].to_numpy()
        np.testing.assert_allclose(mean(molecules) - low(molecules), 2 * std)
        np.testing.assert_allclose(high(molecules) - mean(molecules), std)
        assert low.label == "predicted carbons - 2 std" and high.label == "predicted carbons + 1 std"

    def test_mistakes_are_named(self):
        with pytest.raises(SettingsError, match="kappa must be a number"):
            make_oracle("predicted:carbons,kappa=much", ToyModel())
        with pytest.raises(UnknownNameError, match="carbons"):
            make_oracle("predicted:gap", ToyModel())

    def test_a_memory_belongs_to_one_model(self, tmp_path):
        make_oracle("predicted:carbons", ToyModel(), memory=tmp_path / "m.parquet")
        other = ToyModel()
        other.weight.data += 1
        make_oracle("predicted:carbons", ToyModel(), memory=tmp_path / "m.parquet")
        with pytest.raises(SettingsError, match="each oracle its own file"):
            make_oracle("predicted:carbons", other, memory=tmp_path / "m.parquet")


class TestSaved:
    def test_a_shipped_model_scores_by_its_own_predictor(self):
        saved = load_model(find_run("drug"))
        name = saved.property_names[0]
        oracle = make_oracle(f"model:drug#{name}")
        assert isinstance(oracle, PredictorOracle) and oracle.names == (name,)
        np.testing.assert_allclose(oracle(PROBE), saved.predict(PROBE)[name])
        assert make_oracle("model:drug").names == tuple(saved.property_names)

    def test_what_cannot_be_encoded_has_no_score(self):
        (score,) = make_oracle("model:drug#qed").score("[Au]C")
        assert score.failed and score.reason

    def test_mistakes_are_named(self):
        with pytest.raises(RunFolderError, match="does not exist"):
            make_oracle("model:runs/nowhere#qed")
        with pytest.raises(UnknownNameError, match="predicted property"):
            make_oracle("model:drug#gap")


class TestFitted:
    @pytest.fixture(scope="class")
    def oracle(self, table):
        return make_oracle(f"fit:{table}#SIZE", load_model(find_run("drug")))

    def test_it_has_learned_what_the_table_says(self, oracle):
        unseen = list(CELLS)[60:80]
        assert isinstance(oracle, LearnedOracle) and oracle.names == ("size",)
        truth = np.array([compute("MW", one) for one in unseen])
        assert np.abs(oracle(unseen) - truth).mean() < 0.2 * np.abs(truth - truth.mean()).mean() + 2.0

    def test_a_bound_is_the_mean_less_the_widened_standard_deviations(self, oracle):
        predicted = oracle.fitted.predict(PROBE)
        cautious = LearnedOracle(oracle.fitted, "size", kappa=1.5)
        np.testing.assert_allclose(cautious(PROBE), predicted["mean"] - 1.5 * predicted["std"])
        assert "size - 1.5 std learned from 60 molecules" == cautious.label

    def test_the_same_table_gives_the_same_scores_and_may_share_a_memory(self, oracle, table, tmp_path):
        again = make_oracle(f"fit:{table}#size", oracle.fitted.model)
        np.testing.assert_array_equal(oracle(PROBE), again(PROBE))
        assert oracle.identity() == again.identity() != LearnedOracle(oracle.fitted, "size", 1.0).identity()

    def test_mistakes_are_named(self, table):
        model = load_model(find_run("drug"))
        with pytest.raises(InputError, match="weight"):
            make_oracle(f"fit:{table}#weight", model)
        with pytest.raises(NothingUsableError):
            make_oracle(f"fit:{table}#empty", model)
        with pytest.raises(SettingsError, match="needs a model"):
            make_oracle(f"fit:{table}#size")
