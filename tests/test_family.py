"""Every posterior, objective and prior does all that a model does: one path over the tables, with models of a few weights."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

import chemvae
from chemvae.errors import SettingsError
from chemvae.evaluation.likelihood.importance import log_evidence
from chemvae.models.posteriors import POSTERIORS
from chemvae.models.priors import learned_priors, trained_priors
from chemvae.moving.completion import CompletionSettings, complete_all
from chemvae.moving.gaps import parse_pattern
from chemvae.moving.steps import go_along
from chemvae.moving.walks import walk_latents
from chemvae.objectives import OBJECTIVES
from chemvae.runs import RunFolder
from tests.commands.conftest import chemvae as command
from tests.conftest import MOLECULES

__all__ = ["command"]
SMALL = {
    "encoder_dim": 8, "decoder_dim": 8, "embedding_dim": 4, "predictor_dim": 4, "latent_dim": 3, "batch_size": 10, "epochs": 2,
    "min_kl": 0.0, "min_active_units": 0.0, "ema_decay": 0.5, "threads": 1, "warmup_steps": 1, "learning_rate": 5e-3,
    "device": "cpu", "preset": "tiny", "monitor_molecules": 10,
}  # fmt: skip
DOUBLY = {"name": "iwae", "n_draws": 3, "doubly_reparameterized": True}
ASKED = [
    *({"posterior": name} for name in POSTERIORS),
    *({"prior": name} for name in trained_priors() if name != "normal"),
    *({"objective": name} for name in OBJECTIVES if name != "beta-elbo"),
    *({"fitted_prior": name} for name in learned_priors() if name not in ("mixture", "flow")),
    {"posterior": "iaf", "objective": "iwae", "prior": "vamp"},
    {"posterior": "vmf", "objective": "infovae", "prior": "vamp", "noised_codes": 0.2, "prior_points": 0.2},
    {"posterior": "vmf", "objective": DOUBLY, "prior": "mixture"},
    {"posterior": "full", "objective": DOUBLY, "prior": "flow"},
    {"posterior": "mixture", "objective": "infovae", "prior": "vamp", "free_bits": 0.0},
    {"posterior": "deterministic", "objective": "wae"},
]


def table():
    logp = np.linspace(-1, 4, len(MOLECULES))
    return pd.DataFrame({"smiles": MOLECULES, "logP": logp})


def train(**options):
    return chemvae.train(table(), ["logP"], **{**SMALL, **options})


QUICK = ({"posterior": "full"}, {"prior": "vamp"}, {"objective": "iwae"})
"""One of each table, which every run of the tests takes; the others are slow, being many."""


def marked(asked):
    return pytest.param(asked, id=words(asked), marks=() if asked in QUICK else pytest.mark.slow)


def words(asked):
    return "-".join(one["name"] + "-doubly" if isinstance(one, dict) else str(one) for one in asked.values())


@pytest.mark.parametrize("asked", map(marked, ASKED))
def test_a_member_of_the_family_does_all_that_a_model_does(asked, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    trained = train(**asked, out=whole, seed=3)
    train(**asked, out=part, seed=3, time_limit_min=1e-9)
    resumed = chemvae.train(table(), ["logP"], out=part, resume=True, device="cpu", time_limit_min=0)
    model = chemvae.load(whole, device="cpu")
    codes = model.encode(MOLECULES)
    for other in (trained, resumed):
        np.testing.assert_array_equal(other.encode(MOLECULES), codes)
    written = RunFolder(whole).read_config()["model"]
    assert all(written.get(name, value) == value for name, value in asked.items())
    check_use(model, codes)
    tuned = train(init=str(whole), seed=3, epochs=1, **{key: asked[key] for key in ("objective",) if key in asked})
    assert (tuned.settings.posterior, tuned.settings.prior) == (model.settings.posterior, model.settings.prior)


def check_use(model, codes):
    """What encode, sample, predict, interpolate, optimize, map and evaluate give is finite and where it should be."""
    drawn = {prior: model.priors[prior].sample(5, torch.Generator().manual_seed(0)) for prior in model.priors}
    for z in (torch.from_numpy(codes), model.posterior(MOLECULES).draw(2)[0], *drawn.values()):
        assert z.isfinite().all()
        torch.testing.assert_close(model.latent_space.project(z), z)
    assert all(model.priors[name].log_prob(z).isfinite().all() for name, z in drawn.items())
    for prior in ("learned", "normal", "trained"):
        assert len(chemvae.sample(model, 6, prior=prior, jobs=1)) == 6
    assert model.predict(MOLECULES).notna().all().all()
    refined = chemvae.encode(MOLECULES[:4], model, refine=2).filter(like="z_").to_numpy()
    torch.testing.assert_close(model.latent_space.project(torch.from_numpy(refined)), torch.from_numpy(refined))
    check_moving(model)
    found = chemvae.optimize(model, goals="qed", budget=3, seed=0, start=MOLECULES[:4], method="gradient")
    assert len(found.history) <= 3
    assert len(chemvae.map(MOLECULES, model).xy) == len(MOLECULES)
    assert log_evidence(model, MOLECULES[:3], n_draws=8).isfinite().all()
    figures = chemvae.evaluate(model, MOLECULES, n_samples=10, n_fcd=0, n_curve=3, n_reconstruction=2)
    assert all(np.isfinite(figures[key]) for key in ("elbo", "kl", "cross_entropy", "mutual_information", "active_units"))
    assert figures["elbo"] == pytest.approx(-figures["kl"] - figures["cross_entropy"])


def check_moving(model):
    """Paths, neighbours, edits, analogies, walks and gaps stay in the model's space, and give what was asked for."""
    first, second = MOLECULES[0], MOLECULES[3]
    for path in ("spherical", "linear"):
        assert len(chemvae.interpolate(model, first, second, n_steps=3, path=path)) == 3
    near = chemvae.neighbors(first, MOLECULES, n=2, model=model, radii=(0.3,), n_decodes=4)
    assert (near["kind"] == "known").sum() == 2 and near.attrs["decodes"][first][0]["decodes"] == 4
    for asked in ({"along": "logP"}, {"along": "TPSA", "fit": MOLECULES}, {"pair": (first, second)}):
        assert len(chemvae.edit(first, model=model, steps=2, n_samples=2, **asked)) == 3
    z = go_along(model, torch.from_numpy(model.encode([first])), lambda z: torch.ones_like(z), 0.8, 3)
    walked = [walk_latents(model, 5, 0.5, prior, 0)[0] for prior in model.priors]
    for points in (z.flatten(0, 1), *walked):
        torch.testing.assert_close(model.latent_space.project(points), points)
    pattern = parse_pattern("CC_", model.vocabulary)
    codes = model.encode(["CCO"])
    for given in (None, codes):
        found = complete_all(model, [pattern], CompletionSettings(n_draws=1, rounds=1), given)[0]
        assert np.isfinite(found["log_prob"]).all() and found["written"].str.fullmatch("CC.|CC(Cl|Br)").all()


def test_the_command_says_it_in_the_same_words(command, tmp_path):
    table().to_csv(tmp_path / "table.csv", index=False)
    flags = [word for key, value in SMALL.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    wanted = [
        "--posterior",
        "iaf",
        "--prior",
        "vamp",
        "--fitted-prior",
        "gaussian",
        "--objective",
        '{"name": "iwae", "n_draws": 2}',
    ]
    found = command("train", "table.csv", "-p", "logP", "-o", "run", *flags, *wanted)
    assert found.exit_code == 0, found.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert [config["model"][key] for key in ("posterior", "prior", "fitted_prior")] == ["iaf", "vamp", "gaussian"]
    assert config["training"]["objective"] == {"name": "iwae", "n_draws": 2}
    broken = command("train", "table.csv", "-o", "other", "--objective", "{iwae")
    assert broken.exit_code == 2 and "--objective is no JSON" in broken.output + broken.stderr
    assert command("sample", "-m", "run", "-n", "4", "--prior", "trained").exit_code == 0


REFUSED = [
    ({"objective": "wae", "prior": "vamp"}, "'wae' has no log p.*prior normal with it, or .*beta-elbo"),
    ({"objective": "autoencoder", "prior": "flow"}, "'autoencoder' has no log p"),
    ({"objective": DOUBLY, "posterior": "iaf"}, "one pass per dimension: take them with one of gaussian, full"),
    ({"objective": "iwae", "free_bits": 0.1}, "free_bits goes with the objective beta-elbo, semi-amortized, not with 'iwae'"),
    ({"posterior": "vmf", "prior": "flow"}, "lie on a sphere: take the prior normal or mixture or vamp"),
    ({"posterior": "vmf", "fitted_prior": "gaussian"}, "lie on a sphere: take the fitted_prior mixture with it"),
]


@pytest.mark.parametrize(("asked", "sentence"), REFUSED, ids=lambda one: words(one) if isinstance(one, dict) else "")
def test_what_does_not_go_together_is_refused_before_anything_is_read(asked, sentence):
    with pytest.raises(SettingsError, match=sentence):
        chemvae.train("no-such-file.csv", **asked)


def test_another_posterior_than_that_of_the_model_to_start_from_is_refused(tmp_path):
    train(out=tmp_path / "run", epochs=1)
    with pytest.raises(SettingsError, match="has the posterior gaussian; leave out posterior='full'"):
        train(init=str(tmp_path / "run"), posterior="full")
    tuned = train(init=str(tmp_path / "run"), prior="vamp", epochs=1)
    assert tuned.settings.prior == "vamp" and "trained" in tuned.priors
