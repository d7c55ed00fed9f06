"""A tuning that was stopped goes on to the same weights as one that was not."""

from dataclasses import replace

import pytest
import torch

from chemvae.training.tuning.noised_codes import NoisedCodeSettings, tune_to_noised_codes
from chemvae.training.tuning.reinforce import ReinforceSettings, tune_by_reinforce
from tests.trained_model import model, train, trained

__all__ = ["model", "train", "trained"]
NOISED = NoisedCodeSettings(steps=12, batch_size=7, learning_rate=3e-3, threads=1)
REWARD = ReinforceSettings(
    rounds=6, points=24, draws=3, critic_points=200, critic_steps=20, fingerprint_bits=16, batch_size=16, threads=1,
    learning_rate=3e-3, own_code=0.3,
)  # fmt: skip


class Stops:
    """Keeps every state as a file would, and ends a tuning where it is told to."""

    def __init__(self, after, folder, held=None):
        self.after, self.file, self.held, self.n = after, folder / "kept.pt", held, 0

    def restore(self):
        return torch.load(self.held, weights_only=True) if self.held else None

    def offer(self, state):
        self.n += 1
        torch.save(state(), self.file)
        return self.n == self.after

    def time_share(self, elapsed_s):
        return 0.0


@pytest.mark.parametrize(("tune", "settings"), [(tune_to_noised_codes, NOISED), (tune_by_reinforce, REWARD)])
def test_stopped_in_the_middle_it_goes_on_to_the_same_weights_and_rows(model, train, tmp_path, tune, settings):
    undisturbed, stopped, resumed = (model.__class__(model.vocabulary, model.settings, ["logP"]) for _ in range(3))
    for one in (undisturbed, stopped, resumed):
        one.load_state_dict(model.state_dict())
    rows = tune(undisturbed, train, settings)
    keeper = Stops(4, tmp_path)
    assert len(tune(stopped, train, settings, keeper=keeper)) == 1
    again = tune(resumed, train, settings, keeper=Stops(99, tmp_path, keeper.file))
    for name, value in undisturbed.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, rtol=0, atol=0, equal_nan=True, msg=name)
    last = "step" if tune is tune_to_noised_codes else "round"
    assert again[-1][last] == rows[-1][last] == vars(settings)["steps" if last == "step" else "rounds"]


def test_where_the_time_is_short_the_learning_rate_falls_with_it(model, train, tmp_path, monkeypatch):
    class HalfOver(Stops):
        def time_share(self, elapsed_s):
            return 1.0

    lowest = []
    keeper = HalfOver(3, tmp_path)
    monkeypatch.setattr(keeper, "offer", lambda state: lowest.append(state()["optimizer"]["param_groups"][0]["lr"]) or False)
    tune_to_noised_codes(model, train, replace(NOISED, steps=3), keeper=keeper)
    assert lowest == pytest.approx([NOISED.learning_rate * 0.01] * 3)
