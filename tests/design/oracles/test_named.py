"""Built-in oracles: what each says of molecules for which the answer is known."""

import math

import numpy as np
import pandas as pd
import pytest

from chemvae.chem.alerts import SOURCES, find_alerts
from chemvae.chem.fingerprints import tanimoto
from chemvae.chem.properties import compute
from chemvae.design.oracles.factory import BUILTIN, make_oracle
from chemvae.design.oracles.score import NoScore
from chemvae.design.oracles.simple import FunctionOracle, MoleculeOracle, PropertyOracle
from chemvae.errors import InvalidMoleculeError, SettingsError, UnknownNameError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
ARGUMENTS = {
    "similarity": ASPIRIN,
    "rediscovery": ASPIRIN,
    "substructure": "c1ccccc1",
    "isomers": "C9H8O4",
    "mpo": "logP=gaussian(2,1)",
    "cmd": "cat",
    "cmd-csv": "cat",
}


def test_penalized_logp_is_capped_and_says_so():
    oracle = make_oracle("penalized_logp")
    fits, long = oracle.score(["C" * 38, "C" * 39])
    assert fits.values == (compute("penalized_logP", "C" * 38),)
    assert math.isnan(long.values[0]) and long.reason.startswith("39 heavy atoms, more than 38")
    assert BUILTIN["penalized_logP"].exploitable and "exploitable" in BUILTIN["penalized_logP"].meaning
    assert not any(row.exploitable for name, row in BUILTIN.items() if name != "penalized_logP")


def test_qed_minus_sas_is_five_qed_less_sas():
    assert make_oracle("qed_minus_sas")([ASPIRIN])[0] == pytest.approx(5 * compute("qed", ASPIRIN) - compute("SAS", ASPIRIN))


def test_similarity_is_the_one_of_the_constraint():
    near = make_oracle(f"similarity:{ASPIRIN}")
    molecules = [ASPIRIN, "CCO", "OC(=O)c1ccccc1O"]
    np.testing.assert_allclose(near(molecules), tanimoto(molecules, [ASPIRIN])[:, 0])
    assert near.label == f"similarity:{ASPIRIN},ECFP4"
    assert make_oracle(f"similarity:{ASPIRIN},ap").label == f"similarity:{ASPIRIN},AP"


def test_rediscovery_counts_environments():
    assert make_oracle("rediscovery:CCCCCCCC")(["C" * 8, "C" * 12]).tolist() == [1.0, pytest.approx(22 / 34)]


def test_substructure_with_colons_in_the_pattern():
    assert make_oracle("substructure:[c:1]O")(["c1ccccc1O", "CCO"]).tolist() == [1.0, 0.0]


def test_isomers_of_the_benchmark_formula():
    formula = "C9H10N2O2PF2Cl"
    isomer = "CP(=O)(c1ccc(F)c(Cl)c1F)N(N)C(C)=O"
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    from chemvae.chem.molecules import parse

    assert CalcMolFormula(parse(isomer)) == "C9H10ClF2N2O2P"
    assert make_oracle(f"isomers:{formula}")([isomer, "CCO"])[0] == 1.0


def test_alerts_counts_hits_of_the_catalogs_named():
    offender = "CCN=[N+]=[N-]"
    assert make_oracle("alerts")([offender, "CCO"]).tolist() == [len(find_alerts(offender, tuple(SOURCES))), 0.0]
    assert make_oracle("alerts:NIH")([offender])[0] == 1.0 and make_oracle("alerts:pains, nih").label == "alerts:PAINS,NIH"


ELSEWHERE = ("predicted", "model", "fit", "admet", "dock", "molscore")
"""Oracles that need a model, a table or an extra: tested where they are defined."""


@pytest.mark.parametrize("name", [name for name in BUILTIN if name not in ELSEWHERE])
def test_every_name_makes_an_oracle_whatever_its_case(name):
    argument = ARGUMENTS.get(name, "")
    oracle = make_oracle(f"{name.upper()}:{argument}" if argument else name.upper())
    assert len(oracle.names) == 1 and oracle.describe() and BUILTIN[name].meaning


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("similarity", SettingsError, r"write similarity:SMILES\[,FINGERPRINT\]"),
        ("similarity:", SettingsError, "needs what stands behind its colon"),
        ("similarity:C1CC", InvalidMoleculeError, "ring 1 is opened"),
        ("similarity:CCO,ECFP", UnknownNameError, "ECFP4"),
        ("substructure:c1cc(", SettingsError, "not a SMARTS"),
        ("isomers:c6h6", SettingsError, "not a molecular formula"),
        ("alerts:PAIN", UnknownNameError, "Did you mean 'PAINS'"),
        ("qed_minus_sas:CCO", SettingsError, "takes nothing behind its name: write qed_minus_sas"),
        ("predicted:gap", SettingsError, "needs a model"),
        ("fit:table.csv", SettingsError, "needs the column to learn: write 'fit:table.csv#COLUMN'"),
        ("isomer:C2H6", SettingsError, "cannot be imported"),
    ],
)
def test_mistakes_are_named(text, error, words):
    with pytest.raises(error, match=words):
        make_oracle(text)


def test_a_name_like_a_builtin_one_is_suggested():
    with pytest.raises(UnknownNameError, match="Did you mean 'qed_minus_sas'"):
        make_oracle("qed_minus_sa")
    with pytest.raises(UnknownNameError, match="Did you mean 'alerts'"):
        make_oracle("alert")


def test_properties_and_functions_are_found_as_before():
    assert isinstance(make_oracle("logP"), PropertyOracle) and isinstance(make_oracle("QED"), PropertyOracle)
    assert isinstance(make_oracle("tests.design.toys:carbons"), FunctionOracle)


def test_a_reason_in_plain_words_also_across_processes():
    def picky(mol):
        if mol.GetNumAtoms() < 3:
            raise NoScore("too small to tell")
        return 1

    here, there = MoleculeOracle(picky), MoleculeOracle(picky)
    there.timeout_s = 30.0
    for oracle in (here, there):
        assert [score.reason for score in oracle.score(["CC", "CCC"])] == ["too small to tell", ""]
        oracle.close()


def test_a_table_without_its_column_is_told_with_those_it_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"smiles": ["CCO", "CCN"], "logD 7.4": [1.0, 2.0]}).to_csv("mine.csv", index=False)
    with pytest.raises(SettingsError, match=r"write 'fit:mine.csv#logD 7.4'; its columns of numbers: logD 7.4"):
        make_oracle("fit:mine.csv")
