"""Python does what the commands do, in the same words: same files, progress told, ended cleanly, refused with a sentence."""

import dataclasses
import inspect
import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import chemvae
from chemvae import api
from chemvae.chem.properties import compute, compute_table
from chemvae.design import Constraint, Goal
from chemvae.design.search_folder import SearchFolder
from chemvae.design.search_settings import SearchSettings
from chemvae.errors import CancelledError, ChemVAEError, NothingUsableError, SettingsError, UnknownNameError
from chemvae.progress import CancelToken
from tests.conftest import MOLECULES

SEARCH = ["--method", "random", "--batch", 6, "--budget", 12, "--seed", 3]
THE_SAME = {"method": "random", "batch_size": 6, "budget": 12, "seed": 3}


@pytest.fixture(scope="module")
def model():
    return chemvae.load("drug", "cpu")


@pytest.fixture(scope="module")
def molecules_csv(tmp_path_factory):
    """Molecules that the shipped model can write, with two properties; and one line that is none."""
    smiles = [one for one in MOLECULES if "I" not in one]
    chains = [f"{head}{'C' * n}{tail}" for head in ("N", "O", "F") for n in range(2, 6) for tail in ("C(=O)N", "c1ccccc1")]
    table = pd.DataFrame({"smiles": [*smiles, *chains, "C1CC"]})
    table = table.join(compute_table(table["smiles"].tolist(), ["logP", "MW"]).round(3))
    path = tmp_path_factory.mktemp("api") / "molecules.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture
def command(monkeypatch, tmp_path):
    """The command line in an empty folder."""
    from chemvae.cli import app

    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def contents(folder, *names):
    return {name: (folder / name).read_bytes() for name in names}


def without_times(folder):
    """What must be the same in two folders of the same search: tables byte for byte, records and figures but for the times."""
    history = pd.read_csv(folder / "history.csv", dtype=str).drop(columns="seconds")
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    result = json.loads((folder / "result.json").read_text())
    return {
        **contents(folder, "best.csv", "proposals.csv"),
        "files": sorted(path.name for path in folder.iterdir()),
        "history": history.to_csv(),
        "record": [{key: value for key, value in line.items() if key != "seconds"} for line in lines],
        "result": {key: value for key, value in result.items() if key not in ("elapsed_s", "environment", "baseline")},
        "settings": json.loads((folder / "settings.json").read_text()),
    }


# searches -----------------------------------------------------------------------------------------------------------------


def test_a_search_in_a_folder_leaves_what_the_command_leaves(command, tmp_path):
    words = ["--maximize", "qed", "--minimize", "SAS", "--weight", "SAS=0.5", "--constraint", "MW < 300", "--baseline"]
    assert command("optimize", "-m", "drug", *words, *SEARCH, "-o", "a").exit_code == 0
    goals = [Goal("qed"), Goal("SAS", "min", weight=0.5)]
    result = chemvae.optimize("drug", goals=goals, constraints=Constraint("MW", "<", 300), baseline=True, out="b", **THE_SAME)
    assert without_times(tmp_path / "a") == without_times(tmp_path / "b")
    assert contents(tmp_path / "a", "pareto.csv").keys() == contents(tmp_path / "b", "pareto.csv").keys()
    assert result.history["smiles"].tolist() == pd.read_csv("a/history.csv")["smiles"].tolist()


def test_either_goes_on_with_what_the_other_began(command, model):
    assert command("optimize", "-m", "drug", "--maximize", "qed", *SEARCH, "-o", "a").exit_code == 0
    chemvae.optimize(None, goals="qed", out="b", **THE_SAME)
    grown = chemvae.optimize(model, out="a", resume=True, budget=18)
    assert command("optimize", "--resume", "--budget", 18, "-o", "b").exit_code == 0
    assert grown.history["smiles"].tolist() == pd.read_csv("b/history.csv")["smiles"].tolist() and len(grown.history) == 18


def test_going_on_pays_nothing_twice_and_asks_for_the_same_task(command, model):
    paid = []

    def score(smiles):
        paid.append(smiles)
        return len(smiles)

    with pytest.raises(ChemVAEError, match="holds no search to go on with"):
        chemvae.optimize(model, score, out="hits", resume=True)
    chemvae.optimize(model, score, out="hits", **THE_SAME)
    with pytest.raises(ChemVAEError, match="already holds a search"):
        chemvae.optimize(model, score, out="hits", **THE_SAME)
    with pytest.raises(SettingsError, match="made with another seed"):
        chemvae.optimize(model, score, out="hits", resume=True, seed=4)
    with pytest.raises(SettingsError, match="made with another oracle"):
        chemvae.optimize(model, "qed", out="hits", resume=True)
    grown = chemvae.optimize(model, score, out="hits", resume=True, budget=15)
    assert paid == grown.history["smiles"].tolist() and len(paid) == 15
    assert SearchFolder("hits").read_settings()["oracle"] is None


def test_a_slip_leaves_the_search_that_was_there(command, model, tmp_path):
    chemvae.optimize(model, goals="qed", out="hits", **THE_SAME)
    before = contents(tmp_path / "hits", *(path.name for path in (tmp_path / "hits").iterdir()))
    with pytest.raises(UnknownNameError):
        chemvae.optimize(model, goals="nosuchthing", out="hits", overwrite=True)
    assert (
        contents(tmp_path / "hits", *before)
        == before
        == contents(tmp_path / "hits", *(p.name for p in (tmp_path / "hits").iterdir()))
    )
    chemvae.optimize(model, goals="logP", out="hits", overwrite=True, **THE_SAME)
    assert SearchFolder("hits").read_settings()["maximize"] == ["logP"]


def test_a_laboratory_s_tables_are_those_of_the_command(command, model, tmp_path):
    words = ["--maximize", "pIC50", "--batch-out", "a.csv", "-o", "a", *SEARCH]
    assert command("optimize", "-m", "drug", *words).exit_code == 0
    chemvae.optimize(model, goals="pIC50", out="b", batch_out="b.csv", **THE_SAME)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    table = pd.read_csv("a.csv")
    table["pIC50"] = [compute("logP", smiles) for smiles in table["smiles"]]
    table.to_csv("results.csv", index=False)
    assert command("optimize", "--batch-in", "results.csv", "--batch-out", "a2.csv", "-o", "a").exit_code == 0
    found = api.optimize_in_folder(model, "b", results=table, batch_out="b2.csv")
    assert (tmp_path / "a2.csv").read_bytes() == (tmp_path / "b2.csv").read_bytes()
    assert found.sheet.name == "b2.csv" and found.result.receipt is not None
    table.assign(pIC50="").to_csv("b3.csv", index=False)
    table.to_csv("filled.csv", index=False)
    with pytest.raises(ChemVAEError, match="results may be filled in"):
        chemvae.optimize(model, out="b", batch_out="filled.csv")


def test_what_only_a_folder_has_needs_a_folder(model):
    with pytest.raises(SettingsError, match="baseline, resume.*out="):
        chemvae.optimize(model, goals="qed", resume=True, baseline=True)
    with pytest.raises(SettingsError, match="did you mean 'patience'"):
        chemvae.optimize(model, goals="qed", out="hits", patiense=3)


def test_callback_and_token_reach_the_campaign(command, model, monkeypatch):
    told = []
    chemvae.optimize(model, goals="qed", out="hits", callback=told.append, **THE_SAME)
    assert [now.calls for now in told] == sorted(now.calls for now in told) and told[-1].calls == 12
    handed = {}
    monkeypatch.setattr("chemvae.design.search.run_campaign", lambda *_, **given: handed.update(given) or 1 / 0)
    token = CancelToken()
    with pytest.raises(ZeroDivisionError):
        chemvae.optimize(model, goals="qed", out="other", cancel=token)
    assert handed["cancel"] is token


def test_a_spec_is_said_in_words_where_it_is_not_as_usual(command, model):
    @dataclasses.dataclass
    class Spec:
        """As a campaign's."""

        budget: int = 100
        seed: int = 0
        method: object = "auto"
        goals: object = None
        batch_size: int | None = None
        forbid: object = ()

    spec = Spec(budget=12, seed=3, method="random", goals="qed", batch_size=6)
    one = chemvae.optimize(model, out="a", spec=spec)
    two = chemvae.optimize(model, goals="qed", out="b", **THE_SAME)
    assert one.history["smiles"].tolist() == two.history["smiles"].tolist()
    assert SearchFolder("a").read_settings() == SearchFolder("b").read_settings()


def test_words_mean_what_the_flags_mean():
    from chemvae.commands.optimize import OF_THIS_CALL, optimize

    flags = inspect.signature(optimize.__wrapped__).parameters
    flags = {name: flag.default for name, flag in flags.items() if name not in OF_THIS_CALL | {"ctx"}}
    assert flags == {field.name: field.default for field in dataclasses.fields(SearchSettings)}


# maps ---------------------------------------------------------------------------------------------------------------------


def test_a_map_is_the_command_s(command, model, molecules_csv, tmp_path):
    words = ["--color", "logP", "--seed", 2, "--limit", 30, "-o", "a.html", "--png", "a.png"]
    found = command("map", molecules_csv, "-m", "drug", *words)
    assert found.exit_code == 0, found.output
    told = []
    drawn = chemvae.map(molecules_csv, model, color="logP", seed=2, limit=30, out="b.html", png="b.png", progress=told.append)
    for ending in ("html", "png"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
    assert drawn.note in found.stderr.replace("\n", " ") and drawn.xy.shape == (30, 2)
    np.testing.assert_array_equal(drawn.z, model.encode(drawn.smiles))
    np.testing.assert_allclose(drawn.projection.transform(drawn.z), drawn.xy, atol=1e-6)
    assert json.loads(json.dumps(drawn.to_dict()))["n_molecules"] == 30
    for stage in ("read", "encode", "project", "compare"):
        done = [now.done for now in told if now.stage == stage]
        assert done and done == sorted(done), stage
    assert [now.stage for now in told if now.stage in ("encode", "project")][0] == "encode"
    assert [now.share for now in told if now.stage == "encode"][-1] == 1.0


@pytest.mark.parametrize("stage", ["read", "encode", "project", "compare"])
def test_a_cancelled_map_leaves_no_file(command, model, molecules_csv, tmp_path, stage):
    token = CancelToken()

    def end_at(now):
        if now.stage == stage:
            token.cancel("enough")

    (tmp_path / "map.html").write_text("an earlier map")
    with pytest.raises(CancelledError, match="enough"):
        chemvae.map(molecules_csv, model, out="map.html", png="map.png", overwrite=True, progress=end_at, cancel=token)
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]
    assert (tmp_path / "map.html").read_text() == "an earlier map"


def test_a_map_is_refused_before_any_work(model, molecules_csv, tmp_path):
    (tmp_path / "map.html").write_text("")
    with pytest.raises(ChemVAEError, match="exists"):
        chemvae.map("nowhere.csv", model, out=tmp_path / "map.html")
    with pytest.raises(SettingsError, match="must end in"):
        chemvae.map("nowhere.csv", model, out=tmp_path / "map.txt")
    with pytest.raises(UnknownNameError, match="pca"):
        chemvae.map("nowhere.csv", model, method="pac")
    with pytest.raises(SettingsError, match="limit"):
        chemvae.map("nowhere.csv", model, limit=0)


# tables -------------------------------------------------------------------------------------------------------------------


def test_prepare_and_check_are_the_commands(command, model, molecules_csv, tmp_path):
    words = ["-p", "logP", "--compute", "qed", "--standardize", "salts", "--split", "scaffold"]
    assert command("data", "prepare", molecules_csv, *words, "-o", "a").exit_code == 0
    report = chemvae.prepare(molecules_csv, "b", properties=["logP"], compute=["qed"], standardize="salts", split="scaffold")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert contents(tmp_path / "a", *names) == contents(tmp_path / "b", *names) and report.n_kept > 40
    assert command("data", "check", molecules_csv, "-p", "logP", "-m", "drug", "--json", "found.json").exit_code == 0
    found = chemvae.check(molecules_csv, "logP", model)
    assert json.loads((tmp_path / "found.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    assert found.counts["not a molecule"] == 1


def test_tables_are_the_commands(command, model, molecules_csv, tmp_path):
    for words, call in (
        (["encode", molecules_csv], lambda out: chemvae.encode(molecules_csv, model, out=out)),
        (["decode", "encode.csv", "-n", 2, "--temperature", 1],
         lambda out: chemvae.decode("encode.csv", model, n_samples=2, temperature=1.0, out=out)),
        (["predict", molecules_csv, "--computed"], lambda out: chemvae.predict(molecules_csv, model, computed=True, out=out)),
        (["predict", molecules_csv, "--fit", molecules_csv, "-p", "mw"],
         lambda out: chemvae.predict(molecules_csv, model, fit=molecules_csv, properties="mw", out=out)),
    ):  # fmt: skip
        done = command(*words, "-m", "drug", "-o", f"{words[0]}.csv", "--overwrite")
        assert done.exit_code == 0, done.output
        call("python.csv")
        assert (tmp_path / f"{words[0]}.csv").read_bytes() == (tmp_path / "python.csv").read_bytes(), words
        (tmp_path / "python.csv").unlink()


def test_rows_are_told_of_and_can_be_ended(model, molecules_csv, tmp_path):
    told, token = [], CancelToken()
    chemvae.encode(molecules_csv, model, progress=told.append)
    assert told[-1].done == len(pd.read_csv(molecules_csv))
    token.cancel()
    with pytest.raises(CancelledError):
        chemvae.encode(molecules_csv, model, out=tmp_path / "z.csv", cancel=token)
    assert not list(tmp_path.iterdir())


def test_a_fitted_property_predicts_as_the_command_does(model, molecules_csv):
    one, both = chemvae.fit(molecules_csv, "MW", model), chemvae.fit(molecules_csv, ["logP", "MW"], model)
    asked = ["CCO", "NCCc1ccccc1"]
    table = chemvae.predict(asked, model, fit=both)
    np.testing.assert_allclose(one.predict(asked)["mean"], table["MW"], rtol=1e-6)
    assert {"logP_low", "logP_high", "similarity"} <= set(table) and list(both) == ["logP", "MW"]
    with pytest.raises(SettingsError, match="needs the columns"):
        chemvae.predict(asked, model, fit=molecules_csv)
    with pytest.raises(NothingUsableError, match="MW"):
        chemvae.fit(pd.read_csv(molecules_csv).head(5), "MW", model)


def test_evaluation_leaves_a_report_for_a_model_by_name(molecules_csv, tmp_path):
    sizes = {"n_samples": 20, "n_reconstruction": 2, "n_fcd": 0, "n_curve": 0}
    figures = chemvae.evaluate("drug", molecules_csv, out=tmp_path / "report", device="cpu", **sizes)
    assert json.loads((tmp_path / "report" / "report.json").read_text())["n_molecules"] == figures["n_molecules"]
    with pytest.raises(ChemVAEError, match="already holds a report"):
        chemvae.evaluate("drug", molecules_csv, out=tmp_path / "report", **sizes)


def test_every_public_name_is_there():
    assert all(getattr(chemvae, name) is not None for name in chemvae.__all__)
    assert chemvae.map is api.map and callable(chemvae.prepare)
