"""A recipe goes through its stages, can be stopped anywhere and gone on with, and never loses what is there."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from chemvae import api
from chemvae.data.prepare.tables import load_table
from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import RunFolderError, SettingsError, UnknownNameError
from chemvae.models.priors import PRIORS, fitting
from chemvae.models.settings import ModelSettings
from chemvae.models.structure.trees import TreeSettings
from chemvae.models.vae import MolVAE
from chemvae.progress import CancelToken
from chemvae.runs import RunFolder
from chemvae.training.callbacks import Callback
from chemvae.training.inputs import make_inputs
from chemvae.training.recipes.recipe import read_recipe
from chemvae.training.recipes.session import Record, first_spec, stages_from
from chemvae.training.recipes.stages import KINDS, FitSettings, StageFolder, Work, _take_prior, fit
from chemvae.training.session import RunSpec
from tests.written_pages import easy_molecules

MOLECULES = easy_molecules()
SMALL = {
    "learn": {"noised_codes": 0.0, "random_smiles": 0.0},
    "between": {"steps": 6, "batch_size": 16, "at_least": 10},
    "reward": {
        "rounds": 3, "points": 12, "draws": 2, "critic_points": 200, "critic_steps": 4, "fingerprint_bits": 16, "at_least": 10,
    },
    "fit": {"epochs": 1, "least_steps": 20, "texts": 200, "rounds": 0, "prior": "mixture"},
}  # fmt: skip
FAST = FitSettings(epochs=1, least_steps=20, rounds=0)
ONLY_FIT = SMALL | {name: {"at_least": 10**6} for name in ("between", "reward")}
SIZES = {
    "epochs": 6, "encoder_dim": 24, "decoder_dim": 48, "latent_dim": 8, "batch_size": 16, "threads": 1, "min_kl": 0.0,
    "min_active_units": 0.0, "learning_rate": 0.01, "ema_decay": 0.5, "monitor_molecules": 10,
}  # fmt: skip


def train(out, data=MOLECULES, stages=SMALL, **more):
    return api.train(data, (), "tiny", out, recipe="full", stages=stages, **{**SIZES, **more})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A recipe that nothing disturbed."""
    out = tmp_path_factory.mktemp("recipe") / "run"
    return train(out), out


def same(one, other):
    for name, value in one.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], value, rtol=0, atol=0, equal_nan=True, msg=name)


class StopsIn(Callback):
    """Asks for the end in a stage: at its beginning, or after what it first tells."""

    def __init__(self, stage, token):
        self.stage, self.token, self.now = stage, token, ""

    def on_stage(self, name, number, n_stages):
        self.now = name

    def on_step(self, info):
        if self.now == self.stage == "learn":
            self.token.cancel("the test says so")

    def on_tuning(self, row):
        if self.now == self.stage:
            self.token.cancel("the test says so")


def test_the_folder_is_a_run_that_knows_its_stages(whole):
    model, out = whole
    config = RunFolder(out).read_config()
    assert list(config["recipe"]["seconds"]) == ["learn", "between", "reward", "fit"]
    same(model, api.load(out))
    assert model.latent_statistics.is_fitted and len(RunFolder(out).read_metrics()) == SIZES["epochs"]
    learn, last = (api.load(out / "stages" / name).state_dict() for name in ("learn", "fit"))
    shared = [name for name in learn if not name.startswith("priors.learned")]
    changed = {name.split(".")[0] for name in shared if not torch.equal(learn[name].nan_to_num(), last[name].nan_to_num())}
    assert "decoder" in changed and "encoder" not in changed


@pytest.mark.parametrize("stage", ["learn", "between", "reward"])
def test_stopped_in_a_stage_it_goes_on_to_the_same_weights(whole, tmp_path, stage, monkeypatch):
    for module in ("noised_codes", "reinforce"):
        monkeypatch.setattr(f"chemvae.training.tuning.{module}.REPORT_EVERY", 2)
    token = CancelToken()
    train(tmp_path / "run", cancel=token, callbacks=[StopsIn(stage, token)])
    record = json.loads((tmp_path / "run/stages/recipe.json").read_text())
    assert stage not in record["done"] and token.is_cancelled
    assert record["stopped"][stage] > 0
    resumed = api.train(MOLECULES, out=tmp_path / "run", resume=True)
    same(whole[0], resumed)
    after = json.loads((tmp_path / "run/stages/recipe.json").read_text())
    assert after["done"][stage] >= record["stopped"][stage]  # what it took before it was stopped counts, too


def test_a_resumed_recipe_keeps_its_settings(whole):
    with pytest.raises(SettingsError, match="keeps its settings; beta cannot change"):
        api.train(MOLECULES, out=whole[1], resume=True, beta=0.5)


def test_other_data_is_refused(whole, tmp_path):
    token = CancelToken()
    train(tmp_path / "run", cancel=token, callbacks=[StopsIn("between", token)])
    with pytest.raises(RunFolderError, match="other data|molecules instead of"):
        api.train(MOLECULES[:-9], out=tmp_path / "run", resume=True)


def test_a_run_that_is_there_stays_until_the_recipe_is_done(tmp_path):
    before = api.train(MOLECULES[:60], (), "tiny", tmp_path / "run", **{**SIZES, "epochs": 1})
    with pytest.raises(RunFolderError, match="already holds a run"):
        train(tmp_path / "run")
    token = CancelToken()
    train(tmp_path / "run", overwrite=True, cancel=token, callbacks=[StopsIn("between", token)])
    same(before, api.load(tmp_path / "run"))
    after = api.train(MOLECULES, out=tmp_path / "run", resume=True)
    same(after, api.load(tmp_path / "run"))
    with pytest.raises(AssertionError):
        same(before, after)


def test_stages_that_do_not_pay_for_few_molecules_are_left_out_and_said(tmp_path, caplog):
    few = {**SMALL, "between": {**SMALL["between"], "at_least": 1_000}, "reward": {**SMALL["reward"], "at_least": 1_000}}
    train(tmp_path / "run", stages=few, epochs=2)
    assert caplog.text.count("is left out: it takes 1000 training molecules, there are 16") == 2
    assert {path.name for path in (tmp_path / "run/stages").iterdir()} >= {"learn", "fit"}
    assert not (tmp_path / "run/stages/reward").exists()


def test_a_decoder_that_writes_nothing_is_not_rewarded_and_still_finished(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("chemvae.training.tuning.reinforce.write", lambda model, z, noise: ([""] * len(z), [None] * len(z)))
    train(tmp_path / "run", epochs=1)
    assert "The stage is left out, as none of 200 texts" in caplog.text
    assert api.load(tmp_path / "run").latent_statistics.is_fitted


@pytest.mark.parametrize(
    ("stages", "error", "words"),
    [
        ({"rewards": {}}, UnknownNameError, "Did you mean 'reward'"),
        ({"reward": {"round": 3}}, UnknownNameError, "Did you mean 'rounds'"),
        ({"reward": {"rounds": 0}}, SettingsError, "rounds must be >= 1"),
        ({"reward": 3}, SettingsError, "must be a table"),
        ('{"reward": ', SettingsError, "no JSON"),
        ("[1]", SettingsError, "must be a table"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(tmp_path, stages, error, words):
    with pytest.raises(error, match=words):
        train(tmp_path / "run", stages=stages)
    assert not (tmp_path / "run" / "stages").exists()


DAMAGES = {
    "no json": lambda record: "{",
    "a list": lambda record: "[]",
    "no stages": lambda record: json.dumps({**record, "stages": []}),
    "stages that are none": lambda record: json.dumps({**record, "stages": None}),
    "a stage without a kind": lambda record: json.dumps({**record, "stages": [{"name": "learn"}]}),
    "an unknown kind": lambda record: json.dumps(
        {**record, "stages": [record["stages"][0], {**record["stages"][1], "does": "nothing"}]}
    ),
    "an unknown entry": lambda record: json.dumps({**record, "more": 1}),
    "a stage that it does not have": lambda record: json.dumps({**record, "done": {"other": 1.0}}),
    "a time that is none": lambda record: json.dumps({**record, "done": {"learn": "long"}}),
    "a setting out of range": lambda record: json.dumps(
        {**record, "stages": [record["stages"][0], {**record["stages"][1], "settings": {"steps": -1}}]}
    ),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_record_is_refused_in_one_sentence(whole, tmp_path, kind):
    record = json.loads((whole[1] / "stages/recipe.json").read_text())
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/recipe.json").write_text(DAMAGES[kind](record))
    with pytest.raises(RunFolderError, match="recipe.json"):
        api.train(None, out=tmp_path, resume=True)


def test_stages_and_folder_belong_to_a_recipe(tmp_path):
    with pytest.raises(SettingsError, match="works in a folder"):
        train(None)
    with pytest.raises(SettingsError, match="stages go with recipe"):
        api.train(MOLECULES, out=tmp_path / "run", stages={"reward": {}})


def test_what_the_user_says_goes_before_the_recipe():
    stage = read_recipe("full")[0]
    spec = RunSpec.of(MOLECULES, beta=0.5, latent_dim=8, time_limit_min=3.0)
    labelled = np.ones(65_000, dtype=bool)
    made = first_spec(spec, stage, labelled)
    assert (made.training.beta, made.model.latent_dim, made.training.time_limit_min) == (0.5, 8, 0.0)
    assert made.training.random_smiles == stage.settings["random_smiles"] > 0
    assert made.training.epochs == 100  # 6.5 million molecules read
    assert first_spec(spec, stage, labelled[:5_000]).training.epochs == stage.settings["most_epochs"]
    assert first_spec(replace(spec, given=spec.given | {"epochs"}), stage, labelled).training.epochs == spec.training.epochs


def test_epochs_count_the_molecules_that_are_read_and_nothing_is_thinned_where_none_has_a_label():
    stage, some = read_recipe("full")[0], np.arange(100_000) < 60_000
    share = stage.settings["unlabelled"]
    thinned = first_spec(RunSpec.of(MOLECULES), stage, some).training
    assert 0 < share < 1 and thinned.unlabelled == share
    assert thinned.epochs == round(stage.settings["molecules"] / (60_000 + share * 40_000))
    whole = first_spec(RunSpec.of(MOLECULES), stage, np.zeros(100_000, dtype=bool)).training
    assert (whole.unlabelled, whole.epochs) == (1.0, stage.settings["molecules"] // 100_000)
    assert first_spec(RunSpec.of(MOLECULES, unlabelled=1.0), stage, some).training.unlabelled == 1.0


def test_stages_after_the_first_read_the_thinned_molecules_too(tmp_path, monkeypatch):
    read = []
    monkeypatch.setitem(
        KINDS, "fit", (FitSettings, lambda work, _: (read.append(work.inputs.train.n_read), fit(work, FAST))[0])
    )
    labels = np.where(np.arange(len(MOLECULES)) < 100, 1.0, np.nan)
    table = pd.DataFrame({"smiles": MOLECULES, "y": labels, "split": "train"})
    table.loc[::10, "split"] = "valid"
    own = table[table["split"] == "train"]["y"].notna()
    api.train(table, ["y"], "tiny", tmp_path / "run", recipe="full", unlabelled=0.5, **SIZES, stages=ONLY_FIT)
    assert read == [int(own.sum()) + round(0.5 * int((~own).sum()))]


def test_the_last_stage_takes_the_kind_of_prior_that_it_asks_for(whole, tmp_path, monkeypatch):
    asked, last = read_recipe("full")[-1].settings["prior"], RunFolder(whole[1] / "stages" / "reward")
    monkeypatch.setattr(fitting, "STEPS", (3, 3))
    before, every = api.load(last.path), np.arange(len(MOLECULES))
    inputs = make_inputs(load_table(MOLECULES), (every, every), before.vocabulary, 0.0)
    fit(Work(last, inputs, StageFolder(RunFolder(tmp_path))), FitSettings(prior=asked, rounds=0, least_steps=20))
    after = api.load(tmp_path)
    assert (before.settings.fitted_prior, after.settings.fitted_prior) == ("mixture", asked)
    assert type(after.priors["learned"]) is PRIORS[asked]
    assert after.priors["learned"].log_prob(torch.as_tensor(after.encode(MOLECULES))).isfinite().all()


@pytest.mark.parametrize(("budget_s", "limit_s"), [(0.0, 0.0), (400.0, 100.0)])
def test_the_last_stage_gives_trees_a_quarter_of_its_time(tmp_path, monkeypatch, budget_s, limit_s):
    asked = []
    monkeypatch.setattr("chemvae.training.recipes.stages.fit_structure", lambda *given: asked.append(given[3:]))
    table = pd.DataFrame({"smiles": MOLECULES, "y": np.arange(float(len(MOLECULES)))})
    api.train(table, ["y"], "tiny", tmp_path / "run", **SIZES)
    run, every = RunFolder(tmp_path / "run"), np.arange(len(MOLECULES))
    inputs = make_inputs(load_table(table, properties=["y"]), (every, every), api.load(run.path).vocabulary, 0.0)
    work = Work(run, inputs, StageFolder(RunFolder(tmp_path / "last"), budget_s=budget_s))
    fit(work, FitSettings(trees=read_recipe("full")[-1].settings["trees"], rounds=0, epochs=1, least_steps=20))
    assert asked == [(TreeSettings(rounds=250), 0, limit_s)]


def test_codes_on_a_sphere_keep_the_prior_that_suits_them(caplog):
    model = MolVAE(Vocabulary.from_smiles(["CO"]), ModelSettings(latent_dim=4, posterior="vmf"))
    learned = model.priors["learned"]
    _take_prior(model, "flow")
    assert model.priors["learned"] is learned and model.settings.fitted_prior == "mixture"
    assert "stays a mixture" in caplog.text and "lie on a sphere" in caplog.text


def test_a_kind_of_prior_that_nobody_knows_is_refused():
    with pytest.raises(SettingsError, match="prior must be one of .*flow.*, got 'flaw'"):
        FitSettings(prior="flaw")


def test_the_time_is_shared_out_and_what_a_stage_leaves_goes_to_those_after_it():
    stages = [vars(one) for one in read_recipe("full")]
    record = Record("full", stages, seconds=1_000.0)
    assert record.budget(0) == pytest.approx(550.0)
    record.done["learn"] = 100.0
    assert record.budget(1) == pytest.approx(900.0 * 0.15 / 0.45)
    assert record.budgets["learn"] == pytest.approx(550.0)  # decided once
    assert Record("full", stages).budget(0) == 0.0


def test_a_recipe_that_is_out_of_time_still_goes_through_all_its_stages(tmp_path):
    model = train(tmp_path / "run", time_limit_min=1e-3, epochs=3)
    config = RunFolder(tmp_path / "run").read_config()
    assert list(config["recipe"]["seconds"]) == ["learn", "between", "reward", "fit"] and model.latent_statistics.is_fitted


def test_stages_are_read_from_json_or_as_they_are():
    assert stages_from('{"fit": {"rounds": 0}}') == stages_from({"fit": {"rounds": 0}}) == {"fit": {"rounds": 0}}
    assert stages_from(None) == {}
