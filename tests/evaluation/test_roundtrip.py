"""Reconstruction rates of models whose mistakes are known."""

import math

import pytest
import torch

from chemvae.evaluation.roundtrip import (
    Canonical,
    decode_molecules,
    encode_molecules,
    normal_draws,
    reconstruction_greedy,
    reconstruction_sampled,
)

from .fakes import MemoryModel

MOLECULES = ["CCO", "C[C@H](N)O", "c1ccccc1", "CCCC"]


def rates(model, smiles, **options):
    canonical = Canonical()
    encoded = encode_molecules(model, smiles, canonical)
    greedy = reconstruction_greedy(model, encoded, canonical)
    return greedy[0], reconstruction_sampled(model, encoded, canonical, **options), greedy[1]


def test_a_perfect_memory_reconstructs_everything():
    greedy, sampled, decodes = rates(MemoryModel(MOLECULES), MOLECULES)
    assert (greedy, sampled) == (1.0, 1.0)
    assert decodes["same"].all() and decodes["row"].tolist() == [0, 1, 2, 3]


def test_another_writing_of_the_molecule_counts_and_lost_stereo_does_not():
    model = MemoryModel(MOLECULES, {"CCO": "OCC", "C[C@H](N)O": "CC(N)O"})
    greedy, sampled, decodes = rates(model, MOLECULES)
    assert (greedy, sampled) == (0.75, 0.75)
    assert decodes["same"].tolist() == [True, False, True, True]


def test_what_is_not_finished_does_not_count_although_it_parses():
    assert rates(MemoryModel(MOLECULES, unfinished=["CCCC"]), MOLECULES)[:2] == (0.75, 0.75)


def test_a_molecule_the_vocabulary_cannot_write_is_a_failure():
    smiles = ["[Xe]", "CCO", "CCS"]
    greedy, sampled, decodes = rates(MemoryModel(MOLECULES), smiles)
    assert (greedy, sampled) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert decodes["row"].tolist() == [1]


def test_nothing_encodable_gives_zero_and_nothing_at_all_nan():
    assert rates(MemoryModel(MOLECULES), ["[Xe]"])[:2] == (0.0, 0.0)
    assert all(math.isnan(rate) for rate in rates(MemoryModel(MOLECULES), [])[:2])


def test_sampled_reconstruction_averages_over_draws_and_decodes():
    greedy, sampled, _ = rates(MemoryModel(MOLECULES, noisy=True), MOLECULES)  # every second sampled decode is spoilt
    assert (greedy, sampled) == (1.0, 0.5)


def test_sampled_reconstruction_draws_z_with_the_posteriors_width():
    """Points further than ``reach`` are lost: with reach = scale * sqrt(chi2 median) half of the draws are."""
    scale, reach = 1.0, math.sqrt(3.3567)  # median of chi^2 with 4 degrees of freedom
    _, sampled, _ = rates(MemoryModel(MOLECULES, scale=scale, reach=reach), MOLECULES, n_draws=500, n_decodes=1)
    assert sampled == pytest.approx(0.5, abs=0.04)


def test_sampled_reconstruction_takes_the_first_molecules_only():
    model = MemoryModel(MOLECULES, {"CCCC": "C"})
    assert rates(model, MOLECULES, first=3)[1] == 1.0
    assert rates(model, MOLECULES, first=4)[1] == 0.75


def test_each_distinct_string_is_read_once(monkeypatch):
    calls = []
    monkeypatch.setattr("chemvae.evaluation.roundtrip.canonicalize", lambda s: calls.append(s) or s)
    canonical = Canonical()
    assert canonical(["A", "B", "A"]) == ["A", "B", "A"]
    assert canonical(["B", "C"]) == ["B", "C"]
    assert calls == ["A", "B", "C"]


def test_decodes_that_are_not_valid_have_no_molecule():
    model = MemoryModel(["CCO", "CCN"], unfinished=["CCN"])
    table = decode_molecules(model, torch.tensor([[10.0, 0.0], [0.0, 10.0], [500.0, 0.0]]), Canonical())
    assert table["molecule"].tolist() == ["CCO", None, None]


def test_draws_repeat_with_their_seed_and_leave_the_callers_stream():
    before = torch.get_rng_state()
    assert torch.equal(normal_draws((3, 2), 1), normal_draws((3, 2), 1))
    assert not torch.equal(normal_draws((3, 2), 1), normal_draws((3, 2), 2))
    assert torch.equal(before, torch.get_rng_state())
