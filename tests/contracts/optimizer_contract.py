"""Tests that every optimizer inherits: supply ``method``, a name in OPTIMIZERS or an optimizer class."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from chemvae.design import run_campaign
from chemvae.design.optimizers.latent_region import LatentRegion
from tests.design.toys import CELLS, Bowl, ToyModel


@functools.cache
def what_chance_finds(seed: int) -> float:
    """Mean of the ten best on the bowl that random search finds."""
    result = run_campaign(ToyModel(), Bowl(11, 3), budget=42, seed=seed, method="random", batch_size=6)
    return result.history["score"].nlargest(10).mean()


class OptimizerContract:
    """Subclass it as ``TestX`` and set ``method``."""

    method: object = None
    beats_random: bool = True

    def run(self, oracle, budget=60, seed=0, **settings):
        return run_campaign(ToyModel(), oracle, budget=budget, seed=seed, method=self.method, batch_size=6, **settings)

    @pytest.mark.parametrize("budget", [1, 5, 17])
    def test_never_more_than_n_calls_for_budget_n(self, budget):
        bowl = Bowl()
        result = self.run(bowl, budget=budget)
        assert len(bowl.asked) == len(set(bowl.asked)) == len(result.history) == budget

    def test_stops_when_nothing_new_turns_up(self):
        bowl = Bowl()
        result = self.run(bowl, budget=10_000, constraints=["heavy_atoms==16"], patience=2)
        assert result.stopped.startswith("nothing new in")
        few = {smiles for smiles, (i, j) in CELLS.items() if i + j + 4 == 16}
        assert 0 < len(bowl.asked) == len(set(bowl.asked)) and set(bowl.asked) <= few

    def test_survives_an_oracle_that_never_answers(self):
        result = self.run(lambda smiles: math.nan, budget=14)
        assert len(result.history) == 14 and result.best is None
        assert result.history["score"].isna().all() and (result.history["reason"] == "score is nan").all()

    def test_survives_an_oracle_that_raises(self):
        def broken(smiles):
            raise RuntimeError("no licence")

        result = self.run(broken, budget=14)
        assert result.best is None and (result.history["reason"] == "RuntimeError: no licence").all()

    def test_survives_a_constant_oracle(self):
        result = self.run(lambda smiles: 1.0, budget=14)
        assert len(result.history) == 14 and (result.history["score"] == 1.0).all()

    def test_same_seed_same_history_another_seed_another(self):
        first, second, other = self.run(Bowl(), budget=14), self.run(Bowl(), budget=14), self.run(Bowl(), budget=6, seed=1)
        assert first.history["smiles"].tolist() == second.history["smiles"].tolist()
        np.testing.assert_array_equal(np.stack(first.history["z"]), np.stack(second.history["z"]))
        assert first.history["smiles"][:6].tolist() != other.history["smiles"].tolist()

    def test_resumes_to_the_same_trace(self, tmp_path):
        whole = self.run(Bowl(), budget=17)
        path = tmp_path / "history.jsonl"
        dying = Bowl()

        def dies(smiles):
            if len(dying.asked) == 13:
                raise KeyboardInterrupt
            return dying(smiles)

        part = self.run(dies, budget=17, history_path=path)
        assert part.interrupted and len(part.history) == 13
        second = Bowl()

        def goes_on(smiles):
            return second(smiles)

        goes_on.__name__ = dies.__name__
        resumed = self.run(goes_on, budget=17, history_path=path)
        assert not set(dying.asked) & set(second.asked) and len(dying.asked) + len(second.asked) == 17
        assert resumed.history["smiles"].tolist() == whole.history["smiles"].tolist()
        np.testing.assert_array_equal(resumed.history["score"], whole.history["score"])
        np.testing.assert_array_equal(np.stack(resumed.history["z"]), np.stack(whole.history["z"]))

    def test_beats_random_on_a_bowl(self):
        ours, theirs = [], []
        for seed in range(2):
            ours.append(self.run(Bowl(11, 3), budget=42, seed=seed).history["score"].nlargest(10).mean())
            theirs.append(what_chance_finds(seed))
        assert np.mean(ours) > np.mean(theirs) + 1.0 if self.beats_random else ours == theirs

    def test_asks_for_finite_points_of_the_right_shape(self):
        from chemvae.design import OPTIMIZERS

        make = OPTIMIZERS[self.method] if isinstance(self.method, str) else self.method
        optimizer = make(LatentRegion(ToyModel()), seed=0)
        for n in (1, 7):
            z = optimizer.ask(n)
            assert z.shape == (n, 4) and torch.isfinite(z).all()
            optimizer.tell(z, torch.full((n,), torch.nan))
            optimizer.tell(z, torch.linspace(0, 1, n))

    def test_learns_without_smiles(self):
        from chemvae.design import OPTIMIZERS

        make = OPTIMIZERS[self.method] if isinstance(self.method, str) else self.method
        optimizer = make(LatentRegion(ToyModel()), seed=0)
        for _ in range(5):
            z = optimizer.ask(8)
            optimizer.tell(z, -z.norm(dim=1))
        assert len(optimizer.archive) == 40 and optimizer.ask(3).shape == (3, 4)
