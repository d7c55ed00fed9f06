"""A family that is not a diagonal Gaussian keeps its shape, and does all that the diagonal Gaussian does."""

import math

import numpy as np
import pytest
import torch

import chemvae
from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.errors import InterruptedRunError, SettingsError
from chemvae.evaluation.likelihood.importance import log_evidence
from chemvae.models.posteriors import POSTERIORS, Posterior
from chemvae.models.settings import ModelSettings
from chemvae.models.vae import MolVAE
from chemvae.runs import RunFolder
from chemvae.sampling.ranking import DecodeSettings, decode_points, squared_distance
from chemvae.training import Callback, Trainer, TrainingSettings
from chemvae.training.posthoc.finish import finish
from tests.conftest import MOLECULES
from tests.contracts.posterior import PosteriorContract
from tests.models.posteriors.families import CouplingFlow, FullGaussian

H = 10
SMALL = {
    "encoder_dim": 16, "decoder_dim": 24, "embedding_dim": 8, "predictor_dim": 8, "latent_dim": 4, "batch_size": 4, "epochs": 1,
    "min_kl": 0.0, "min_active_units": 0.0, "ema_decay": 0.5, "threads": 1, "warmup_steps": 2, "learning_rate": 5e-3,
}  # fmt: skip
FAMILIES = {"full": FullGaussian, "flow": CouplingFlow}


class TestFullGaussian(PosteriorContract):
    def family(self):
        return FullGaussian(H, 2)


class TestCouplingFlow(PosteriorContract):
    def family(self):
        return CouplingFlow(H, 2)


@pytest.fixture(params=FAMILIES)
def name(request, monkeypatch):
    monkeypatch.setitem(POSTERIORS, f"strangers-{request.param}", FAMILIES[request.param])
    return f"strangers-{request.param}"


@pytest.fixture
def trained(name, tmp_path):
    return chemvae.train(MOLECULES, preset="tiny", posterior=name, out=tmp_path / "run", device="cpu", **SMALL)


def test_a_stranger_s_family_does_all_that_a_model_does(trained, tmp_path):
    model = chemvae.load(tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(model.encode(MOLECULES), trained.encode(MOLECULES))
    for prior in ("learned", "normal"):
        assert len(chemvae.sample(model, 30, prior=prior)) == 30
    assert len(model.decode(model.encode(MOLECULES[:3]))) == 3
    assert len(chemvae.interpolate(model, MOLECULES[0], MOLECULES[3])) == 9
    best = decode_points(model, model.encode(MOLECULES[:5]), DecodeSettings(best_of=4))
    assert len(best) == 5
    found = chemvae.optimize(model, goals="qed", budget=4, seed=0, start=MOLECULES[:6], method="random")
    assert len(found.history) <= 4
    evidence = log_evidence(model, MOLECULES[:4], n_draws=20)
    assert evidence.isfinite().all()


def test_what_is_said_of_the_kl_is_how_it_was_taken(trained, name):
    found = chemvae.evaluate(trained, MOLECULES, n_samples=20, n_fcd=0, n_curve=5, n_reconstruction=2)
    words = found["protocol"]["kl"]
    assert ("in closed form" in words) == (name == "strangers-full")
    assert ("estimated by one draw" in words) == (name == "strangers-flow")
    assert ("N(0, I)" in words) == (name == "strangers-full")
    assert found["elbo"] == pytest.approx(-found["kl"] - found["cross_entropy"])
    assert math.isfinite(found["mutual_information"]) and found["mutual_information"] <= math.log(len(MOLECULES)) + 1e-6
    assert found["mutual_information"] >= 0 and math.isfinite(found["mutual_information_upper"])


def test_a_posterior_keeps_its_covariance_and_the_learned_prior_sees_it(vocabulary, monkeypatch):
    monkeypatch.setitem(POSTERIORS, "full", FullGaussian)
    model = MolVAE(
        vocabulary, ModelSettings(8, 12, 16, 2, 8, posterior="full", fitted_prior="gaussian", precision="fp32")
    ).eval()
    root = torch.tensor([[1.0, 0.0], [2.0, 0.5]])
    with torch.no_grad():  # every molecule's posterior is N(0, root root^T)
        model.posterior_family.project.weight.zero_()
        raw = torch.log(torch.expm1(root.diagonal() - 1e-2))
        model.posterior_family.project.bias.copy_(torch.tensor([0.0, 0.0, raw[0], 0.0, root[1, 0], raw[1]]))
    q = model.posterior(MOLECULES)
    torch.testing.assert_close(q.covariance_matrix, (root @ root.T).expand(20, 2, 2))
    data = SmilesDataset(MOLECULES * 300, vocabulary)
    finish(model, data, data, None)
    fitted = model.priors["learned"].root
    torch.testing.assert_close(fitted @ fitted.T, root @ root.T, atol=0.15, rtol=0)


def test_a_flow_has_no_standard_deviation_and_nobody_asks_for_it(vocabulary):
    q = CouplingFlow(H, 2)(torch.randn(3, H))
    with pytest.raises((NotImplementedError, AttributeError)):
        _ = q.stddev
    assert q.kl is None and q.kl_dims is None
    assert (squared_distance(q, q.point) == 0).all()
    with pytest.raises(SettingsError, match="cannot be indexed"):
        Posterior(q.distribution, q.point)[:1]


def test_a_full_gaussian_s_distance_is_mahalanobis():
    q = FullGaussian(H, 2)(torch.randn(3, H))
    z = torch.randn(3, 2)
    off = (z - q.point)[:, None]
    expected = (off @ torch.linalg.inv(q.covariance_matrix) @ off.transpose(1, 2)).flatten()
    torch.testing.assert_close(squared_distance(q, z), expected.detach(), rtol=1e-3, atol=1e-3)


def test_ten_steps_and_ten_more_are_twenty(name, labelled, vocabulary, tmp_path):
    class StopAtTen(Callback):
        trainer = None

        def on_step(self, info):
            if info["step"] == 10:
                self.trainer._stop = "interrupted"

    def made(run=None, callback=None):
        torch.manual_seed(0)
        model = MolVAE(vocabulary, ModelSettings(8, 12, 16, 4, 8, posterior=name, precision="fp32"), ("logP", "qed"))
        model.predictor.fit_scale(torch.tensor(labelled.labels))
        settings = TrainingSettings(
            epochs=4, batch_size=4, learning_rate=1e-2, warmup_steps=2, min_kl=0.0, min_active_units=0.0, threads=1
        )
        return Trainer(model, labelled, labelled, settings, run, device="cpu", callbacks=(callback or Callback(),))

    whole = made()
    whole.fit()
    stop = StopAtTen()
    stop.trainer = first = made(RunFolder(tmp_path), stop)
    with pytest.raises(InterruptedRunError):
        first.fit()
    second = made(RunFolder(tmp_path))
    second.resume()
    second.fit()
    ours, theirs = whole.module.state_dict(), second.module.state_dict()
    assert whole.progress.step == second.progress.step == 20
    assert all(torch.equal(ours[key].nan_to_num(), theirs[key].nan_to_num()) for key in ours)
