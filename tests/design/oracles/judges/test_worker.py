"""Judges in a Python of their own: started once, asked in batches, plain words where one is missing, and none outlives us."""

import sys
import time

import pytest

from chemvae.design import make_oracle
from chemvae.design.oracles.judges import admet, dock, molscore
from chemvae.design.oracles.judges import worker as workers
from chemvae.design.oracles.judges.admet import AdmetOracle, find_beginning
from chemvae.design.oracles.judges.worker import JudgePackage, JudgeWorker
from chemvae.design.trust import runs_code
from chemvae.errors import ChemVAEError, MissingExtraError, SettingsError, UnknownNameError

ECHO = """
import json, sys
print(json.dumps({"names": ["length"]}), flush=True)
for line in sys.stdin:
    smiles = json.loads(line)["smiles"]
    if "X" in smiles: sys.exit("that was too much")
    answer = {"error": "no P"} if "P" in smiles else {"lengths": [len(one) for one in smiles]}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def worker():
    one = JudgeWorker([sys.executable, "-c", ECHO], "echo")
    yield one
    one.close()


def test_it_says_what_it_is_and_answers_again_and_again(worker):
    assert worker.facts == {"names": ["length"]}
    assert [worker.ask({"smiles": one})["lengths"] for one in (["CC", "C"], [], ["CCC"])] == [[2, 1], [], [3]]


def test_its_error_is_told_and_it_goes_on(worker):
    with pytest.raises(ChemVAEError, match="echo says: no P"):
        worker.ask({"smiles": ["P"]})
    assert worker.ask({"smiles": ["C"]})["lengths"] == [1]


def test_its_end_is_told_with_its_last_words(worker):
    with pytest.raises(ChemVAEError, match="has ended .exit code 1.: that was too much"):
        worker.ask({"smiles": ["X"]})
    assert not worker.is_alive


def test_it_ends_with_what_holds_it():
    one = JudgeWorker([sys.executable, "-c", ECHO], "echo")
    process = one._process
    del one
    until = time.monotonic() + 10.0
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert process.poll() is not None


@pytest.mark.parametrize(
    ("text", "package"), [("admet:hERG", "admet-ai"), ("molscore:QED", "molscore"), ("dock:DRD2", "dockstring")]
)
def test_a_missing_extra_is_one_plain_sentence(monkeypatch, text, package):
    for module in (workers, dock):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    for variable in (admet.ADMET_AI.variable, molscore.MOLSCORE.variable):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(MissingExtraError, match=rf"^'{text}' needs {package}.*Install it with: pip install 'chemvae"):
        make_oracle(text)


def test_a_variable_that_names_no_program_is_said(monkeypatch):
    monkeypatch.setenv("CHEMVAE_ADMET_PYTHON", "/no/such/python")
    with pytest.raises(SettingsError, match="CHEMVAE_ADMET_PYTHON names '/no/such/python'"):
        make_oracle("admet:hERG")


def test_a_worker_is_started_once_and_anew_when_it_has_died(monkeypatch, tmp_path):
    (tmp_path / "echo.py").write_text(ECHO, encoding="utf-8")
    monkeypatch.setattr(workers, "SCRIPTS", tmp_path)
    package = JudgePackage("echo", "json", "echo", "echo.py")
    first = package.worker("'echo'")
    assert package.worker("'echo'") is first and package.worker("'echo'", "other") is not first
    first.close()
    assert package.worker("'echo'").ask({"smiles": ["CC"]}) == {"lengths": [2]}


FAKE_ADMET = """
import json, sys
print(json.dumps({"names": ["AMES", "hERG", "NR-AR", "NR-AR-LBD"], "facts": {"hERG": {"units": "-"}}}), flush=True)
n = 0
for line in sys.stdin:
    smiles = json.loads(line)["smiles"]
    n += len(smiles)
    print(json.dumps({"mean": [[n, len(one), 0, 1] for one in smiles], "std": [[0, 0.5, 1, 1] for one in smiles]}), flush=True)
"""


@pytest.fixture
def fake_admet(monkeypatch, tmp_path):
    """Predicts for AMES how many molecules it has been asked about so far, for hERG the length of the text +- 0.5."""
    (tmp_path / "admet.py").write_text(FAKE_ADMET, encoding="utf-8")
    monkeypatch.setattr(workers, "SCRIPTS", tmp_path)
    monkeypatch.setattr(workers, "_running", {})
    monkeypatch.setattr(admet, "_predicted", {})
    monkeypatch.setenv("CHEMVAE_ADMET_PYTHON", sys.executable)


def test_each_molecule_is_predicted_once_whatever_is_asked_of_it(fake_admet):
    assert make_oracle("admet:herg")(["CC", "CCO", "CC"]).tolist() == [2.0, 3.0, 2.0]
    assert make_oracle("admet:AMES")(["CCO", "CC"]).tolist() == [2.0, 2.0]


def test_as_a_goal_it_is_scored_by_the_cautious_end(fake_admet):
    from chemvae.design import Goal
    from chemvae.design.oracles import cautious

    low = cautious(AdmetOracle("hERG"), [Goal("hERG", "min")])(["CC"])[0]
    high = cautious(AdmetOracle("hERG"), [Goal("hERG", "max")])(["CC"])[0]
    assert (low, high) == (pytest.approx(2.0 + 0.8224, abs=1e-3), pytest.approx(2.0 - 0.8224, abs=1e-3))
    assert make_oracle("admet:hERG,kappa=1")(["CC"])[0] == 1.5


def test_it_warns_of_what_it_has_hardly_learned_from(fake_admet):
    words = AdmetOracle("hERG").warnings(["CCO", "C[Si](C)(C)O.[Na+]"])
    assert words[0] == [""] and "salts or mixtures" in words[1][0]


def test_a_name_is_found_by_a_beginning_that_only_one_has():
    names = ["AMES", "NR-AR", "NR-AR-LBD", "Solubility_AqSolDB"]
    assert [find_beginning(names, one) for one in ("ames", "nr-ar", "solub")] == ["AMES", "NR-AR", "Solubility_AqSolDB"]
    with pytest.raises(UnknownNameError, match="property of ADMET-AI"):
        find_beginning(names, "NR")


def test_none_of_them_is_somebody_s_code_by_its_text():
    assert not any(runs_code(text) for text in ("admet:hERG", "dock:DRD2,seeds=3"))
    assert runs_code("molscore:/tmp/task.json")  # it may name a server to start


def test_admet_ai_itself_knows_caffeine_from_terfenadine():
    """Terfenadine was taken off the market because it blocks hERG; caffeine does not."""
    _skip_without(admet.ADMET_AI)
    oracle = make_oracle("admet:hERG")
    caffeine, terfenadine = oracle(["Cn1c(=O)c2c(ncn2C)n(C)c1=O", "CC(C)(C)c1ccc(cc1)C(O)CCCN1CCC(CC1)C(O)(c1ccccc1)c1ccccc1"])
    assert caffeine < 0.3 < 0.7 < terfenadine


def test_molscore_itself_finds_albuterol_like_albuterol():
    _skip_without(molscore.MOLSCORE)
    oracle = make_oracle("molscore:Albuterol_similarity")
    albuterol, propane = oracle(["CC(C)(C)NCC(O)c1ccc(O)c(CO)c1", "CCC"])
    assert albuterol == pytest.approx(1.0) and propane < 0.3


def _skip_without(package):
    try:
        package.python("the test")
    except MissingExtraError:
        pytest.skip(f"comes with the extra '{package.extra}'")
