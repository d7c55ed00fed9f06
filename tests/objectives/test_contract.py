"""Every objective keeps the contract; a stranger's trains from Python and from the command line by its name."""

import importlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.errors import CollapseError, SettingsError, UnknownNameError
from chemvae.objectives import OBJECTIVES, BetaELBO, NoisedCodes, ObjectiveContext, OwnSamples, build_objective
from chemvae.runs import RunFolder
from chemvae.training import Callback, Trainer, TrainingSettings
from tests.commands.conftest import chemvae as command
from tests.commands.conftest import table_csv
from tests.conftest import MOLECULES, make_model
from tests.contracts.linear_gaussian import LinearGaussian
from tests.contracts.objective import N_REPEATS, ObjectiveContract, drawn
from tests.objectives.strangers import IWAE

__all__ = ["command", "table_csv"]
SMALL = {
    "encoder_dim": 12, "decoder_dim": 16, "embedding_dim": 8, "predictor_dim": 8, "latent_dim": 4, "batch_size": 4, "epochs": 2,
    "min_kl": 0.0, "min_active_units": 0.0, "ema_decay": 0.5, "threads": 1, "warmup_steps": 2,
}  # fmt: skip


class TestBetaELBO(ObjectiveContract):
    def objective(self):
        return BetaELBO(lambda step: 1.0)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["kl"] + parts["property_nll"]


class TestFreeBits(ObjectiveContract):
    """With free bits so few that no dimension has less, the bound is the plain one."""

    def objective(self):
        return BetaELBO(lambda step: 1.0, free_bits=1e-9)

    def total_of(self, parts):
        return parts["cross_entropy"] + parts["kl"] + parts["property_nll"]


class TestIWAE(ObjectiveContract):
    def objective(self):
        return IWAE()

    def total_of(self, parts):
        return -parts["iwae"]

    def test_it_tightens_with_the_draws(self):
        toy = LinearGaussian()
        one, five, fifty = (torch.stack([-IWAE().loss(terms, 0).total for terms in drawn(k)]) for k in (1, 5, 50))
        error = float(one.std()) / N_REPEATS**0.5
        assert one.mean() + 2 * error < five.mean() < fifty.mean() < toy.evidence().mean() + 4 * error


@pytest.fixture
def iwae(monkeypatch):
    monkeypatch.setitem(OBJECTIVES, "iwae", IWAE)
    return "iwae"


class Listener(Callback):
    def __init__(self):
        self.steps, self.rows = [], []

    def on_step(self, info):
        self.steps.append(info)

    def on_epoch(self, row, model):
        self.rows.append(dict(row))


def train(out=None, **options):
    return chemvae.train(MOLECULES, preset="tiny", out=out, device="cpu", **{**SMALL, **options})


def test_a_stranger_s_objective_trains_by_its_name_and_is_read_by_its_own_parts(iwae, tmp_path):
    heard = Listener()
    train(tmp_path / "run", objective=iwae, callbacks=[heard])
    metrics = pd.read_csv(tmp_path / "run" / "metrics.csv")
    assert {"train_iwae", "valid_iwae", "valid_loss", "valid_kl"} <= set(metrics) and "beta" not in metrics
    assert not {"train_cross_entropy", "train_kl"} & set(metrics)
    np.testing.assert_allclose(metrics["valid_loss"], -metrics["valid_iwae"], rtol=1e-5)
    assert all("iwae" in info and "cross_entropy" not in info for info in heard.steps)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["training"]["objective"] == "iwae"
    assert len(chemvae.sample(chemvae.load(tmp_path / "run"), 5)) == 5


def test_settings_go_with_the_name_and_a_stopped_run_goes_on(iwae, tmp_path):
    asked = {"name": "iwae", "n_draws": 2}
    whole = train(objective=asked, seed=4)
    train(tmp_path / "run", objective=asked, seed=4, time_limit_min=1e-6)
    rest = chemvae.train(MOLECULES, out=tmp_path / "run", resume=True, device="cpu", time_limit_min=0)
    np.testing.assert_array_equal(rest.encode(MOLECULES), whole.encode(MOLECULES))


def test_an_objective_may_be_given_as_an_object_and_is_asked_for_again(tmp_path):
    train(tmp_path / "run", objective=IWAE(3), time_limit_min=1e-6)
    assert RunFolder(tmp_path / "run").read_config()["training"]["objective"] == "IWAE (given as an object)"
    again = {"out": tmp_path / "run", "resume": True, "device": "cpu", "time_limit_min": 0}
    with pytest.raises(SettingsError, match="IWAE.*give the same again"):
        chemvae.train(MOLECULES, **again)
    chemvae.train(MOLECULES, objective=IWAE(3), **again)
    assert len(RunFolder(tmp_path / "run").read_metrics()) == 2
    with pytest.raises(SettingsError, match="keeps its settings; objective cannot change"):
        other = tmp_path / "other"
        train(other)
        chemvae.train(MOLECULES, out=other, resume=True, objective="autoencoder")


def test_the_command_shows_the_parts(iwae, command, table_csv, tmp_path):
    flags = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", value)]
    found = command("train", table_csv, "-o", "run", "--preset", "tiny", *flags, "--device", "cpu", "--objective", "iwae")
    assert found.exit_code == 0, found.output
    assert "iwae" in found.stderr and "valid_iwae" in pd.read_csv(tmp_path / "run" / "metrics.csv")


def test_a_run_folder_from_before_objectives_had_names_goes_on(tmp_path):
    train(tmp_path / "run", time_limit_min=1e-6)
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    assert config["training"].pop("objective") == "beta-elbo"
    path.write_text(json.dumps(config))
    chemvae.train(MOLECULES, out=tmp_path / "run", resume=True, device="cpu", time_limit_min=0)
    assert len(RunFolder(tmp_path / "run").read_metrics()) == 2


def test_every_objective_of_the_table_is_under_contract():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"tests.objectives.{path.stem}")
    held = {type(one().objective()) for one in ObjectiveContract.__subclasses__()}
    assert set(OBJECTIVES.values()) <= held


def test_an_unknown_objective_is_refused_before_anything_is_read():
    with pytest.raises(SettingsError, match="objective must be one of beta-elbo.*'beta-elb'"):
        chemvae.train("no-such-file.csv", objective="beta-elb")
    context = ObjectiveContext(TrainingSettings(), lambda step: 1.0, None)
    with pytest.raises(UnknownNameError, match="Did you mean 'beta-elbo'"):
        build_objective("beta-elb", context)


def test_what_goes_beside_goes_around_any_objective(iwae, labelled, vocabulary):
    settings = TrainingSettings(objective="iwae", noised_codes=0.2, prior_points=0.5, batch_size=4, threads=1)
    found = Trainer(make_model(vocabulary), labelled, labelled, settings, device="cpu").objective
    assert isinstance(found, OwnSamples) and isinstance(found.objective, NoisedCodes)
    assert isinstance(found.objective.objective, IWAE)
    assert (found.weight, found.objective.weight, found.n_draws, found.splits) == (0.5, 0.2, 5, True)
    found.close()


def test_collapse_is_the_objective_s_own_word(labelled, vocabulary):
    class Stubborn(IWAE):
        def collapse(self, facts, settings):
            return ["the weights are all the same"]

        def collapse_remedy(self, settings):
            return "Draw more."

    settings = TrainingSettings(epochs=1, batch_size=10, threads=1, min_kl=0.0, min_active_units=0.0)
    with pytest.raises(CollapseError, match="the weights are all the same. Draw more."):
        Trainer(make_model(vocabulary), labelled, labelled, settings, objective=Stubborn(), device="cpu").fit()
