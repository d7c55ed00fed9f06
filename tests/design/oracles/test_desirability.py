"""Desirability: the mean of curves of values, and a missing value is a missing score."""

import math

import numpy as np
import pytest

from chemvae.chem.desirability import Curve, gaussian
from chemvae.chem.properties import compute
from chemvae.design.oracles.desirability import Desirability
from chemvae.design.oracles.factory import make_oracle
from chemvae.design.oracles.simple import FunctionOracle
from chemvae.errors import SettingsError, UnknownNameError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def test_geometric_mean_in_closed_form():
    oracle = Desirability({"heavy_atoms": "gaussian(3, 1)", "rings": "ramp(2, 0)"})
    values = oracle(["CCO", "CCCC", "C1CCC1", "C1CC1", "C1CC1C1CC1"])
    expected = [1.0, math.exp(-0.5) ** 0.5, (math.exp(-0.5) * 0.5) ** 0.5, 0.5**0.5, 0.0]
    np.testing.assert_allclose(values, expected)


def test_arithmetic_mean_and_weights():
    oracle = Desirability({"heavy_atoms": "clip(6)", "rings": "clip(1)"}, mean="arithmetic", weights={"rings": 3})
    np.testing.assert_allclose(oracle(["CCO", "C1CC1"]), [0.5 / 4, (0.5 + 3) / 4])
    assert oracle.label == "arithmetic mean of clip(6) of heavy_atoms (weight 1), clip(1) of rings (weight 3)"


def test_values_are_those_of_the_properties():
    oracle = Desirability({"logP": "gaussian(2, 1)", "TPSA": "below(60, 10)"})
    d = gaussian(compute("logP", ASPIRIN), 2, 1), gaussian(compute("TPSA", ASPIRIN), 60, 10)
    assert oracle(ASPIRIN)[0] == pytest.approx(math.sqrt(d[0] * d[1]))


def test_one_missing_value_is_a_missing_score_with_its_reason_even_beside_a_zero():
    oracle = Desirability({"tests.design.oracles.test_desirability:fragile": "clip(10)", "rings": "clip(1)"})
    good, bad = oracle.score(["C1CC1", "CN"])
    assert good.values == (0.5**0.5,) and not good.reason
    assert (
        math.isnan(bad.values[0])
        and bad.reason == "tests.design.oracles.test_desirability:fragile: ValueError: no nitrogen please"
    )


def fragile(smiles: str) -> float:
    if "N" in smiles:
        raise ValueError("no nitrogen please")
    return float(len(smiles))


def test_text_and_mapping_are_the_same_oracle():
    text = "mpo: logP = gaussian(2,1) ;similarity:CC(=O)O=clip(0.8); substructure:[N;!R]C=ramp(1, 0);TPSA=below(100,10)"
    curves = {
        "logP": Curve("gaussian", (2.0, 1.0)),
        "similarity:CC(=O)O": "clip(0.8)",
        "substructure:[N;!R]C": "ramp(1, 0)",
        "TPSA": "below(100, 10)",
    }
    molecules = ["CC(=O)O", ASPIRIN, "CC(=O)N"]
    read, made = make_oracle(text), Desirability(curves)
    np.testing.assert_array_equal(read(molecules), made(molecules))
    assert read.label == made.label and read.identity() == made.identity()
    assert make_oracle("mpo:arithmetic:logP=gaussian(2,1)").mean == "arithmetic"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mpo:logP", "no list of desirabilities|is not a list"),
        ("mpo:logP=2", "is not a list"),
        ("mpo:logP=gaussian(2,1);", None),
        ("mpo:logP=gaussian(2,1) and more", "is not a list"),
        ("mpo:logP=gaussian(2)", r"write gaussian\(mu, sigma\)"),
        ("mpo:logP=gaussian(2,1);logP=clip(1)", "names a value twice"),
        ("mpo:", "needs what stands behind its colon: write mpo:VALUE=CURVE"),
    ],
)
def test_mistakes_in_a_text_are_named(text, words):
    if words is None:
        assert make_oracle(text).keys == ["logP"]
        return
    with pytest.raises(SettingsError, match=words):
        make_oracle(text)


def test_other_mistakes_are_named():
    with pytest.raises(UnknownNameError, match="Did you mean 'logP'"):
        Desirability({"logPP": "clip(1)"})
    with pytest.raises(UnknownNameError, match="geometric"):
        Desirability({"logP": "clip(1)"}, mean="harmonic")
    with pytest.raises(SettingsError, match="weight of 'SAS' belongs to no value"):
        Desirability({"logP": "clip(1)"}, weights={"SAS": 1.0})
    with pytest.raises(SettingsError, match="weights must be > 0"):
        Desirability({"logP": "clip(1)"}, weights={"logP": 0.0})
    with pytest.raises(SettingsError, match="at least one value"):
        Desirability({})


def test_explain_shows_what_stands_behind_a_score():
    oracle = Desirability({"heavy_atoms": "clip(6)", "rings": "ramp(2, 0)"})
    table = oracle.explain(["CCO", "C1CC1"])
    columns = ["smiles", "heavy_atoms", "heavy_atoms desirability", "rings", "rings desirability", "desirability"]
    assert list(table.columns) == columns
    assert table.iloc[1].tolist() == ["C1CC1", 3.0, 0.5, 1.0, 0.5, pytest.approx(0.5)]


def test_a_search_with_a_time_limit_ends_a_part_that_hangs():
    from chemvae.design import run_campaign
    from tests.design.toys import ToyModel, carbons

    def hangs(smiles):
        while carbons(smiles) > 12:
            pass
        return carbons(smiles)

    oracle = Desirability({"heavy_atoms": "clip(30)"})
    oracle.oracles[0] = FunctionOracle(hangs)
    result = run_campaign(ToyModel(), oracle, budget=8, timeout_s=1.0, seed=1, batch_size=6)
    slow = result.history["smiles"].map(carbons) > 12
    assert slow.any() and (result.history["reason"][slow] == "heavy_atoms: timed out after 1 s").all()
    assert result.history["score"][~slow].notna().all() and oracle.oracles[0].timeout_s is None
