"""Threads that share a batch find the gradient of the whole batch, the same one every time."""

import numpy as np
import pytest
import torch

from chemvae.data.tokens.datasets import SmilesDataset
from chemvae.objectives import BetaELBO, Loss, Objective
from chemvae.runs import RunFolder
from chemvae.training import Trainer, TrainingSettings
from chemvae.training.data_parallel import DataParallel
from chemvae.training.ema import WeightAverage
from chemvae.training.optim import make_optimizer
from tests.conftest import make_model

SETTINGS = dict(epochs=2, batch_size=64, warmup_steps=2, min_kl=0.0, min_active_units=0.0, threads=2, random_smiles=0.5)


@pytest.fixture
def many(molecules, vocabulary):
    rng = torch.Generator().manual_seed(0)
    labels = torch.randn(70, 2, generator=rng).double()
    labels[::7, 0] = torch.nan
    return SmilesDataset((molecules * 4)[:70], vocabulary, labels.numpy(), random_smiles=0.5)


class Likelihood(Objective):
    """Without noise: how well the point z = 0 explains each molecule, and what the encoder makes of it."""

    splits = True

    def __call__(self, model, batch, step, phase, generator=None):
        posterior = model.posterior_of(batch)
        cross_entropy = -model.log_px_z(torch.zeros(len(batch), model.latent_dim), batch, None).mean()
        property_nll = -model.predictor.log_prob(posterior.point[None], batch.labels).mean()
        return Loss(cross_entropy + posterior.kl.mean() + property_nll, {"cross_entropy": cross_entropy.detach()})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_gradients_equal_those_of_the_whole_batch(many, vocabulary, threads):
    torch.manual_seed(0)
    model = make_model(vocabulary)
    batch = many.batch(torch.arange(70).numpy(), np.random.default_rng(0))
    whole = Likelihood()(model, batch, 0, "model")
    whole.total.backward()
    expected = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    parallel = DataParallel(model, threads)
    loss = parallel.backward(batch, lambda part, noise: Likelihood()(model, part, 0, "model", noise), step=3)
    parallel.close()
    torch.testing.assert_close(loss.total, whole.total.detach(), rtol=1e-5, atol=0)
    torch.testing.assert_close(loss.parts["cross_entropy"], whole.parts["cross_entropy"], rtol=1e-5, atol=0)
    for found, p in zip(expected, model.parameters(), strict=True):
        assert (found is None) == (p.grad is None)
        if found is not None:
            torch.testing.assert_close(p.grad, found, rtol=1e-4, atol=1e-5)


def trained(many, vocabulary, run=None, **changes):
    torch.manual_seed(0)
    model = make_model(vocabulary)
    model.predictor.fit_scale(torch.tensor(many.labels))
    return Trainer(model, many, many, TrainingSettings(**{**SETTINGS, **changes}), run, device="cpu")


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.module.parameters()])


def test_two_runs_are_equal_to_the_bit_and_threads_are_used(many, vocabulary, monkeypatch):
    used = []
    monkeypatch.setattr(DataParallel, "backward", lambda self, *a, _old=DataParallel.backward: used.append(1) or _old(self, *a))
    first, second = trained(many, vocabulary), trained(many, vocabulary)
    first.fit()
    second.fit()
    assert used and torch.equal(weights(first), weights(second))
    assert first.parallel is None and torch.get_num_threads() >= 1


def test_resume_with_threads_equals_no_interruption(many, vocabulary, tmp_path):
    whole = trained(many, vocabulary)
    whole.fit()
    first = trained(many, vocabulary, RunFolder(tmp_path))
    first.settings.__dict__["time_limit_min"] = 1e-9  # stops after the first step
    first.fit()
    assert 0 < first.progress.step < whole.progress.step
    second = trained(many, vocabulary, RunFolder(tmp_path))
    second.resume()
    second.fit()
    assert torch.equal(weights(whole), weights(second))


def test_molecules_that_meet_in_the_loss_are_not_parted(many, vocabulary, monkeypatch):
    assert not Objective.splits and not BetaELBO(lambda step: 1.0, free_bits=0.1).splits
    monkeypatch.setattr(DataParallel, "__init__", lambda *a: pytest.fail("free bits bound the mean of the whole batch"))
    trained(many, vocabulary, free_bits=0.1, epochs=1).fit()


def test_batch_parts_hold_every_molecule_once(many):
    batch = many.batch(torch.arange(70).numpy(), np.random.default_rng(1))
    parts = [batch.part(i, 3) for i in range(3)]
    assert sum(map(len, parts)) == 70
    assert torch.equal(torch.cat([p.lengths for p in parts]), torch.cat([batch.lengths[i::3] for i in range(3)]))
    for i, part in enumerate(parts):
        assert part.token_ids.shape[1] == part.lengths.max() and part.encoder_ids.shape[1] == part.encoder_lengths.max()
        assert torch.equal(part.token_ids, batch.token_ids[i::3, : part.token_ids.shape[1]])


def test_shared_update_equals_clip_step_and_average(many, vocabulary):
    """Threads that each update some parameters leave the weights, moments and average that one thread leaves."""
    answers = []
    for threads in (0, 3):
        torch.manual_seed(0)
        model = make_model(vocabulary)
        average = WeightAverage(model, 0.9)
        optimizer = make_optimizer(model, 1e-2, 1e-4)
        parallel = DataParallel(model, max(1, threads))
        norms = []
        for step in range(1, 4):
            for i, p in enumerate(model.parameters()):
                p.grad = None if i == 2 else torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * step + i))
            if threads:
                norms.append(float(parallel.update(optimizer, 5.0, average, step)))
            else:
                norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)))
                optimizer.step()
                average.update(step)
        parallel.close()
        moments = [optimizer.state[p]["exp_avg_sq"].flatten() for p in model.parameters() if p in optimizer.state]
        answers.append((torch.cat([p.detach().flatten() for p in model.parameters()]), torch.cat(moments),
                        torch.cat([w.flatten() for w in average.weights.values()]), torch.tensor(norms)))  # fmt: skip
    for one, two in zip(*answers, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-7)
    assert answers[0][3].min() > 5  # the gradient was clipped
