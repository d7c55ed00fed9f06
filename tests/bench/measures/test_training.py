"""The trainer as the benchmark runs it: what it saw is counted."""

import torch

from chemvae.bench.measures.training import molecules_seen, train_for, training_settings
from tests.conftest import make_model

CPU = torch.device("cpu")


def test_training_counts_the_molecules_it_saw(vocabulary, labelled):
    model = make_model(vocabulary)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    settings = training_settings("tiny", batch_size=8, seconds=0.2, threads=1, seed=0)
    speed, steps = train_for(model, labelled, labelled, settings, CPU)
    assert steps >= 1 and speed.molecules == len(molecules_seen(labelled, 8, 0, steps))
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())  # a copy was trained


def test_molecules_seen_over_several_passes(labelled):
    seen = molecules_seen(labelled, 8, seed=0, steps=7)  # 3 batches a pass: 20 + 20 + 8 or 4
    assert sorted(seen[:20]) == sorted(seen[20:40]) == list(range(20))
    assert len(molecules_seen(labelled, 8, seed=0, steps=0)) == 0
