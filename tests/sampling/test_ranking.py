"""The best of several decodes is the one that the written rule names."""

import numpy as np
import pandas as pd
import pytest
import torch

from chemvae.data.tokens.vocabulary import Vocabulary
from chemvae.errors import SettingsError
from chemvae.models.posteriors import gaussian_posterior
from chemvae.sampling import latent_points, ranking
from chemvae.sampling.latent_points import LatentPoints
from chemvae.sampling.ranking import DecodeSettings, decode_beam, decode_best_of, decode_points, take_best


class Encoder:
    """A model whose posterior of each molecule is written down."""

    vocabulary = Vocabulary(["C", "N", "O", "(", ")", "1"])
    latent_dim = 2
    device = torch.device("cpu")
    known = {"CCO": ([0.0, 0.0], [1.0, 1.0]), "CCN": ([2.0, 0.0], [0.5, 1.0]), "CC": ([0.0, 3.0], [1.0, 3.0])}

    def posterior(self, smiles):
        loc, scale = (torch.tensor([self.known[one][i] for one in smiles]) for i in (0, 1))
        return gaussian_posterior(loc, scale)


def candidates(*rows):
    """A table of (row, smiles, valid, log_prob)."""
    table = pd.DataFrame(rows, columns=["row", "smiles", "valid", "log_prob"])
    table.insert(1, "sample", table.groupby("row").cumcount())
    return table


def best(table, z):
    z = np.asarray(z, dtype=np.float32)
    points = LatentPoints.of(Encoder(), z, n_samples=len(table) // len(z))
    return take_best(Encoder(), points, table)


def test_log_probability_and_distance_are_weighed_as_written():
    # at z = (1, 0): CCO has d^2 = 1, CCN (2 - 1)^2 / 0.25 = 4, CC 1 + (3 / 3)^2 = 2
    for gap, winner in ((1.4, "OCC"), (1.6, "CCN")):  # CCN must be more probable by (4 - 1) / 2
        table = candidates((0, "OCC", True, -5.0), (0, "CCN", True, -5.0 + gap), (0, "CC", True, -5.0))
        found = best(table, [[1.0, 0.0]])
        assert found["smiles"].tolist() == [winner] and found["sample"].tolist() == [0 if winner == "OCC" else 1]


def test_what_is_not_valid_never_wins_and_stays_if_nothing_else_is_there():
    table = candidates((0, "CC1", False, 0.0), (0, "CC", True, -50.0), (1, "C(", False, -1.0), (1, "CC1", False, 0.0))
    found = best(table, [[9.0, 9.0], [0.0, 0.0]])
    assert found["smiles"].tolist() == ["CC", "C("] and found["valid"].tolist() == [True, False]


def test_a_molecule_the_vocabulary_cannot_write_comes_last_among_the_valid():
    table = candidates((0, "C[O]", True, 0.0), (0, "CC", True, -90.0))
    assert best(table, [[5.0, 5.0]])["smiles"].tolist() == ["CC"]


def test_one_decode_is_the_greedy_one_and_columns_stay(tiny_model):
    z = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    z[1] = np.nan
    greedy = tiny_model.decode(z)
    pd.testing.assert_frame_equal(decode_best_of(tiny_model, z, n=1), greedy, rtol=1e-5)
    for found in (
        decode_best_of(tiny_model, z, n=4),
        decode_beam(tiny_model, z, 3),
        decode_beam(tiny_model, z, 3, mask_syntax=True),
    ):
        assert found.columns.tolist() == greedy.columns.tolist() and found["row"].tolist() == [0, 1, 2, 3, 4]
        assert found["smiles"][1] == "" and np.isnan(found["log_prob"][1])


def test_draws_belong_to_the_point_not_to_the_block(tiny_model, monkeypatch):
    monkeypatch.setattr(ranking, "take_best", lambda model, points, table: table)  # all candidates
    z = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    for mask_syntax in (False, True):
        whole = decode_best_of(tiny_model, z, n=3, seed=5, mask_syntax=mask_syntax)
        with monkeypatch.context() as patch:
            patch.setattr(latent_points, "DECODE_BATCH", 6)
            blocks = decode_best_of(tiny_model, z, n=3, seed=5, mask_syntax=mask_syntax)
        assert whole["smiles"].tolist() == blocks["smiles"].tolist() and whole["row"].tolist() == blocks["row"].tolist()
        assert (
            whole["smiles"].tolist() != decode_best_of(tiny_model, z, n=3, seed=6, mask_syntax=mask_syntax)["smiles"].tolist()
        )


def test_settings_lead_to_the_function_they_name(tiny_model):
    z = np.random.default_rng(2).normal(size=(4, 6)).astype(np.float32)
    same = [
        (DecodeSettings(n_samples=2, temperature=0.5, seed=3), tiny_model.decode(z, n_samples=2, temperature=0.5, seed=3)),
        (DecodeSettings(best_of=3, seed=1), decode_best_of(tiny_model, z, 3, 1.0, 1)),
        (DecodeSettings(beam=2, mask_syntax=True), decode_beam(tiny_model, z, 2, mask_syntax=True)),
    ]
    for settings, expected in same:
        pd.testing.assert_frame_equal(decode_points(tiny_model, z, settings), expected)


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"best_of": 4, "beam": 2}, "choose one"),
        ({"best_of": 4, "n_samples": 3}, "n_samples at 1"),
        ({"best_of": 4, "temperature": 0.0}, "greedy"),
        ({"beam": 4, "temperature": 0.7}, "draws nothing"),
        ({"beam": -1, "n_samples": 0, "temperature": -1.0}, "n_samples must be >= 1.*beam must be >= 0.*temperature"),
    ],
)
def test_contradictions_are_named(wrong, words):
    with pytest.raises(SettingsError, match=words):
        DecodeSettings(**wrong)
